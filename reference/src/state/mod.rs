//! The states of a connection and the rules of each (RFC 9293 3.3.2, 3.10.7).
//!
//! One file for each group of states. The functions there *decide*: they take a few numbers and a segment and
//! return a disposition, so each rule can be read and tested alone. [`crate::connection`] *applies* what was
//! decided, and `Connection::transition` is the one place where a state changes.

pub(crate) mod closed;
pub(crate) mod closing;
pub(crate) mod listen;
pub(crate) mod syn_received;
pub(crate) mod syn_sent;
pub(crate) mod synchronized;

use crate::event::{ListenerId, StateName};

/// How a connection came to SYN-RECEIVED (MUST-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From LISTEN, by this listener.
    Passive(ListenerId),
    /// From SYN-SENT, by a simultaneous open.
    Active,
}

/// The state of a connection. LISTEN is not here: a listener is not a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Closed,
    SynSent,
    SynReceived(Origin),
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
}

impl State {
    pub(crate) const fn name(self) -> StateName {
        match self {
            Self::Closed => StateName::Closed,
            Self::SynSent => StateName::SynSent,
            Self::SynReceived(_) => StateName::SynReceived,
            Self::Established => StateName::Established,
            Self::FinWait1 => StateName::FinWait1,
            Self::FinWait2 => StateName::FinWait2,
            Self::CloseWait => StateName::CloseWait,
            Self::Closing => StateName::Closing,
            Self::LastAck => StateName::LastAck,
            Self::TimeWait => StateName::TimeWait,
        }
    }

    /// Text from the peer is taken (RFC 9293 3.10.7.4, seventh).
    pub(crate) const fn takes_text(self) -> bool {
        matches!(self, Self::Established | Self::FinWait1 | Self::FinWait2)
    }

    /// Text or a FIN of ours may go out.
    pub(crate) const fn sends(self) -> bool {
        match self {
            Self::Established | Self::FinWait1 | Self::CloseWait | Self::Closing | Self::LastAck => true,
            Self::Closed | Self::SynSent | Self::SynReceived(_) | Self::FinWait2 | Self::TimeWait => false,
        }
    }

    /// The peer's SYN and ours are both acknowledged, or at least sent.
    pub(crate) const fn is_synchronized(self) -> bool {
        !matches!(self, Self::Closed | Self::SynSent | Self::SynReceived(_))
    }
}
