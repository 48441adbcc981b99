//! One rule for the wire: which packets it picks, and what it does to them.

use super::wire::Parcel;
use crate::engine::matching::Resolved;
use crate::packet::{Body, Checksum, Flags, Ip, Packet, SeqNum, TcpOption, Window};
use crate::suite::model::{FieldName, Fields, FlagSpec, Impairment, Origin, Place};
use crate::time::{Time, span};
use std::sync::Arc;
use std::time::Duration;

/// Chance from a seed: splitmix64, so that it is the same everywhere and for ever.
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut n = self.0;
        n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.roll() % bound }
    }
}

/// What to do with what is picked, all numbers known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Deed {
    Drop,
    Delay { by: Duration, jitter: Duration, rate: Option<u64>, queue: Option<u64> },
    Duplicate { times: u64 },
    Reorder { behind: u32, hold: Duration },
    Corrupt { octet: Option<u64> },
    Rewrite { flags: Option<FlagSpec>, fields: Vec<(FieldName, Option<u32>)>, data: Option<Vec<u8>> },
}

/// Which of those that match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) count: Option<u64>,
    pub(crate) every: Option<u64>,
    pub(crate) nth: Option<u64>,
    pub(crate) probability: Option<u32>,
}

pub(crate) struct Rule {
    pub(crate) label: Option<String>,
    pub(crate) place: Place,
    /// As the case has it, for messages and for names that have no value yet.
    pub(crate) written: Arc<Impairment>,
    pub(crate) number: Option<u32>,
    /// What a packet must look like. `Err` while a name in it has no value: nothing matches until then.
    pub(crate) seen: Result<Option<Resolved>, ()>,
    pub(crate) choice: Choice,
    pub(crate) deed: Deed,
    pub(crate) healed: bool,
    matched: u64,
    fired: u64,
    /// When a wire with a rate is free again, and when what entered last is due.
    free_at: Time,
    last_due: Time,
}

/// A packet on its way through the rules.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) parcel: Parcel,
    pub(crate) due: Time,
    /// To be overtaken by so many.
    pub(crate) held: Option<u32>,
}

pub(crate) struct Effect {
    pub(crate) words: String,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule").field("deed", &self.deed).field("fired", &self.fired).finish_non_exhaustive()
    }
}

impl Rule {
    pub(crate) fn new(written: Arc<Impairment>, place: Place, choice: Choice, deed: Deed) -> Self {
        Self {
            label: None,
            place,
            written,
            number: None,
            seen: Err(()),
            choice,
            deed,
            healed: false,
            matched: 0,
            fired: 0,
            free_at: Time::ZERO,
            last_due: Time::ZERO,
        }
    }

    /// What never happened, though the case says that it does; by chance it need not.
    pub(crate) fn idle(&self) -> bool {
        if self.choice.probability.is_some() { self.matched == 0 } else { self.fired == 0 }
    }

    pub(super) fn picks(
        &mut self,
        from: Origin,
        number: Option<u32>,
        packet: &Packet,
        dice: &mut Dice,
    ) -> bool {
        let matches = match &self.seen {
            Ok(None) => true,
            Ok(Some(seen)) => seen.matches(packet),
            Err(()) => false,
        };
        let ours = self.written.from.is_none_or(|whose| whose == from);
        let on = self.number.is_none() || self.number == number;
        if self.healed
            || !ours
            || !on
            || !matches
            || self.choice.count.is_some_and(|count| self.fired >= count)
        {
            return false;
        }
        self.matched += 1;
        let Choice { count: _, every, nth, probability } = self.choice;
        let picked = every.is_none_or(|every| every > 0 && self.matched.is_multiple_of(every))
            && nth.is_none_or(|nth| self.matched == nth)
            && probability.is_none_or(|share| dice.below(1_000_000) < u64::from(share));
        self.fired += u64::from(picked);
        picked
    }

    pub(super) fn apply(&mut self, now: Time, copies: &mut Vec<Copy>, dice: &mut Dice) -> Effect {
        let words = match &self.deed {
            Deed::Drop => {
                copies.clear();
                "dropped".to_owned()
            }
            Deed::Delay { .. } => self.delay(now, copies, dice),
            Deed::Duplicate { times } => {
                let more: Vec<Copy> = (0..*times).filter_map(|_| copies.first().map(Copy::again)).collect();
                copies.extend(more);
                format!("sent {} times", times + 1)
            }
            Deed::Reorder { behind, hold } => {
                for copy in copies {
                    copy.held = Some(*behind);
                    copy.due = copy.due + *hold;
                }
                format!("held behind {behind}")
            }
            Deed::Corrupt { octet } => {
                let at = copies.iter_mut().map(|copy| copy.parcel.flip(*octet, dice)).last().flatten();
                at.map_or_else(|| "nothing to corrupt".to_owned(), |at| format!("octet {at} corrupted"))
            }
            Deed::Rewrite { flags, fields, data } => {
                for copy in copies {
                    copy.parcel.rewrite(*flags, fields, data.as_deref());
                }
                "rewritten".to_owned()
            }
        };
        Effect { words }
    }

    /// What comes later is due later: a delay changes no order.
    fn delay(&mut self, now: Time, copies: &mut Vec<Copy>, dice: &mut Dice) -> String {
        let Deed::Delay { by, jitter, rate, queue } = self.deed else { return String::new() };
        let size: usize = copies.iter().map(|copy| copy.parcel.octets.len()).sum();
        let mut sent = now;
        if let Some(rate) = rate {
            let time = |octets: u128| Duration::from_nanos(u64::try_from(octets).unwrap_or(u64::MAX));
            let busy = self.free_at.since(now);
            let waiting = busy.as_nanos() * u128::from(rate) / 1_000_000_000;
            if queue.is_some_and(|queue| waiting + size as u128 > u128::from(queue)) {
                copies.clear();
                return "lost: the queue is full".to_owned();
            }
            self.free_at = now + busy + time(size as u128 * 1_000_000_000 / u128::from(rate.max(1)));
            sent = self.free_at;
        }
        let jitter = u64::try_from(jitter.as_nanos()).unwrap_or(u64::MAX);
        let extra = by + Duration::from_nanos(dice.below(jitter.saturating_add(1)));
        let due = (sent + extra).max(self.last_due);
        self.last_due = due;
        for copy in copies {
            copy.due = copy.due + due.since(now);
        }
        format!("delayed {}", span(due.since(now)))
    }
}

impl Copy {
    fn again(&self) -> Self {
        Self { parcel: self.parcel.clone(), due: self.due, held: self.held }
    }
}

impl Parcel {
    /// Flips a bit of the TCP segment, and gives the place of its octet.
    fn flip(&mut self, octet: Option<u64>, dice: &mut Dice) -> Option<usize> {
        // Two flips may cancel out in the checksum, and then no receiver could tell.
        if self.spoiled {
            return None;
        }
        let body = self.packet.body_octets().len();
        let start = self.octets.len().checked_sub(body + self.packet.trailer.len())?;
        let at = usize::try_from(octet.unwrap_or_else(|| dice.below(body as u64))).ok()?;
        let bit = dice.below(8);
        *self.octets.get_mut(start + at)? ^= 1 << bit;
        self.packet = Arc::new(Packet::parse_ip(&self.octets));
        self.spoiled = true;
        Some(at)
    }

    fn rewrite(&mut self, flags: Option<FlagSpec>, fields: &[(FieldName, Option<u32>)], data: Option<&[u8]>) {
        let mut packet = (*self.packet).clone();
        let Some(tcp) = packet.tcp_mut() else { return };
        tcp.checksum = Checksum::Auto;
        tcp.offset = None;
        if let Some(spec) = flags {
            let core = spec.core.unwrap_or_else(|| tcp.flags().core().bits());
            let rest = tcp.flags().bits() & !Flags::from_bits(0x17).bits();
            tcp.flags = Some(Flags::from_bits((core | rest | spec.plus) & !spec.minus));
        }
        if let Some(data) = data {
            tcp.payload = data.to_vec();
        }
        let mut options = tcp.options.list();
        for &(name, value) in fields {
            let small = value.and_then(|value| u16::try_from(value).ok());
            match (name, value) {
                (FieldName::Seq, Some(n)) => tcp.seq = Some(SeqNum(n)),
                (FieldName::Ack, Some(n)) => tcp.ack = Some(SeqNum(n)),
                (FieldName::Window, Some(_)) => tcp.window = small.map(Window),
                (FieldName::Urgent, Some(_)) => tcp.urgent = small,
                (FieldName::Mss, n) => {
                    options.retain(|option| !matches!(option, TcpOption::Mss(_)));
                    options.extend(n.and(small).map(TcpOption::Mss));
                }
                (FieldName::Wscale, n) => {
                    options.retain(|option| !matches!(option, TcpOption::WindowScale(_)));
                    options.extend(n.and_then(|n| u8::try_from(n).ok()).map(TcpOption::WindowScale));
                }
                (FieldName::SackPermitted, n) => {
                    options.retain(|option| *option != TcpOption::SackPermitted);
                    options.extend(n.filter(|n| *n != 0).map(|_| TcpOption::SackPermitted));
                }
                (FieldName::TsVal, n) => stamp(&mut options, n, |(_, ecr), n| (n, ecr)),
                (FieldName::TsEcr, n) => stamp(&mut options, n, |(val, _), n| (val, n)),
                _ => {}
            }
        }
        if options != tcp.options.list() {
            tcp.options = crate::packet::Options::encode(&options);
        }
        if let (Some(ip), Body::Tcp(_)) = (&mut packet.ip, &packet.body) {
            rewrite_ip(ip, fields);
        }
        packet.defects.clear();
        self.octets = packet.build();
        self.packet = Arc::new(Packet::parse_ip(&self.octets));
    }
}

/// Changes one half of the timestamps option, or takes it away.
fn stamp(options: &mut Vec<TcpOption>, value: Option<u32>, change: impl Fn((u32, u32), u32) -> (u32, u32)) {
    let Some(value) = value else {
        return options.retain(|option| !matches!(option, TcpOption::Timestamps { .. }));
    };
    for option in options {
        if let TcpOption::Timestamps { val, ecr } = option {
            (*val, *ecr) = change((*val, *ecr), value);
        }
    }
}

fn rewrite_ip(ip: &mut Ip, fields: &[(FieldName, Option<u32>)]) {
    // Lengths and checksums follow what the packet has become.
    match ip {
        Ip::V4(ip) => {
            ip.total_length = None;
            ip.checksum = Checksum::Auto;
        }
        Ip::V6(ip) => ip.payload_length = None,
    }
    for &(name, value) in fields {
        let Some(octet) = value.and_then(|value| u8::try_from(value).ok()) else { continue };
        match (name, &mut *ip) {
            (FieldName::Ttl, Ip::V4(ip)) => ip.ttl = Some(octet),
            (FieldName::Ttl, Ip::V6(ip)) => ip.hop_limit = Some(octet),
            (FieldName::Tos, Ip::V4(ip)) => ip.tos = Some(octet),
            (FieldName::Tos, Ip::V6(ip)) => ip.traffic_class = Some(octet),
            (FieldName::Ecn, Ip::V4(ip)) => ip.tos = Some((ip.tos.unwrap_or(0) & !3) | (octet & 3)),
            (FieldName::Ecn, Ip::V6(ip)) => {
                ip.traffic_class = Some((ip.traffic_class.unwrap_or(0) & !3) | (octet & 3));
            }
            _ => {}
        }
    }
}

/// Fields that a `rewrite` can change; others are refused when the rule is made.
pub(crate) fn is_rewritable(name: FieldName) -> bool {
    matches!(
        name,
        FieldName::Seq
            | FieldName::Ack
            | FieldName::Window
            | FieldName::Urgent
            | FieldName::Mss
            | FieldName::Wscale
            | FieldName::SackPermitted
            | FieldName::TsVal
            | FieldName::TsEcr
            | FieldName::Ttl
            | FieldName::Tos
            | FieldName::Ecn
    )
}

/// A rule in words: `drop SYN|ACK from target, the 2nd`.
pub(crate) fn describe(written: &Impairment) -> String {
    let mut words = vec![written.action.verb().to_owned()];
    words.extend(written.seen.as_ref().map(described));
    words.extend(written.from.map(|from| format!("from {from}")));
    let pick = &written.pick;
    words.extend(pick.nth.as_ref().map(|n| format!("number {n}")));
    words.extend(pick.every.as_ref().map(|n| format!("every {n}.")));
    words.extend(pick.probability.map(|ppm| format!("{} %", f64::from(ppm) / 10_000.0)));
    words.extend(pick.count.as_ref().map(|n| format!("at most {n}")));
    words.join(" ")
}

fn described(seen: &Fields) -> String {
    let flags = seen.flags.map(|flags| flags.to_string());
    let values = seen.values.iter().map(|(name, bound)| format!("{name:?} {bound}").to_lowercase());
    flags.into_iter().chain(values).collect::<Vec<_>>().join(" ")
}
