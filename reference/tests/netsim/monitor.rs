//! An independent observer of the wire: what any segment of a correct TCP satisfies, whatever the endpoints think.
//!
//! It knows what each host has sent, what has really been delivered to it, and what its application has written.
//! Numbers are offsets from the initial sequence number: the SYN is 0, the first octet 1. A four-tuple may see
//! several incarnations, so each side has a list of streams.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use tcpspec_reference::SeqNum;
use tcpspec_reference::wire::{Ecn, Flags, IpPacket, Segment, Verify};

use crate::dice::is_stream;
use crate::ranges::Ranges;

/// Which packet of which stream something on the path is: flow, side, stream.
pub(crate) type Tag = Option<(usize, usize, usize)>;

/// What the application has told a connection, known by its initial sequence number.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Book {
    /// Names the octets.
    pub(crate) key: u64,
    pub(crate) written: u64,
    /// It has asked for a FIN.
    pub(crate) ended: bool,
}

/// What a SYN has offered.
#[derive(Clone, Copy, Debug, Default)]
struct Offer {
    mss: Option<u16>,
    scale: Option<u8>,
    sack: bool,
    timestamps: bool,
    /// An ECN-setup SYN and an ECN-setup SYN,ACK were sent (RFC 3168 6.1.1).
    ecn_setup: bool,
    ecn_accepted: bool,
}

/// One direction of one incarnation.
#[derive(Debug)]
struct Stream {
    iss: SeqNum,
    offer: Offer,
    /// Index of the opposite stream.
    peer: Option<usize>,
    /// One beyond the highest number sent: SND.NXT.
    sent: u64,
    fin: Option<u64>,
    /// Highest acknowledgement sent, as an offset in the peer's stream, and the right edge offered.
    acked: u64,
    edge: u64,
    last_tsval: Option<u32>,
    /// What of this stream has reached the peer's host.
    delivered: Ranges,
    delivered_tsvals: BTreeSet<u32>,
    newest_tsval: Option<u32>,
    /// The highest right edge and acknowledgement for this stream that have reached its sender.
    granted: u64,
    heard_ack: u64,
    /// The window of this stream's SYN, once it was delivered: it counts from the peer's SYN.
    syn_window: u64,
}

/// The segments of one pair of sockets.
#[derive(Debug)]
struct Flow {
    sockets: [SocketAddr; 2],
    streams: [Vec<Stream>; 2],
    emitted: u64,
}

/// Why the next packets come, if a delivery is the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Reset,
    /// An acknowledgement without anything that wants an answer.
    QuietAck,
}

/// How often something worth testing has happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks(pub(crate) BTreeMap<&'static str, u64>);

impl Marks {
    pub(crate) fn hit(&mut self, what: &'static str) {
        *self.0.entry(what).or_insert(0) += 1;
    }
}

/// The observer.
#[derive(Debug)]
pub(crate) struct Monitor {
    mtus: [usize; 2],
    flows: Vec<Flow>,
    books: BTreeMap<(usize, usize, u32), Book>,
    cause: Option<(usize, usize, Cause)>,
    /// Connections may live from SYN cookies, and an old duplicate may redeem one again.
    replays: bool,
    pub(crate) marks: Marks,
}

/// A rule was broken: which.
pub(crate) type Broken = String;

macro_rules! rule {
    ($holds:expr, $($text:tt)*) => {
        if !$holds {
            return Err(format!($($text)*));
        }
    };
}

impl Monitor {
    pub(crate) fn new(mtus: [usize; 2], replays: bool) -> Self {
        Self {
            mtus,
            flows: Vec::new(),
            books: BTreeMap::new(),
            cause: None,
            replays,
            marks: Marks::default(),
        }
    }

    /// The book of a connection of host `side`.
    pub(crate) fn book(&mut self, sockets: [SocketAddr; 2], side: usize, iss: SeqNum) -> &mut Book {
        let flow = self.flow(sockets);
        self.books.entry((flow, side, iss.0)).or_default()
    }

    pub(crate) fn emitted(&self) -> u64 {
        self.flows.iter().map(|flow| flow.emitted).sum()
    }

    fn flow(&mut self, sockets: [SocketAddr; 2]) -> usize {
        if let Some(at) = self.flows.iter().position(|flow| flow.sockets == sockets) {
            return at;
        }
        self.flows.push(Flow { sockets, streams: [Vec::new(), Vec::new()], emitted: 0 });
        self.flows.len() - 1
    }

    fn locate(&mut self, side: usize, packet: &IpPacket<'_>, segment: &Segment<'_>) -> usize {
        let from = SocketAddr::new(packet.source, segment.source_port);
        let to = SocketAddr::new(packet.destination, segment.destination_port);
        self.flow(if side == 0 { [from, to] } else { [to, from] })
    }

    /// Host `side` puts a packet on the wire.
    pub(crate) fn on_emit(&mut self, side: usize, octets: &[u8]) -> Result<Tag, Broken> {
        rule!(octets.len() <= self.mtus[side], "{} octets over the MTU of the interface", octets.len());
        let packet = IpPacket::parse(octets).map_err(|error| format!("malformed IP: {error:?}"))?;
        let segment =
            Segment::parse(&packet, Verify::Yes).map_err(|error| format!("malformed TCP: {error:?}"))?;
        let flow = self.locate(side, &packet, &segment);
        self.flows[flow].emitted += 1;
        self.check_answer(flow, side, &segment)?;
        if segment.has(Flags::RST) {
            self.marks.hit("reset");
            rule!(segment.payload.is_empty(), "a reset with text");
            rule!(packet.ecn == Ecn::NotEct, "a reset with ECT");
            return Ok(None);
        }
        if segment.has(Flags::SYN) {
            rule!(packet.ecn == Ecn::NotEct, "a SYN with ECT");
            return self.on_syn(flow, side, &segment).map(Some);
        }
        let Some(at) = self.stream_of(flow, side, segment.seq) else {
            return Err("numbered outside of all that was sent before".to_owned());
        };
        rule!(segment.has(Flags::ACK), "no ACK bit after the SYN");
        let iss = self.flows[flow].streams[side][at].iss;
        if self.replays && self.books.get(&(flow, side, iss.0)).is_none_or(|book| book.ended) {
            // Perhaps a second life of a cookie, which begins at the same number.
            let stream = &mut self.flows[flow].streams[side][at];
            stream.sent = stream.sent.max(offset(segment.end(), iss));
            return Ok(Some((flow, side, at)));
        }
        self.meet(flow, side, at, segment.ack)?;
        self.check_sequence(flow, side, at, &packet, &segment)?;
        self.check_text(flow, side, at, &segment)?;
        self.check_ack(flow, side, at, &segment)?;
        self.check_options(flow, side, at, &segment)?;
        Ok(Some((flow, side, at)))
    }

    /// RFC 9293 3.5.2: no reset for a reset. And no acknowledgement for one that wants no answer.
    fn check_answer(&self, flow: usize, side: usize, segment: &Segment<'_>) -> Result<(), Broken> {
        match self.cause.filter(|&(f, s, _)| (f, s) == (flow, side)) {
            Some((_, _, Cause::Reset)) => {
                rule!(!segment.has(Flags::RST), "a reset is answered with a reset");
            }
            Some((_, _, Cause::QuietAck)) => {
                let pure = segment.is_empty() && !segment.has(Flags::RST);
                rule!(!pure, "an acknowledgement is answered with an acknowledgement");
            }
            None => {}
        }
        Ok(())
    }

    /// The latest stream that a sequence number can belong to: text is sent without gaps.
    fn stream_of(&self, flow: usize, side: usize, seq: SeqNum) -> Option<usize> {
        let streams = &self.flows[flow].streams[side];
        (0..streams.len()).rev().find(|&at| offset(seq, streams[at].iss) <= streams[at].sent)
    }

    fn on_syn(
        &mut self,
        flow: usize,
        side: usize,
        segment: &Segment<'_>,
    ) -> Result<(usize, usize, usize), Broken> {
        let options = &segment.options;
        let acked = segment.has(Flags::ACK);
        let offer = Offer {
            mss: options.mss,
            scale: options.window_scale,
            sack: options.sack_permitted,
            timestamps: options.timestamps.is_some(),
            ecn_setup: !acked && segment.has(Flags::ECE | Flags::CWR),
            ecn_accepted: acked && segment.has(Flags::ECE) && !segment.has(Flags::CWR),
        };
        rule!(segment.payload.is_empty(), "text on a SYN without Fast Open");
        rule!(!segment.has(Flags::FIN), "SYN and FIN at once");
        rule!(options.sack.is_empty(), "SACK blocks on a SYN");
        let peers = &self.flows[flow].streams[1 - side];
        let peer = peers.iter().rposition(|peer| acked && segment.ack == peer.iss + 1);
        if acked {
            let Some(theirs) = peer.map(|at| &peers[at]) else {
                return Err("a SYN,ACK for no SYN".to_owned());
            };
            rule!(theirs.delivered.contiguous() >= 1, "a SYN,ACK for a SYN that never came");
            rule!(!offer.sack || theirs.offer.sack, "SACK permitted without having been offered");
            rule!(!offer.timestamps || theirs.offer.timestamps, "timestamps without having been offered");
            rule!(offer.scale.is_none() || theirs.offer.scale.is_some(), "window scale without an offer");
            rule!(!offer.ecn_accepted || theirs.offer.ecn_setup, "ECN without having been offered");
        }
        let streams = &mut self.flows[flow].streams[side];
        let at = streams.iter().position(|stream| stream.iss == segment.seq);
        let again = at.is_some();
        let at = at.unwrap_or_else(|| {
            streams.push(Stream::new(segment.seq));
            streams.len() - 1
        });
        let stream = &mut streams[at];
        let old = core::mem::replace(&mut stream.offer, offer);
        stream.offer.ecn_setup |= old.ecn_setup;
        stream.offer.ecn_accepted |= old.ecn_accepted;
        stream.peer = peer.or(stream.peer);
        let window = u64::from(segment.window);
        if acked {
            stream.acked = stream.acked.max(1);
            stream.edge = stream.edge.max(1 + window);
        }
        self.marks.hit(if again { "SYN again" } else { "SYN" });
        Ok((flow, side, at))
    }

    /// Both SYNs are known and what both offer is on.
    fn agreed(&self, flow: usize, side: usize, at: usize) -> Option<Agreement> {
        let ours = &self.flows[flow].streams[side][at];
        let theirs = &self.flows[flow].streams[1 - side][ours.peer?];
        let (a, b) = (ours.offer, theirs.offer);
        let scaled = a.scale.is_some() && b.scale.is_some();
        Some(Agreement {
            shift: if scaled { a.scale.unwrap_or(0).min(14) } else { 0 },
            sack: a.sack && b.sack,
            timestamps: a.timestamps && b.timestamps,
            ecn: a.ecn_setup && b.ecn_accepted || b.ecn_setup && a.ecn_accepted,
            peer_mss: b.mss,
        })
    }

    /// SND.NXT, the right edge, the FIN, ECN of what occupies sequence space.
    fn check_sequence(
        &mut self,
        flow: usize,
        side: usize,
        at: usize,
        packet: &IpPacket<'_>,
        segment: &Segment<'_>,
    ) -> Result<(), Broken> {
        let book = self.books.get(&(flow, side, self.flows[flow].streams[side][at].iss.0)).copied();
        let ecn = self.agreed(flow, side, at).is_some_and(|agreed| agreed.ecn);
        let peer = self.flows[flow].streams[side][at].peer;
        let opened = peer.map_or(0, |peer| self.flows[flow].streams[1 - side][peer].syn_window);
        let stream = &mut self.flows[flow].streams[side][at];
        stream.granted = stream.granted.max(opened);
        let start = offset(segment.seq, stream.iss);
        let end = start + u64::from(segment.len());
        let again = start < stream.sent;
        if segment.has(Flags::FIN) {
            rule!(stream.fin.is_none_or(|fin| fin == end - 1), "the FIN has moved");
            rule!(book.is_some_and(|book| book.ended && end - 2 == book.written), "a FIN before the end");
            stream.fin = Some(end - 1);
        }
        rule!(stream.fin.is_none_or(|fin| end <= fin + 1), "something beyond the FIN");
        rule!(ecn || packet.ecn == Ecn::NotEct, "ECT without an agreement");
        rule!(ecn || !segment.has(Flags::ECE) && !segment.has(Flags::CWR), "ECE or CWR without an agreement");
        if segment.is_empty() {
            // A keep-alive is one below (RFC 9293 3.8.4).
            // In a closed window only the right edge is acceptable, whatever a probe has used.
            let edge = start == stream.granted && start < stream.sent;
            let next = start == stream.sent || start + 1 == stream.sent;
            rule!(next || edge, "an empty segment not at SND.NXT");
            rule!(packet.ecn == Ecn::NotEct, "ECT on a pure acknowledgement");
            return Ok(());
        }
        rule!(!again || packet.ecn == Ecn::NotEct, "ECT on a retransmission");
        let probe = segment.len() == 1 && end == stream.granted + 1;
        rule!(end <= stream.granted || probe, "{} beyond the right edge", end - stream.granted);
        stream.sent = stream.sent.max(end);
        if probe && end > stream.granted {
            self.marks.hit("window probe");
        }
        self.marks.hit(if again { "retransmission" } else { "segment" });
        Ok(())
    }

    /// The payload is what the application wrote, whichever time it is sent, and fits the MSS.
    fn check_text(&self, flow: usize, side: usize, at: usize, segment: &Segment<'_>) -> Result<(), Broken> {
        if segment.payload.is_empty() {
            return Ok(());
        }
        let stream = &self.flows[flow].streams[side][at];
        let start = offset(segment.seq, stream.iss);
        // A keep-alive may carry one octet of garbage below SND.NXT, where the SYN was if nothing followed it
        // (RFC 9293 3.8.4, MAY-6).
        let garbage =
            segment.payload.len() == 1 && start + 1 == stream.sent && stream.heard_ack == stream.sent;
        if start == 0 {
            rule!(garbage, "text in the place of the SYN");
            return Ok(());
        }
        let Some(book) = self.books.get(&(flow, side, stream.iss.0)) else {
            return Err("text that nobody has written".to_owned());
        };
        let len = segment.payload.len() as u64;
        rule!(start - 1 + len <= book.written || garbage, "more text than was written");
        rule!(garbage || is_stream(book.key, start - 1, segment.payload), "other octets than were written");
        let agreed = self.agreed(flow, side, at);
        let default = if self.flows[flow].sockets[0].is_ipv4() { 536 } else { 1220 };
        let mss = agreed.and_then(|agreed| agreed.peer_mss).map_or(default, u64::from);
        let options = segment.options.emitted_len() as u64;
        rule!(
            len + options <= mss.max(options + 1),
            "{len} octets and {options} of options over an MSS of {mss}"
        );
        Ok(())
    }

    /// Which stream of the peer the first acknowledgement is for: of several SYN,ACKs, cookies among them, the
    /// opener has taken one.
    fn meet(&mut self, flow: usize, side: usize, at: usize, ack: SeqNum) -> Result<(), Broken> {
        if self.flows[flow].streams[side][at].peer.is_some() {
            return Ok(());
        }
        let theirs = &self.flows[flow].streams[1 - side];
        let peer = theirs.iter().rposition(|peer| {
            (1..=peer.sent).contains(&offset(ack, peer.iss)) && peer.delivered.contiguous() >= 1
        });
        let Some(peer) = peer else { return Err("acknowledges a stream that was never seen".to_owned()) };
        self.flows[flow].streams[side][at].peer = Some(peer);
        Ok(())
    }

    /// Acknowledgements say what has arrived, and never go back; neither does the right edge.
    fn check_ack(
        &mut self,
        flow: usize,
        side: usize,
        at: usize,
        segment: &Segment<'_>,
    ) -> Result<(), Broken> {
        let shift = self.agreed(flow, side, at).map_or(0, |agreed| agreed.shift);
        let Some(peer) = self.flows[flow].streams[side][at].peer else { return Ok(()) };
        let theirs = &self.flows[flow].streams[1 - side][peer];
        let ack = offset(segment.ack, theirs.iss);
        let come = theirs.delivered.contiguous();
        rule!(ack <= come, "acknowledges {ack}, but only {come} has come");
        let stream = &mut self.flows[flow].streams[side][at];
        rule!(ack >= stream.acked, "the acknowledgement goes back by {}", stream.acked - ack);
        stream.acked = ack;
        let edge = ack + (u64::from(segment.window) << shift);
        rule!(edge >= stream.edge, "the right edge goes back by {}", stream.edge - edge);
        stream.edge = edge;
        if segment.window == 0 {
            self.marks.hit("closed window");
        }
        Ok(())
    }

    fn check_options(
        &mut self,
        flow: usize,
        side: usize,
        at: usize,
        segment: &Segment<'_>,
    ) -> Result<(), Broken> {
        let Some(agreed) = self.agreed(flow, side, at) else { return Ok(()) };
        let options = &segment.options;
        rule!(options.mss.is_none(), "an MSS option after the SYN");
        rule!(options.window_scale.is_none(), "a window scale option after the SYN");
        rule!(!options.sack_permitted, "SACK permitted after the SYN");
        rule!(options.timestamps.is_some() == agreed.timestamps, "timestamps against the agreement");
        rule!(agreed.sack || options.sack.is_empty(), "SACK without an agreement");
        let [first, second] = &mut self.flows[flow].streams;
        let (ours, theirs) = if side == 0 { (first, second) } else { (second, first) };
        let ours = &mut ours[at];
        let theirs = &theirs[ours.peer.expect("an agreement has two sides")];
        if let Some(timestamps) = options.timestamps {
            let backwards = |last: u32| (timestamps.value.wrapping_sub(last) as i32) < 0;
            rule!(!ours.last_tsval.is_some_and(backwards), "the timestamp clock goes back");
            ours.last_tsval = Some(timestamps.value);
            rule!(theirs.delivered_tsvals.contains(&timestamps.echo), "echoes a timestamp that never came");
        }
        let ack = offset(segment.ack, theirs.iss);
        for (n, block) in options.sack.as_slice().iter().enumerate() {
            let (start, end) = (offset(block.start, theirs.iss), offset(block.end, theirs.iss));
            rule!(start < end, "an empty or inverted SACK block");
            rule!(theirs.delivered.covers(start, end), "SACK of {start}..{end}, which has not come");
            // Only the first may be a duplicate (RFC 2883 section 4).
            rule!(n == 0 || start > ack, "a SACK block that is acknowledged already");
            self.marks.hit(if start < ack { "D-SACK" } else { "SACK" });
        }
        Ok(())
    }

    /// A packet reaches host `side`. `busy` says that a timer of the host is due at this very moment.
    pub(crate) fn on_deliver(&mut self, side: usize, tag: Tag, octets: &[u8], busy: bool) {
        self.cause = None;
        let Ok(packet) = IpPacket::parse(octets) else { return };
        if packet.ecn == Ecn::Ce {
            self.marks.hit("congestion mark");
        }
        let Ok(segment) = Segment::parse(&packet, Verify::Yes) else {
            self.marks.hit("damaged packet");
            return;
        };
        let flow = self.locate(1 - side, &packet, &segment);
        if segment.has(Flags::RST) {
            self.cause = Some((flow, side, Cause::Reset)).filter(|_| !busy);
            return;
        }
        let Some((_, from, at)) = tag else { return };
        if !busy && self.is_quiet(flow, from, at, &segment) {
            self.cause = Some((flow, side, Cause::QuietAck));
        }
        let shift = if segment.has(Flags::SYN) {
            0
        } else {
            self.agreed(flow, from, at).map_or(0, |agreed| agreed.shift)
        };
        let stream = &mut self.flows[flow].streams[from][at];
        let start = offset(segment.seq, stream.iss);
        if stream.delivered.covers(start, start + u64::from(segment.len().max(1))) && !segment.is_empty() {
            self.marks.hit("duplicate delivered");
        }
        stream.delivered.insert(start, start + u64::from(segment.len()));
        if let Some(timestamps) = segment.options.timestamps {
            stream.delivered_tsvals.insert(timestamps.value);
            let newest = stream.newest_tsval.get_or_insert(timestamps.value);
            if (timestamps.value.wrapping_sub(*newest) as i32) > 0 {
                *newest = timestamps.value;
            }
        }
        if segment.has(Flags::SYN) {
            // RFC 9293 3.10.7.3: an opener echoes zero in its SYN.
            stream.delivered_tsvals.insert(0);
            stream.syn_window = u64::from(segment.window);
        }
        let Some(peer) = stream.peer.filter(|_| segment.has(Flags::ACK)) else { return };
        let theirs = &mut self.flows[flow].streams[1 - from][peer];
        let ack = offset(segment.ack, theirs.iss);
        theirs.heard_ack = theirs.heard_ack.max(ack);
        theirs.granted = theirs.granted.max(ack + (u64::from(segment.window) << shift));
    }

    /// Nothing more is caused by the last delivery.
    pub(crate) fn settle(&mut self) {
        self.cause = None;
    }

    /// A bare ACK in the window of a receiver that has acknowledged and sent all that it says (RFC 9293 3.10.7.4).
    fn is_quiet(&self, flow: usize, from: usize, at: usize, segment: &Segment<'_>) -> bool {
        let stream = &self.flows[flow].streams[from][at];
        let Some(receiver) = stream.peer.map(|peer| &self.flows[flow].streams[1 - from][peer]) else {
            return false;
        };
        let start = offset(segment.seq, stream.iss);
        let current = match (segment.options.timestamps, stream.newest_tsval) {
            (Some(timestamps), Some(last)) => (timestamps.value.wrapping_sub(last) as i32) >= 0,
            _ => true,
        };
        segment.flags == Flags::ACK
            && segment.payload.is_empty()
            && receiver.peer == Some(at)
            // Of the present incarnation, as far as the wire tells.
            && self.flows[flow].streams[from].len() == at + 1
            && stream.peer.is_some_and(|peer| peer + 1 == self.flows[flow].streams[1 - from].len())
            && receiver.acked == start
            && stream.delivered.contiguous() == start
            && offset(segment.ack, receiver.iss) >= receiver.heard_ack.max(1)
            && current
    }
}

/// What two SYNs agree on.
#[derive(Clone, Copy, Debug)]
struct Agreement {
    /// Of the windows in our segments.
    shift: u8,
    sack: bool,
    timestamps: bool,
    ecn: bool,
    peer_mss: Option<u16>,
}

impl Stream {
    fn new(iss: SeqNum) -> Self {
        Self {
            iss,
            offer: Offer::default(),
            peer: None,
            sent: 1,
            fin: None,
            acked: 0,
            edge: 0,
            last_tsval: None,
            delivered: Ranges::default(),
            delivered_tsvals: BTreeSet::new(),
            newest_tsval: None,
            granted: 0,
            heard_ack: 0,
            syn_window: 0,
        }
    }
}

/// How far a number lies above an initial sequence number. Streams are far shorter than 2^31.
fn offset(seq: SeqNum, iss: SeqNum) -> u64 {
    u64::from(seq.distance_from(iss))
}
