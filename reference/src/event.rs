//! What an endpoint tells the application: events, errors and the answer to STATUS.

use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use crate::seq::SeqNum;

/// Names a connection of one endpoint. Never reused for another connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// Names a listener of one endpoint. Never reused for another listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenerId(pub(crate) u64);

/// Something the application should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which connection.
    pub conn: ConnId,
    /// What happened.
    pub kind: EventKind,
}

/// What happened to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A passive open is complete; `accept` will return it.
    Accepted {
        /// The listener whose accept queue holds it.
        listener: ListenerId,
    },
    /// An active open is complete.
    Connected,
    /// An active open was answered with a reset.
    Refused,
    /// The peer aborted the connection (RFC 9293 3.6, MUST-12).
    Reset,
    /// The connection was given up: R2, the user timeout or keep-alives (RFC 9293 3.8.3).
    TimedOut,
    /// The peer has closed its side and all it sent has arrived (MUST-12).
    Eof,
    /// There are octets to read.
    Readable,
    /// There is room to write again.
    Writable,
    /// The connection is gone in the normal way.
    Closed,
    /// A condition that may pass: an ICMP error or R1 (RFC 9293 3.9.1.8, MUST-47, SHLD-9).
    SoftError,
    /// An ICMP error that ended the connection (SHLD-26).
    HardError,
    /// The peer has announced urgent data (MUST-32).
    Urgent,
}

/// Why an application call did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// "connection does not exist"
    NotFound,
    /// "connection already exists": the four-tuple is taken.
    Exists,
    /// Another listener has the port, or no ephemeral port is left.
    AddressInUse,
    /// The remote address is unspecified, broadcast, multicast or of a family we have no address of (MUST-46).
    AddressInvalid,
    /// "insufficient resources"
    NoRoom,
    /// "connection closing": this side has said that it sends no more.
    Closing,
    /// The connection is not open yet.
    NotOpen,
    /// "connection refused"
    Refused,
    /// "connection reset"
    Reset,
    /// "connection aborted due to user timeout"
    TimedOut,
    /// A hard ICMP error.
    Unreachable,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "connection does not exist",
            Self::Exists => "connection already exists",
            Self::AddressInUse => "address in use",
            Self::AddressInvalid => "remote socket invalid",
            Self::NoRoom => "insufficient resources",
            Self::Closing => "connection closing",
            Self::NotOpen => "connection not open",
            Self::Refused => "connection refused",
            Self::Reset => "connection reset",
            Self::TimedOut => "connection aborted due to user timeout",
            Self::Unreachable => "destination unreachable",
        })
    }
}

impl core::error::Error for Error {}

/// What `recv` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recv {
    /// So many octets were read. Only a zero-length buffer yields zero.
    Octets(usize),
    /// Nothing now.
    WouldBlock,
    /// Nothing any more: the peer has closed and everything was read.
    Eof,
}

/// Settings of one connection that the application may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnOption {
    /// Turns Nagle's algorithm off (MUST-17).
    NoDelay(bool),
    /// Turns keep-alives on (MUST-24).
    KeepAlive(bool),
    /// Idle time before the first keep-alive (MUST-27).
    KeepAliveIdle(Duration),
    /// Time between unanswered keep-alives.
    KeepAliveInterval(Duration),
    /// How many unanswered keep-alives end the connection.
    KeepAliveCount(u32),
    /// R2 for this connection (MUST-21), and what the user timeout option announces.
    UserTimeout(Duration),
    /// What `close` does: with a span it aborts unless the peer has acknowledged everything by then, at once if the
    /// span is zero. `None` closes in the normal way.
    Linger(Option<Duration>),
    /// Differentiated services codepoint (MUST-48, SHLD-21).
    Dscp(u8),
    /// TTL or hop limit (MUST-49).
    HopLimit(u8),
    /// Report soft errors (SHLD-20); on by default.
    SoftErrors(bool),
}

/// The states of RFC 9293 3.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateName {
    /// No connection.
    Closed,
    /// Only listeners are in this state.
    Listen,
    /// Our SYN is out.
    SynSent,
    /// Both SYNs are out, ours is not acknowledged.
    SynReceived,
    /// Data flows.
    Established,
    /// Our FIN is out.
    FinWait1,
    /// Our FIN is acknowledged.
    FinWait2,
    /// Their FIN has come.
    CloseWait,
    /// Both FINs are out, ours is not acknowledged.
    Closing,
    /// Their FIN came first, ours is not acknowledged.
    LastAck,
    /// Waiting for old segments to die.
    TimeWait,
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Closed => "CLOSED",
            Self::Listen => "LISTEN",
            Self::SynSent => "SYN-SENT",
            Self::SynReceived => "SYN-RECEIVED",
            Self::Established => "ESTABLISHED",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::CloseWait => "CLOSE-WAIT",
            Self::Closing => "CLOSING",
            Self::LastAck => "LAST-ACK",
            Self::TimeWait => "TIME-WAIT",
        })
    }
}

/// The answer to STATUS (RFC 9293 3.9.1.6). A forgotten connection is CLOSED and all else is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The state.
    pub state: StateName,
    /// Our end.
    pub local: Option<SocketAddr>,
    /// Their end.
    pub remote: Option<SocketAddr>,
    /// ISS.
    pub iss: SeqNum,
    /// SND.UNA.
    pub snd_una: SeqNum,
    /// SND.NXT.
    pub snd_nxt: SeqNum,
    /// SND.WND, scaled.
    pub snd_wnd: u32,
    /// IRS.
    pub irs: SeqNum,
    /// RCV.NXT.
    pub rcv_nxt: SeqNum,
    /// RCV.WND as advertised.
    pub rcv_wnd: u32,
    /// Effective send MSS.
    pub mss: u32,
    /// Congestion window.
    pub cwnd: u32,
    /// Slow start threshold.
    pub ssthresh: u32,
    /// Smoothed round-trip time.
    pub srtt: Option<Duration>,
    /// Retransmission timeout, backed off.
    pub rto: Duration,
    /// Octets written by the application and not acknowledged.
    pub unacknowledged: usize,
    /// Octets that can be read now.
    pub readable: usize,
    /// Octets up to the urgent mark that have not been read (MUST-33).
    pub urgent: usize,
    /// The error that ended the connection.
    pub error: Option<Error>,
}

impl Status {
    /// What is known of a connection that does not exist.
    #[must_use]
    pub(crate) const fn closed() -> Self {
        Self {
            state: StateName::Closed,
            local: None,
            remote: None,
            iss: SeqNum(0),
            snd_una: SeqNum(0),
            snd_nxt: SeqNum(0),
            snd_wnd: 0,
            irs: SeqNum(0),
            rcv_nxt: SeqNum(0),
            rcv_wnd: 0,
            mss: 0,
            cwnd: 0,
            ssthresh: 0,
            srtt: None,
            rto: Duration::ZERO,
            unacknowledged: 0,
            readable: 0,
            urgent: 0,
            error: None,
        }
    }
}
