//! Legal noise: what a correct TCP may send unasked, at any moment, without a case having to say so.
//!
//! Whatever the target sends and no expectation claims is judged. The rule here is deliberately
//! narrow: a retransmission of what we have not acknowledged, an acknowledgment or window update that
//! says nothing false, a due keep-alive or window probe. Anything else is a violation.

use super::book::Book;
use super::segment::Segment;
use crate::packet::Flags;
use crate::time::Time;
use std::time::Duration;

/// Why a segment is legal though nobody asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noise {
    Retransmission,
    /// An acknowledgment of something new, or a wider window: no answer to the last stimulus.
    Progress,
    /// An acknowledgment that repeats what was said.
    Repeat,
    WindowProbe,
    KeepAlive,
    /// What a server above the target does of itself: it echoes, and closes after its peer.
    Server,
    /// It is of another connection that the case has opened or spoken to.
    Aside,
}

impl Noise {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Retransmission => "a retransmission of unacknowledged data",
            Self::Progress => "an acknowledgment",
            Self::Repeat => "an acknowledgment that repeats the last one",
            Self::WindowProbe => "a window probe",
            Self::KeepAlive => "a keep-alive probe",
            Self::Server => "what the server above the target does of itself",
            Self::Aside => "a segment of another connection of the case",
        }
    }

    /// It may come even where silence is expected, for it answers nothing.
    pub(crate) fn is_silent(self) -> bool {
        match self {
            Self::Retransmission
            | Self::Progress
            | Self::WindowProbe
            | Self::KeepAlive
            | Self::Server
            | Self::Aside => true,
            Self::Repeat => false,
        }
    }
}

/// An acknowledgment of ours may cross a retransmission on the wire.
const CROSSING: Duration = Duration::from_millis(20);

/// `book` is the wire's, before the segment is put on it.
pub(crate) fn legal(segment: &Segment, now: Time, book: &Book, keep_alive: bool) -> Option<Noise> {
    if segment.has(Flags::RST) || book.irs.is_none() {
        return None;
    }
    if segment.len() > 0 {
        return if book.seen_before(segment) {
            (unacknowledged(segment, now, book) || probe(segment, book)).then_some(Noise::Retransmission)
        } else {
            (probe(segment, book)).then_some(Noise::WindowProbe)
        };
    }
    if !segment.is_pure_ack() || !truthful(segment, book) {
        return None;
    }
    if segment.seq == book.target_max {
        return Some(if progresses(segment, book) { Noise::Progress } else { Noise::Repeat });
    }
    // One below SND.NXT without data: a probe that wants an answer (RFC 9293 sections 3.8.4, 3.8.6.1).
    if segment.seq + 1 == book.target_max {
        if keep_alive {
            return Some(Noise::KeepAlive);
        }
        if book.rcv_wnd == 0 {
            return Some(Noise::WindowProbe);
        }
    }
    // An acknowledgment that left before a retransmission of older octets.
    (book.seen_before(segment) && progresses(segment, book)).then_some(Noise::Progress)
}

fn unacknowledged(segment: &Segment, now: Time, book: &Book) -> bool {
    match book.acked {
        Some((acked, at)) => segment.end().after(acked) || now.since(at) < CROSSING,
        None => true,
    }
}

/// With our window closed, one octet may be sent beyond the edge, again and again.
fn probe(segment: &Segment, book: &Book) -> bool {
    let closed = book.our_edge.is_some_and(|edge| segment.seq.ge(edge) || segment.end().after(edge));
    closed && book.rcv_wnd == 0 && segment.payload.len() <= 1 && !segment.has(Flags::FIN | Flags::SYN)
}

/// The acknowledgment is of something that we sent, and does not go back.
fn truthful(segment: &Segment, book: &Book) -> bool {
    segment.ack.ge(book.snd_una) && segment.ack.le(book.ackable())
}

fn progresses(segment: &Segment, book: &Book) -> bool {
    if segment.ack.after(book.snd_una) {
        return true;
    }
    let edge = segment.ack + book.offered(segment);
    book.target_edge.is_none_or(|before| edge.after(before))
}
