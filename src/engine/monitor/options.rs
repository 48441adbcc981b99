//! Monitors of TCP options: their shape, whether they were negotiated, what they claim.

use super::{Judgement, Sighting};
use crate::packet::{Defect, Flags, OptionDefect, SeqNum};

pub(super) fn well_formed(seen: &Sighting<'_>) -> Judgement {
    if seen.segment.options.octets == 0 {
        return Judgement::Idle;
    }
    let wrong = seen.packet.defects.iter().find(|d| match d {
        // RFC 9293 asks for zeros behind the end of the list, and receivers ignore what is there.
        Defect::Option(OptionDefect::Padding { .. }) => false,
        Defect::Option(_) => true,
        _ => false,
    });
    Judgement::of(wrong.is_none(), || wrong.map(ToString::to_string).unwrap_or_default())
}

pub(super) fn negotiated(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    let options = &segment.options;
    if options.octets == 0 || segment.has(Flags::RST) {
        return Judgement::Idle;
    }
    let sentence = if !segment.has(Flags::SYN) {
        if options.mss.is_some() {
            Some("The MSS option belongs on SYN segments only.")
        } else if options.wscale.is_some() {
            Some("The window scale option belongs on SYN segments only.")
        } else if options.sack_permitted {
            Some("SACK-permitted belongs on SYN segments only.")
        } else if options.timestamps.is_some() && book.ours.syn && !book.timestamps_negotiated() {
            Some("Timestamps were not negotiated: both SYNs must carry the option.")
        } else if !options.sack.is_empty() && !book.ours.sack {
            Some("SACK blocks may be sent only to a peer that sent SACK-permitted.")
        } else {
            None
        }
    } else if segment.has(Flags::ACK) && book.ours.syn {
        if options.wscale.is_some() && book.ours.wscale.is_none() {
            Some("A SYN-ACK may carry window scale only if the SYN did.")
        } else if options.timestamps.is_some() && !book.ours.timestamps {
            Some("A SYN-ACK may carry timestamps only if the SYN did.")
        } else if options.sack_permitted && !book.ours.sack {
            Some("A SYN-ACK may carry SACK-permitted only if the SYN did.")
        } else {
            None
        }
    } else {
        None
    };
    Judgement::of(sentence.is_none(), || sentence.unwrap_or_default().to_owned())
}

pub(super) fn timestamps(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    // On a RST they are optional (RFC 7323 section 3.2), and a RST may come from no connection at all.
    if !book.timestamps_negotiated() || segment.has(Flags::SYN) || segment.has(Flags::RST) {
        return Judgement::Idle;
    }
    let Some((value, echo)) = segment.options.timestamps else {
        return Judgement::Broken("Timestamps were negotiated, so every segment must carry them.".to_owned());
    };
    if book.their_tsval.is_some_and(|last| SeqNum(value).before(SeqNum(last))) {
        return Judgement::Broken("The timestamp clock ran backwards.".to_owned());
    }
    let future = book.our_tsval.is_some_and(|ours| SeqNum(echo).after(SeqNum(ours)));
    Judgement::of(!future, || "The echoed timestamp was never sent.".to_owned())
}

pub(super) fn sack_blocks(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    if segment.options.sack.is_empty() {
        return Judgement::Idle;
    }
    for (index, &(left, right)) in segment.options.sack.iter().enumerate() {
        if !left.before(right) {
            return Judgement::Broken("A SACK block is empty or reversed.".to_owned());
        }
        if right.after(book.snd_max()) {
            return Judgement::Broken("A SACK block reports octets that were never sent.".to_owned());
        }
        // The first block may report a duplicate (RFC 2883 section 4).
        if index > 0 && left.before(segment.ack) {
            return Judgement::Broken("A SACK block lies below the acknowledgment.".to_owned());
        }
    }
    Judgement::Fine
}
