//! The names that expressions and texts can use, with their types and what they stand for.
//!
//! One table for the checker, the editor schema, the documentation and the code that binds a
//! target's profile.

use crate::suite::expr::Type;

#[derive(Debug, Clone, Copy)]
pub struct Name {
    pub name: &'static str,
    pub kind: Type,
    pub doc: &'static str,
}

const fn name(name: &'static str, kind: Type, doc: &'static str) -> Name {
    Name { name, kind, doc }
}

/// Known while a case runs.
pub const RUNTIME: &[Name] = &[
    name("isn", Type::Seq, "the injector's initial sequence number"),
    name("irs", Type::Seq, "the target's initial sequence number, once seen"),
    name("snd.nxt", Type::Seq, "what the injector sends next"),
    name("snd.una", Type::Seq, "the oldest number of the injector that is not acknowledged"),
    name("snd.max", Type::Seq, "one beyond the highest number the injector has sent"),
    name("snd.wnd", Type::Int, "the window that the target advertises, scaled"),
    name("rcv.nxt", Type::Seq, "what the injector expects next from the target"),
    name("rcv.wnd", Type::Int, "the window that the injector advertises, scaled"),
    name("target.rcv.nxt", Type::Seq, "RCV.NXT of the target, as the segments imply it"),
    name("target.rcv.wnd", Type::Int, "RCV.WND of the target, as it last advertised it"),
    name("target.snd.una", Type::Seq, "SND.UNA of the target, as the segments imply it"),
    name("target.snd.nxt", Type::Seq, "SND.NXT of the target, as the segments imply it"),
    name("target.snd.wnd", Type::Int, "SND.WND of the target: what the injector last advertised"),
    name("peer.port", Type::Int, "the injector's port"),
    name("target.port", Type::Int, "the target's port"),
];

/// From the target's manifest or its defaults: known before the case starts.
pub const PROFILE: &[Name] = &[
    name("target.mss", Type::Int, "the largest segment the target can receive: MTU less the headers"),
    name("target.buffer", Type::Int, "octets the target can hold for an application that does not read"),
    name("target.syn_retries", Type::Int, "times the target repeats a SYN or SYN-ACK before it gives up"),
    name("target.backlog", Type::Int, "connections that may wait to be accepted"),
    name("target.connections", Type::Int, "connections the target can hold at once"),
    name("target.msl", Type::Duration, "the maximum segment lifetime the target uses; TIME-WAIT lasts two"),
    name("target.rto.initial", Type::Duration, "the first retransmission timeout, before any measurement"),
    name("target.rto.min", Type::Duration, "the shortest retransmission timeout"),
    name("target.rto.max", Type::Duration, "the longest retransmission timeout"),
    name("target.delayed_ack", Type::Duration, "the longest that the target delays an ACK"),
    name("target.persist.min", Type::Duration, "the first interval between probes of a zero window"),
    name("target.persist.max", Type::Duration, "the longest interval between probes of a zero window"),
    name("target.keepalive.idle", Type::Duration, "idle time before the first keep-alive probe"),
    name("target.keepalive.interval", Type::Duration, "time between keep-alive probes"),
    name(
        "target.keepalive.count",
        Type::Int,
        "unanswered keep-alive probes before the connection is given up",
    ),
    name(
        "target.user_timeout",
        Type::Duration,
        "how long sent data may stay unacknowledged before the target gives up",
    ),
    name("target.fin_wait_2", Type::Duration, "how long a closed connection may stay in FIN-WAIT-2"),
    name("target.reply", Type::Duration, "how soon an answer comes that nothing delays"),
];

/// What a target can do or does by choice. `needs:` uses the id, expressions `target.` and the id
/// with `_` for `-`.
#[derive(Debug, Clone, Copy)]
pub struct Ability {
    pub id: &'static str,
    pub doc: &'static str,
}

const fn ability(id: &'static str, doc: &'static str) -> Ability {
    Ability { id, doc }
}

pub const ABILITIES: &[Ability] = &[
    ability("abort", "the application can abort: RST instead of FIN"),
    ability("accept", "the application can accept one connection after another"),
    ability("active-open", "the application can connect"),
    ability("challenge-ack-limit", "challenge ACKs are limited in rate, and nobody has switched that off"),
    ability("closed-port-rst", "a port where nobody listens answers with RST"),
    ability(
        "closes-at-eof",
        "a server that takes no orders closes its side when the stream of its peer ends",
    ),
    ability("control", "the application does what the case says, by the control protocol"),
    ability("delays-acks", "ACKs of in-order data may be delayed"),
    ability("echo", "the application sends back what it receives"),
    ability("ecn", "ECN is negotiated when the peer asks for it"),
    ability("fast-open", "TCP Fast Open cookies are given and taken"),
    ability("fast-retransmit", "three duplicate ACKs cause a retransmission"),
    ability("half-close", "the application can close one direction and go on reading"),
    ability("icmp", "ICMP errors reach TCP"),
    ability("ipv4", "speaks IPv4"),
    ability("ipv6", "speaks IPv6"),
    ability("keepalive", "keep-alive can be switched on"),
    ability("limited-transmit", "new data is sent on the first two duplicate ACKs"),
    ability("linux", "it is the Linux kernel, and the application makes system calls"),
    ability("listen", "the application can listen"),
    ability("many-connections", "more than one connection at a time"),
    ability("mss-option", "the MSS option is sent and respected"),
    ability("nodelay", "the Nagle algorithm can be switched off"),
    ability("out-of-order", "data behind a hole is kept"),
    ability("pmtud", "path MTU discovery"),
    ability("push", "the application can mark data to be pushed"),
    ability("rack", "losses are detected by time, and a lost tail is probed for (RFC 8985)"),
    ability("reuse", "TIME-WAIT gives way to a new SYN with a higher sequence number"),
    ability("rfc1337", "RST is ignored in TIME-WAIT"),
    ability("rfc5961", "blind RST, SYN and ACK attacks are answered as RFC 5961 says"),
    ability("rfc6191", "timestamps decide whether TIME-WAIT gives way to a new SYN"),
    ability("sack", "SACK is negotiated when the peer permits it"),
    ability("simultaneous-open", "a SYN in SYN-SENT is answered with SYN-ACK"),
    ability("sink", "the application reads and throws away"),
    ability("soft-errors", "the application hears of ICMP errors that may pass"),
    ability("status", "the application can tell the state of its connection"),
    ability("syn-cookies", "an overflowing backlog is met with SYN cookies"),
    ability("timestamps", "timestamps are negotiated when the peer offers them"),
    ability("urgent", "urgent data is sent and reported"),
    ability("user-timeout-option", "the user timeout option is sent and respected"),
    ability("wscale", "window scaling is negotiated when the peer offers it"),
];

/// What a label of a segment has: `fin.seq`.
pub const SEGMENT_PROPERTIES: &[Name] = &[
    name("seq", Type::Seq, "its sequence number"),
    name("end", Type::Seq, "one beyond its last number: seq + len, SYN and FIN counted"),
    name("ack", Type::Seq, "its acknowledgment number"),
    name("len", Type::Int, "octets of its payload"),
    name("window", Type::Int, "its window field, as it stands"),
    name("time", Type::Time, "when it was sent or seen"),
    name("mss", Type::Int, "its MSS option"),
    name("wscale", Type::Int, "its window scale option"),
    name("ts_val", Type::Seq, "the value of its timestamps option"),
    name("ts_ecr", Type::Seq, "the echo of its timestamps option"),
    name("src_port", Type::Int, "its source port"),
    name("dst_port", Type::Int, "its destination port"),
    name("ttl", Type::Int, "its time to live or hop limit"),
    name("ip_id", Type::Int, "its IPv4 identification"),
    name("rcv_nxt", Type::Seq, "RCV.NXT of the injector after the step"),
];

/// What a label of any other step has.
pub const STEP_PROPERTIES: &[Name] = &[
    name("time", Type::Time, "when the step was done"),
    name("rcv_nxt", Type::Seq, "RCV.NXT of the injector after the step"),
];

pub fn property(of: &'static [Name], word: &str) -> Option<Type> {
    of.iter().find(|name| name.name == word).map(|name| name.kind)
}

/// The type of a name that needs no case to be known.
pub fn global(word: &str) -> Option<Type> {
    let fixed = RUNTIME.iter().chain(PROFILE).find(|name| name.name == word);
    match fixed {
        Some(name) => Some(name.kind),
        None => ability_named(word).map(|_| Type::Bool),
    }
}

/// The ability that `target.active_open` asks about.
pub fn ability_named(word: &str) -> Option<&'static Ability> {
    let rest = word.strip_prefix("target.")?;
    let same = |id: &str| {
        id.len() == rest.len()
            && id.bytes().zip(rest.bytes()).all(|(a, b)| a == b || (a == b'-' && b == b'_'))
    };
    ABILITIES.iter().find(|ability| !rest.contains('-') && same(ability.id))
}

/// Whether `needs:` may name it.
pub fn is_ability(id: &str) -> bool {
    ABILITIES.iter().any(|ability| ability.id == id)
}

/// Every name that needs no case, for suggestions.
pub fn all_global() -> Vec<String> {
    let fixed = RUNTIME.iter().chain(PROFILE).map(|name| name.name.to_owned());
    let abilities = ABILITIES.iter().map(|ability| format!("target.{}", ability.id.replace('-', "_")));
    fixed.chain(abilities).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_types() {
        assert_eq!(global("target.rcv.nxt"), Some(Type::Seq));
        assert_eq!(global("target.rto.min"), Some(Type::Duration));
        assert_eq!(global("target.active_open"), Some(Type::Bool));
        assert_eq!(global("target.active-open"), None);
        assert_eq!(global("target.nothing"), None);
    }

    #[test]
    fn names_are_unique() {
        let mut all = all_global();
        all.sort();
        let before = all.len();
        all.dedup();
        assert_eq!(all.len(), before);
        assert!(ABILITIES.is_sorted_by_key(|ability| ability.id));
    }
}
