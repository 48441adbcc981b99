//! What the names of a case stand for: parameters, labels, counters.

use crate::suite::expr::Type;
use crate::suite::names;
use crate::suite::source::Span;
use crate::suite::yaml::Node;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The parameters in force where a node is written. A value is looked up where *it* was written,
/// so an argument called `seq` can be given as `seq: seq` without meaning itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Env<'a>(Option<Rc<Vec<Binding<'a>>>>);

#[derive(Debug, Clone)]
pub(super) struct Binding<'a> {
    pub(super) name: &'a str,
    /// Where the parameter is declared: whether it was used is asked about this.
    pub(super) declared: Span,
    pub(super) node: &'a Node,
    pub(super) env: Env<'a>,
}

impl<'a> Env<'a> {
    pub(super) fn new(bindings: Vec<Binding<'a>>) -> Self {
        if bindings.is_empty() { Self(None) } else { Self(Some(Rc::new(bindings))) }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Binding<'a>> {
        self.0.as_ref()?.iter().find(|binding| binding.name == name)
    }

    pub(super) fn names(&self) -> Vec<&'a str> {
        self.0.as_ref().map(|all| all.iter().map(|binding| binding.name).collect()).unwrap_or_default()
    }
}

#[derive(Debug, Clone)]
pub(super) enum LabelKind {
    Segment,
    /// Any other step: it has a time.
    Step,
    /// A step that numbers come of, by these names.
    Numbers(Vec<String>),
    /// One of several answers, each of which can be asked for.
    Choice(Vec<String>),
}

#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) span: Span,
    pub(super) kind: LabelKind,
}

/// Labels and counters that exist at a point of a case.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels {
    pub(super) known: BTreeMap<String, Label>,
    pub(super) counters: Vec<String>,
}

pub(super) enum Found {
    Type(Type),
    /// The label exists, but it has no such property.
    NoProperty(Vec<String>),
    /// Nothing of that name; a label of that name may still come.
    Unknown,
}

impl Labels {
    /// What a name that is no parameter stands for.
    pub(super) fn find(&self, name: &str) -> Found {
        if let Some(kind) = names::global(name) {
            return Found::Type(kind);
        }
        if self.counters.iter().any(|counter| counter == name) {
            return Found::Type(Type::Int);
        }
        let Some((head, property)) = name.split_once('.') else { return Found::Unknown };
        let Some(label) = self.known.get(head) else { return Found::Unknown };
        let (of, choices): (&'static [names::Name], &[String]) = match &label.kind {
            LabelKind::Segment => (names::SEGMENT_PROPERTIES, &[]),
            LabelKind::Step => (names::STEP_PROPERTIES, &[]),
            LabelKind::Numbers(numbers) => {
                if numbers.iter().any(|number| number == property) {
                    return Found::Type(Type::Int);
                }
                (names::STEP_PROPERTIES, numbers)
            }
            LabelKind::Choice(choices) => (names::SEGMENT_PROPERTIES, choices),
        };
        if choices.iter().any(|choice| choice == property) {
            return Found::Type(Type::Bool);
        }
        match names::property(of, property) {
            Some(kind) => Found::Type(kind),
            None => Found::NoProperty(
                of.iter().map(|name| name.name.to_owned()).chain(choices.iter().cloned()).collect(),
            ),
        }
    }
}
