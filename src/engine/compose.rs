//! What a `send` puts on the wire: what the case says, and the rest as a correct peer would fill it.
//!
//! Whether the bookkeeping counts the segment is decided here too: a correct target must discard a
//! segment with a bad checksum or header, so what it carries was never sent, as far as `snd.nxt` is
//! concerned.

use super::book::Weight;
use super::eval::{EvalError, Scope, Value, eval, wrap};
use super::pattern;
use super::segment::Segment;
use crate::packet::{
    Body, Checksum, Extension, Flags, Icmp, Ip, Ipv4, Ipv6, Options, Packet, SeqNum, Tcp, TcpOption, Window,
    protocol,
};
use crate::suite::expr::{Bound, Expr};
use crate::suite::model::{
    Cut, Family, FieldName, Fields, FlagSpec, IcmpKind, IcmpSend, Level, OctetField, OptionSpec, SackSpec,
};
use std::net::IpAddr;

/// A packet ready to leave, and what the bookkeeping makes of it.
pub(crate) struct Composed {
    pub(crate) octets: Vec<u8>,
    /// The fragments that are sent in its place, if it was cut.
    pub(crate) fragments: Vec<Vec<u8>>,
    pub(crate) segment: Option<Segment>,
    pub(crate) weight: Weight,
    /// The ports, where they are not those of the case: target, peer. None of the books knows of it.
    pub(crate) aside: Option<(u16, u16)>,
    /// It speaks for other addresses or ports than the case's.
    pub(crate) elsewhere: bool,
}

impl Composed {
    /// Octets that the case wrote by hand: the bookkeeping makes nothing of them.
    pub(crate) fn raw(octets: Vec<u8>) -> Self {
        Self {
            octets,
            fragments: Vec::new(),
            segment: None,
            weight: Weight::Void,
            aside: None,
            elsewhere: false,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ComposeError {
    #[error(transparent)]
    Eval(#[from] EvalError),
    #[error("{field}: {value} does not fit")]
    Fit { field: &'static str, value: String },
    #[error("{0}")]
    Senseless(String),
}

/// The timestamp clock of the scripted peer: milliseconds, never 0.
pub(crate) fn tsval(origin: SeqNum, now: crate::time::Time) -> u32 {
    let ms = now.as_micros() / 1000;
    origin.0.rotate_left(7).wrapping_add(u32::try_from(ms & 0xffff_ffff).unwrap_or_default()) | 1
}

pub(crate) fn segment(
    fields: &Fields,
    scope: &Scope<'_>,
    now: crate::time::Time,
) -> Result<Composed, ComposeError> {
    let mut draft = Draft::new(fields, scope);
    for (name, bound) in &fields.values {
        draft.set(*name, bound)?;
    }
    draft.fill_options(fields, now)?;
    draft.fill_payload(fields);
    draft.finish(fields)
}

struct Draft<'a> {
    scope: &'a Scope<'a>,
    ip: Ip,
    tcp: Tcp,
    len: usize,
    spelled: Spelled,
    trailer: Vec<u8>,
    /// The header is one that every correct TCP discards.
    spoiled: bool,
}

/// Options that the case names one by one, to be put in the usual order.
#[derive(Default)]
struct Spelled {
    mss: Option<u16>,
    wscale: Option<u8>,
    sack_permitted: bool,
    timestamps: Stamps,
    fast_open: Option<Vec<u8>>,
    user_timeout: Option<u16>,
}

#[derive(Default)]
enum Stamps {
    /// As negotiated.
    #[default]
    Usual,
    None,
    Own {
        val: Option<u32>,
        ecr: Option<u32>,
    },
}

impl Stamps {
    fn own(&mut self) -> (&mut Option<u32>, &mut Option<u32>) {
        if !matches!(self, Self::Own { .. }) {
            *self = Self::Own { val: None, ecr: None };
        }
        match self {
            Self::Own { val, ecr } => (val, ecr),
            Self::Usual | Self::None => unreachable!("made `Own` just above"),
        }
    }
}

impl<'a> Draft<'a> {
    fn new(fields: &Fields, scope: &'a Scope<'a>) -> Self {
        let spec = fields.flags.unwrap_or(FlagSpec { core: Some(Flags::ACK.bits()), plus: 0, minus: 0 });
        let flags = Flags::from_bits((spec.core.unwrap_or(Flags::ACK.bits()) | spec.plus) & !spec.minus);
        let book = scope.book;
        let tcp = Tcp {
            sport: Some(scope.tuple.peer_port),
            dport: Some(scope.tuple.target_port),
            seq: Some(if flags.contains(Flags::SYN) { book.isn } else { scope.snd_nxt() }),
            ack: Some(if flags.contains(Flags::ACK) { scope.rcv_nxt() } else { SeqNum(0) }),
            flags: Some(flags),
            window: Some(Window(book.window_field)),
            ..Tcp::default()
        };
        let ip = Ip::between(scope.tuple.peer, scope.tuple.target).unwrap_or_else(|| Ip::V4(Ipv4::default()));
        Self { scope, ip, tcp, len: 0, spelled: Spelled::default(), trailer: Vec::new(), spoiled: false }
    }

    fn set(&mut self, name: FieldName, bound: &Bound) -> Result<(), ComposeError> {
        let expr = match bound {
            Bound::Is(expr) => expr,
            Bound::Word(word) => return self.set_word(name, word),
            Bound::Absent => {
                match name {
                    FieldName::TsVal | FieldName::TsEcr => self.spelled.timestamps = Stamps::None,
                    _ => {}
                }
                return Ok(());
            }
            Bound::Any if matches!(name, FieldName::TsVal | FieldName::TsEcr) => {
                self.spelled.timestamps.own();
                return Ok(());
            }
            Bound::Any | Bound::Range(..) | Bound::Compare(..) | Bound::OneOf(_) => {
                return Err(ComposeError::Senseless(format!(
                    "{name:?} of a send must be one value, not a set of values"
                )));
            }
        };
        if self.set_ip(name, expr)? { Ok(()) } else { self.set_tcp(name, expr) }
    }

    fn set_word(&mut self, name: FieldName, word: &str) -> Result<(), ComposeError> {
        if name == FieldName::FastOpen {
            return self.set_cookie(word);
        }
        let bad = match word {
            "bad" => true,
            "good" => false,
            other => return Err(ComposeError::Senseless(format!("`{other}`: a checksum is good or bad"))),
        };
        let checksum = if bad { Checksum::Bad } else { Checksum::Auto };
        self.spoiled |= bad;
        match (name, &mut self.ip) {
            (FieldName::Checksum, _) => self.tcp.checksum = checksum,
            (FieldName::IpChecksum, Ip::V4(ip)) => ip.checksum = checksum,
            (FieldName::IpChecksum, Ip::V6(_)) => {
                return Err(ComposeError::Senseless("IPv6 has no header checksum".into()));
            }
            (other, _) => return Err(ComposeError::Senseless(format!("{other:?} is a number"))),
        }
        Ok(())
    }

    /// RFC 7413 section 4.1.1: without a cookie the option asks for one.
    fn set_cookie(&mut self, word: &str) -> Result<(), ComposeError> {
        let cookie = if word == "request" { Some(Vec::new()) } else { super::io::hex::decode(word) };
        let senseless = || ComposeError::Senseless(format!("`{word}` is no cookie"));
        self.spelled.fast_open = Some(cookie.ok_or_else(senseless)?);
        Ok(())
    }

    fn set_tcp(&mut self, name: FieldName, expr: &Expr) -> Result<(), ComposeError> {
        let scope = self.scope;
        let int = |field, max| number(expr, scope, field, max);
        match name {
            FieldName::Seq => self.tcp.seq = Some(SeqNum(modular(expr, scope)?)),
            FieldName::Ack => self.tcp.ack = Some(SeqNum(modular(expr, scope)?)),
            FieldName::Window => self.tcp.window = Some(Window(small(int("window", 0xffff)?))),
            FieldName::Urgent => {
                // The pointer without the flag is a thing to test; the flag is the case's to set.
                self.tcp.urgent = Some(small(int("urgent", 0xffff)?));
            }
            FieldName::Len => self.len = usize::try_from(int("len", 65_495)?).unwrap_or_default(),
            FieldName::Mss => self.spelled.mss = Some(small(int("mss", 0xffff)?)),
            FieldName::Wscale => self.spelled.wscale = Some(tiny(int("wscale", 255)?)),
            FieldName::SackPermitted => self.spelled.sack_permitted = truth(expr, scope)?,
            FieldName::TsVal => *self.spelled.timestamps.own().0 = Some(modular(expr, scope)?),
            FieldName::TsEcr => *self.spelled.timestamps.own().1 = Some(modular(expr, scope)?),
            FieldName::FastOpen => return self.set_fast_open(expr),
            FieldName::UserTimeout => self.spelled.user_timeout = Some(small(int("user_timeout", 0xffff)?)),
            FieldName::Offset => {
                let offset = tiny(int("offset", 15)?);
                self.spoiled |= offset < 5;
                self.tcp.offset = Some(offset);
            }
            FieldName::Reserved => self.tcp.reserved = Some(tiny(int("reserved", 15)?)),
            FieldName::Checksum => {
                self.spoiled = true;
                self.tcp.checksum = Checksum::Exact(small(int("checksum", 0xffff)?));
            }
            FieldName::SrcPort => self.tcp.sport = Some(small(int("src_port", 0xffff)?)),
            FieldName::DstPort => self.tcp.dport = Some(small(int("dst_port", 0xffff)?)),
            other => return Err(ComposeError::Senseless(format!("{other:?} is not a field of a segment"))),
        }
        Ok(())
    }

    /// A cookie that the target gave: `fast_open: request.fast_open`.
    fn set_fast_open(&mut self, expr: &Expr) -> Result<(), ComposeError> {
        let cookie = match expr {
            Expr::Name(name) => self.scope.cookie(name),
            _ => None,
        };
        let senseless = || ComposeError::Senseless(format!("`{expr}` is no cookie"));
        self.spelled.fast_open = Some(cookie.ok_or_else(senseless)?);
        Ok(())
    }

    /// True where the field is one of the IP header.
    fn set_ip(&mut self, name: FieldName, expr: &Expr) -> Result<bool, ComposeError> {
        let scope = self.scope;
        let int = |field, max| number(expr, scope, field, max);
        match (&mut self.ip, name) {
            (Ip::V4(ip), FieldName::Ttl) => ip.ttl = Some(tiny(int("ttl", 255)?)),
            (Ip::V6(ip), FieldName::Ttl) => ip.hop_limit = Some(tiny(int("ttl", 255)?)),
            (Ip::V4(ip), FieldName::Tos) => ip.tos = Some(tiny(int("tos", 255)?)),
            (Ip::V6(ip), FieldName::Tos) => ip.traffic_class = Some(tiny(int("tos", 255)?)),
            (Ip::V4(ip), FieldName::Ecn) => {
                ip.tos = Some((ip.tos.unwrap_or(0) & !3) | tiny(int("ecn", 3)?));
            }
            (Ip::V6(ip), FieldName::Ecn) => {
                ip.traffic_class = Some((ip.traffic_class.unwrap_or(0) & !3) | tiny(int("ecn", 3)?));
            }
            (Ip::V4(ip), FieldName::Df) => ip.df = Some(truth(expr, scope)?),
            (Ip::V4(ip), FieldName::IpId) => ip.id = Some(small(int("ip_id", 0xffff)?)),
            (Ip::V4(ip), FieldName::IpChecksum) => {
                self.spoiled = true;
                ip.checksum = Checksum::Exact(small(int("ip_checksum", 0xffff)?));
            }
            (Ip::V4(ip), FieldName::IpLength) => ip.total_length = Some(small(int("ip_length", 0xffff)?)),
            (Ip::V6(ip), FieldName::IpLength) => ip.payload_length = Some(small(int("ip_length", 0xffff)?)),
            (Ip::V4(ip), FieldName::IpVersion) => {
                self.spoiled = true;
                ip.version = Some(tiny(int("ip_version", 15)?));
            }
            (Ip::V6(ip), FieldName::IpVersion) => {
                self.spoiled = true;
                ip.version = Some(tiny(int("ip_version", 15)?));
            }
            (Ip::V4(ip), FieldName::Ihl) => {
                self.spoiled = true;
                ip.ihl = Some(tiny(int("ihl", 15)?));
            }
            (Ip::V4(ip), FieldName::MoreFragments) => ip.mf = Some(truth(expr, scope)?),
            (Ip::V4(ip), FieldName::FragmentOffset) => {
                ip.fragment_offset = Some(small(int("fragment_offset", 0x1fff)?));
            }
            (
                Ip::V6(_),
                FieldName::Df
                | FieldName::IpId
                | FieldName::IpChecksum
                | FieldName::Ihl
                | FieldName::MoreFragments
                | FieldName::FragmentOffset,
            ) => {
                return Err(ComposeError::Senseless(format!(
                    "{name:?} is a field of IPv4; say `family: [4]` in the case"
                )));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn fill_options(&mut self, fields: &Fields, now: crate::time::Time) -> Result<(), ComposeError> {
        if let Some((_, raw)) = fields.octets.iter().find(|(field, _)| *field == OctetField::RawOptions) {
            self.tcp.options = Options::raw(raw.clone());
            return Ok(());
        }
        let list = match &fields.options {
            Some(list) => self.explicit_options(list)?,
            None => self.usual_options(fields, now)?,
        };
        self.tcp.options = Options::encode(&list);
        if self.tcp.options.octets().len() > crate::packet::options::OPTIONS_LEN_MAX {
            return Err(ComposeError::Fit {
                field: "options",
                value: format!("{} octets", self.tcp.options.octets().len()),
            });
        }
        Ok(())
    }

    fn explicit_options(&self, list: &[OptionSpec]) -> Result<Vec<TcpOption>, ComposeError> {
        let scope = self.scope;
        list.iter()
            .map(|option| {
                Ok(match option {
                    OptionSpec::Eol => TcpOption::Eol,
                    OptionSpec::Nop => TcpOption::Nop,
                    OptionSpec::Mss(e) => TcpOption::Mss(small(number(e, scope, "mss", 0xffff)?)),
                    OptionSpec::Wscale(e) => TcpOption::WindowScale(tiny(number(e, scope, "wscale", 255)?)),
                    OptionSpec::SackPermitted => TcpOption::SackPermitted,
                    OptionSpec::Timestamps(val, ecr) => {
                        TcpOption::Timestamps { val: modular(val, scope)?, ecr: modular(ecr, scope)? }
                    }
                    OptionSpec::Sack(blocks) => TcpOption::Sack(sack_blocks(blocks, scope)?),
                    OptionSpec::Raw(octets) => TcpOption::Raw(octets.clone()),
                })
            })
            .collect()
    }

    /// What the fields name, in the order most stacks send it.
    fn usual_options(
        &mut self,
        fields: &Fields,
        now: crate::time::Time,
    ) -> Result<Vec<TcpOption>, ComposeError> {
        let mut list = Vec::new();
        let spelled = std::mem::take(&mut self.spelled);
        list.extend(spelled.mss.map(TcpOption::Mss));
        list.extend(spelled.sack_permitted.then_some(TcpOption::SackPermitted));
        list.extend(self.stamps(&spelled.timestamps, now));
        list.extend(spelled.wscale.map(TcpOption::WindowScale));
        if let Some(SackSpec::Blocks(blocks)) = &fields.sack {
            list.push(TcpOption::Sack(sack_blocks(blocks, self.scope)?));
        }
        list.extend(spelled.fast_open.map(TcpOption::FastOpen));
        list.extend(
            spelled
                .user_timeout
                .map(|field| TcpOption::UserTimeout { minutes: field & 0x8000 != 0, value: field & 0x7fff }),
        );
        Ok(list)
    }

    /// RFC 7323 section 3.2: once negotiated, on every segment but RST.
    fn stamps(&self, stamps: &Stamps, now: crate::time::Time) -> Option<TcpOption> {
        let book = self.scope.book;
        let echo = || if self.tcp.has(Flags::ACK) { book.their_tsval.unwrap_or(0) } else { 0 };
        match stamps {
            Stamps::None => None,
            Stamps::Usual => {
                (book.timestamps_negotiated() && !self.tcp.has(Flags::SYN) && !self.tcp.has(Flags::RST))
                    .then(|| TcpOption::Timestamps { val: self.clock(now), ecr: echo() })
            }
            Stamps::Own { val, ecr } => Some(TcpOption::Timestamps {
                val: val.unwrap_or_else(|| self.clock(now)),
                ecr: ecr.unwrap_or_else(echo),
            }),
        }
    }

    /// Beside a live peer, the clock that it showed last.
    fn clock(&self, now: crate::time::Time) -> u32 {
        let book = self.scope.book;
        let live = self.scope.peer.and(book.our_tsval);
        live.unwrap_or_else(|| tsval(book.clock, now))
    }

    fn fill_payload(&mut self, fields: &Fields) {
        // The stream begins behind the SYN, whatever number that has.
        let syn = self.tcp.has(Flags::SYN);
        let offset = if syn { 0 } else { self.scope.book.our_offset(self.tcp.seq()) };
        self.tcp.payload = pattern::octets(offset, self.len);
        for (field, octets) in &fields.octets {
            match (field, &mut self.ip) {
                (OctetField::Data, _) => self.tcp.payload.clone_from(octets),
                (OctetField::Trailer, _) => self.trailer.clone_from(octets),
                (OctetField::IpOptions, Ip::V4(ip)) => ip.options.clone_from(octets),
                (OctetField::Src, Ip::V4(ip)) => ip.src = address4(octets).or(ip.src),
                (OctetField::Dst, Ip::V4(ip)) => ip.dst = address4(octets).or(ip.dst),
                (OctetField::Src, Ip::V6(ip)) => ip.src = address6(octets).or(ip.src),
                (OctetField::Dst, Ip::V6(ip)) => ip.dst = address6(octets).or(ip.dst),
                (OctetField::IpOptions, Ip::V6(ip)) => ip.extensions = Extension::chain(octets),
                (OctetField::RawOptions, _) => {}
            }
        }
    }

    fn finish(self, fields: &Fields) -> Result<Composed, ComposeError> {
        let other_host = fields.octets.iter().any(|(f, _)| matches!(f, OctetField::Src | OctetField::Dst));
        let ports = (self.tcp.dport(), self.tcp.sport());
        let other_ports = ports != (self.scope.tuple.target_port, self.scope.tuple.peer_port);
        let elsewhere = other_host || other_ports;
        let aside = (other_ports && !other_host).then_some(ports);
        // Without SYN, ACK or RST a segment is dropped in every state (RFC 9293 section 3.10.7).
        let mute = !self.tcp.has(Flags::SYN) && !self.tcp.has(Flags::ACK) && !self.tcp.has(Flags::RST);
        let segment = Segment::of(&self.tcp);
        let mut packet = Packet::of(self.ip, Body::Tcp(self.tcp));
        packet.trailer = self.trailer;
        let weight = match fields.counts {
            _ if elsewhere => Weight::Void,
            Some(true) => Weight::Counts,
            Some(false) if self.scope.level == Level::Must => Weight::Void,
            Some(false) => Weight::Unwanted,
            None if self.spoiled || mute => Weight::Void,
            None => self.scope.book.weigh(&segment),
        };
        let octets = packet.build();
        let fragments =
            fields.fragments.as_ref().map(|cut| cut_up(&packet, cut, ports.1, segment.seq)).transpose()?;
        let fragments = fragments.unwrap_or_default();
        Ok(Composed { octets, fragments, segment: Some(segment), weight, aside, elsewhere })
    }
}

/// The fragments of a packet in the order in which the case wants them: one that is left out is lost, one that is
/// named twice comes twice.
fn cut_up(packet: &Packet, cut: &Cut, port: u16, seq: SeqNum) -> Result<Vec<Vec<u8>>, ComposeError> {
    // Cases run side by side between the same addresses, each from a port of its own.
    let id = seq.0 << 16 | u32::from(port);
    let pieces = packet.fragments(usize::from(cut.size), id);
    let pieces: Vec<Vec<u8>> = pieces.iter().map(Packet::build).collect();
    if cut.order.is_empty() {
        return Ok(pieces);
    }
    let piece = |&at: &u8| {
        let most = pieces.len() - 1;
        pieces.get(usize::from(at)).cloned().ok_or_else(|| {
            ComposeError::Senseless(format!("the packet has fragments 0 to {most}, and no fragment {at}"))
        })
    };
    cut.order.iter().map(piece).collect()
}

impl Segment {
    pub(crate) fn of(tcp: &Tcp) -> Self {
        let options = &tcp.options;
        Self {
            seq: tcp.seq(),
            ack: tcp.ack(),
            flags: tcp.flags(),
            window: tcp.window().0,
            urgent: tcp.urgent(),
            payload: tcp.payload.clone(),
            options: super::segment::Options {
                mss: options.mss(),
                wscale: options.window_scale(),
                sack_permitted: options.sack_permitted(),
                timestamps: options.timestamps(),
                sack: options.sack().unwrap_or_default(),
                user_timeout: options.user_timeout().is_some(),
                octets: options.octets().len(),
            },
        }
    }
}

/// An ICMP message that quotes what the target sent last.
pub(crate) fn icmp(send: &IcmpSend, scope: &Scope<'_>, quoted: &[u8]) -> Result<Composed, ComposeError> {
    let (kind, code) = match &send.kind {
        IcmpKind::Named(name) => named_icmp(name, scope.family)?,
        IcmpKind::Numbers { kind, code } => {
            (tiny(number(kind, scope, "type", 255)?), tiny(number(code, scope, "code", 255)?))
        }
    };
    let mut message = Icmp::new(kind, code);
    if let Some(mtu) = &send.mtu {
        let mtu = u32::try_from(number(mtu, scope, "mtu", u32::MAX.into())?).unwrap_or_default();
        message.rest = Some(mtu.to_be_bytes());
    }
    let mut original = Packet::parse_ip(quoted);
    if let Some(tcp) = original.tcp_mut() {
        let mut draft = Tcp { ..tcp.clone() };
        for (name, bound) in &send.quote.values {
            let Bound::Is(expr) = bound else { continue };
            match name {
                FieldName::Seq => draft.seq = Some(SeqNum(modular(expr, scope)?)),
                FieldName::Ack => draft.ack = Some(SeqNum(modular(expr, scope)?)),
                FieldName::SrcPort => draft.sport = Some(small(number(expr, scope, "src_port", 0xffff)?)),
                FieldName::DstPort => draft.dport = Some(small(number(expr, scope, "dst_port", 0xffff)?)),
                other => return Err(ComposeError::Senseless(format!("{other:?} cannot be quoted"))),
            }
        }
        draft.checksum = Checksum::Auto;
        *tcp = draft;
    }
    let len = match &send.quote_len {
        Some(expr) => usize::try_from(number(expr, scope, "quote_len", 1500)?).unwrap_or_default(),
        None => crate::packet::QUOTE_LEN_MIN,
    };
    let message = message.quoting(&original, len);
    let ip = match (scope.tuple.peer, scope.tuple.target) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            Ip::V4(Ipv4 { protocol: Some(protocol::ICMP), ..Ipv4::new(src, dst) })
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => Ip::V6(Ipv6::new(src, dst)),
        _ => return Err(ComposeError::Senseless("the tuple mixes address families".into())),
    };
    let body = if ip.is_v6() { Body::Icmpv6(message) } else { Body::Icmp(message) };
    Ok(Composed::raw(Packet::of(ip, body).build()))
}

/// Type and code of an ICMP message.
type IcmpNumbers = (u8, u8);

/// One set of names for the numbers of RFC 792, RFC 1191 (IPv4) and RFC 4443 (IPv6).
const NAMED_ICMP: &[(&str, Option<IcmpNumbers>, Option<IcmpNumbers>)] = &[
    ("net-unreachable", Some((3, 0)), Some((1, 0))),
    ("host-unreachable", Some((3, 1)), Some((1, 3))),
    ("protocol-unreachable", Some((3, 2)), Some((4, 1))),
    ("port-unreachable", Some((3, 3)), Some((1, 4))),
    ("fragmentation-needed", Some((3, 4)), None),
    ("packet-too-big", Some((3, 4)), Some((2, 0))),
    ("source-route-failed", Some((3, 5)), Some((1, 5))),
    ("admin-prohibited", Some((3, 13)), Some((1, 1))),
    ("source-quench", Some((4, 0)), None),
    ("time-exceeded", Some((11, 0)), Some((3, 0))),
    ("reassembly-time-exceeded", Some((11, 1)), Some((3, 1))),
    ("parameter-problem", Some((12, 0)), Some((4, 0))),
];

pub(crate) fn named_icmp(name: &str, family: Family) -> Result<IcmpNumbers, ComposeError> {
    let numbers = NAMED_ICMP.iter().find(|(known, ..)| *known == name).and_then(|(_, v4, v6)| match family {
        Family::V4 => *v4,
        Family::V6 => *v6,
    });
    numbers.ok_or_else(|| ComposeError::Senseless(format!("no ICMP message `{name}` in {family}")))
}

fn sack_blocks(blocks: &[(Expr, Expr)], scope: &Scope<'_>) -> Result<Vec<(SeqNum, SeqNum)>, ComposeError> {
    blocks
        .iter()
        .map(|(left, right)| Ok((SeqNum(modular(left, scope)?), SeqNum(modular(right, scope)?))))
        .collect()
}

/// A number on the circle of 2^32.
pub(crate) fn modular(expr: &Expr, scope: &Scope<'_>) -> Result<u32, EvalError> {
    match eval(expr, scope)? {
        Value::Seq(s) => Ok(s.0),
        Value::Int(n) => Ok(wrap(n)),
        _ => Err(EvalError::Senseless(expr.to_string())),
    }
}

/// A number from 0 to `max`.
fn number(expr: &Expr, scope: &Scope<'_>, field: &'static str, max: i64) -> Result<i64, ComposeError> {
    let n = match eval(expr, scope)? {
        Value::Int(n) => n,
        Value::Seq(s) => i64::from(s.0),
        Value::Bool(b) => i64::from(b),
        Value::Span(_) | Value::At(_) => return Err(EvalError::Senseless(expr.to_string()).into()),
    };
    if (0..=max).contains(&n) {
        Ok(n)
    } else {
        Err(ComposeError::Fit { field, value: format!("{n} (0 to {max})") })
    }
}

fn truth(expr: &Expr, scope: &Scope<'_>) -> Result<bool, ComposeError> {
    match eval(expr, scope)? {
        Value::Bool(b) => Ok(b),
        Value::Int(n) => Ok(n != 0),
        _ => Err(EvalError::Senseless(expr.to_string()).into()),
    }
}

/// `number` has checked the range.
fn small(n: i64) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

fn tiny(n: i64) -> u8 {
    u8::try_from(n).unwrap_or(u8::MAX)
}

fn address4(octets: &[u8]) -> Option<std::net::Ipv4Addr> {
    <[u8; 4]>::try_from(octets).ok().map(Into::into)
}

fn address6(octets: &[u8]) -> Option<std::net::Ipv6Addr> {
    <[u8; 16]>::try_from(octets).ok().map(Into::into)
}
