//! A scripted peer: it sends exactly the segments a test says and writes down everything that comes back.
//!
//! Sequence numbers are relative: ours count from our ISN, theirs from the target's ISS. So a log line means the
//! same for every seed.
#![allow(dead_code)] // each test binary uses its part

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tcpspec_reference::wire::ip::{HeaderFields, PROTOCOL_TCP};
use tcpspec_reference::wire::{Ecn, Flags, IpPacket, Options, Outgoing, Segment, Verify, checksum};
use tcpspec_reference::{Config, ConnId, ConnOption, Endpoint, Instant, ListenerId, Mutant, Recv, SeqNum};

pub(crate) const SYN: Flags = Flags::SYN;
pub(crate) const ACK: Flags = Flags::ACK;
pub(crate) const FIN: Flags = Flags::FIN;
pub(crate) const RST: Flags = Flags::RST;
pub(crate) const PSH: Flags = Flags::PSH;
pub(crate) const URG: Flags = Flags::URG;

/// Our ISN: close to the wrap, so that every script crosses it.
pub(crate) const ISN: u32 = u32::MAX - 50;
pub(crate) const PORT: u16 = 80;

/// A segment of the target's, with relative numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) at: Instant,
    pub(crate) flags: Flags,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) window: u16,
    pub(crate) payload: Vec<u8>,
    pub(crate) options: Options,
}

pub(crate) struct Script {
    pub(crate) tcp: Endpoint,
    pub(crate) now: Instant,
    pub(crate) log: String,
    pub(crate) target: SocketAddr,
    pub(crate) peer: SocketAddr,
    pub(crate) isn: SeqNum,
    pub(crate) iss: Option<SeqNum>,
    pub(crate) conn: Option<ConnId>,
    pub(crate) listener: Option<ListenerId>,
    pub(crate) window: u16,
    /// Options on everything that is sent, a SYN excepted.
    pub(crate) options: Options,
    pub(crate) syn_options: Options,
    pub(crate) ecn: Ecn,
    pub(crate) urgent: u16,
}

impl Script {
    pub(crate) fn new(mut config: Config) -> Self {
        let target: SocketAddr = "10.0.0.1:80".parse().unwrap();
        config.addresses = vec![target.ip()];
        Self {
            tcp: Endpoint::new(config),
            now: Instant::from_millis(10_000),
            log: String::new(),
            target,
            peer: "10.0.0.2:4000".parse().unwrap(),
            isn: SeqNum(ISN),
            iss: None,
            conn: None,
            listener: None,
            window: 20_000,
            options: Options::default(),
            syn_options: Options { mss: Some(1000), ..Options::default() },
            ecn: Ecn::NotEct,
            urgent: 0,
        }
    }

    pub(crate) fn mutated(mutant: Option<Mutant>, mut config: Config) -> Self {
        config.mutant = mutant;
        Self::new(config)
    }

    // ------------------------------------------------------------- the wire

    /// The octets of a segment of ours; `seq` and `ack` are relative.
    pub(crate) fn packet(&self, flags: Flags, seq: u32, ack: u32, payload: &[u8]) -> Vec<u8> {
        let options = if flags.has(SYN) { self.syn_options } else { self.options };
        let out = Outgoing {
            local: self.peer,
            remote: self.target,
            ip: HeaderFields { hops: 64, dscp: 0, ecn: self.ecn, identification: 0 },
            seq: self.isn + seq,
            ack: self.iss.map_or(SeqNum(ack), |iss| iss + ack),
            flags,
            window: self.window,
            urgent: self.urgent,
            options,
            text: (payload, &[]),
        };
        let mut packet = Vec::new();
        out.emit(&mut packet);
        packet
    }

    pub(crate) fn tx(&mut self, flags: Flags, seq: u32, ack: u32, payload: &[u8]) -> Vec<Got> {
        let packet = self.packet(flags, seq, ack, payload);
        self.raw(&packet)
    }

    pub(crate) fn raw(&mut self, packet: &[u8]) -> Vec<Got> {
        self.tcp.handle_packet(self.now, packet);
        self.drain()
    }

    /// Everything the target sends now, logged.
    pub(crate) fn drain(&mut self) -> Vec<Got> {
        let mut all = Vec::new();
        for _ in 0..10_000 {
            let Some(packet) = self.tcp.poll_transmit(self.now) else { break };
            let ip = IpPacket::parse(&packet).expect("well-formed IP");
            if ip.protocol != PROTOCOL_TCP {
                // A mutant that sends ICMP.
                writeln!(self.log, "{} protocol {} {:02x?}", self.now.as_micros(), ip.protocol, ip.payload)
                    .unwrap();
                continue;
            }
            let good = Segment::parse(&ip, Verify::Yes).is_ok();
            let segment = Segment::parse(&ip, Verify::No).expect("well-formed TCP");
            if segment.has(SYN) && self.iss.is_none() {
                self.iss = Some(segment.seq);
            }
            let got = Got {
                at: self.now,
                flags: segment.flags,
                seq: self.iss.map_or(segment.seq.0, |iss| segment.seq.distance_from(iss)),
                ack: segment.ack.distance_from(self.isn),
                window: segment.window,
                payload: segment.payload.to_vec(),
                options: segment.options,
            };
            let sum = got.payload.iter().fold(0u32, |sum, &octet| sum.wrapping_mul(31) + u32::from(octet));
            writeln!(
                self.log,
                "{} {:?} seq {} ack {} wnd {} len {} #{sum:x} hdr {:02x} urg {} ecn {:?} ttl {} tos {} {}{:?} {}",
                self.now.as_micros(),
                got.flags,
                got.seq,
                if got.flags.has(ACK) { got.ack } else { segment.ack.0 },
                got.window,
                got.payload.len(),
                ip.payload[12],
                segment.urgent,
                ip.ecn,
                packet[8],
                packet[1],
                if good { "" } else { "BAD CHECKSUM " },
                got.options,
                segment.destination_port,
            )
            .unwrap();
            all.push(got);
        }
        while let Some(event) = self.tcp.poll_event() {
            writeln!(self.log, "{} event {:?}", self.now.as_micros(), event.kind).unwrap();
        }
        all
    }

    /// Lets time pass, stopping at every timer.
    pub(crate) fn wait(&mut self, millis: u64) -> Vec<Got> {
        let limit = self.now + Duration::from_millis(millis);
        let mut all = self.drain();
        for _ in 0..10_000 {
            let Some(next) = self.tcp.poll_timeout().filter(|&next| next <= limit) else { break };
            self.now = self.now.max(next);
            all.extend(self.drain());
        }
        self.now = limit;
        all.extend(self.drain());
        all
    }

    // ------------------------------------------------------- the application

    pub(crate) fn listen(&mut self) {
        self.listener = self.tcp.listen(self.now, PORT).ok();
    }

    pub(crate) fn connect(&mut self) -> Vec<Got> {
        let result = self.tcp.connect(self.now, Some(self.target), self.peer);
        self.note(&format!("connect {}", result.is_ok()));
        self.conn = result.ok();
        self.drain()
    }

    pub(crate) fn accept(&mut self) -> bool {
        let accepted = self.listener.and_then(|listener| self.tcp.accept(listener));
        self.note(&format!("accept {}", accepted.is_some()));
        self.conn = accepted.or(self.conn);
        accepted.is_some()
    }

    pub(crate) fn send(&mut self, octets: &[u8]) -> Vec<Got> {
        let Some(conn) = self.conn else { return Vec::new() };
        let result = self.tcp.send(self.now, conn, octets);
        self.note(&format!("send {result:?}"));
        self.drain()
    }

    pub(crate) fn send_urgent(&mut self, octets: &[u8]) -> Vec<Got> {
        let Some(conn) = self.conn else { return Vec::new() };
        let result = self.tcp.send_urgent(self.now, conn, octets);
        self.note(&format!("send urgent {result:?}"));
        self.drain()
    }

    pub(crate) fn read(&mut self, len: usize) -> Vec<u8> {
        let Some(conn) = self.conn else { return Vec::new() };
        let mut buf = vec![0; len];
        let result = self.tcp.recv(self.now, conn, &mut buf);
        buf.truncate(if let Ok(Recv::Octets(len)) = result { len } else { 0 });
        let sum = buf.iter().fold(0u32, |sum, &octet| sum.wrapping_mul(31) + u32::from(octet));
        self.note(&format!("read {result:?} #{sum:x}"));
        let urgent = self.tcp.status(conn).urgent;
        if urgent > 0 {
            self.note(&format!("{urgent} urgent octets are left"));
        }
        self.drain();
        buf
    }

    pub(crate) fn shutdown(&mut self) -> Vec<Got> {
        let Some(conn) = self.conn else { return Vec::new() };
        let result = self.tcp.shutdown(self.now, conn);
        self.note(&format!("shutdown {result:?}"));
        self.drain()
    }

    pub(crate) fn close(&mut self) -> Vec<Got> {
        let Some(conn) = self.conn else { return Vec::new() };
        let result = self.tcp.close(self.now, conn);
        self.note(&format!("close {result:?}"));
        self.drain()
    }

    pub(crate) fn abort(&mut self) -> Vec<Got> {
        let Some(conn) = self.conn else { return Vec::new() };
        let result = self.tcp.abort(self.now, conn);
        self.note(&format!("abort {result:?}"));
        self.drain()
    }

    pub(crate) fn set(&mut self, option: ConnOption) -> Vec<Got> {
        let Some(conn) = self.conn else { return Vec::new() };
        let result = self.tcp.set_option(self.now, conn, option);
        self.note(&format!("set {option:?} {result:?}"));
        self.drain()
    }

    pub(crate) fn state(&self) -> String {
        self.conn.map_or_else(|| "none".into(), |conn| self.tcp.status(conn).state.to_string())
    }

    pub(crate) fn note(&mut self, text: &str) {
        let line = format!("{} {text} [{}]\n", self.now.as_micros(), self.state());
        self.log.push_str(&line);
    }

    // --------------------------------------------------------------- fixtures

    /// Our SYN, their SYN,ACK, our ACK, accepted. Next numbers are 1 and 1.
    pub(crate) fn passive(mut self) -> Self {
        self.listen();
        self.tx(SYN, 0, 0, b"");
        self.tx(ACK, 1, 1, b"");
        self.accept();
        self
    }

    /// Their SYN, our SYN,ACK. Next numbers are 1 and 1.
    pub(crate) fn active(mut self) -> Self {
        self.connect();
        self.tx(SYN | ACK, 0, 1, b"");
        self
    }

    /// An ICMP unreachable from the peer about the target's segment with that relative number.
    pub(crate) fn icmp(&mut self, kind: u8, code: u8, mtu: u16, seq: u32) -> Vec<Got> {
        let (IpAddr::V4(target), IpAddr::V4(peer)) = (self.target.ip(), self.peer.ip()) else {
            return Vec::new();
        };
        let header = |protocol: u8, source: [u8; 4], destination: [u8; 4], len: usize| {
            let mut octets = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0];
            octets[2..4].copy_from_slice(&((20 + len) as u16).to_be_bytes());
            octets.extend_from_slice(&source);
            octets.extend_from_slice(&destination);
            let sum = checksum::of(&octets);
            octets[10..12].copy_from_slice(&sum.to_be_bytes());
            octets
        };
        let mut icmp = vec![kind, code, 0, 0, 0, 0];
        icmp.extend_from_slice(&mtu.to_be_bytes());
        icmp.extend_from_slice(&header(6, target.octets(), peer.octets(), 20));
        icmp.extend_from_slice(&self.target.port().to_be_bytes());
        icmp.extend_from_slice(&self.peer.port().to_be_bytes());
        icmp.extend_from_slice(&(self.iss.unwrap_or_default() + seq).0.to_be_bytes());
        let sum = checksum::of(&icmp);
        icmp[2..4].copy_from_slice(&sum.to_be_bytes());
        let mut packet = header(1, peer.octets(), target.octets(), icmp.len());
        packet.extend_from_slice(&icmp);
        self.raw(&packet)
    }
}

/// Changes octets of the TCP header and makes the checksums right again.
pub(crate) fn patch(packet: &mut [u8], change: impl FnOnce(&mut [u8])) {
    change(packet);
    packet[10..12].fill(0);
    let sum = checksum::of(&packet[..20]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet[36..38].fill(0);
    let mut sum = checksum::Sum::default();
    sum.add(&packet[12..20]);
    sum.add(&[0, 6]);
    sum.add(&((packet.len() - 20) as u16).to_be_bytes());
    sum.add(&packet[20..]);
    let sum = sum.finish();
    packet[36..38].copy_from_slice(&sum.to_be_bytes());
}
