//! The `linux` step: names looked up, values read.

use super::Lower;
use super::values::{Filled, Open};
use crate::suite::check;
use crate::suite::diagnostic::{Code, Diagnostic};
use crate::suite::expr::{Bound, Expr, Type};
use crate::suite::grammar::{self, Shape};
use crate::suite::linux::{self as names, Unit};
use crate::suite::model::{
    CallResult, ErrorWant, FlagWords, InfoWant, Linux, LinuxCall, OptionValue, OptionWant, Socket,
    SocketOption,
};
use crate::suite::scope::Env;
use crate::suite::yaml::{Entry, Node};

/// The keys that qualify a call, and the calls that they do.
const WITH: &[(&str, &[&str])] = &[
    ("flags", &["send", "recv"]),
    ("on", &["setsockopt", "getsockopt", "info", "poll", "shutdown"]),
    ("returns", &["send", "recv"]),
    ("errno", &["sysctl", "setsockopt", "getsockopt", "listen", "accept", "shutdown", "send", "recv"]),
];

impl<'a> Lower<'a> {
    pub(super) fn linux(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Linux> {
        let (node, env) = self.resolve(node, env, &Shape::Map(&grammar::LINUX));
        let Some(entries) = node.entries() else {
            let word = self.text(node, &env, Open::Refuse)?;
            if word.text == "accept" {
                let call = LinuxCall::Accept;
                return Some(Linux { call, on: Socket::default(), result: CallResult::default() });
            }
            self.unknown_word(Code::UnknownWord, word.span, "call", &word.text, grammar::LINUX_CALLS);
            return None;
        };
        let is_call = |entry: &&Entry| grammar::LINUX.key(&entry.key.value).is_some_and(|key| key.verb);
        let call = entries.iter().find(is_call)?;
        self.keys_fit(entries, &call.key.value);
        let on = if node.get("on").is_some() { Socket::Listener } else { Socket::Unsaid };
        let result = self.call_result(node, &env);
        Some(Linux { call: self.linux_call(node, call, &env)?, on, result })
    }

    fn keys_fit(&mut self, entries: &[Entry], call: &str) {
        for (key, calls) in WITH {
            let Some(entry) = entries.iter().find(|entry| entry.key.value == *key) else { continue };
            if !calls.contains(&call) {
                let message = format!("`{key}` does not go with `{call}`");
                let found = Diagnostic::new(Code::QualifierMisplaced, entry.key.span, message);
                self.push(found.help(format!("`{key}` goes with {}", calls.join(", "))));
            }
        }
        let [returns, errno] =
            ["returns", "errno"].map(|key| entries.iter().find(|entry| entry.key.value == key));
        if let (Some(returns), Some(errno)) = (returns, errno) {
            let message = "a call returns something, or fails";
            let found = Diagnostic::new(Code::SeveralVerbs, errno.key.span, message);
            self.push(found.context(returns.key.span, "it is to return something"));
        }
    }

    fn call_result(&mut self, node: &'a Node, env: &Env<'a>) -> CallResult {
        if let Some(errno) = node.get("errno") {
            return CallResult::Errno(self.names(errno, env, "errno", names::ERRNOS));
        }
        let returns = node.get("returns").and_then(|node| self.bound(node, env, &[Type::Int]));
        returns.map_or(CallResult::Success, |(bound, _)| CallResult::Returns(bound))
    }

    fn linux_call(&mut self, node: &'a Node, call: &'a Entry, env: &Env<'a>) -> Option<LinuxCall> {
        let value = &call.value;
        Some(match call.key.value.as_str() {
            "sysctl" => LinuxCall::Sysctl(self.sysctls(value, env)),
            "setsockopt" => {
                let (option, value, env) = self.socket_option(value, env)?;
                LinuxCall::SetSockOpt { option, value: self.option_value(value, &env)? }
            }
            "getsockopt" => {
                let (option, value, env) = self.socket_option(value, env)?;
                let want = self.option_want(&option.name, value, &env)?;
                LinuxCall::GetSockOpt { option, want }
            }
            "info" => LinuxCall::Info(self.info(value, env)),
            "poll" => LinuxCall::Poll(self.flag_words(value, env, names::POLL)?),
            "errqueue" => LinuxCall::ErrQueue(self.queued_error(value, env)),
            "ioctl" => LinuxCall::Ioctl(self.queues(value, env)),
            "listen" => LinuxCall::Listen { backlog: self.expr(value, env, &[Type::Int])? },
            "accept" => LinuxCall::Accept,
            "shutdown" => {
                let how = self.text(value, env, Open::Refuse)?;
                self.known(&how, "direction", names::SHUTDOWNS);
                LinuxCall::Shutdown { how: how.text }
            }
            "send" => LinuxCall::Send {
                count: self.expr(value, env, &[Type::Int])?,
                flags: self.message_flags(node, env),
            },
            "recv" => LinuxCall::Recv {
                count: self.expr(value, env, &[Type::Int])?,
                flags: self.message_flags(node, env),
            },
            _ => return None,
        })
    }

    /// Reports a name that C does not have.
    fn known(&mut self, word: &Filled, what: &str, known: &[&str]) -> bool {
        let found = known.contains(&word.text.as_str());
        if !found {
            self.unknown_word(Code::UnknownKernelName, word.span, what, &word.text, known);
        }
        found
    }

    /// One name or a list of them.
    fn names(&mut self, node: &'a Node, env: &Env<'a>, what: &str, known: &[&str]) -> Vec<String> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        let mut all = Vec::new();
        for item in node.items().unwrap_or_else(|| std::slice::from_ref(node)) {
            let Some(word) = self.text(item, &env, Open::Refuse) else { continue };
            if self.known(&word, what, known) {
                all.push(word.text);
            }
        }
        all
    }

    fn sysctls(&mut self, node: &'a Node, env: &Env<'a>) -> Vec<(String, String)> {
        let (node, env) = self.resolve(node, env, &Shape::Dict(&Shape::Text));
        let mut all = Vec::new();
        for entry in node.entries().unwrap_or_default() {
            let name = &entry.key.value;
            if !names::is_sysctl(name) {
                let message = format!("`{name}` is not a sysctl of a network namespace");
                let found = Diagnostic::new(Code::UnknownKernelName, entry.key.span, message);
                self.push(found.help("only what is below `net.` belongs to the namespace of a lane"));
            }
            let value = self.text(&entry.value, &env, Open::Refuse);
            all.extend(value.map(|value| (name.clone(), value.text)));
        }
        all
    }

    /// Level, option, and the node of the value.
    fn socket_option(&mut self, node: &'a Node, env: &Env<'a>) -> Option<(SocketOption, &'a Node, Env<'a>)> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        let Some([level, name, value]) = node.items() else {
            check::wrong_shape(node, "a socket option", "[level, option, value]", &mut self.sink);
            return None;
        };
        let number = |word: &Filled| word.text.parse::<i32>().is_ok();
        let level = self.text(level, &env, Open::Refuse)?;
        let name = self.text(name, &env, Open::Refuse)?;
        let known_level = number(&level) || self.known(&level, "level", names::LEVELS);
        let known_name = number(&name) || self.known(&name, "socket option", names::OPTIONS);
        let levels = names::levels_of(&name.text);
        if known_level
            && known_name
            && !number(&level)
            && !number(&name)
            && !levels.contains(&level.text.as_str())
        {
            let message = format!("`{}` is no option of `{}`", name.text, level.text);
            let found = Diagnostic::new(Code::UnknownKernelName, level.span, message);
            self.push(found.help(format!("it is of {}", levels.join(" or "))));
        }
        Some((SocketOption { level: level.text, name: name.text }, value, env))
    }

    fn option_value(&mut self, node: &'a Node, env: &Env<'a>) -> Option<OptionValue> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        if let Some(text) = node.get("text") {
            return Some(OptionValue::Text(self.text(text, &env, Open::Refuse)?.text));
        }
        if let Some(octets) = node.get("hex") {
            return Some(OptionValue::Octets(self.octets(octets, &env)?));
        }
        let one = |this: &mut Self, node: &'a Node| this.expr(node, &env, &[Type::Int, Type::Bool]);
        match node.get("ints") {
            Some(ints) => {
                let all: Vec<Expr> =
                    ints.items().unwrap_or_default().iter().filter_map(|node| one(self, node)).collect();
                Some(OptionValue::Ints(all))
            }
            None => Some(OptionValue::Int(one(self, node)?)),
        }
    }

    fn option_want(&mut self, name: &str, node: &'a Node, env: &Env<'a>) -> Option<OptionWant> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        let is_word = |node: &Node| node.scalar().is_some_and(|text| text == "none" || text.starts_with('E'));
        if name == "SO_ERROR"
            && node.items().unwrap_or_else(|| std::slice::from_ref(node)).iter().all(is_word)
        {
            let known: Vec<&str> = ["none"].into_iter().chain(names::ERRNOS.iter().copied()).collect();
            return Some(OptionWant::Errno(self.names(node, &env, "errno", &known)));
        }
        if let Some(text) = node.get("text") {
            return Some(OptionWant::Text(self.text(text, &env, Open::Refuse)?.text));
        }
        if let Some(octets) = node.get("hex") {
            return Some(OptionWant::Octets(self.octets(octets, &env)?));
        }
        let one =
            |this: &mut Self, node: &'a Node| this.bound(node, &env, &[Type::Int]).map(|(bound, _)| bound);
        match node.get("ints") {
            Some(ints) => {
                let all: Vec<Bound> =
                    ints.items().unwrap_or_default().iter().filter_map(|node| one(self, node)).collect();
                Some(OptionWant::Ints(all))
            }
            None => Some(OptionWant::Int(one(self, node)?)),
        }
    }

    fn info(&mut self, node: &'a Node, env: &Env<'a>) -> Vec<(String, InfoWant)> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        let mut all = Vec::new();
        for entry in node.entries().unwrap_or_default() {
            let name = entry.key.value.as_str();
            let Some(field) = names::info_fields().find(|field| field.name == name) else {
                let known: Vec<_> = names::info_fields().map(|field| field.name).collect();
                self.unknown_word(Code::UnknownKernelName, entry.key.span, "field of TCP_INFO", name, &known);
                continue;
            };
            let value = &entry.value;
            let want = match field.unit {
                Unit::Word if name == "state" => Some(InfoWant::Words(self.state_words(value, &env))),
                Unit::Word => Some(InfoWant::Words(self.names(
                    value,
                    &env,
                    "state of congestion control",
                    names::CA_STATES,
                ))),
                Unit::Flags => self.flag_words(value, &env, names::INFO_OPTIONS).map(InfoWant::Flags),
                Unit::Plain => self.number_want(value, &env, &[Type::Int]),
                Unit::Microseconds | Unit::Milliseconds => {
                    self.number_want(value, &env, &[Type::Int, Type::Duration])
                }
            };
            all.extend(want.map(|want| (name.to_owned(), want)));
        }
        all
    }

    fn number_want(&mut self, node: &'a Node, env: &Env<'a>, types: &[Type]) -> Option<InfoWant> {
        Some(InfoWant::Number(self.bound(node, env, types)?.0))
    }

    /// States in either case: `established`, `ESTABLISHED`.
    fn state_words(&mut self, node: &'a Node, env: &Env<'a>) -> Vec<String> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        let mut all = Vec::new();
        for item in node.items().unwrap_or_else(|| std::slice::from_ref(node)) {
            let Some(word) = self.text(item, &env, Open::Refuse) else { continue };
            let word = Filled { text: word.text.to_ascii_uppercase(), span: word.span };
            if self.known(&word, "state", grammar::STATES) {
                all.push(word.text);
            }
        }
        all
    }

    fn flag_words(&mut self, node: &'a Node, env: &Env<'a>, known: &[&str]) -> Option<FlagWords> {
        let words = self.text(node, env, Open::Refuse)?;
        let mut flags = FlagWords::default();
        if words.text == "none" {
            flags.exactly = Some(Vec::new());
            return Some(flags);
        }
        for word in words.text.split('|').map(str::trim) {
            let (list, name) = match (word.strip_prefix('+'), word.strip_prefix('-')) {
                (Some(name), _) => (&mut flags.set, name),
                (_, Some(name)) => (&mut flags.clear, name),
                (None, None) => (flags.exactly.get_or_insert_default(), word),
            };
            list.push(name.to_owned());
            let at = Filled { text: name.to_owned(), span: words.span };
            self.known(&at, "flag", known);
        }
        Some(flags)
    }

    fn message_flags(&mut self, node: &'a Node, env: &Env<'a>) -> Vec<String> {
        let Some(node) = node.get("flags") else { return Vec::new() };
        let Some(flags) = self.flag_words(node, env, names::MESSAGE) else { return Vec::new() };
        flags.exactly.unwrap_or_default()
    }

    fn queued_error(&mut self, node: &'a Node, env: &Env<'a>) -> Option<ErrorWant> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        let entries = node.entries()?;
        let mut want = ErrorWant::default();
        for entry in entries {
            match entry.key.value.as_str() {
                "errno" => want.errno = self.names(&entry.value, &env, "errno", names::ERRNOS),
                "origin" => want.origin = self.names(&entry.value, &env, "origin", names::ORIGINS),
                name => {
                    let bound = self.bound(&entry.value, &env, &[Type::Int]);
                    want.numbers.extend(bound.map(|(bound, _)| (name.to_owned(), bound)));
                }
            }
        }
        Some(want)
    }

    fn queues(&mut self, node: &'a Node, env: &Env<'a>) -> Vec<(String, Bound)> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        let mut all = Vec::new();
        for entry in node.entries().unwrap_or_default() {
            let name = Filled { text: entry.key.value.clone(), span: entry.key.span };
            self.known(&name, "ioctl", names::IOCTLS);
            let bound = self.bound(&entry.value, &env, &[Type::Int]);
            all.extend(bound.map(|(bound, _)| (name.text, bound)));
        }
        all
    }
}
