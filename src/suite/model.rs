//! What a case says once its YAML has been read: typed steps with a place in the source.
//!
//! This is the vocabulary that the checker produces and that `plan` and `engine` consume. Named
//! lists (`use`) and fixtures (`given`) have already been put in place, parameters of `for:` have
//! been substituted, and every expression has been parsed; what is left open are the names whose
//! value exists only while a case runs (`isn`, labels, ...) or depends on the target (`target.*`).
//! Everything here is plain data that can be written to `run.jsonl` and read back. It knows
//! nothing of YAML, targets, wires or time.

mod linux;
mod live;

pub use linux::{
    CallResult, ErrorWant, FlagWords, InfoWant, Linux, LinuxCall, OptionValue, OptionWant, Socket,
    SocketOption, shown_flags,
};
pub use live::{Action, Delay, Impairment, Live, Mode, Origin, Pick, Reads, Setting};

use crate::suite::expr::{Bound, Expr};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How binding the requirement behind a case is (RFC 2119). Decides what a violation is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Never fails: records which of the allowed behaviours was seen.
    May,
    /// A violation is a warning.
    Should,
    /// A violation is a failure.
    Must,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::May => "may",
            Self::Should => "should",
            Self::Must => "must",
        })
    }
}

/// The address family a case instance runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// `4` or `6`, as `--family` and the JSON say it.
    pub fn number(self) -> u8 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.number())
    }
}

impl Serialize for Family {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for Family {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match u8::deserialize(d)? {
            4 => Ok(Self::V4),
            6 => Ok(Self::V6),
            other => Err(serde::de::Error::custom(format!("address family {other}: 4 or 6"))),
        }
    }
}

/// Where something stands in the suites, for messages. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    pub file: String,
    pub line: u32,
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One instance of a case: all parameters chosen, all texts final.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The full id: `directory/file/id`, with unnamed parameters appended as `[n=7]`.
    pub id: String,
    pub title: String,
    pub mode: Mode,
    pub level: Level,
    /// Catalogue ids.
    pub refs: Vec<String>,
    pub tags: Vec<String>,
    /// Abilities that the target must have.
    pub needs: Vec<String>,
    pub families: Vec<Family>,
    pub lesson: Option<String>,
    /// Mutants of the reference that this case must catch.
    pub kills: Vec<String>,
    pub points: u32,
    /// Takes over 10 s on a real clock.
    pub slow: bool,
    /// Wants a lane of its own.
    pub fresh: bool,
    pub strict: bool,
    pub tolerate: Vec<Tolerate>,
    pub place: Place,
    /// The fixtures, outermost first; their steps run before the case's own.
    pub given: Vec<Fixture>,
    pub steps: Vec<Step>,
}

/// By what a case is seen to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// A mutant of the reference that it names.
    Mutant,
    /// It names none.
    Nothing,
    /// The reference never runs it, so no mutant can be killed: a change of the kernel beneath it would be the proof.
    Kernel,
    /// It is of level may, and never fails.
    Never,
}

impl Case {
    pub fn proof(&self) -> Proof {
        if for_kernel(&self.needs, &self.steps) {
            Proof::Kernel
        } else if self.level == Level::May {
            Proof::Never
        } else if self.kills.is_empty() {
            Proof::Nothing
        } else {
            Proof::Mutant
        }
    }
}

/// A case that needs this and takes these steps is for the Linux kernel alone.
pub(in crate::suite) fn for_kernel(needs: &[String], steps: &[Step]) -> bool {
    needs.iter().any(|need| need == "linux") || steps.iter().any(calls_the_kernel)
}

fn calls_the_kernel(step: &Step) -> bool {
    match &step.verb {
        Verb::Linux(_) => true,
        Verb::Repeat(repeat) => repeat.steps.iter().any(calls_the_kernel),
        Verb::Send(_)
        | Verb::Expect(_)
        | Verb::App(_)
        | Verb::Wait(_)
        | Verb::Note(_)
        | Verb::Live(_)
        | Verb::Impair(_)
        | Verb::Heal(_) => false,
    }
}

/// A fixture with its parameters already applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fixture {
    pub id: String,
    /// The state that the target is in afterwards, as RFC 9293 writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The case that checks the fixture's own steps: it is named when the fixture fails.
    pub tested_by: String,
    /// The ways to bring the target there; the first whose condition holds is taken.
    pub ways: Vec<Way>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Way {
    /// Abilities this way needs of the target.
    pub needs: Vec<String>,
    pub steps: Vec<Step>,
}

/// One verb, and what qualifies it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub place: Place,
    pub verb: Verb,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
    /// The label that `within` counts from; the step before, if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expr>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub otherwise: Vec<Otherwise>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerate: Vec<Tolerate>,
    #[serde(default)]
    pub strict: bool,
    /// The call may also be refused with an error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub or_error: bool,
    /// The sentence shown if the step fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// With a live peer: which of the connections, counted from 0. Without it the first, or every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Expr>,
    /// With a live peer: whose segment an `expect` waits for.
    #[serde(default, skip_serializing_if = "Origin::is_target")]
    pub from: Origin,
}

/// A time limit: not later than `to` and, if given, not before `from`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Within {
    pub from: Option<Expr>,
    pub to: Expr,
}

/// A known wrong answer and what it means, in words a student understands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Otherwise {
    /// `None` stands for silence.
    pub seen: Option<Pattern>,
    pub means: String,
}

/// Noise that a case allows beyond the legal noise, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tolerate {
    pub seen: Pattern,
    pub because: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Send(Box<Send>),
    Expect(Expect),
    App(App),
    Linux(Box<Linux>),
    Wait(Expr),
    Repeat(Repeat),
    Note(String),
    Live(Live),
    Impair(Box<Impairment>),
    /// Ends the rule of that label, or all.
    Heal(Option<String>),
}

/// What the injector puts on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Send {
    Segment(Fields),
    Icmp(IcmpSend),
    /// A whole IP packet, octet by octet.
    Raw(Vec<u8>),
}

/// An ICMP message; the quoted packet is the last segment of the target unless said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IcmpSend {
    pub kind: IcmpKind,
    pub mtu: Option<Expr>,
    /// What the quoted TCP header says; what is left out is as in the target's last segment.
    pub quote: Fields,
    /// Octets of the quoted packet beyond its IP header; 8 if not said.
    pub quote_len: Option<Expr>,
}

/// By name, so that one text serves both families; or by numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IcmpKind {
    /// `net-unreachable`, `host-unreachable`, `protocol-unreachable`, `port-unreachable`,
    /// `packet-too-big`, `source-quench`, `time-exceeded`, `parameter-problem`, ...
    Named(String),
    Numbers {
        kind: Expr,
        code: Expr,
    },
}

/// The header fields that a `send` or a pattern names. What is `None` is filled in (send) or does
/// not matter (match).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<FlagSpec>,
    /// Every other field by its name in the language, in the order written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(FieldName, Bound)>,
    /// `options: [...]`: exactly these, in this order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<OptionSpec>>,
    /// `raw_options`, `ip_options`, `data`, `trailer`: octets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub octets: Vec<(OctetField, Vec<u8>)>,
    /// `sack: [[a, b], ...]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sack: Option<SackSpec>,
    /// `counts: false`: the bookkeeping takes it that the target must discard this segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<bool>,
    /// `fragments: {size: 24}`: sent in pieces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fragments: Option<Cut>,
}

/// How a packet is cut into fragments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Octets of payload in each but the last, a multiple of eight.
    pub size: u16,
    /// Which are sent, in this order; all of them unless said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<u8>,
}

/// The fields of a packet that the language can name. The wire name is the language's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldName {
    Seq,
    Ack,
    Window,
    Urgent,
    Len,
    Mss,
    Wscale,
    SackPermitted,
    TsVal,
    TsEcr,
    FastOpen,
    UserTimeout,
    Offset,
    Reserved,
    /// `good`, `bad` or a number.
    Checksum,
    SrcPort,
    DstPort,
    Ttl,
    Tos,
    Ecn,
    Df,
    IpId,
    IpChecksum,
    IpLength,
    IpVersion,
    Ihl,
    MoreFragments,
    FragmentOffset,
    IcmpType,
    IcmpCode,
    Mtu,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OctetField {
    RawOptions,
    IpOptions,
    /// Payload octets, instead of the pattern.
    Data,
    /// Octets behind the end of the IP packet.
    Trailer,
    /// IP source and destination, 4 or 16 octets: rarely needed.
    Src,
    Dst,
}

/// `SYN|ACK` exactly of FIN SYN RST ACK; `+PSH`, `-URG` for the others; `any`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagSpec {
    /// Exactly these of FIN, SYN, RST and ACK; `None` for `any`.
    pub core: Option<u8>,
    /// Must be set (and are set when sending).
    pub plus: u8,
    /// Must be clear.
    pub minus: u8,
}

/// One option of an explicit list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptionSpec {
    Eol,
    Nop,
    Mss(Expr),
    Wscale(Expr),
    SackPermitted,
    Timestamps(Expr, Expr),
    Sack(Vec<(Expr, Expr)>),
    /// Octets as they stand.
    Raw(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SackSpec {
    Any,
    None,
    /// Exactly these blocks, first first.
    Blocks(Vec<(Expr, Expr)>),
}

/// What one segment of the target must look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    Segment(Fields),
    Icmp(Fields),
    /// `any`: whatever it is.
    Any,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    One(Pattern),
    /// Allowed answers, each with a name that is recorded; `None` is silence.
    OneOf(Vec<(String, Option<Pattern>)>),
    /// Silence for this long.
    Nothing {
        span: Expr,
    },
}

/// A call of the application above the target, or something it must learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum App {
    Listen,
    Connect,
    /// To this address instead of the peer's.
    ConnectTo(std::net::IpAddr),
    /// From this port, where a connection may be already.
    ConnectFrom(Expr),
    Accept,
    Send(Expr),
    SendUrgent(Expr),
    Recv(Expr),
    /// Begins to read; what comes of it is expected later.
    BeginRecv(Expr),
    Shutdown,
    Close,
    Abort,
    Option(String, Expr),
    /// The state must be one of these, as RFC 9293 writes them: `FIN-WAIT-2`.
    Status(Vec<String>),
    /// Whether the application can find out that urgent data remains to be read.
    UrgentLeft(bool),
    Expect(AppExpect),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppExpect {
    Connected,
    Eof,
    Reset,
    Refused,
    TimedOut,
    Closed,
    Urgent,
    SoftError,
    Unreachable,
    /// This many octets arrive, and their content is right.
    Data(Expr),
    /// No data, no event, for the time of `within`.
    Nothing,
    /// The last call was refused with an error.
    Error,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repeat {
    pub times: Expr,
    /// The counter's name, from 0.
    pub counter: Option<String>,
    pub steps: Vec<Step>,
}
