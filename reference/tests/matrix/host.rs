//! The endpoint under test and a peer that sends exactly what it is told.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use tcpspec_reference::wire::ip::HeaderFields;
use tcpspec_reference::wire::{Ecn, Flags, IpPacket, Options, Outgoing, Segment, Timestamps, Verify};
use tcpspec_reference::{
    Config, ConnId, ConnOption, Endpoint, Error, EventKind, Instant, ListenerId, Recv, SeqNum, StateName,
    Status,
};

use crate::stimulus::{Ack, Action, Call, Clock, Route, Seq, Shape};

pub(crate) const PORT: u16 = 80;
pub(crate) const PEER: &str = "10.0.0.1:4000";
pub(crate) const HOST: &str = "10.0.0.2";
/// Receive buffer, small enough that one segment can fill it.
pub(crate) const BUFFER: u32 = 4000;
/// The peer's initial sequence number: the numbers wrap within each test.
const IRS: SeqNum = SeqNum(u32::MAX - 300);

/// A segment that the endpoint has sent.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) seq: SeqNum,
    pub(crate) ack: SeqNum,
    pub(crate) flags: Flags,
    pub(crate) window: u16,
    pub(crate) urgent: u16,
    pub(crate) text: Vec<u8>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, ack, flags, window, urgent, text } = self;
        write!(f, "<SEQ={seq}><ACK={ack}><CTL={flags:?}><WND={window}><UP={urgent}>, {} octets", text.len())
    }
}

impl Seen {
    /// Sequence numbers it occupies.
    pub(crate) fn len(&self) -> u32 {
        self.text.len() as u32 + u32::from(self.flags.has(Flags::SYN)) + u32::from(self.flags.has(Flags::FIN))
    }
}

/// SEG.SEQ, SEG.ACK and SEG.LEN of what the peer sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) seq: SeqNum,
    pub(crate) ack: SeqNum,
    pub(crate) len: u32,
}

/// What a call has returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    None,
    Done,
    Took(usize),
    Data(Vec<u8>),
    WouldBlock,
    Eof,
    Opened,
    Status(StateName),
    Failed(Error),
}

/// The endpoint, its only connection, and the peer's view.
pub(crate) struct Host {
    pub(crate) endpoint: Endpoint,
    pub(crate) now: Instant,
    /// The connection, or before there is one a connection that is no more.
    pub(crate) conn: ConnId,
    pub(crate) listener: Option<ListenerId>,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) irs: SeqNum,
    /// The last segment of the peer's.
    pub(crate) sent: Sent,
    /// Octets of the peer's stream that the application has read.
    pub(crate) read: u32,
    /// The peer's timestamp clock, where timestamps are on.
    pub(crate) stamp: Option<u32>,
    echo: u32,
}

/// The octet at a position of the peer's stream.
fn octet(position: u32) -> u8 {
    (position.wrapping_mul(0x9e37_79b1) >> 24) as u8
}

impl Host {
    pub(crate) fn new(config: Config, timestamps: bool) -> Self {
        let now = Instant::from_millis(10_000);
        let mut endpoint = Endpoint::new(config);
        let conn = endpoint.connect(now, None, PEER.parse().unwrap()).expect("a first connection");
        endpoint.abort(now, conn).expect("that is given up");
        Self {
            endpoint,
            now,
            conn,
            listener: None,
            local: SocketAddr::new(HOST.parse().unwrap(), PORT),
            remote: PEER.parse().unwrap(),
            irs: IRS,
            sent: Sent::default(),
            read: 0,
            stamp: timestamps.then_some(1_000_000),
            echo: 0,
        }
    }

    /// The connection of the four-tuple, or the one that had it.
    pub(crate) fn status(&self) -> Status {
        self.endpoint.status(self.id())
    }

    pub(crate) fn id(&self) -> ConnId {
        self.endpoint.lookup(self.local, self.remote).unwrap_or(self.conn)
    }

    /// Octets of the peer's stream.
    pub(crate) fn stream(from: u32, len: u32) -> Vec<u8> {
        (0..len).map(|n| octet(from.wrapping_add(n))).collect()
    }

    /// What the application writes: the same octets each time it is called.
    fn written(len: u32) -> Vec<u8> {
        (0..len).map(|n| n as u8).collect()
    }

    /// Whether a segment carries what the application wrote at that place, by the first call to SEND.
    pub(crate) fn carries_what_was_written(&self, seen: &Seen) -> bool {
        let start = seen.seq.distance_from(self.status().iss + 1);
        seen.text.iter().enumerate().all(|(n, &octet)| octet == (start + n as u32) as u8)
    }

    pub(crate) fn ack_number(&self, ack: Ack, status: &Status) -> SeqNum {
        let (base, offset) = match ack {
            Ack::Off => return SeqNum(0),
            Ack::Una(offset) => (status.snd_una, offset),
            Ack::Nxt(offset) => (status.snd_nxt, offset),
            Ack::Iss(offset) => (status.iss, offset),
        };
        base + offset as u32
    }

    fn seq_number(&self, seq: Seq, status: &Status) -> SeqNum {
        // Before the peer's SYN there is no RCV.NXT; its own number is the ISN.
        let fresh = matches!(status.state, StateName::Closed | StateName::SynSent);
        let nxt = if fresh { self.irs } else { status.rcv_nxt };
        match seq {
            Seq::Nxt(offset) => nxt + offset as u32,
            Seq::Edge(offset) => nxt + status.rcv_wnd + offset as u32,
            Seq::Irs(offset) => self.irs + offset as u32,
        }
    }

    /// The peer sends a segment.
    pub(crate) fn deliver(&mut self, shape: Shape) {
        let status = self.status();
        let seq = self.seq_number(shape.seq, &status);
        let ack = self.ack_number(shape.ack, &status);
        let mut flags = shape.flags;
        if !matches!(shape.ack, Ack::Off) {
            flags = flags | Flags::ACK;
        }
        let syn = flags.has(Flags::SYN);
        let (mut from, mut to) = (self.remote, self.local);
        match shape.route {
            Route::Ordinary => {}
            Route::To(address) => to.set_ip(address.parse().unwrap()),
            Route::From(address) => from.set_ip(address.parse().unwrap()),
        }
        let timestamps = self.stamp.as_mut().map(|stamp| {
            *stamp = stamp.wrapping_add_signed(shape.age);
            Timestamps { value: *stamp, echo: self.echo }
        });
        let position = (seq + u32::from(syn)).distance_from(self.irs + 1);
        let text = Self::stream(position, shape.text);
        let mut packet = Vec::new();
        let out = Outgoing {
            local: from,
            remote: to,
            ip: HeaderFields { hops: 64, dscp: 0, ecn: Ecn::NotEct, identification: 0 },
            seq,
            ack,
            flags,
            window: shape.window,
            urgent: shape.urgent,
            options: Options { mss: syn.then_some(1460), timestamps, ..Options::default() },
            text: (&text, &[]),
        };
        out.emit(&mut packet);
        self.endpoint.handle_packet(self.now, &packet);
        let len = shape.text + u32::from(syn) + u32::from(flags.has(Flags::FIN));
        self.sent = Sent { seq, ack, len };
    }

    /// All that the endpoint has to send now.
    pub(crate) fn drain(&mut self) -> Vec<Seen> {
        let mut all = Vec::new();
        while let Some(packet) = self.endpoint.poll_transmit(self.now) {
            assert!(all.len() < 100, "the endpoint does not stop sending");
            let packet = IpPacket::parse(&packet).expect("a whole packet");
            let segment = Segment::parse(&packet, Verify::Yes).expect("a whole segment");
            self.echo = segment.options.timestamps.map_or(self.echo, |timestamps| timestamps.value);
            all.push(Seen {
                seq: segment.seq,
                ack: segment.ack,
                flags: segment.flags,
                window: segment.window,
                urgent: segment.urgent,
                text: segment.payload.to_vec(),
            });
        }
        all
    }

    /// All that the application is told, but for room to write: that is about buffers, not about TCP.
    pub(crate) fn events(&mut self) -> Vec<EventKind> {
        let events = core::iter::from_fn(|| self.endpoint.poll_event());
        events.map(|event| event.kind).filter(|kind| *kind != EventKind::Writable).collect()
    }

    /// Time passes, and what comes of it.
    pub(crate) fn wait(&mut self, span: Duration) -> Vec<Seen> {
        let limit = self.now + span;
        let mut all = self.drain();
        while let Some(next) = self.endpoint.poll_timeout().filter(|&next| next <= limit) {
            self.now = self.now.max(next);
            all.extend(self.drain());
        }
        self.now = limit;
        all.extend(self.drain());
        all
    }

    /// Jumps from expiry to expiry until `done`, and returns what the last one made the endpoint send.
    fn expire(&mut self, done: impl Fn(&Self) -> bool) -> Vec<Seen> {
        for _ in 0..200 {
            let next = self.endpoint.poll_timeout().expect("a timer is running");
            _ = self.events();
            self.now = self.now.max(next);
            let seen = self.drain();
            if done(self) || !seen.is_empty() && self.status().state == StateName::Closed {
                return seen;
            }
        }
        panic!("the timer does not expire");
    }

    /// Does one thing. What a timer's expiry sends is returned at once.
    pub(crate) fn act(&mut self, action: Action) -> (Answer, Vec<Seen>) {
        match action {
            Action::Segment(shape) => {
                self.deliver(shape);
                (Answer::None, Vec::new())
            }
            Action::Call(call) => (self.call(call), Vec::new()),
            Action::Wait(span) => (Answer::None, self.wait(span)),
            Action::Expire(Clock::Retransmission) => {
                let rto = self.status().rto;
                let seen = if self.status().snd_una == self.status().snd_nxt {
                    self.wait(Duration::from_secs(120))
                } else {
                    let seen = self.expire(|host| host.status().rto != rto);
                    assert_eq!(self.status().rto, rto * 2, "RTO after its expiry (RFC 6298 5.5)");
                    seen
                };
                (Answer::None, seen)
            }
            Action::Expire(Clock::User) => {
                let id = self.id();
                if self.status().snd_una == self.status().snd_nxt {
                    self.endpoint.set_option(self.now, id, ConnOption::KeepAlive(true)).unwrap();
                }
                (Answer::None, self.expire(|host| host.status().state == StateName::Closed))
            }
            Action::Expire(Clock::TimeWait) => {
                (Answer::None, self.expire(|host| host.status().state == StateName::Closed))
            }
        }
    }

    fn call(&mut self, call: Call) -> Answer {
        fn answer<T>(result: Result<T, Error>, ok: impl FnOnce(T) -> Answer) -> Answer {
            result.map_or_else(Answer::Failed, ok)
        }
        let now = self.now;
        match call {
            Call::Listen => answer(self.endpoint.listen(now, PORT), |_| Answer::Opened),
            Call::CloseListener => {
                let listener = self.listener.expect("a listener");
                self.endpoint.close_listener(now, listener);
                Answer::Done
            }
            Call::Open { local, remote } => {
                let (local, remote) = (local.parse().ok(), remote.parse().unwrap());
                answer(self.endpoint.connect(now, local, remote), |_| Answer::Opened)
            }
            Call::OpenSame => {
                answer(self.endpoint.connect(now, Some(self.local), self.remote), |_| Answer::Opened)
            }
            Call::Status => Answer::Status(self.status().state),
            Call::Send(_)
            | Call::SendUrgent(_)
            | Call::Receive
            | Call::Shutdown
            | Call::Close
            | Call::Abort => {
                let id = self.id();
                match call {
                    Call::Send(len) => answer(self.endpoint.send(now, id, &Self::written(len)), Answer::Took),
                    Call::SendUrgent(len) => {
                        answer(self.endpoint.send_urgent(now, id, &Self::written(len)), Answer::Took)
                    }
                    Call::Receive => self.receive(id),
                    Call::Shutdown => answer(self.endpoint.shutdown(now, id), |()| Answer::Done),
                    Call::Close => answer(self.endpoint.close(now, id), |()| Answer::Done),
                    _ => answer(self.endpoint.abort(now, id), |()| Answer::Done),
                }
            }
        }
    }

    pub(crate) fn receive(&mut self, id: ConnId) -> Answer {
        let mut buf = vec![0; 65536];
        match self.endpoint.recv(self.now, id, &mut buf) {
            Ok(Recv::Octets(len)) => {
                buf.truncate(len);
                Answer::Data(buf)
            }
            Ok(Recv::WouldBlock) => Answer::WouldBlock,
            Ok(Recv::Eof) => Answer::Eof,
            Err(error) => Answer::Failed(error),
        }
    }

    /// Whether a SYN from elsewhere is answered, and how: with SYN,ACK by a listener, with RST by nobody.
    pub(crate) fn probe_port(&mut self) -> Vec<Seen> {
        let elsewhere = SocketAddr::new(IpAddr::from([10, 0, 0, 9]), 5000);
        let remote = core::mem::replace(&mut self.remote, elsewhere);
        self.deliver(crate::stimulus::bare(Flags::SYN));
        self.remote = remote;
        self.drain()
    }
}
