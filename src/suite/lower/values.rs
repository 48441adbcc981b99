//! Single values: texts with placeholders, expressions, what a field may be.

use super::{Lower, Pending};
use crate::suite::check::{self, whole_template};
use crate::suite::diagnostic::{Code, Diagnostic};
use crate::suite::expr::parse::{BoundTree, Tree, TreeNode, parse_bound_tree, parse_tree};
use crate::suite::expr::types::{Type, TypeError, type_of_tree};
use crate::suite::expr::{BinaryOp, Bound, Expr, ParseError};
use crate::suite::grammar::Shape;
use crate::suite::names;
use crate::suite::scope::{Env, Found};
use crate::suite::source::Span;
use crate::suite::text::placeholders;
use crate::suite::yaml::{Kind, Node};
use std::collections::BTreeMap;

/// A scalar with its parameters put in.
pub(super) struct Filled {
    pub(super) text: String,
    pub(super) span: Span,
}

/// What to do with `{target.port}`, whose value only the run knows.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Open {
    /// A text for a reader: it stays.
    Keep,
    /// A value that is read now: it cannot.
    Refuse,
}

/// Longest text with its parameters put in: a list that is given its own argument twice over, and
/// so on, would otherwise grow without end.
const TEXT_MAX: usize = 16 * 1024;
/// Most parts of an expression with its parameters put in. It must still read back from a record.
const PARTS_MAX: usize = 240;

/// Parameters of one expression: what each stands for.
type Bindings = BTreeMap<String, (Expr, Option<Type>)>;

impl<'a> Lower<'a> {
    /// Follows `{parameter}` to the value it stands for, whatever its shape.
    pub(super) fn resolve(&mut self, node: &'a Node, env: &Env<'a>, shape: &Shape) -> (&'a Node, Env<'a>) {
        let (mut node, mut env, mut moved) = (node, env.clone(), false);
        while let Some(binding) =
            node.scalar().and_then(whole_template).and_then(|name| env.get(name)).cloned()
        {
            self.used.insert(binding.declared);
            (node, env, moved) = (binding.node, binding.env, true);
        }
        if moved && node.scalar().is_none() {
            check::check(node, shape, "the parameter", &mut self.sink);
        }
        (node, env)
    }

    pub(super) fn text(&mut self, node: &'a Node, env: &Env<'a>, open: Open) -> Option<Filled> {
        let (node, env) = self.resolve(node, env, &Shape::Text);
        let Some(text) = node.scalar() else {
            if !self.missing.contains(&node.span) {
                check::wrong_shape(node, "this", "a single value", &mut self.sink);
            }
            return None;
        };
        let span = node.span;
        if !text.contains('{') {
            return Some(Filled { text: text.to_owned(), span });
        }
        let mut out = String::new();
        let mut from = 0;
        for placeholder in placeholders(text) {
            out.push_str(&text[from..placeholder.start]);
            from = placeholder.end;
            match env.get(placeholder.name).cloned() {
                Some(binding) => {
                    self.used.insert(binding.declared);
                    out.push_str(&self.text(binding.node, &binding.env, open)?.text);
                }
                None => {
                    let at = self.sub(span, text, placeholder.start + 1, placeholder.end - 1);
                    self.open_placeholder(placeholder.name, at, open, &env)?;
                    out.push_str(&text[placeholder.start..placeholder.end]);
                }
            }
        }
        out.push_str(&text[from..]);
        if out.len() > TEXT_MAX {
            let message = format!("the text is longer than {TEXT_MAX} octets with its parameters put in");
            self.push(Diagnostic::new(Code::TooMany, span, message));
            return None;
        }
        Some(Filled { text: out, span })
    }

    fn open_placeholder(&mut self, name: &str, at: Span, open: Open, env: &Env<'a>) -> Option<()> {
        match (self.labels.find(name), open) {
            (Found::Type(_), Open::Keep) => return Some(()),
            (Found::Type(_), Open::Refuse) => {
                let message = format!("the value of `{{{name}}}` is not known before the case runs");
                self.push(Diagnostic::new(Code::UnknownPlaceholder, at, message));
                return None;
            }
            (Found::NoProperty(_) | Found::Unknown, _) => {}
        }
        let known = self.names_here(env);
        let near = self.nearest(name, known.iter().map(String::as_str));
        let found =
            Diagnostic::new(Code::UnknownPlaceholder, at, format!("unknown placeholder `{{{name}}}`"));
        let found = found.suggest(near).help(names_help(&known, "E035"));
        match name.split_once('.') {
            Some((head, _)) => self.pending.push(Pending { head: head.to_owned(), found }),
            None => self.push(found),
        }
        None
    }

    /// The octets of `text[start..end]`, if the scalar stands in the file as it reads; else all of it.
    pub(super) fn sub(&self, span: Span, text: &str, start: usize, end: usize) -> Span {
        match self.sources.text(span).find(text) {
            Some(at) if !text.is_empty() => span.slice(at + start, at + end),
            _ => span,
        }
    }

    /// Every name that can be used here, parameters and labels first.
    pub(super) fn names_here(&self, env: &Env<'a>) -> Vec<String> {
        let mut all: Vec<String> = env.names().into_iter().map(str::to_owned).collect();
        all.extend(self.labels.counters.iter().cloned());
        all.extend(
            self.labels
                .known
                .keys()
                .flat_map(|label| ["seq", "end", "time"].map(|of| format!("{label}.{of}"))),
        );
        all.extend(names::all_global());
        all
    }

    /// A scalar that may be the name of a parameter: then what the parameter stands for.
    pub(super) fn through(&mut self, node: &'a Node, env: &Env<'a>) -> (&'a Node, Env<'a>, bool) {
        let written = node;
        let (mut node, mut env) = self.resolve(node, env, &Shape::Bound);
        let mut moved = !std::ptr::eq(written, node);
        while let Some(binding) = node.scalar().and_then(|text| env.get(text.trim())).cloned() {
            self.used.insert(binding.declared);
            (node, env) = self.resolve(binding.node, &binding.env, &Shape::Bound);
            moved = true;
        }
        (node, env, moved)
    }

    /// An expression of one of the types; `None` has been reported.
    pub(super) fn expr(&mut self, node: &'a Node, env: &Env<'a>, want: &[Type]) -> Option<Expr> {
        let (expr, kind) = self.expr_typed(node, env)?;
        if let Some(kind) = kind {
            self.want(kind, want, node.span)?;
        }
        Some(expr)
    }

    fn want(&mut self, kind: Type, want: &[Type], span: Span) -> Option<()> {
        if want.contains(&kind) || (kind == Type::Int && want.contains(&Type::Seq)) {
            return Some(());
        }
        let wanted: Vec<_> = want.iter().map(|kind| kind.described()).collect();
        let wanted = wanted.join(" or ");
        let found =
            Diagnostic::new(Code::TypeMismatch, span, format!("this must be {wanted}, but it is {kind}"));
        let found = found.label(format!("{kind}"));
        let unit = kind == Type::Int && want.contains(&Type::Duration);
        self.push(if unit { found.help("a duration has a unit: `200ms`, `1s`, `2min`") } else { found });
        None
    }

    fn expr_typed(&mut self, node: &'a Node, env: &Env<'a>) -> Option<(Expr, Option<Type>)> {
        let (node, env, _) = self.through(node, env);
        let filled = self.text(node, &env, Open::Refuse)?;
        match parse_tree(&filled.text) {
            Ok(tree) => self.bind_tree(tree, &filled, &env),
            Err(error) => {
                self.syntax(&error, &filled);
                None
            }
        }
    }

    fn syntax(&mut self, error: &ParseError, filled: &Filled) {
        let at = self.sub(filled.span, &filled.text, error.start, error.end);
        let found = Diagnostic::new(Code::ExprSyntax, at, format!("not an expression: {error}"));
        let found = if at == filled.span && self.sources.text(at) != filled.text {
            found.note(format!("the text here is `{}`", filled.text))
        } else {
            found
        };
        self.push(match &error.help {
            Some(help) => found.help(help),
            None => found,
        });
    }

    fn bind_tree(&mut self, tree: Tree, filled: &Filled, env: &Env<'a>) -> Option<(Expr, Option<Type>)> {
        let mut bindings = Bindings::new();
        let complete = self.bindings(&tree, filled, env, &mut bindings);
        let kind = if complete { self.type_tree(&tree, filled, &bindings) } else { None };
        let parts: usize = self.parts(&tree, &bindings);
        if parts > PARTS_MAX {
            return self.too_long(filled);
        }
        let mut bind = |name: &str| bindings.get(name).map(|(expr, _)| expr.clone());
        let expr = tree.bind(&mut bind);
        // Few parts cannot be nested too deeply to be read back.
        if parts > 24 && parse_tree(&expr.to_string()).is_err() {
            return self.too_long(filled);
        }
        Some((expr, kind))
    }

    fn too_long<T>(&mut self, filled: &Filled) -> Option<T> {
        let message = "the expression is too long or too deeply nested with its parameters put in";
        self.push(Diagnostic::new(Code::TooMany, filled.span, message));
        None
    }

    /// How large an expression becomes when its parameters are put in.
    fn parts(&self, tree: &Tree, bindings: &Bindings) -> usize {
        match &tree.node {
            TreeNode::Int(_) | TreeNode::Duration(_) | TreeNode::Bool(_) => 1,
            TreeNode::Name(name) => bindings.get(name).map_or(1, |(expr, _)| expr.parts()),
            TreeNode::Neg(inner) | TreeNode::Not(inner) => 1 + self.parts(inner, bindings),
            TreeNode::Binary(_, left, right) => 1 + self.parts(left, bindings) + self.parts(right, bindings),
        }
    }

    /// Looks every name up, so that all unknown ones are reported; true if the types of all are known.
    fn bindings(&mut self, tree: &Tree, filled: &Filled, env: &Env<'a>, out: &mut Bindings) -> bool {
        match &tree.node {
            TreeNode::Int(_) | TreeNode::Duration(_) | TreeNode::Bool(_) => true,
            TreeNode::Neg(inner) | TreeNode::Not(inner) => self.bindings(inner, filled, env, out),
            TreeNode::Binary(_, left, right) => {
                let left = self.bindings(left, filled, env, out);
                self.bindings(right, filled, env, out) && left
            }
            TreeNode::Name(name) => {
                if let Some((_, kind)) = out.get(name) {
                    return kind.is_some();
                }
                if let Some(binding) = env.get(name).cloned() {
                    self.used.insert(binding.declared);
                    let found = self.expr_typed(binding.node, &binding.env);
                    let known = found.as_ref().is_some_and(|(_, kind)| kind.is_some());
                    out.extend(found.map(|found| (name.clone(), found)));
                    return known;
                }
                let at = self.sub(filled.span, &filled.text, tree.start, tree.end);
                let kind = self.name_type(name, at, env);
                out.insert(name.clone(), (Expr::Name(name.clone()), kind));
                kind.is_some()
            }
        }
    }

    /// The type of a name that is no parameter, or a report.
    fn name_type(&mut self, name: &str, at: Span, env: &Env<'a>) -> Option<Type> {
        match self.labels.find(name) {
            Found::Type(kind) => return Some(kind),
            Found::NoProperty(properties) => {
                let (head, word) = name.split_once('.').unwrap_or((name, ""));
                let near = self
                    .nearest(word, properties.iter().map(String::as_str))
                    .map(|near| format!("{head}.{near}"));
                let found = Diagnostic::new(Code::UnknownName, at, format!("unknown name `{name}`"));
                let help = format!("the label `{head}` has {}", properties.join(", "));
                self.push(found.suggest(near.as_deref()).help(help));
                return None;
            }
            Found::Unknown => {}
        }
        let known = self.names_here(env);
        let near = self.nearest(name, known.iter().map(String::as_str));
        let found = Diagnostic::new(Code::UnknownName, at, format!("unknown name `{name}`")).suggest(near);
        let label = self.labels.known.contains_key(name);
        let found = match label {
            true => found.label(format!("a label needs a property: `{name}.seq`")),
            false => found,
        };
        let found = found.help(names_help(&known, "E031"));
        let head = name.split('.').next().unwrap_or(name).to_owned();
        self.pending.push(Pending { head: if label { String::new() } else { head }, found });
        None
    }

    fn type_tree(&mut self, tree: &Tree, filled: &Filled, bindings: &Bindings) -> Option<Type> {
        match type_of_tree(tree, &mut |name| bindings.get(name).and_then(|(_, kind)| *kind)) {
            Ok(kind) => Some(kind),
            Err(TypeError::UnknownName { .. }) => None,
            Err(TypeError::Mismatch { message, start, end }) => {
                let at = self.sub(filled.span, &filled.text, start, end);
                self.push(Diagnostic::new(Code::TypeMismatch, at, message));
                None
            }
        }
    }

    /// What a field may be. The flag says that the value came through a parameter: there `none`
    /// leaves the field out.
    pub(super) fn bound(&mut self, node: &'a Node, env: &Env<'a>, want: &[Type]) -> Option<(Bound, bool)> {
        let (node, env, moved) = self.through(node, env);
        if let Kind::Seq(items) = &node.kind {
            let all = items.iter().filter_map(|item| self.bound(item, &env, want)).map(|(bound, _)| bound);
            return Some((Bound::OneOf(all.collect()), moved));
        }
        let filled = self.text(node, &env, Open::Refuse)?;
        match parse_bound_tree(&filled.text) {
            Ok(tree) => Some((self.bind_bound(tree, &filled, &env, want)?, moved)),
            Err(error) => {
                self.syntax(&error, &filled);
                None
            }
        }
    }

    fn bind_bound(
        &mut self,
        tree: BoundTree,
        filled: &Filled,
        env: &Env<'a>,
        want: &[Type],
    ) -> Option<Bound> {
        let part = |this: &mut Self, tree: Tree| {
            let at = this.sub(filled.span, &filled.text, tree.start, tree.end);
            let (expr, kind) = this.bind_tree(tree, filled, env)?;
            if let Some(kind) = kind {
                this.want(kind, want, at)?;
            }
            Some(expr)
        };
        Some(match tree {
            BoundTree::Any => Bound::Any,
            BoundTree::Absent => Bound::Absent,
            BoundTree::Word(word) => Bound::Word(word),
            BoundTree::Is(tree) => Bound::Is(part(self, tree)?),
            BoundTree::Compare(op, tree) => Bound::Compare(op, part(self, tree)?),
            BoundTree::Range(low, high) => {
                let (low, high) = (part(self, low)?, part(self, high)?);
                self.not_empty(&low, &high, filled.span);
                Bound::Range(low, high)
            }
            BoundTree::OneOf(all) => {
                let all = all.into_iter().filter_map(|one| self.bind_bound(one, filled, env, want));
                Bound::OneOf(all.collect())
            }
        })
    }

    pub(super) fn not_empty(&mut self, low: &Expr, high: &Expr, span: Span) {
        let numbers = constant(low).zip(constant(high));
        let empty = match (low, high) {
            (Expr::Duration(low), Expr::Duration(high)) => low > high,
            _ => numbers.is_some_and(|(low, high)| low > high),
        };
        if empty {
            self.push(
                Diagnostic::new(Code::EmptyRange, span, "nothing lies in this range")
                    .help("write the smaller value first"),
            );
        }
    }

    pub(super) fn yes(&mut self, node: &'a Node, env: &Env<'a>) -> Option<bool> {
        let filled = self.text(node, env, Open::Refuse)?;
        match filled.text.as_str() {
            "true" | "yes" => Some(true),
            "false" | "no" => Some(false),
            other => {
                self.unknown_word(Code::UnknownWord, filled.span, "word", other, &["true", "false"]);
                None
            }
        }
    }

    /// Hexadecimal digits, two to an octet.
    pub(super) fn octets(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Vec<u8>> {
        let filled = self.text(node, env, Open::Refuse)?;
        let digits: String = filled.text.chars().filter(|c| !c.is_whitespace()).collect();
        if digits.len().is_multiple_of(2) && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            let octet = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
            return (0..digits.len()).step_by(2).map(octet).collect();
        }
        let odd = digits.bytes().all(|b| b.is_ascii_hexdigit());
        let why = if odd { "an octet has two digits" } else { "only 0 to 9 and a to f are digits" };
        let found =
            Diagnostic::new(Code::BadOctets, filled.span, format!("`{}` is not octets: {why}", filled.text));
        self.push(found.help("octets are written `03 00 0a`; quote them if they are only digits"));
        None
    }
}

fn names_help(known: &[String], code: &str) -> String {
    let few: Vec<_> = known.iter().take(10).map(String::as_str).collect();
    format!("names you can use here: {}, ... (`tcpspec explain {code}`)", few.join(", "))
}

/// The value of an expression without names.
pub(super) fn constant(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Int(value) => Some(*value),
        Expr::Neg(inner) => constant(inner)?.checked_neg(),
        Expr::Binary(op, left, right) => {
            let (left, right) = (constant(left)?, constant(right)?);
            match op {
                BinaryOp::Add => left.checked_add(right),
                BinaryOp::Sub => left.checked_sub(right),
                BinaryOp::Mul => left.checked_mul(right),
                BinaryOp::Div => left.checked_div(right),
                BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                    None
                }
                BinaryOp::And | BinaryOp::Or => None,
            }
        }
        Expr::Duration(_) | Expr::Bool(_) | Expr::Name(_) | Expr::Not(_) => None,
    }
}
