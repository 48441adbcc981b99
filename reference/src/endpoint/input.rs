//! From a packet to the connection that it is for (RFC 9293 3.9.2.3, MUST-54, MUST-57, MUST-63).

use core::net::IpAddr;

use super::{Endpoint, is_group};
use crate::connection::{Connection, Incarnation, Plain};
use crate::distort::{misreads, reads_on, source_quench};
use crate::fragments;
use crate::mutant::Mutant;
use crate::state::State;
use crate::time::Instant;
use crate::tuple::Tuple;
use crate::wire::ip;
use crate::wire::{Ecn, Flags, IcmpError, IpPacket, Segment, Verify};

impl Endpoint {
    /// A whole IPv4 or IPv6 packet has arrived. What is malformed or not for us is dropped.
    pub fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        self.advance(now);
        if self.take_arriving(now, packet) {
            return;
        }
        let whole;
        let packet = match fragments::of(packet) {
            None => packet,
            Some(fragment) => {
                let Some(octets) = self.fragments.take(now, &fragment, &self.config) else { return };
                whole = octets;
                &whole
            }
        };
        let extended = packet.len() > 6 && packet[0] >> 4 == 6 && matches!(packet[6], 0 | 43 | 60);
        if extended && self.config.is(Mutant::ExtensionHeadersRefused) {
            return;
        }
        match &IpPacket::parse(packet) {
            Ok(parsed) => self.handle_ip(now, parsed, packet),
            Err(_) if self.config.is(Mutant::IpVersionUnchecked) => {
                if let Ok(parsed) = &IpPacket::parse_as_v4(packet) {
                    self.handle_ip(now, parsed, packet);
                }
            }
            Err(_) => {}
        }
    }

    #[inline]
    fn handle_ip(&mut self, now: Instant, packet: &IpPacket<'_>, octets: &[u8]) {
        match packet.protocol {
            ip::PROTOCOL_TCP => self.handle_tcp(now, packet, octets),
            ip::PROTOCOL_ICMP | ip::PROTOCOL_ICMPV6 if self.is_for_us(packet) => {
                self.handle_icmp(now, packet);
            }
            _ => {}
        }
    }

    /// MUST-57: broadcast and multicast destinations are never ours.
    fn is_for_us(&self, packet: &IpPacket<'_>) -> bool {
        let answered = is_group(packet.destination) && self.config.is(Mutant::BroadcastSynAnswered);
        self.config.addresses.contains(&packet.destination) || answered
    }

    #[inline]
    fn handle_tcp(&mut self, now: Instant, packet: &IpPacket<'_>, octets: &[u8]) {
        let Ok(segment) = &mut Segment::parse(packet, Verify::No) else { return };
        let (local, remote) =
            ((packet.destination, segment.destination_port), (packet.source, segment.source_port));
        let last = self.recent;
        let tuple = Tuple::of(local, remote);
        let mut found = self.find(&tuple);
        if let Some(index) = found
            && let Some(plain) = Plain::of(segment, packet.ecn)
            && let Some(conn) = self.conn(index)
            && conn.predicts(&plain, segment.seq, segment.payload.len(), &self.config)
        {
            let (id, text) = (conn.id, segment.payload);
            let mut sum = packet.pseudo_header();
            sum.add_few(&packet.payload[..packet.payload.len() - text.len()]);
            self.with_conn(now, index, |conn, env| conn.on_predicted(&plain, segment.seq, text, sum, env));
            if last == index {
                self.start_arriving(id, plain, octets);
            }
            return;
        }
        if !self.is_for_us(packet) || !(packet.is_intact() || self.config.is(Mutant::BadChecksumAccepted)) {
            return;
        }
        if self.config.mutant.is_some_and(|mutant| misreads(mutant, packet.payload)) {
            return;
        }
        if self.config.is(Mutant::OptionEndIgnored) {
            segment.options = reads_on(packet.payload);
        }
        if !self.is_valid_source(packet.source) || segment.source_port == 0 {
            // MUST-63
            return;
        }
        if found.is_none() && self.config.is(Mutant::DemuxByPortOnly) {
            let alike =
                |conn: &Connection| (conn.local().port(), conn.remote().port()) == (local.1, remote.1);
            found = (0..self.slots.len() as u32).find(|&index| self.conn(index).is_some_and(alike));
        }
        let closed = found.and_then(|index| self.conn(index)).is_some_and(|conn| conn.rcv.window() < 1000);
        if closed && packet.source.is_ipv4() && self.config.is(Mutant::SourceQuenchSent) {
            self.outbox.push_raw(source_quench(packet.destination, packet.source, packet.payload));
        }
        match found {
            Some(index) => self.on_connection(now, index, segment, packet.ecn),
            None => self.on_no_connection(now, tuple, segment, None),
        }
    }

    /// The connection between two ends. Packets come in trains, so the last one is looked at first.
    #[inline]
    fn find(&mut self, tuple: &Tuple) -> Option<u32> {
        let again =
            self.conn(self.recent).is_some_and(|conn| conn.tuple == *tuple && conn.state != State::Closed);
        if !again {
            self.recent = self.find_slot(tuple)?;
        }
        Some(self.recent)
    }

    /// MUST-54: an ICMP error goes to the connection whose segment it quotes.
    fn handle_icmp(&mut self, now: Instant, packet: &IpPacket<'_>) {
        let Some(IcmpError { kind, local, remote, seq }) = IcmpError::parse(packet) else { return };
        if let Some(index) = self.find(&Tuple::new(local, remote)) {
            self.with_conn(now, index, |conn, env| conn.on_icmp(kind, seq, env));
        }
    }

    fn is_valid_source(&self, source: IpAddr) -> bool {
        let invalid = (is_group(source) && !self.config.is(Mutant::InvalidSourceAnswered))
            || source.is_unspecified()
            || source.is_loopback()
            || self.config.addresses.contains(&source);
        !invalid
    }

    fn on_connection(&mut self, now: Instant, index: u32, segment: &mut Segment<'_>, ecn: Ecn) {
        let Some(conn) = self.conn(index) else { return };
        if let Some(listener) = conn.half_open_of() {
            let full = self.listeners.get(&listener).is_some_and(|listener| !listener.has_room());
            // The application is behind: the peer's ACK is lost on us, and our SYN,ACK goes again.
            if full && segment.has(Flags::ACK) && !segment.has(Flags::RST) {
                return;
            }
        }
        if conn.half_open_of().is_some()
            && segment.has(Flags::SYN)
            && !segment.has(Flags::ACK)
            && self.config.is(Mutant::SynDuplicateRestarts)
        {
            let tuple = conn.tuple;
            self.with_conn(now, index, Connection::forget);
            self.on_no_connection(now + core::time::Duration::from_millis(1), tuple, segment, None);
            return;
        }
        match conn.on_new_incarnation(segment, &self.config) {
            Incarnation::Accept if self.listener_of(segment).is_some() => {
                let tuple = conn.tuple;
                let above = conn.snd.nxt;
                self.with_conn(now, index, Connection::end_time_wait);
                self.on_no_connection(now, tuple, segment, Some(above));
                return;
            }
            Incarnation::Drop => return,
            Incarnation::Accept | Incarnation::None => {}
        }
        self.with_conn(now, index, |conn, env| conn.on_segment(segment, ecn, env));
    }
}
