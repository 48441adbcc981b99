//! One step of a case, as a sentence.

mod linux;

use super::live;
use crate::engine::io::hex;
use crate::suite::expr::Expr;
use crate::suite::model::{
    App, AppExpect, Expect, FieldName, Fields, IcmpKind, OctetField, OptionSpec, Pattern, SackSpec, Send,
    Step, Verb,
};

/// Octets of a payload that a sentence shows.
const OCTETS_MAX: usize = 24;

/// The whole step: what, when, under which condition.
pub(super) fn of(step: &Step) -> String {
    let mut text = match &step.verb {
        Verb::Send(send) => format!("The peer sends {}", sent(send)),
        Verb::Expect(expect) => expected(expect),
        Verb::App(app) => application(app),
        Verb::Linux(linux) => linux::of(linux),
        Verb::Wait(span) => match &step.after {
            Some(label) => format!("Nothing happens until {span} after `{label}`"),
            None => format!("Nothing happens for {span}"),
        },
        Verb::Repeat(repeat) => {
            let steps: Vec<String> = repeat.steps.iter().map(of).collect();
            format!("{} times: {}", repeat.times, steps.join(" Then: "))
        }
        Verb::Note(note) => return note.clone(),
        Verb::Live(live) => live::live(live),
        Verb::Impair(rule) => live::impairment(rule),
        Verb::Heal(None) => "The wire is as good as new".to_owned(),
        Verb::Heal(Some(label)) => format!("The rule `{label}` for the wire ends"),
    };
    if let Some(on) = &step.on {
        text.push_str(&format!(", on connection {on}"));
    }
    if !step.from.is_target() {
        text = text.replacen("The target must answer", "The peer must send", 1);
    }
    if let Some(within) = &step.within {
        let after = step.after.as_ref().map(|label| format!(" after `{label}`")).unwrap_or_default();
        match &within.from {
            Some(from) => text.push_str(&format!(", {from} to {}{after} later", within.to)),
            None => text.push_str(&format!(", within {}{after}", within.to)),
        }
    }
    if let Some(when) = &step.when {
        text = format!("If {when}: {text}");
    }
    if let Some(label) = &step.label {
        text.push_str(&format!(" (called `{label}` from here on)"));
    }
    text.push('.');
    text
}

fn sent(send: &Send) -> String {
    match send {
        Send::Segment(fields_) => fields(fields_),
        Send::Icmp(icmp) => {
            let kind = match &icmp.kind {
                IcmpKind::Named(name) => name.clone(),
                IcmpKind::Numbers { kind, code } => format!("type {kind} code {code}"),
            };
            let mtu = icmp.mtu.as_ref().map(|mtu| format!(", MTU {mtu}")).unwrap_or_default();
            format!("an ICMP error: {kind}{mtu}")
        }
        Send::Raw(octets) => format!("{} octets as they stand: {}", octets.len(), shown(octets)),
    }
}

fn expected(expect: &Expect) -> String {
    match expect {
        Expect::One(wanted) => format!("The target must answer {}", pattern(wanted)),
        Expect::OneOf(answers) => {
            let answers = answers.iter().map(|(name, wanted)| match wanted {
                Some(wanted) => format!("{} ({name})", pattern(wanted)),
                None => format!("nothing ({name})"),
            });
            format!("The target may answer one of: {}", answers.collect::<Vec<_>>().join("; "))
        }
        Expect::Nothing { span } => format!("The target must stay silent for {span}"),
    }
}

/// A segment as a pattern describes it.
pub(super) fn pattern(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Segment(wanted) => fields(wanted),
        Pattern::Icmp(wanted) => format!("ICMP {}", fields(wanted)),
        Pattern::Any => "any segment".to_owned(),
    }
}

pub(super) fn fields(fields: &Fields) -> String {
    let Fields { flags, values, options, octets, sack, counts: _, fragments } = fields;
    let mut parts: Vec<String> = flags.iter().map(ToString::to_string).collect();
    parts.extend(values.iter().map(|(name, bound)| format!("{} {bound}", word(*name))));
    if let Some(options) = options {
        let all: Vec<String> = options.iter().map(option).collect();
        parts.push(format!("exactly the options [{}]", all.join(", ")));
    }
    parts.extend(octets.iter().map(|(name, octets)| {
        let name = match name {
            OctetField::RawOptions => "option octets",
            OctetField::IpOptions => "IP option octets",
            OctetField::Data => "data",
            OctetField::Trailer => "a trailer of",
            OctetField::Src => "source",
            OctetField::Dst => "destination",
        };
        format!("{name} {}", shown(octets))
    }));
    match sack {
        None => {}
        Some(SackSpec::Any) => parts.push("any SACK blocks".to_owned()),
        Some(SackSpec::None) => parts.push("no SACK blocks".to_owned()),
        Some(SackSpec::Blocks(blocks)) => parts.push(format!("SACK {}", ranges(blocks))),
    }
    if let Some(cut) = fragments {
        parts.push(format!("in fragments of {} octets", cut.size));
    }
    if parts.is_empty() { "a segment".to_owned() } else { parts.join(", ") }
}

fn ranges(blocks: &[(Expr, Expr)]) -> String {
    let blocks: Vec<String> = blocks.iter().map(|(from, to)| format!("{from}..{to}")).collect();
    blocks.join(" ")
}

fn option(option: &OptionSpec) -> String {
    match option {
        OptionSpec::Eol => "eol".to_owned(),
        OptionSpec::Nop => "nop".to_owned(),
        OptionSpec::Mss(mss) => format!("mss {mss}"),
        OptionSpec::Wscale(shift) => format!("wscale {shift}"),
        OptionSpec::SackPermitted => "sack permitted".to_owned(),
        OptionSpec::Timestamps(value, echo) => format!("timestamps {value} {echo}"),
        OptionSpec::Sack(blocks) => format!("sack {}", ranges(blocks)),
        OptionSpec::Raw(octets) => format!("octets {}", shown(octets)),
    }
}

fn shown(octets: &[u8]) -> String {
    let text = hex::encode(&octets[..octets.len().min(OCTETS_MAX)]);
    if octets.len() > OCTETS_MAX { format!("{text}...") } else { text }
}

pub(super) fn application(app: &App) -> String {
    match app {
        App::Listen => "The application listens".to_owned(),
        App::Connect => "The application connects to the peer".to_owned(),
        App::ConnectTo(address) => format!("The application connects to {address}"),
        App::ConnectFrom(port) => format!("The application connects to the peer, from port {port}"),
        App::Accept => "The application accepts the connection".to_owned(),
        App::Send(count) => format!("The application sends {count} octets"),
        App::SendUrgent(count) => format!("The application sends {count} octets as urgent"),
        App::Recv(count) => format!("The application reads {count} octets"),
        App::BeginRecv(count) => format!("The application begins to read {count} octets"),
        App::Shutdown => "The application stops sending (shutdown)".to_owned(),
        App::Close => "The application closes".to_owned(),
        App::Abort => "The application aborts".to_owned(),
        App::Option(name, value) => format!("The application sets the option {name} to {value}"),
        App::Status(states) => format!("The target must say that it is in {}", states.join(" or ")),
        App::UrgentLeft(true) => "The application must find that urgent data remains to be read".to_owned(),
        App::UrgentLeft(false) => {
            "The application must find that no urgent data remains to be read".to_owned()
        }
        App::Expect(expect) => format!("The application must {}", learned(expect)),
    }
}

fn learned(expect: &AppExpect) -> String {
    match expect {
        AppExpect::Connected => "learn that it is connected".to_owned(),
        AppExpect::Eof => "learn that the peer has finished".to_owned(),
        AppExpect::Reset => "learn that the connection was reset".to_owned(),
        AppExpect::Refused => "learn that the connection was refused".to_owned(),
        AppExpect::TimedOut => "learn that the connection timed out".to_owned(),
        AppExpect::Closed => "learn that the connection is closed".to_owned(),
        AppExpect::Urgent => "learn that there is urgent data".to_owned(),
        AppExpect::SoftError => "hear of the error, and that the connection goes on".to_owned(),
        AppExpect::Unreachable => "learn that the peer cannot be reached".to_owned(),
        AppExpect::Data(count) => format!("get {count} octets, as the peer sent them"),
        AppExpect::Nothing => "learn nothing".to_owned(),
        AppExpect::Error => "be refused the last call with an error".to_owned(),
    }
}

/// The field as the language names it.
fn word(name: FieldName) -> &'static str {
    match name {
        FieldName::Seq => "seq",
        FieldName::Ack => "ack",
        FieldName::Window => "window",
        FieldName::Urgent => "urgent",
        FieldName::Len => "len",
        FieldName::Mss => "mss",
        FieldName::Wscale => "wscale",
        FieldName::SackPermitted => "sack_permitted",
        FieldName::TsVal => "ts_val",
        FieldName::TsEcr => "ts_ecr",
        FieldName::FastOpen => "fast_open",
        FieldName::UserTimeout => "user_timeout",
        FieldName::Offset => "offset",
        FieldName::Reserved => "reserved",
        FieldName::Checksum => "checksum",
        FieldName::SrcPort => "src_port",
        FieldName::DstPort => "dst_port",
        FieldName::Ttl => "ttl",
        FieldName::Tos => "tos",
        FieldName::Ecn => "ecn",
        FieldName::Df => "df",
        FieldName::IpId => "ip_id",
        FieldName::IpChecksum => "ip_checksum",
        FieldName::IpLength => "ip_length",
        FieldName::IpVersion => "ip_version",
        FieldName::Ihl => "ihl",
        FieldName::MoreFragments => "more_fragments",
        FieldName::FragmentOffset => "fragment_offset",
        FieldName::IcmpType => "icmp_type",
        FieldName::IcmpCode => "icmp_code",
        FieldName::Mtu => "mtu",
    }
}
