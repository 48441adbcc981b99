//! Steps: verbs and what qualifies them; named lists are put in place.

use super::Lower;
use super::values::{Open, constant};
use crate::suite::check;
use crate::suite::decl::{self, Param};
use crate::suite::diagnostic::{Code, Diagnostic};
use crate::suite::expr::{BinaryOp, Expr, Type};
use crate::suite::grammar::{self, Shape};
use crate::suite::linux;
use crate::suite::model::{
    App, AppExpect, Expect, LinuxCall, Live, Mode, Origin, Otherwise, Repeat, Step, Tolerate, Verb, Within,
};
use crate::suite::scope::{Binding, Env, Label, LabelKind};
use crate::suite::source::{Loc, Span};
use crate::suite::yaml::{Entry, Kind, Node};

/// Most rounds of a `repeat`.
const TIMES_MAX: i64 = 10_000;
const STEPS: Shape = Shape::List(&Shape::Step);

/// A name and the arguments given to it.
pub(super) struct Call<'a> {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) args: Option<&'a [Entry]>,
    pub(super) env: Env<'a>,
    /// Nobody calls: what is declared is looked at by itself, so nothing is missing.
    pub(super) alone: bool,
}

impl<'a> Lower<'a> {
    pub(super) fn steps(&mut self, node: &'a Node, env: &Env<'a>) -> Vec<Step> {
        let (node, env) = self.resolve(node, env, &STEPS);
        let mut out = Vec::new();
        match node.items() {
            Some(items) => items.iter().for_each(|item| self.step(item, &env, &mut out)),
            None => check::wrong_shape(node, "`steps`", "a list", &mut self.sink),
        }
        out
    }

    fn step(&mut self, node: &'a Node, env: &Env<'a>, out: &mut Vec<Step>) {
        let (node, env) = self.resolve(node, env, &Shape::Step);
        let Some(entries) = node.entries() else {
            return check::wrong_shape(node, "a step", "a mapping", &mut self.sink);
        };
        let is_verb = |entry: &&Entry| grammar::STEP.key(&entry.key.value).is_some_and(|key| key.verb);
        let Some(verb) = entries.iter().find(is_verb) else { return };
        if !self.spend(verb.key.span) {
            return;
        }
        if verb.key.value == "use" {
            self.qualifiers_fit(entries, "use", &["when"]);
            let when = node.get("when").and_then(|node| self.expr(node, &env, &[Type::Bool]));
            let from = out.len();
            self.use_list(&verb.value, &env, out);
            out[from..].iter_mut().for_each(|step| step.when = both(when.clone(), step.when.take()));
            return;
        }
        let Some(step) = self.plain_step(node, entries, verb, &env) else { return };
        out.push(step);
    }

    fn plain_step(
        &mut self,
        node: &'a Node,
        entries: &'a [Entry],
        verb: &'a Entry,
        env: &Env<'a>,
    ) -> Option<Step> {
        let name = verb.key.value.as_str();
        let live = self.mode == Mode::Live;
        let allowed: &[&str] = match name {
            "expect" if live => &["as", "within", "after", "for", "when", "otherwise", "why", "on"],
            "app" if live => &["as", "within", "after", "when", "otherwise", "or_error", "why", "on"],
            "send" if live => &["as", "when", "why", "on"],
            "wait" if live => &["as", "after", "when", "why"],
            "expect" => &["as", "within", "after", "for", "when", "otherwise", "tolerate", "strict", "why"],
            "linux" => &["as", "within", "after", "when", "why"],
            "app" => &["as", "within", "after", "when", "otherwise", "tolerate", "strict", "or_error", "why"],
            "send" => &["as", "when", "why"],
            // What comes meanwhile is for the next step to judge.
            "wait" => &["as", "after", "when", "why"],
            "live" => &["as", "within", "after", "when", "why", "on"],
            "drop" | "delay" | "duplicate" | "reorder" | "corrupt" | "rewrite" => {
                &["as", "when", "why", "on"]
            }
            "repeat" => &["when", "why"],
            _ => &["when"],
        };
        self.qualifiers_fit(entries, name, allowed);
        let when = node.get("when").and_then(|node| self.expr(node, env, &[Type::Bool]));
        let lowered = self.verb(node, verb, env);
        let on = node.get("on").and_then(|node| self.expr(node, env, &[Type::Int]));
        let within = node.get("within").and_then(|node| self.within(node, env));
        let after = node.get("after").and_then(|node| self.after(node, env));
        let otherwise = self.otherwise(node, env);
        let tolerate = self.tolerate(node, env);
        let why = node.get("why").and_then(|node| self.text(node, env, Open::Keep)).map(|filled| filled.text);
        let mut is_set =
            |key: &str| node.get(key).is_some_and(|node| self.yes(node, env).unwrap_or_default());
        let (strict, or_error) = (is_set("strict"), is_set("or_error"));
        let label = node.get("as").and_then(|node| self.label(node, env, lowered.as_ref()));
        self.weigh(lowered.as_ref()?, verb.key.span);
        let place = self.place(verb.key.span);
        let from = self.whose(verb, env);
        let verb = lowered?;
        Some(Step {
            place,
            verb,
            label,
            within,
            after,
            when,
            otherwise,
            tolerate,
            strict,
            or_error,
            why,
            on,
            from,
        })
    }

    /// Whose segment an `expect` waits for.
    fn whose(&mut self, verb: &'a Entry, env: &Env<'a>) -> Origin {
        let said = if verb.key.value == "expect" { verb.value.get("from") } else { None };
        let Some(from) = said else { return Origin::Target };
        self.needs_live(from.span, "`from`");
        self.origin(from, env).unwrap_or_default()
    }

    fn qualifiers_fit(&mut self, entries: &[Entry], verb: &str, allowed: &[&str]) {
        for entry in entries {
            let key = entry.key.value.as_str();
            let qualifier = grammar::QUALIFIERS.iter().any(|qualifier| qualifier.name == key);
            if qualifier && !allowed.contains(&key) {
                let message = format!("`{key}` does not qualify `{verb}`");
                let found = Diagnostic::new(Code::QualifierMisplaced, entry.key.span, message);
                let help = match (verb, key) {
                    ("wait", "tolerate" | "strict") => {
                        "`wait` judges nothing. What comes meanwhile is judged here: `expect: none` with `for:`".to_owned()
                    }
                    _ => format!("beside `{verb}` may stand {}", allowed.join(", ")),
                };
                self.push(found.help(help));
            }
        }
    }

    fn verb(&mut self, step: &'a Node, verb: &'a Entry, env: &Env<'a>) -> Option<Verb> {
        let value = &verb.value;
        match verb.key.value.as_str() {
            "send" => Some(Verb::Send(Box::new(self.send(value, env)?))),
            "expect" => Some(Verb::Expect(self.expect(step, value, env)?)),
            "app" => Some(Verb::App(self.app(value, env)?)),
            "linux" => Some(Verb::Linux(Box::new(self.linux(value, env)?))),
            "wait" => Some(Verb::Wait(self.expr(value, env, &[Type::Duration])?)),
            "repeat" => Some(Verb::Repeat(self.repeat(value, env)?)),
            "note" => Some(Verb::Note(self.text(value, env, Open::Keep)?.text)),
            "live" => {
                self.needs_live(verb.key.span, "`live`");
                Some(Verb::Live(self.live(value, env)?))
            }
            "heal" => {
                self.needs_live(verb.key.span, "`heal`");
                self.heal(value, env)
            }
            word => {
                self.needs_live(verb.key.span, &format!("`{word}`"));
                Some(Verb::Impair(Box::new(self.impairment(verb, env)?)))
            }
        }
    }

    fn expect(&mut self, step: &'a Node, node: &'a Node, env: &Env<'a>) -> Option<Expect> {
        let (node, env) = self.resolve(node, env, &Shape::Map(&grammar::EXPECT));
        let span = step.get("for");
        if node.scalar() == Some("none") {
            let Some(span) = span else {
                let found = Diagnostic::new(Code::MissingKey, node.span, "`expect: none` needs `for:`");
                self.push(found.help("say how long it must stay silent: `for: 500ms`"));
                return None;
            };
            if let Some(within) =
                step.entries().and_then(|all| all.iter().find(|entry| entry.key.value == "within"))
            {
                let message = "silence has a duration, `for:`, and no time limit";
                self.push(Diagnostic::new(Code::QualifierMisplaced, within.key.span, message));
            }
            return Some(Expect::Nothing { span: self.expr(span, &env, &[Type::Duration])? });
        }
        if let Some(span) = span {
            let found =
                Diagnostic::new(Code::QualifierMisplaced, span.span, "`for` goes with `expect: none`");
            self.push(found.help("the time limit of an expectation is `within:`"));
        }
        let Some(entries) = node.entries() else { return Some(Expect::One(self.pattern(node, &env)?)) };
        let Some(one_of) = self.alone(entries, &["one_of"]) else {
            return Some(Expect::One(self.pattern_entries(entries, &env)));
        };
        let mut answers = Vec::new();
        for answer in one_of.value.entries().unwrap_or_default() {
            decl::fresh_name(&answer.key, "an answer", &mut self.sink);
            let (seen, env) = self.resolve(&answer.value, &env, &Shape::Any);
            let pattern = match seen.scalar() {
                Some("none") => None,
                _ => Some(self.pattern(seen, &env)?),
            };
            answers.push((answer.key.value.clone(), pattern));
        }
        if answers.is_empty() {
            self.push(Diagnostic::new(Code::Empty, one_of.key.span, "`one_of` allows no answer"));
        }
        Some(Expect::OneOf(answers))
    }

    pub(super) fn app(&mut self, node: &'a Node, env: &Env<'a>) -> Option<App> {
        let (node, env) = self.resolve(node, env, &Shape::Map(&grammar::APP));
        let Some(entry) = node.entries().and_then(<[_]>::first) else {
            let word = self.text(node, &env, Open::Refuse)?;
            return match word.text.as_str() {
                "listen" => Some(App::Listen),
                "connect" => Some(App::Connect),
                "accept" => Some(App::Accept),
                "close" => Some(App::Close),
                "abort" => Some(App::Abort),
                other => {
                    self.unknown_word(Code::UnknownWord, word.span, "call", other, grammar::APP_CALLS);
                    None
                }
            };
        };
        let value = &entry.value;
        let mut number = || self.expr(value, &env, &[Type::Int]);
        match entry.key.value.as_str() {
            "connect" => self.connect_to(value, &env),
            "send" => Some(App::Send(number()?)),
            "send_urgent" => Some(App::SendUrgent(number()?)),
            "recv" => Some(App::Recv(number()?)),
            "begin_recv" => Some(App::BeginRecv(number()?)),
            "shutdown" => Some(App::Shutdown),
            "option" => {
                let option = value.entries().and_then(<[_]>::first)?;
                let setting = self.expr(&option.value, &env, &[Type::Int, Type::Bool, Type::Duration])?;
                Some(App::Option(option.key.value.clone(), setting))
            }
            "status" => Some(App::Status(self.states(value, &env))),
            "urgent_left" => Some(App::UrgentLeft(self.yes(value, &env)?)),
            "expect" => Some(App::Expect(self.app_expect(value, &env)?)),
            _ => None,
        }
    }

    fn connect_to(&mut self, node: &'a Node, env: &Env<'a>) -> Option<App> {
        if let Some(port) = node.get("from") {
            return Some(App::ConnectFrom(self.expr(port, env, &[Type::Int])?));
        }
        let text = self.text(node, env, Open::Refuse)?;
        if let Ok(address) = text.text.parse() {
            return Some(App::ConnectTo(address));
        }
        let message = format!("`{}` is no address", text.text);
        self.push(Diagnostic::new(Code::NotAValue, text.span, message));
        None
    }

    fn states(&mut self, node: &'a Node, env: &Env<'a>) -> Vec<String> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        let items = node.items().unwrap_or_else(|| std::slice::from_ref(node));
        let mut states = Vec::new();
        for item in items {
            let Some(state) = self.text(item, &env, Open::Refuse) else { continue };
            // A parameter that also names a fixture is in lower case.
            let upper =
                if item.scalar() == Some(&state.text) { state.text } else { state.text.to_ascii_uppercase() };
            if !grammar::STATES.contains(&upper.as_str()) {
                self.unknown_word(Code::UnknownWord, state.span, "state", &upper, grammar::STATES);
            }
            states.push(upper);
        }
        states
    }

    fn app_expect(&mut self, node: &'a Node, env: &Env<'a>) -> Option<AppExpect> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        if let Some(data) = node.get("data") {
            return Some(AppExpect::Data(self.expr(data, &env, &[Type::Int])?));
        }
        let word = self.text(node, &env, Open::Refuse)?;
        match word.text.as_str() {
            "connected" => Some(AppExpect::Connected),
            "eof" => Some(AppExpect::Eof),
            "reset" => Some(AppExpect::Reset),
            "refused" => Some(AppExpect::Refused),
            "timed-out" => Some(AppExpect::TimedOut),
            "closed" => Some(AppExpect::Closed),
            "urgent" => Some(AppExpect::Urgent),
            "soft-error" => Some(AppExpect::SoftError),
            "unreachable" => Some(AppExpect::Unreachable),
            "nothing" => Some(AppExpect::Nothing),
            "error" => Some(AppExpect::Error),
            other => {
                self.unknown_word(Code::UnknownWord, word.span, "event", other, grammar::APP_EVENTS);
                None
            }
        }
    }

    fn repeat(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Repeat> {
        let times = self.expr(node.get("times")?, env, &[Type::Int]);
        if let (Some(count), Some(at)) = (times.as_ref().and_then(constant), node.get("times"))
            && !(0..=TIMES_MAX).contains(&count)
        {
            let message = format!("`times` goes from 0 to {TIMES_MAX}, {count} does not fit");
            self.push(Diagnostic::new(Code::OutOfRange, at.span, message));
        }
        let counter = node.get("counter").and_then(decl::loc);
        let counter =
            counter.filter(|name| decl::fresh_name(name, "a counter", &mut self.sink)).map(|name| name.value);
        self.labels.counters.extend(counter.clone());
        let steps = self.steps(node.get("steps")?, env);
        if counter.is_some() {
            self.labels.counters.pop();
        }
        Some(Repeat { times: times?, counter, steps })
    }

    /// A limit, `[earliest, latest]`, or `earliest..latest`.
    fn within(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Within> {
        let (node, env, _) = self.through(node, env);
        if let Some(items) = node.items() {
            let [from, to] = items else {
                check::wrong_shape(node, "`within`", "a limit or a list of two", &mut self.sink);
                return None;
            };
            let from = self.expr(from, &env, &[Type::Duration]);
            let to = self.expr(to, &env, &[Type::Duration])?;
            if let Some(from) = &from {
                self.not_empty(from, &to, node.span);
            }
            return Some(Within { from, to });
        }
        Some(Within { from: None, to: self.expr(node, &env, &[Type::Duration])? })
    }

    fn after(&mut self, node: &'a Node, env: &Env<'a>) -> Option<String> {
        let filled = self.text(node, env, Open::Refuse)?;
        if self.labels.known.contains_key(&filled.text) {
            return Some(filled.text);
        }
        let known: Vec<_> = self.labels.known.keys().map(String::as_str).collect();
        let near = self.nearest(&filled.text, known.iter().copied());
        let found =
            Diagnostic::new(Code::UnknownName, filled.span, format!("unknown label `{}`", filled.text));
        let found = found.suggest(near).help("a label is given to a step by `as:`");
        self.pending.push(super::Pending { head: filled.text, found });
        None
    }

    fn otherwise(&mut self, step: &'a Node, env: &Env<'a>) -> Vec<Otherwise> {
        let mut all = Vec::new();
        for node in step.get("otherwise").and_then(Node::items).unwrap_or_default() {
            let (Some(seen), Some(means)) = (node.get("seen"), node.get("means")) else { continue };
            let means = self.text(means, env, Open::Keep);
            let (seen, env) = self.resolve(seen, env, &Shape::Any);
            let silence = seen.scalar() == Some("none");
            let seen = if silence { None } else { self.pattern(seen, &env) };
            let Some(means) = means else { continue };
            if seen.is_some() || silence {
                all.push(Otherwise { seen, means: means.text });
            }
        }
        all
    }

    pub(super) fn tolerate(&mut self, node: &'a Node, env: &Env<'a>) -> Vec<Tolerate> {
        let mut all = Vec::new();
        for node in node.get("tolerate").and_then(Node::items).unwrap_or_default() {
            let (Some(seen), Some(because)) = (node.get("seen"), node.get("because")) else { continue };
            let seen = self.pattern(seen, env);
            let because = self.text(because, env, Open::Keep);
            all.extend(seen.zip(because).map(|(seen, because)| Tolerate { seen, because: because.text }));
        }
        all
    }

    fn label(&mut self, node: &'a Node, env: &Env<'a>, verb: Option<&Verb>) -> Option<String> {
        let filled = self.text(node, env, Open::Refuse)?;
        let name = Loc::new(filled.text, filled.span);
        if !decl::fresh_name(&name, "a step", &mut self.sink) {
            return None;
        }
        if let Some(earlier) = self.labels.known.get(&name.value) {
            let found = Diagnostic::new(
                Code::DuplicateLabel,
                name.span,
                format!("the label `{}` is given twice", name.value),
            );
            let found = found.label("again here").context(earlier.span, "first here");
            self.push(found);
            return None;
        }
        if let Some(binding) = env.get(&name.value) {
            let message = format!("`{}` is a parameter, and cannot name a step", name.value);
            let found = Diagnostic::new(Code::ReservedName, name.span, message)
                .context(binding.declared, "the parameter");
            self.push(found);
            return None;
        }
        let kind = match verb {
            Some(Verb::Send(_)) | Some(Verb::Expect(Expect::One(_))) | None => LabelKind::Segment,
            Some(Verb::Expect(Expect::OneOf(answers))) => {
                LabelKind::Choice(answers.iter().map(|(name, _)| name.clone()).collect())
            }
            Some(Verb::Expect(Expect::Nothing { .. })) => LabelKind::Step,
            Some(Verb::Linux(linux)) => LabelKind::Numbers(numbers_of(&linux.call)),
            Some(
                Verb::App(_)
                | Verb::Wait(_)
                | Verb::Repeat(_)
                | Verb::Note(_)
                | Verb::Live(_)
                | Verb::Impair(_)
                | Verb::Heal(_),
            ) => LabelKind::Step,
        };
        self.labels.known.insert(name.value.clone(), Label { span: name.span, kind });
        Some(name.value)
    }

    /// Counts what proves that the target lives, and what only proves silence.
    fn weigh(&mut self, verb: &Verb, span: Span) {
        match verb {
            Verb::Expect(Expect::Nothing { .. }) => self.silences.push(span),
            Verb::App(App::Expect(AppExpect::Nothing)) => self.silences.push(span),
            Verb::Expect(Expect::OneOf(answers)) if answers.iter().any(|(_, seen)| seen.is_none()) => {}
            Verb::Expect(_)
            | Verb::Linux(_)
            | Verb::App(App::Expect(_) | App::Status(_) | App::UrgentLeft(_) | App::Recv(_))
            | Verb::Live(Live::Call(
                App::Expect(_) | App::Status(_) | App::UrgentLeft(_) | App::Recv(_) | App::Accept,
            )) => {
                self.proofs += 1;
            }
            Verb::Send(_)
            | Verb::App(_)
            | Verb::Wait(_)
            | Verb::Repeat(_)
            | Verb::Note(_)
            | Verb::Live(_)
            | Verb::Impair(_)
            | Verb::Heal(_) => {}
        }
    }

    /// `name`, or `{name: {argument: value}}`.
    pub(super) fn call(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Call<'a>> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        let Some(entries) = node.entries() else {
            let filled = self.text(node, &env, Open::Refuse)?;
            return Some(Call { name: filled.text, span: filled.span, args: None, env, alone: false });
        };
        let [entry] = entries else {
            check::wrong_shape(node, "this", "one name with its arguments", &mut self.sink);
            return None;
        };
        Some(Call {
            name: entry.key.value.clone(),
            span: entry.key.span,
            args: entry.value.entries(),
            env,
            alone: false,
        })
    }

    fn use_list(&mut self, node: &'a Node, env: &Env<'a>, out: &mut Vec<Step>) {
        let Some(call) = self.call(node, env) else { return };
        let Some(list) = self.list_named(&call.name) else {
            let known: Vec<_> =
                self.lists.keys().chain(self.library.lists.keys()).map(String::as_str).collect();
            return self.unknown_word(Code::UnknownList, call.span, "list", &call.name, &known);
        };
        self.lists_used.insert(list.name.span);
        if !self.enter(&list.name.value, call.span) {
            return;
        }
        let env = self.arguments(&list.params, &list.name.value, &call);
        let steps = self.steps(&list.steps, &env);
        self.inside.pop();
        out.extend(steps);
    }

    /// Binds parameters to what was given, or to their defaults.
    pub(super) fn arguments(&mut self, params: &'a [Param], of: &str, call: &Call<'a>) -> Env<'a> {
        let args = call.args.unwrap_or_default();
        for arg in args {
            if !params.iter().any(|param| param.name.value == arg.key.value) {
                let known: Vec<_> = params.iter().map(|param| param.name.value.as_str()).collect();
                let message = format!("`{of}` has no parameter `{}`", arg.key.value);
                let found = Diagnostic::new(Code::UnknownArgument, arg.key.span, message);
                let found = found.suggest(self.nearest(&arg.key.value, known.iter().copied()));
                self.push(match known.is_empty() {
                    true => found.help(format!("`{of}` takes no parameters")),
                    false => found.help(format!("`{of}` takes {}", known.join(", "))),
                });
            }
        }
        let mut bindings = Vec::new();
        for param in params {
            let (name, declared) = (param.name.value.as_str(), param.name.span);
            let given = args.iter().find(|arg| arg.key.value == name);
            let (node, env) = match given {
                Some(arg) => (&arg.value, call.env.clone()),
                None => (&param.default, Env::default()),
            };
            if given.is_none() && node.kind == Kind::Null {
                self.missing.insert(node.span);
            }
            if given.is_none() && node.kind == Kind::Null && !call.alone {
                let message = format!("`{of}` needs the parameter `{name}`");
                let found = Diagnostic::new(Code::UnknownArgument, call.span, message);
                self.push(found.context(declared, "it has no default"));
            }
            bindings.push(Binding { name, declared, node, env });
        }
        Env::new(bindings)
    }
}

/// What a label of a `linux` step remembers: `before.snd_cwnd`, `error.info`.
fn numbers_of(call: &LinuxCall) -> Vec<String> {
    match call {
        LinuxCall::Info(_) => linux::info_fields().map(|field| field.name.to_owned()).collect(),
        LinuxCall::Ioctl(queues) => queues.iter().map(|(name, _)| name.clone()).collect(),
        LinuxCall::ErrQueue(_) => vec!["info".to_owned(), "data".to_owned()],
        LinuxCall::GetSockOpt { .. } | LinuxCall::Send { .. } | LinuxCall::Recv { .. } => {
            vec!["value".to_owned()]
        }
        LinuxCall::Sysctl(_)
        | LinuxCall::SetSockOpt { .. }
        | LinuxCall::Poll(_)
        | LinuxCall::Listen { .. }
        | LinuxCall::Accept
        | LinuxCall::Shutdown { .. } => Vec::new(),
    }
}

/// Both conditions, where there are two.
fn both(outer: Option<Expr>, inner: Option<Expr>) -> Option<Expr> {
    match (outer, inner) {
        (Some(outer), Some(inner)) => Some(Expr::Binary(BinaryOp::And, Box::new(outer), Box::new(inner))),
        (outer, inner) => outer.or(inner),
    }
}
