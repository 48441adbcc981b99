//! A `linux` step, as a sentence.

use super::shown;
use crate::suite::model::{
    CallResult, ErrorWant, InfoWant, Linux, LinuxCall, OptionValue, OptionWant, Socket,
};
use std::fmt::Display;

pub(super) fn of(linux: &Linux) -> String {
    let mut text = call(&linux.call);
    if linux.on == Socket::Listener {
        text.push_str(" on the listener");
    }
    match &linux.result {
        CallResult::Success => {}
        CallResult::Returns(bound) => text.push_str(&format!(", which must return {bound}")),
        CallResult::Errno(names) => text.push_str(&format!(", which must fail with {}", names.join(" or "))),
    }
    text
}

fn call(call: &LinuxCall) -> String {
    match call {
        LinuxCall::Sysctl(values) => {
            let values: Vec<_> = values.iter().map(|(name, value)| format!("{name} to {value}")).collect();
            format!("The namespace has its sysctls set: {}", values.join(", "))
        }
        LinuxCall::SetSockOpt { option, value } => {
            let value = match value {
                OptionValue::Int(expr) => expr.to_string(),
                OptionValue::Ints(all) => list(all),
                OptionValue::Text(text) => text.clone(),
                OptionValue::Octets(octets) => shown(octets),
            };
            format!("The application calls setsockopt: {option} = {value}")
        }
        LinuxCall::GetSockOpt { option, want } => {
            let want = match want {
                OptionWant::Int(bound) => bound.to_string(),
                OptionWant::Ints(all) => list(all),
                OptionWant::Text(text) => text.clone(),
                OptionWant::Octets(octets) => shown(octets),
                OptionWant::Errno(names) => names.join(" or "),
            };
            format!("getsockopt must say of {option}: {want}")
        }
        LinuxCall::Info(wants) => {
            let wants = wants.iter().map(|(name, want)| match want {
                InfoWant::Number(bound) => format!("{name} {bound}"),
                InfoWant::Words(words) => format!("{name} {}", words.join(" or ")),
                InfoWant::Flags(flags) => format!("{name} {flags}"),
            });
            format!("TCP_INFO must say: {}", wants.collect::<Vec<_>>().join(", "))
        }
        LinuxCall::Poll(flags) => format!("poll must say {flags}"),
        LinuxCall::ErrQueue(None) => "The error queue must be empty".to_owned(),
        LinuxCall::ErrQueue(Some(want)) => format!("The error queue must hold: {}", queued(want)),
        LinuxCall::Ioctl(queues) => {
            let queues: Vec<_> = queues.iter().map(|(name, bound)| format!("{name} {bound}")).collect();
            format!("ioctl must say: {}", queues.join(", "))
        }
        LinuxCall::Listen { backlog } => format!("The application listens with a backlog of {backlog}"),
        LinuxCall::Accept => "The application accepts, without waiting".to_owned(),
        LinuxCall::Shutdown { how } => format!("The application calls shutdown with {how}"),
        LinuxCall::Send { count, flags } => {
            format!("The application writes {count} octets, without waiting{}", with(flags))
        }
        LinuxCall::Recv { count, flags } => {
            format!("The application reads at most {count} octets, without waiting{}", with(flags))
        }
    }
}

fn queued(want: &ErrorWant) -> String {
    let words = [("errno", &want.errno), ("origin", &want.origin)];
    let words = words.into_iter().filter(|(_, all)| !all.is_empty());
    let words = words.map(|(name, all)| format!("{name} {}", all.join(" or ")));
    let numbers = want.numbers.iter().map(|(name, bound)| format!("{name} {bound}"));
    words.chain(numbers).collect::<Vec<_>>().join(", ")
}

fn with(flags: &[String]) -> String {
    if flags.is_empty() { String::new() } else { format!(" ({})", flags.join("|")) }
}

fn list(all: &[impl Display]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
