//! Rules for the wire: `drop`, `delay`, `duplicate`, `reorder`, `corrupt`, `rewrite`, and `heal`.

use super::super::compose::modular;
use super::super::eval::{EvalError, Value};
use super::super::event::CaseEventKind;
use super::super::live::{Choice, Deed, Rule, describe, is_rewritable};
use super::super::matching::Resolved;
use super::Exec;
use crate::suite::expr::{Bound, Expr};
use crate::suite::model::{Action, Delay, FieldName, Fields, Impairment, OctetField, Pattern, Step};
use std::sync::Arc;
use std::time::Duration;

/// How long a segment waits to be overtaken if the case does not say.
const HOLD: Duration = Duration::from_millis(50);

impl Exec {
    pub(super) fn impair(&mut self, written: &Impairment, step: &Step) -> bool {
        let mut rule = match self.rule(written, step) {
            Ok(rule) => rule,
            Err(e) => return self.broken(&e.to_string()),
        };
        rule.label.clone_from(&step.label);
        rule.number = step.on.as_ref().map(|_| self.app.number);
        self.emit(CaseEventKind::Note { text: format!("the wire: {}", describe(written)) });
        if let Some(live) = &mut self.live {
            live.wire.rules.push(rule);
        }
        self.mark(step, super::Mark { at: self.now, ..Default::default() });
        self.pass(self.now)
    }

    pub(super) fn heal(&mut self, label: Option<&str>, _step: &Step) -> bool {
        if !self.live.as_mut().is_some_and(|live| live.wire.heal(label)) {
            return self.broken(&format!("`{}` is no rule for the wire", label.unwrap_or("all")));
        }
        self.emit(CaseEventKind::Note { text: "the wire: healed".to_owned() });
        self.pass(self.now)
    }

    fn rule(&self, written: &Impairment, step: &Step) -> Result<Rule, EvalError> {
        let number = |expr: &Option<Expr>| expr.as_ref().map(|expr| self.count(expr)).transpose();
        let span = |expr: &Option<Expr>| expr.as_ref().map(|expr| self.eval_span(expr)).transpose();
        let pick = &written.pick;
        let choice = Choice {
            count: number(&pick.count)?,
            every: number(&pick.every)?,
            nth: number(&pick.nth)?,
            probability: pick.probability,
        };
        let deed = match &written.action {
            Action::Drop => Deed::Drop,
            Action::Delay(Delay { by, jitter, rate, queue }) => Deed::Delay {
                by: span(by)?.unwrap_or_default(),
                jitter: span(jitter)?.unwrap_or_default(),
                rate: number(rate)?,
                queue: number(queue)?,
            },
            Action::Duplicate { times } => Deed::Duplicate { times: number(times)?.unwrap_or(1) },
            Action::Reorder { behind, hold } => Deed::Reorder {
                behind: u32::try_from(number(behind)?.unwrap_or(1)).unwrap_or(u32::MAX),
                hold: span(hold)?.unwrap_or(HOLD),
            },
            Action::Corrupt { octet } => Deed::Corrupt { octet: number(octet)? },
            Action::Rewrite { set } => self.rewrite(set)?,
        };
        Ok(Rule::new(Arc::new(written.clone()), step.place.clone(), choice, deed))
    }

    fn rewrite(&self, set: &Fields) -> Result<Deed, EvalError> {
        let mut fields = Vec::new();
        for (name, bound) in &set.values {
            if !is_rewritable(*name) {
                return Err(EvalError::Senseless(format!("rewrite: {name:?}")));
            }
            let value = match bound {
                Bound::Is(expr) => Some(match self.eval(expr)? {
                    Value::Bool(yes) => u32::from(yes),
                    _ => modular(expr, &self.scope())?,
                }),
                Bound::Absent => None,
                _ => return Err(EvalError::Senseless(bound.to_string())),
            };
            // Without one half there is no timestamps option.
            let halves = matches!(name, FieldName::TsVal | FieldName::TsEcr) && value.is_none();
            fields.push((if halves { FieldName::TsVal } else { *name }, value));
        }
        let data = set.octets.iter().find(|(field, _)| *field == OctetField::Data);
        Ok(Deed::Rewrite { flags: set.flags, fields, data: data.map(|(_, octets)| octets.clone()) })
    }

    /// Names in a rule have the value of the moment at which they have one for the first time.
    pub(super) fn resolve_rules(&mut self) {
        let open = |rule: &Rule| !rule.healed && rule.seen.is_err();
        if !self.live.as_ref().is_some_and(|live| live.wire.rules.iter().any(open)) {
            return;
        }
        let Some(mut live) = self.live.take() else { return };
        let mut rules = std::mem::take(&mut live.wire.rules);
        self.live = Some(live);
        for rule in rules.iter_mut().filter(|rule| open(rule)) {
            rule.seen = match &rule.written.seen {
                None => Ok(None),
                Some(fields) => {
                    let pattern = Pattern::Segment(fields.clone());
                    Resolved::of(&pattern, &self.scope()).map(Some).map_err(|_| ())
                }
            };
        }
        if let Some(live) = &mut self.live {
            live.wire.rules = rules;
        }
    }

    /// The first rule that never did anything, as an error of the case.
    pub(super) fn idle_rule(&self) -> Option<String> {
        let rule = self.live.as_ref()?.wire.rules.iter().find(|rule| rule.idle())?;
        let what = describe(&rule.written);
        let why = match &rule.seen {
            Err(()) => "a name in it never had a value",
            Ok(_) => "no segment was picked by it",
        };
        Some(format!("{}: the rule `{what}` never fired: {why}", rule.place))
    }
}
