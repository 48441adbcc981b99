//! What a live peer adds: its application, rules for the wire.

use super::Lower;
use super::fields::Use;
use super::values::Open;
use crate::suite::diagnostic::{Code, Diagnostic};
use crate::suite::expr::{Bound, Expr, Type};
use crate::suite::grammar::{self, Shape};
use crate::suite::model::{
    Action, Delay, Fields, Impairment, Live, Mode, Origin, Pick, Reads, Setting, Step, Verb,
};
use crate::suite::scope::Env;
use crate::suite::source::Span;
use crate::suite::yaml::{Entry, Node};

/// The keys of a rule that say nothing of what a segment looks like.
const NOT_SEEN: &[&str] = &[
    "from",
    "count",
    "every",
    "nth",
    "probability",
    "by",
    "jitter",
    "rate",
    "queue",
    "times",
    "behind",
    "hold",
    "octet",
    "set",
];

impl<'a> Lower<'a> {
    /// Whether what stands here has a meaning only with a live peer, and there is none.
    pub(super) fn needs_live(&mut self, span: Span, what: &str) {
        if self.mode == Mode::Scripted {
            let message = format!("{what} needs `mode: live`");
            let found = Diagnostic::new(Code::LiveOnly, span, message);
            self.push(found.help("beside a script there is no peer to do this; the script sends for it"));
        }
    }

    pub(super) fn live(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Live> {
        let (node, env) = self.resolve(node, env, &Shape::Map(&grammar::LIVE));
        if node.scalar() == Some("reboot") {
            return Some(Live::Reboot(Vec::new()));
        }
        let Some(entry) = node.entries().and_then(<[_]>::first) else {
            return self.app(node, &env).map(Live::Call);
        };
        match entry.key.value.as_str() {
            "reboot" => Some(Live::Reboot(self.settings(&entry.value, &env))),
            "reads" => self.reads(&entry.value, &env).map(Live::Reads),
            _ => self.app(node, &env).map(Live::Call),
        }
    }

    fn settings(&mut self, node: &'a Node, env: &Env<'a>) -> Vec<(Setting, Expr)> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        let mut settings = Vec::new();
        for entry in node.entries().unwrap_or_default() {
            let Some((_, setting)) = Setting::ALL.iter().find(|(word, _)| *word == entry.key.value) else {
                continue;
            };
            let value = match setting {
                Setting::Mss | Setting::Buffer | Setting::Isn => self.expr(&entry.value, &env, &[Type::Int]),
                Setting::DelayedAck | Setting::RtoMin | Setting::RtoInitial => {
                    self.expr(&entry.value, &env, &[Type::Duration])
                }
                Setting::Sack | Setting::Timestamps | Setting::Wscale | Setting::Ecn => {
                    self.yes(&entry.value, &env).map(Expr::Bool)
                }
            };
            settings.extend(value.map(|value| (*setting, value)));
        }
        settings
    }

    fn reads(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Reads> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        if let (Some(octets), Some(every)) = (node.get("octets"), node.get("every")) {
            let octets = self.expr(octets, &env, &[Type::Int]);
            let every = self.expr(every, &env, &[Type::Duration]);
            return Some(Reads::Slowly { octets: octets?, every: every? });
        }
        let word = self.text(node, &env, Open::Refuse)?;
        match word.text.as_str() {
            "all" => Some(Reads::All),
            "none" => Some(Reads::Nothing),
            other => {
                self.unknown_word(Code::UnknownWord, word.span, "way to read", other, &["all", "none"]);
                None
            }
        }
    }

    pub(super) fn origin(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Origin> {
        let word = self.text(node, env, Open::Refuse)?;
        match word.text.as_str() {
            "peer" => Some(Origin::Peer),
            "target" => Some(Origin::Target),
            other => {
                self.unknown_word(Code::UnknownWord, word.span, "side", other, &["peer", "target"]);
                None
            }
        }
    }

    pub(super) fn impairment(&mut self, verb: &'a Entry, env: &Env<'a>) -> Option<Impairment> {
        let map = grammar::STEP.key(&verb.key.value).map(|key| key.shape)?;
        let (node, env) = self.resolve(&verb.value, env, &map);
        let entries = node.entries()?;
        let from = node.get("from").and_then(|from| self.origin(from, &env));
        let mut seen = Fields::default();
        for entry in entries.iter().filter(|entry| !NOT_SEEN.contains(&entry.key.value.as_str())) {
            self.field(entry, &env, Use::Match, &mut seen);
        }
        let pick = self.pick(node, &env);
        let mut number = |key: &str| node.get(key).and_then(|value| self.expr(value, &env, &[Type::Int]));
        let action = match verb.key.value.as_str() {
            "drop" => Action::Drop,
            "delay" => {
                let (rate, queue) = (number("rate"), number("queue"));
                let mut span =
                    |key: &str| node.get(key).and_then(|value| self.expr(value, &env, &[Type::Duration]));
                Action::Delay(Delay { by: span("by"), jitter: span("jitter"), rate, queue })
            }
            "duplicate" => Action::Duplicate { times: number("times") },
            "reorder" => {
                let behind = number("behind");
                let hold = node.get("hold").and_then(|value| self.expr(value, &env, &[Type::Duration]));
                Action::Reorder { behind, hold }
            }
            "corrupt" => Action::Corrupt { octet: number("octet") },
            "rewrite" => Action::Rewrite { set: Box::new(self.set(node.get("set")?, &env)) },
            _ => return None,
        };
        let seen = (seen != Fields::default()).then_some(seen);
        Some(Impairment { action, from, seen, pick })
    }

    /// The fields of a `rewrite`. What makes sense of a segment that is not there yet does not here.
    fn set(&mut self, node: &'a Node, env: &Env<'a>) -> Fields {
        let (node, env) = self.resolve(node, env, &Shape::Map(&grammar::SEND));
        let mut fields = self.fields(node.entries().unwrap_or_default(), &env, Use::Send);
        // `none` has been left out where it came; here it means something.
        for entry in node.entries().unwrap_or_default() {
            let key = entry.key.value.as_str();
            if entry.value.scalar() == Some("none")
                && let Some(name) = super::fields::option_named(key)
                && !fields.values.iter().any(|(known, _)| *known == name)
            {
                fields.values.push((name, Bound::Absent));
            }
        }
        fields
    }

    fn pick(&mut self, node: &'a Node, env: &Env<'a>) -> Pick {
        let mut number = |key: &str| node.get(key).and_then(|value| self.expr(value, env, &[Type::Int]));
        let (count, every, nth) = (number("count"), number("every"), number("nth"));
        let probability = node.get("probability").and_then(|value| self.probability(value, env));
        let ways =
            [("every", every.is_some()), ("nth", nth.is_some()), ("probability", probability.is_some())];
        let mut said = ways.iter().filter(|(_, said)| *said).map(|(key, _)| *key);
        if let (Some(first), Some(second)) = (said.next(), said.next()) {
            let message = format!("`{first}` and `{second}` choose in two ways");
            let span = node.get(second).map_or(node.span, |value| value.span);
            self.push(
                Diagnostic::new(Code::SeveralVerbs, span, message)
                    .help("a rule chooses in one way; write two rules"),
            );
        }
        Pick { count, every, nth, probability }
    }

    /// `5%` or `0.05`, in millionths.
    fn probability(&mut self, node: &'a Node, env: &Env<'a>) -> Option<u32> {
        let (node, env, _) = self.through(node, env);
        let filled = self.text(node, &env, Open::Refuse)?;
        let (digits, unit) = match filled.text.trim().strip_suffix('%') {
            Some(digits) => (digits.trim_end(), 10_000.0),
            None => (filled.text.trim(), 1_000_000.0),
        };
        let share = digits.parse::<f64>().ok().map(|share| share * unit);
        if let Some(share) = share.filter(|share| (0.0..=1_000_000.0).contains(share)) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a million")]
            return Some(share.round() as u32);
        }
        let message = format!("`{}` is no probability", filled.text);
        self.push(Diagnostic::new(Code::OutOfRange, filled.span, message).help("`5%`, or `0.05`"));
        None
    }

    pub(super) fn heal(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Verb> {
        let name = self.text(node, env, Open::Refuse)?;
        if name.text == "all" {
            return Some(Verb::Heal(None));
        }
        if !self.labels.known.contains_key(&name.text) {
            let known: Vec<_> = self.labels.known.keys().map(String::as_str).collect();
            let near = self.nearest(&name.text, known.iter().copied());
            let found =
                Diagnostic::new(Code::UnknownName, name.span, format!("unknown label `{}`", name.text));
            let found =
                found.suggest(near).help("a rule is given a label by `as:`; `heal: all` ends every rule");
            self.push(found);
            return None;
        }
        Some(Verb::Heal(Some(name.text)))
    }

    /// A fixture that only a script can play has no meaning for a live peer.
    pub(super) fn playable(&mut self, fixture: &str, steps: &[Step], span: Span) {
        let scripted = |step: &Step| matches!(step.verb, Verb::Send(_) | Verb::Expect(_));
        if self.mode == Mode::Live && steps.iter().any(scripted) {
            let message = format!("the fixture `{fixture}` has no way for `mode: live`");
            let found = Diagnostic::new(Code::LiveOnly, span, message);
            self.push(found.help("give the fixture a way with `mode: live`, or begin from one that has it"));
        }
    }
}
