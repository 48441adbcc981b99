//! A few segments of our own, before any case: is somebody there, and what does its handshake offer?
#![allow(clippy::disallowed_methods, reason = "a probe waits on a real clock")]

use crate::packet::{Body, Flags, Ip, Options, Packet, SeqNum, Tcp, TcpOption, Window};
use crate::suite::model::Family;
use crate::target::profile::Net;
use crate::wire::{Wire, WireError};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Cases take theirs from the dynamic ports; these are below.
const FIRST_PORT: u16 = 40_001;
const AGAIN: Duration = Duration::from_millis(100);
const ISN: SeqNum = SeqNum(0x2000_0000);

/// One connection that is tried.
pub(super) struct Probe {
    family: Family,
    net: Net,
    port: u16,
    pub(super) next: SeqNum,
    pub(super) expects: SeqNum,
}

impl Probe {
    pub(super) fn new(net: &Net, family: Family, number: u16) -> Self {
        Self { family, net: net.clone(), port: FIRST_PORT + number, next: ISN, expects: SeqNum(0) }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    fn ends(&self) -> (IpAddr, IpAddr) {
        match self.family {
            Family::V4 => (self.net.peer_v4.into(), self.net.target_v4.into()),
            Family::V6 => (self.net.peer_v6.into(), self.net.target_v6.into()),
        }
    }

    /// The same connection partner at another port of the target's.
    pub(super) fn to(net: &Net, family: Family, number: u16, port: u16) -> Self {
        Self::new(&Net { port, ..net.clone() }, family, number)
    }

    /// Sends a segment that begins `ahead` octets beyond what is next, and waits for none.
    pub(super) async fn put<W: Wire>(
        &self,
        wire: &mut W,
        flags: Flags,
        ahead: u32,
        payload: &[u8],
    ) -> Result<(), WireError> {
        let early = Self { next: self.next + ahead, net: self.net.clone(), ..*self };
        wire.send(&early.segment(flags, payload, Options::default())).await.map(|_| ())
    }

    /// The next segment of this connection, and when it was on the wire.
    pub(super) async fn hear<W: Wire>(
        &self,
        wire: &mut W,
        patience: Duration,
    ) -> Result<Option<(Tcp, Instant)>, WireError> {
        let wanted = async {
            loop {
                let received = wire.recv().await?;
                let packet = Packet::parse_ip(&received.packet);
                if let Some(tcp) = packet.tcp().filter(|tcp| self.is_own(tcp)) {
                    return Ok((tcp.clone(), received.at));
                }
            }
        };
        tokio::time::timeout(patience, wanted).await.ok().transpose()
    }

    fn is_own(&self, tcp: &Tcp) -> bool {
        tcp.dport() == self.port && tcp.sport() == self.net.port
    }

    fn segment(&self, flags: Flags, payload: &[u8], options: Options) -> Vec<u8> {
        let (own, target) = self.ends();
        let Some(ip) = Ip::between(own, target) else { return Vec::new() };
        let tcp = Tcp {
            sport: Some(self.port),
            dport: Some(self.net.port),
            seq: Some(self.next),
            ack: flags.contains(Flags::ACK).then_some(self.expects),
            window: Some(Window(65_535)),
            options,
            payload: payload.to_vec(),
            ..Tcp::with(flags)
        };
        Packet::of(ip, Body::Tcp(tcp)).build()
    }

    /// Waits for a segment of this connection.
    async fn answer<W: Wire>(&self, wire: &mut W) -> Result<Tcp, WireError> {
        loop {
            let packet = Packet::parse_ip(&wire.recv().await?.packet);
            if let Some(tcp) = packet.tcp().filter(|tcp| self.is_own(tcp)) {
                return Ok(tcp.clone());
            }
        }
    }

    /// Sends a SYN with every option again and again, until something answers it.
    pub(super) async fn syn<W: Wire>(
        &mut self,
        wire: &mut W,
        patience: Duration,
    ) -> Result<Option<Tcp>, WireError> {
        let until = Instant::now() + patience;
        let options = Options::encode(&[
            TcpOption::Mss(1460),
            TcpOption::SackPermitted,
            TcpOption::Timestamps { val: 1, ecr: 0 },
            TcpOption::Nop,
            TcpOption::WindowScale(7),
        ]);
        let syn = self.segment(Flags::SYN, &[], options);
        while Instant::now() < until {
            wire.send(&syn).await?;
            let pause = AGAIN.min(until.saturating_duration_since(Instant::now()));
            if let Ok(answer) = tokio::time::timeout(pause, self.answer(wire)).await {
                let answer = answer?;
                self.next = ISN + 1;
                self.expects = answer.seq() + 1;
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    /// Sends one segment; what comes back within `patience` is looked at until `done` says that it is enough.
    pub(super) async fn exchange<W: Wire>(
        &mut self,
        wire: &mut W,
        payload: &[u8],
        patience: Duration,
        done: impl Fn(&Tcp) -> bool,
    ) -> Result<bool, WireError> {
        let flags = if payload.is_empty() { Flags::ACK } else { Flags::ACK | Flags::PSH };
        let segment = self.segment(flags, payload, Options::default());
        wire.send(&segment).await?;
        self.next += u32::try_from(payload.len()).unwrap_or(0);
        let wanted = async {
            loop {
                if done(&self.answer(wire).await?) {
                    return Ok::<bool, WireError>(true);
                }
            }
        };
        tokio::time::timeout(patience, wanted).await.unwrap_or(Ok(false))
    }

    /// Ends it without a word from the other side.
    pub(super) async fn reset<W: Wire>(&self, wire: &mut W) -> Result<(), WireError> {
        wire.send(&self.segment(Flags::RST | Flags::ACK, &[], Options::default())).await.map(|_| ())
    }
}
