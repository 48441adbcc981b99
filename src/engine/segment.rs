//! A TCP segment as bookkeeping and monitors look at it: the numbers, and nothing of the layout.

use crate::packet::{Flags, SeqNum};

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Segment {
    pub(crate) seq: SeqNum,
    pub(crate) ack: SeqNum,
    pub(crate) flags: Flags,
    pub(crate) window: u16,
    pub(crate) urgent: u16,
    pub(crate) payload: Vec<u8>,
    pub(crate) options: Options,
}

/// The options that take part in negotiation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) mss: Option<u16>,
    pub(crate) wscale: Option<u8>,
    pub(crate) sack_permitted: bool,
    pub(crate) timestamps: Option<(u32, u32)>,
    pub(crate) sack: Vec<(SeqNum, SeqNum)>,
    /// Whether it tells a user timeout (RFC 5482).
    pub(crate) user_timeout: bool,
    /// Octets of the option area.
    pub(crate) octets: usize,
}

impl Segment {
    pub(crate) fn has(&self, flag: Flags) -> bool {
        self.flags.contains(flag)
    }

    /// SEG.LEN: SYN and FIN count (RFC 9293 section 3.4).
    pub(crate) fn len(&self) -> u32 {
        let control = u32::from(self.has(Flags::SYN)) + u32::from(self.has(Flags::FIN));
        u32::try_from(self.payload.len()).unwrap_or(u32::MAX).saturating_add(control)
    }

    /// The sequence number after this segment.
    pub(crate) fn end(&self) -> SeqNum {
        self.seq + self.len()
    }

    /// Where the payload begins.
    pub(crate) fn data_start(&self) -> SeqNum {
        self.seq + u32::from(self.has(Flags::SYN))
    }

    /// No SYN, FIN, RST or data: only an acknowledgment.
    pub(crate) fn is_pure_ack(&self) -> bool {
        self.flags.core() == Flags::ACK && self.payload.is_empty()
    }
}
