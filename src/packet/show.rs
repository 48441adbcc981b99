//! Packets as text, one line each.
//!
//! Owns layout and wording of headers. Must not know names from a case: whoever has better words for a number passes
//! them in.

use std::fmt::Write as _;

use super::flags::Flags;
use super::options::TcpOption;
use super::seq::SeqNum;
use super::{Arp, Body, Ip, Packet, Tcp};

/// Where the numbers of a segment are counted from, seen from its *sender*. Without a base they are absolute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// The sender's initial sequence number: the base of `seq`.
    pub isn: Option<SeqNum>,
    /// The receiver's: the base of `ack` and of SACK blocks.
    pub irs: Option<SeqNum>,
}

impl Base {
    /// The same connection seen from the other end.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { isn: self.irs, irs: self.isn }
    }

    fn name(self, side: Side, number: SeqNum) -> String {
        let base = match side {
            Side::Seq => self.isn,
            Side::Ack => self.irs,
        };
        base.map_or_else(|| number.to_string(), |base| relative(number, base))
    }
}

/// Numbers a little before the base are negative, so that `isn - 1` does not read as 4294967295.
fn relative(number: SeqNum, base: SeqNum) -> String {
    let ahead = number.since(base);
    if ahead >= 0xc000_0000 { number.diff(base).to_string() } else { ahead.to_string() }
}

/// Whose sequence numbers a number belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The sender's: the sequence number.
    Seq,
    /// The receiver's: the acknowledgment number and the edges of SACK blocks.
    Ack,
}

/// One line: `SYN ACK  seq=0 ack=1 win 65535 mss 1460 wscale 7  len 10`.
#[must_use]
pub fn line(packet: &Packet, base: Base) -> String {
    line_named(packet, &|side, number| base.name(side, number))
}

/// [`line()`], with the caller's words for sequence numbers, such as `isn+1`.
#[must_use]
pub fn line_named(packet: &Packet, name: &dyn Fn(Side, SeqNum) -> String) -> String {
    let mut text = match &packet.body {
        Body::Tcp(tcp) => tcp_line(tcp, name),
        Body::Icmp(_) | Body::Icmpv6(_) => icmp_line(packet, name),
        Body::Arp(arp) => arp_line(arp),
        Body::Other(octets) => other_line(packet, octets.len()),
    };
    text.push_str(&ip_notes(packet));
    if !packet.defects.is_empty() {
        let defects: Vec<_> = packet.defects.iter().map(super::Defect::brief).collect();
        push(&mut text, format_args!("  [{}]", defects.join(", ")));
    }
    text
}

fn push(text: &mut String, args: std::fmt::Arguments<'_>) {
    text.write_fmt(args).expect("writing to a string does not fail");
}

fn tcp_line(tcp: &Tcp, name: &dyn Fn(Side, SeqNum) -> String) -> String {
    let flags: Vec<_> = tcp.flags().iter().map(|(flag, _)| flag).collect();
    let mut text = if flags.is_empty() { "no flags".to_owned() } else { flags.join(" ") };
    push(&mut text, format_args!("  seq={}", name(Side::Seq, tcp.seq())));
    if tcp.has(Flags::ACK) {
        push(&mut text, format_args!(" ack={}", name(Side::Ack, tcp.ack())));
    } else if tcp.ack().0 != 0 {
        // Meaningless without the flag, so it is not counted from anywhere.
        push(&mut text, format_args!(" (ack {})", tcp.ack()));
    }
    push(&mut text, format_args!(" win {}", tcp.window()));
    if tcp.has(Flags::URG) || tcp.urgent() != 0 {
        push(&mut text, format_args!(" urg {}", tcp.urgent()));
    }
    if tcp.reserved() != 0 {
        push(&mut text, format_args!(" reserved {:#x}", tcp.reserved()));
    }
    for option in tcp.options.list() {
        match option {
            // Alignment, not news.
            TcpOption::Nop | TcpOption::Eol => {}
            TcpOption::Sack(blocks) => {
                text.push_str(" sack");
                for (left, right) in blocks {
                    let (left, right) = (name(Side::Ack, left), name(Side::Ack, right));
                    push(&mut text, format_args!(" {left}..{right}"));
                }
            }
            option => push(&mut text, format_args!(" {option}")),
        }
    }
    if !tcp.payload.is_empty() {
        push(&mut text, format_args!("  len {}", tcp.payload.len()));
    }
    text
}

fn icmp_line(packet: &Packet, name: &dyn Fn(Side, SeqNum) -> String) -> String {
    let Some(icmp) = packet.icmp() else { return String::new() };
    let v6 = matches!(packet.body, Body::Icmpv6(_));
    let (kind, code) = (icmp.kind.unwrap_or(0), icmp.code.unwrap_or(0));
    let mut text = format!("{} {}", if v6 { "ICMPv6" } else { "ICMP" }, icmp_name(v6, kind, code));
    if let Some(mtu) = icmp.mtu(v6) {
        push(&mut text, format_args!(" mtu {mtu}"));
    }
    if let Some(quoted) = icmp.quoted() {
        // The quoted segment was sent by the receiver of this message.
        let seq = name(Side::Ack, quoted.seq);
        push(&mut text, format_args!("  about port {} > {} seq={seq}", quoted.sport, quoted.dport));
    }
    text
}

fn icmp_name(v6: bool, kind: u8, code: u8) -> String {
    let name = match (v6, kind, code) {
        (false, 0, _) | (true, 129, _) => "echo reply",
        (false, 8, _) | (true, 128, _) => "echo request",
        (false, 3, 0) => "network unreachable",
        (true, 1, 0) => "no route",
        (true, 1, 1) | (false, 3, 13) => "administratively prohibited",
        (false, 3, 1) | (true, 1, 3) => "host unreachable",
        (false, 3, 2) => "protocol unreachable",
        (false, 3, 3) | (true, 1, 4) => "port unreachable",
        (false, 3, 4) => "fragmentation needed",
        (false, 3, 5) => "source route failed",
        (false, 4, _) => "source quench",
        (false, 5, _) | (true, 137, _) => "redirect",
        (false, 11, _) | (true, 3, _) => "time exceeded",
        (false, 12, _) | (true, 4, _) => "parameter problem",
        (true, 2, _) => "packet too big",
        (true, 133, _) => "router solicitation",
        (true, 134, _) => "router advertisement",
        (true, 135, _) => "neighbor solicitation",
        (true, 136, _) => "neighbor advertisement",
        _ => return format!("type {kind} code {code}"),
    };
    name.to_owned()
}

fn arp_line(arp: &Arp) -> String {
    let ip =
        |address: Option<std::net::Ipv4Addr>| address.unwrap_or(std::net::Ipv4Addr::UNSPECIFIED).to_string();
    match arp.operation.unwrap_or(Arp::REQUEST) {
        Arp::REQUEST => format!("ARP who has {}, tell {}", ip(arp.target_ip), ip(arp.sender_ip)),
        Arp::REPLY => format!("ARP {} is at {}", ip(arp.sender_ip), arp.sender_mac.unwrap_or_default()),
        operation => format!("ARP operation {operation}"),
    }
}

fn other_line(packet: &Packet, octets: usize) -> String {
    let what = match (&packet.ip, packet.ether.as_ref().and_then(|ether| ether.ethertype)) {
        (Some(ip), _) => {
            let protocol = match ip {
                Ip::V4(v4) => v4.protocol,
                Ip::V6(v6) => v6.protocol(),
            };
            format!("IP protocol {}", protocol.map_or_else(|| "?".to_owned(), |number| number.to_string()))
        }
        (None, Some(ethertype)) => format!("ethertype {ethertype:#06x}"),
        (None, None) => "unreadable".to_owned(),
    };
    format!("{what}  len {octets}")
}

/// What is unusual about the network layer.
fn ip_notes(packet: &Packet) -> String {
    let mut text = String::new();
    let Some(ip) = &packet.ip else { return text };
    match ip.tos().unwrap_or(0) & 3 {
        0 => {}
        1 => text.push_str("  ECT(1)"),
        2 => text.push_str("  ECT(0)"),
        _ => text.push_str("  CE"),
    }
    let fragment = match ip {
        Ip::V4(v4) if v4.is_fragment() => Some((v4.fragment_offset.unwrap_or(0), v4.mf.unwrap_or(false))),
        Ip::V4(_) => None,
        Ip::V6(v6) => v6.fragment(),
    };
    if let Some((offset, more)) = fragment {
        let more = if more { "+" } else { "" };
        push(&mut text, format_args!("  fragment {}{more}", u32::from(offset) * 8));
    }
    text
}

#[cfg(test)]
mod tests;
