//! What the segments of a row are in numbers: for each class all positions that the row speaks of.

use core::time::Duration;

use tcpspec_reference::wire::Flags;

use crate::catalogue::Row;
use crate::host::BUFFER;
use crate::stimulus::{Ack, Action, After, Route, Seq, Shape, Stimulus, WINDOW, ack, bare, seg, with};

const NONE: Flags = Flags(0);
const FIN: Flags = Flags::FIN;
const SYN: Flags = Flags::SYN;
const RST: Flags = Flags::RST;
const PSH: Flags = Flags::PSH;
const FAR: i64 = 0x4000_0000;
const WND: i64 = BUFFER as i64;
/// The oldest acknowledgment that is not too old is this far below SND.UNA (RFC 5961 5.2).
const MAX_SND_WND: i64 = WINDOW as i64;

fn syn_fin() -> Flags {
    SYN | FIN
}

/// The stimuli of a segment row, or `None` if its class is not in this table.
pub(crate) fn stimuli(row: &Row) -> Option<Vec<Stimulus>> {
    match row.state.as_str() {
        "CLOSED" | "LISTEN" => unsynchronized(row),
        "SYN-SENT" => syn_sent(row),
        "SYN-RECEIVED" => syn_received(row).or_else(|| first_four_checks(row)),
        "TIME-WAIT" => time_wait(row).or_else(|| synchronized(row)),
        _ => synchronized(row),
    }
}

fn synchronized(row: &Row) -> Option<Vec<Stimulus>> {
    first_four_checks(row)
        .or_else(|| closed_window(row))
        .or_else(|| fifth_check(row))
        .or_else(|| text(row))
        .or_else(|| fins(row))
}

/// Whether text from the peer still counts in this state.
fn takes_text(row: &Row) -> bool {
    matches!(row.state.as_str(), "ESTABLISHED" | "FIN-WAIT-1" | "FIN-WAIT-2")
}

/// Something of ours is acknowledged only where something is outstanding.
fn with_data(row: &Row, stimulus: Stimulus) -> Stimulus {
    let may =
        matches!(row.state.as_str(), "ESTABLISHED" | "FIN-WAIT-1" | "CLOSE-WAIT" | "CLOSING" | "LAST-ACK");
    if may { stimulus.unacked(200) } else { stimulus }
}

fn unsynchronized(row: &Row) -> Option<Vec<Stimulus>> {
    let any = Ack::Iss(0x1234_5678);
    Some(match row.class.as_str() {
        "rst" => vec![
            seg("RST", bare(RST)),
            seg("RST,ACK", with(RST).ack(any)),
            seg("SYN,RST", bare(SYN | RST)),
            seg("FIN,RST with text", bare(FIN | RST).text(5)),
        ],
        "no-ack/syn" => vec![seg("SYN", bare(SYN)), seg("SYN with text", bare(SYN).text(7))],
        "no-ack/data" => vec![seg("text", bare(NONE).text(7)), seg("text, PSH", bare(PSH).text(1))],
        "no-ack/fin" => vec![
            seg("FIN", bare(FIN)),
            seg("FIN with text", bare(FIN).text(3)),
            seg("SYN,FIN", bare(syn_fin())),
        ],
        "no-ack/null" => vec![seg("no bits", bare(NONE)), seg("URG", bare(NONE).urgent(1))],
        "ack/pure" => vec![
            seg("ACK", ack().ack(any)),
            seg("ACK of zero", ack().ack(Ack::Iss(0))),
            seg("ACK of the last number", ack().ack(Ack::Iss(-1))),
        ],
        "ack/syn" => vec![seg("SYN,ACK", with(SYN).ack(any))],
        "ack/data" => vec![seg("text", ack().ack(any).text(9)), seg("text, PSH", with(PSH).ack(any).text(9))],
        "ack/fin" => {
            vec![seg("FIN,ACK", with(FIN).ack(any)), seg("FIN,ACK with text", with(FIN).ack(any).text(4))]
        }
        "syn" => vec![seg("SYN", bare(SYN)), seg("SYN at the wrap", bare(SYN).seq(Seq::Irs(0)))],
        "syn+data" => vec![seg("SYN with text", bare(SYN).text(10))],
        "syn+fin" => vec![seg("SYN,FIN", bare(syn_fin()))],
        "syn to broadcast/multicast" => vec![
            seg("to broadcast", bare(SYN).route(Route::To("255.255.255.255"))),
            seg("to multicast", bare(SYN).route(Route::To("224.0.0.1"))),
        ],
        "syn from invalid source" => vec![
            seg("from broadcast", bare(SYN).route(Route::From("255.255.255.255"))),
            seg("from multicast", bare(SYN).route(Route::From("239.1.2.3"))),
            seg("from nowhere", bare(SYN).route(Route::From("0.0.0.0"))),
            seg("from ourselves", bare(SYN).route(Route::From("10.0.0.2"))),
        ],
        "other" => vec![
            seg("FIN", bare(FIN)),
            seg("text", bare(NONE).text(5)),
            seg("no bits", bare(NONE)),
            seg("URG", bare(NONE).urgent(3)),
        ],
        _ => return None,
    })
}

fn syn_sent(row: &Row) -> Option<Vec<Stimulus>> {
    let open = Ack::Nxt(0);
    Some(match row.class.as_str() {
        "ack unacceptable, low" => vec![
            seg("ACK of ISS", ack().ack(Ack::Iss(0))),
            seg("SYN,ACK of ISS", with(SYN).ack(Ack::Iss(0))),
            seg("ACK below ISS", ack().ack(Ack::Iss(-1)).text(5)),
            seg("ACK far below", ack().ack(Ack::Iss(-FAR))),
        ],
        "ack unacceptable, high" => vec![
            seg("ACK above SND.NXT", ack().ack(Ack::Nxt(1))),
            seg("SYN,ACK above SND.NXT", with(SYN).ack(Ack::Nxt(1))),
            seg("FIN,ACK far above", with(FIN).ack(Ack::Nxt(FAR))),
        ],
        "rst + ack unacceptable" => vec![
            seg("of ISS", with(RST).ack(Ack::Iss(0))),
            seg("below", with(RST).ack(Ack::Iss(-1))),
            seg("above", with(RST).ack(Ack::Nxt(1))),
            seg("with SYN", with(RST | SYN).ack(Ack::Nxt(1))),
        ],
        "rst + ack acceptable" => vec![
            seg("RST,ACK", with(RST).ack(open)),
            seg("RST,ACK elsewhere", with(RST).ack(open).seq(Seq::Irs(FAR))),
            seg("SYN,RST,ACK", with(RST | SYN).ack(open)),
        ],
        "rst, no ack" => vec![seg("RST", bare(RST)), seg("SYN,RST", bare(RST | SYN))],
        "syn + ack acceptable" => vec![seg("SYN,ACK", with(SYN).ack(open)).una(Ack::Nxt(0))],
        "syn + ack acceptable + data" => {
            vec![seg("SYN,ACK with text", with(SYN).ack(open).text(50)).delivers(50)]
        }
        "syn + ack acceptable + fin" => vec![
            seg("SYN,FIN,ACK", with(syn_fin()).ack(open)).fin(),
            seg("SYN,FIN,ACK with text", with(syn_fin()).ack(open).text(50)).delivers(50).fin(),
        ],
        "syn, no ack" => vec![seg("SYN", bare(SYN)), seg("SYN,PSH", bare(SYN | PSH))],
        "syn + data, no ack" => vec![seg("SYN with text", bare(SYN).text(50))],
        "ack acceptable only" => vec![
            seg("ACK", ack().ack(open)),
            seg("ACK with text", ack().ack(open).text(5)),
            seg("FIN,ACK", with(FIN).ack(open)),
        ],
        "neither" => vec![
            seg("text", bare(NONE).text(5)),
            seg("FIN", bare(FIN)),
            seg("no bits", bare(NONE)),
            seg("URG", bare(NONE).urgent(1)),
        ],
        _ => return None,
    })
}

fn syn_received(row: &Row) -> Option<Vec<Stimulus>> {
    let open = || ack().ack(Ack::Nxt(0));
    let open_with = |flags| with(flags).ack(Ack::Nxt(0));
    Some(match row.class.as_str() {
        "out-window" => vec![
            seg("empty, left", open().seq(Seq::Nxt(-1))),
            seg("empty, right", open().seq(Seq::Edge(0))),
            seg("text, left", open().seq(Seq::Nxt(-10)).text(10)),
            seg("text, right", open().seq(Seq::Edge(0)).text(10)),
            seg("FIN, far", open_with(FIN).seq(Seq::Nxt(FAR))),
        ],
        "syn retransmitted" => vec![seg("SYN", bare(SYN).seq(Seq::Irs(0)))],
        "syn,ack in simultaneous open" => {
            vec![seg("SYN,ACK", open_with(SYN).seq(Seq::Irs(0))).una(Ack::Nxt(0))]
        }
        "ack acceptable" => vec![
            seg("ACK", open().window(1234)).una(Ack::Nxt(0)).snd_wnd(1234),
            seg("ACK in the window", open().seq(Seq::Nxt(5))).una(Ack::Nxt(0)),
        ],
        "ack acceptable + data" => {
            vec![seg("text", open().text(50)).delivers(50), seg("PSH", open_with(PSH).text(1)).delivers(1)]
        }
        "ack acceptable + fin" => vec![
            seg("FIN", open_with(FIN)).fin(),
            seg("FIN with text", open_with(FIN).text(50)).delivers(50).fin(),
        ],
        "ack acceptable + urg" => vec![
            seg("URG", open().urgent(3)).urgent_news(),
            seg("URG with text", open().urgent(3).text(5)).urgent_news().delivers(5),
        ],
        "ack acceptable + out-of-order data" => {
            let fill = After::Fill { gap: 10, total: 30, fin: false };
            vec![seg("text above RCV.NXT", open().seq(Seq::Nxt(10)).text(20)).at_once().after(fill)]
        }
        "ack unacceptable, low" => vec![
            seg("of ISS", ack().ack(Ack::Iss(0))),
            seg("of ISS with text", ack().ack(Ack::Iss(0)).text(5)),
            seg("below ISS", ack().ack(Ack::Iss(-1))),
        ],
        "ack unacceptable, high" => vec![
            seg("above SND.NXT", ack().ack(Ack::Nxt(1))),
            seg("above SND.NXT with text", ack().ack(Ack::Nxt(1)).text(5)),
            seg("far above", ack().ack(Ack::Nxt(FAR))),
        ],
        _ => return None,
    })
}

/// Sequence number, RST, SYN, and that there is an ACK: the same in all synchronized states.
fn first_four_checks(row: &Row) -> Option<Vec<Stimulus>> {
    Some(match row.class.as_str() {
        "out-window data, old" => vec![
            seg("just old", ack().seq(Seq::Nxt(-10)).text(10)),
            seg("one octet", ack().seq(Seq::Nxt(-1)).text(1)),
            seg("far", ack().seq(Seq::Nxt(-FAR)).text(10)),
        ],
        "out-window data, beyond" => vec![
            seg("at the edge", ack().seq(Seq::Edge(0)).text(10)),
            seg("one octet past it", ack().seq(Seq::Edge(1)).text(1)),
            seg("far", ack().seq(Seq::Edge(FAR)).text(10)),
        ],
        "out-window empty" => vec![
            seg("keep-alive", ack().seq(Seq::Nxt(-1))),
            seg("at the edge", ack().seq(Seq::Edge(0))),
            seg("far left", ack().seq(Seq::Nxt(-FAR))),
            seg("far right", ack().seq(Seq::Edge(FAR))),
        ],
        "rst exact" => vec![
            seg("RST", bare(RST)),
            seg("RST,ACK", with(RST)),
            seg("RST,ACK of nonsense", with(RST).ack(Ack::Nxt(FAR))),
            seg("RST with text", bare(RST).text(12)),
        ],
        "rst in-window, not exact" => vec![
            seg("one off", bare(RST).seq(Seq::Nxt(1))),
            seg("middle", with(RST).seq(Seq::Nxt(WND / 2))),
            seg("last", bare(RST).seq(Seq::Edge(-1))),
        ],
        "rst out-window" => vec![
            seg("one below", bare(RST).seq(Seq::Nxt(-1))),
            seg("one below, with ACK", with(RST).seq(Seq::Nxt(-1))),
            seg("at the edge", bare(RST).seq(Seq::Edge(0))),
            seg("far left", bare(RST).seq(Seq::Nxt(-FAR))),
            seg("far right", bare(RST).seq(Seq::Edge(FAR))),
        ],
        "syn in-window" => vec![
            seg("SYN at RCV.NXT", bare(SYN)),
            seg("SYN,ACK at RCV.NXT", with(SYN)),
            seg("SYN inside", bare(SYN).seq(Seq::Nxt(1))),
            seg("SYN,ACK at the last number", with(SYN).seq(Seq::Edge(-1))),
        ],
        "syn out-window" => vec![
            seg("a copy of the first SYN", bare(SYN).seq(Seq::Irs(0))),
            seg("one below", bare(SYN).seq(Seq::Nxt(-1))),
            seg("SYN,ACK below", with(SYN).seq(Seq::Nxt(-2))),
            seg("at the edge", bare(SYN).seq(Seq::Edge(0))),
            seg("a peer that has started anew", bare(SYN).seq(Seq::Nxt(FAR))),
        ],
        "syn,ack retransmitted" => vec![seg("SYN,ACK", with(SYN).seq(Seq::Irs(0)).ack(Ack::Iss(1)))],
        "ack missing" => vec![
            seg("text", bare(NONE).text(10)),
            seg("FIN", bare(FIN)),
            seg("text and FIN", bare(FIN | PSH).text(10)),
            seg("no bits", bare(NONE)),
        ],
        "fin without ack" => vec![seg("FIN", bare(FIN)), seg("FIN with text", bare(FIN).text(5))],
        _ => return None,
    })
}

/// RCV.WND = 0. The peer has text, a reset or urgent news all the same (MUST-66).
fn closed_window(row: &Row) -> Option<Vec<Stimulus>> {
    let list = match row.class.as_str() {
        "zero-window data" => {
            vec![
                seg("window probe", ack().text(1)),
                seg("more text", ack().text(100).window(1234)).snd_wnd(1234),
            ]
        }
        "zero-window empty, exact" => {
            let mut all = vec![seg("ACK", ack().window(1234)).snd_wnd(1234)];
            if row.state != "FIN-WAIT-2" {
                all.push(seg("ACK of half", ack().ack(Ack::Una(100))).unacked(200).una(Ack::Una(100)));
            }
            all
        }
        "zero-window empty, not exact" => {
            vec![seg("below", ack().seq(Seq::Nxt(-1))), seg("above", ack().seq(Seq::Nxt(1)))]
        }
        "zero-window urg" => vec![
            seg("URG with text", ack().urgent(5).text(1)).urgent_news(),
            seg("URG alone", ack().urgent(5)).urgent_news(),
        ],
        "zero-window rst exact" => vec![seg("RST", bare(RST)), seg("RST,ACK", with(RST))],
        "zero-window rst, not exact" => {
            vec![seg("below", bare(RST).seq(Seq::Nxt(-1))), seg("above", with(RST).seq(Seq::Nxt(1)))]
        }
        _ => return None,
    };
    Some(list.into_iter().map(Stimulus::full).collect())
}

/// The ACK field, which may be old, new or wrong, and the window that comes with it.
fn fifth_check(row: &Row) -> Option<Vec<Stimulus>> {
    let partial = |what, octets| seg(what, ack().ack(Ack::Una(octets))).unacked(200).una(Ack::Una(octets));
    Some(match row.class.as_str() {
        "ack old duplicate" => old_duplicates(row),
        "ack far too old" => vec![
            far_too_old(row, "one too old", Ack::Una(-MAX_SND_WND - 1)),
            far_too_old(row, "half the space away", Ack::Una(-FAR)),
        ],
        "ack beyond SND.NXT" => vec![
            seg("one beyond", ack().ack(Ack::Nxt(1))).una(Ack::Una(0)),
            seg("one beyond, with text", ack().ack(Ack::Nxt(1)).text(10)).una(Ack::Una(0)),
            seg("far beyond, with FIN", with(FIN).ack(Ack::Nxt(FAR))).una(Ack::Una(0)),
        ],
        "ack acceptable" if row.state == "FIN-WAIT-2" => vec![seg("ACK", ack().ack(Ack::Nxt(0)))],
        "ack acceptable" => vec![
            partial("of one octet", 1),
            partial("of half", 100),
            partial("of everything", 200),
            partial("of everything, with a new window", 200).snd_wnd(u32::from(WINDOW)),
        ],
        "ack acceptable, not our FIN" => {
            vec![partial("of one octet", 1), partial("of half", 100), partial("of all but the FIN", 200)]
        }
        "ack of our FIN" => vec![
            seg("ACK", ack().ack(Ack::Nxt(0))),
            seg("ACK of text and FIN", ack().ack(Ack::Nxt(0))).unacked(200),
        ],
        "window update" => vec![
            seg("smaller", ack().window(5000)).snd_wnd(5000),
            seg("larger", ack().window(20000)).snd_wnd(20000),
            seg("above RCV.NXT", ack().seq(Seq::Nxt(5)).window(6000)).snd_wnd(6000),
            with_data(row, seg("with data in flight", ack().window(7000)).snd_wnd(7000)),
        ],
        "stale window" => stale_windows(row),
        _ => return None,
    })
}

fn old_duplicates(row: &Row) -> Vec<Stimulus> {
    let mut all = vec![
        with_data(row, seg("of SND.UNA", ack()).una(Ack::Una(0))),
        with_data(row, seg("one below", ack().ack(Ack::Una(-1))).una(Ack::Una(0))),
        seg("the oldest", ack().ack(Ack::Una(-MAX_SND_WND))).una(Ack::Una(0)),
        seg("a new window at SND.UNA", ack().window(1234)).snd_wnd(1234),
    ];
    if takes_text(row) {
        all.push(seg("one below, with text", ack().ack(Ack::Una(-1)).text(10)).acked_text(10));
        all.push(seg("the oldest, with text", ack().ack(Ack::Una(-MAX_SND_WND)).text(10)).acked_text(10));
    } else {
        all.push(seg("one below, with text", ack().ack(Ack::Una(-1)).text(10)));
    }
    all
}

fn far_too_old(row: &Row, what: &'static str, number: Ack) -> Stimulus {
    let stimulus = seg(what, ack().ack(number).text(10)).una(Ack::Una(0));
    if row.variant == "classic" && takes_text(row) { stimulus.delivers(10) } else { stimulus }
}

fn stale_windows(row: &Row) -> Vec<Stimulus> {
    let ahead = Action::Segment(ack().seq(Seq::Nxt(100)));
    let later = Action::Segment(ack().ack(Ack::Una(100)));
    let mut all = vec![
        seg("SEG.SEQ < SND.WL1", ack().window(1234)).before(ahead).snd_wnd(u32::from(WINDOW)),
        seg("SEG.ACK < SND.WL2", ack().ack(Ack::Una(-1)).window(1234)).snd_wnd(u32::from(WINDOW)),
    ];
    let newer = seg("an ACK that was overtaken", ack().ack(Ack::Una(-50)).window(1234)).before(later);
    if row.state != "FIN-WAIT-2" {
        all.push(with_data(row, newer).snd_wnd(u32::from(WINDOW)));
    }
    all
}

/// Urgent data and text.
fn text(row: &Row) -> Option<Vec<Stimulus>> {
    Some(match row.class.as_str() {
        "urg" if takes_text(row) => vec![
            seg("with text", ack().urgent(5).text(5)).urgent_news().delivers(5),
            seg("pointing ahead", ack().urgent(500).text(5)).urgent_news().delivers(5),
            seg("alone", ack().urgent(5)).urgent_news(),
            seg("again", ack().urgent(5)).before(Action::Segment(ack().urgent(5))),
            seg("a run that goes on", ack().urgent(10).text(5))
                .before(Action::Segment(ack().urgent(20)))
                .delivers(5),
        ],
        "urg" => vec![seg("alone", ack().urgent(5)), seg("with text", ack().urgent(5).text(5))],
        "data in order" if takes_text(row) => vec![
            seg("text", ack().text(100)).delivers(100),
            seg("one octet, PSH", with(PSH).text(1)).delivers(1),
            seg("the whole window", ack().text(BUFFER)).delivers(BUFFER),
            seg("two full segments", ack().text(1000))
                .first(Action::Segment(ack().text(1000)))
                .delivers(2000)
                .at_once(),
        ],
        "data in order" => vec![seg("text", ack().text(100)), seg("text, PSH", with(PSH).text(1))],
        "data out-of-order" if takes_text(row) => {
            vec![held("one above", 1, 100), held("further", 100, 100), held("the last octet", BUFFER - 1, 1)]
        }
        "data out-of-order" => {
            vec![
                seg("one above", ack().seq(Seq::Nxt(1)).text(10)),
                seg("last", ack().seq(Seq::Edge(-1)).text(1)),
            ]
        }
        "data fills gap" => {
            let hold = |at, len| Action::Segment(ack().seq(Seq::Nxt(at)).text(len));
            vec![
                seg("exactly", ack().text(100)).before(hold(100, 100)).delivers(200),
                seg("and overlaps", ack().text(150)).before(hold(100, 100)).delivers(200),
                seg("and covers", ack().text(250)).before(hold(100, 100)).delivers(250),
                seg("the first of two holes", ack().text(100))
                    .before(hold(200, 100))
                    .before(hold(100, 50))
                    .delivers(150),
            ]
        }
        "data overlap left" => vec![
            seg("half", ack().seq(Seq::Nxt(-50)).text(100)).delivers(50),
            seg("one new octet", ack().seq(Seq::Nxt(-99)).text(100)).delivers(1),
        ],
        "data overlap right edge" => vec![
            seg("by 50", ack().text(BUFFER + 50)).delivers(BUFFER),
            seg("by one, with FIN", with(FIN).text(BUFFER + 1)).delivers(BUFFER),
            seg("by the FIN alone", with(FIN).text(BUFFER)).delivers(BUFFER),
        ],
        "data overlap held" => {
            let hold = Action::Segment(ack().seq(Seq::Nxt(100)).text(100));
            let at = |at, len| ack().seq(Seq::Nxt(at)).text(len);
            let fill = |total| After::Fill { gap: 100, total, fin: false };
            vec![
                seg("on the right", at(150, 100)).before(hold).after(fill(250)),
                seg("inside", at(120, 10)).before(hold).after(fill(200)),
                seg("on both sides", at(100, 200)).before(hold).after(fill(300)),
                seg("on the left", at(50, 100)).before(hold).after(After::Fill {
                    gap: 50,
                    total: 200,
                    fin: false,
                }),
            ]
        }
        _ => return None,
    })
}

fn held(what: &'static str, gap: u32, len: u32) -> Stimulus {
    seg(what, ack().seq(Seq::Nxt(i64::from(gap))).text(len)).after(After::Fill {
        gap,
        total: gap + len,
        fin: false,
    })
}

/// The peer's FIN: first, early, again.
fn fins(row: &Row) -> Option<Vec<Stimulus>> {
    let acked = || with(FIN).ack(Ack::Nxt(0));
    let hole = After::Fill { gap: 100, total: 100, fin: true };
    let text_and_hole = After::Fill { gap: 100, total: 150, fin: true };
    Some(match row.class.as_str() {
        "fin in order" | "fin in order, our FIN not acked" => vec![seg("FIN", with(FIN)).fin()],
        "fin in order + ack of our FIN" => vec![seg("FIN", acked()).fin()],
        "fin + data in order" | "fin + data in order, our FIN not acked" => vec![
            seg("text and FIN", with(FIN).text(100)).delivers(100).fin(),
            seg("FIN on the last number of the window", with(FIN).text(BUFFER - 1))
                .delivers(BUFFER - 1)
                .fin(),
        ],
        "fin + data in order + ack of our FIN" => {
            vec![seg("text and FIN", acked().text(100)).delivers(100).fin()]
        }
        "fin out-of-order" => vec![
            seg("FIN above a hole", with(FIN).seq(Seq::Nxt(100))).after(hole),
            seg("text and FIN above a hole", with(FIN).seq(Seq::Nxt(100)).text(50)).after(text_and_hole),
        ],
        "fin in order (second FIN)" => vec![seg("FIN", with(FIN)), seg("FIN with text", with(FIN).text(5))],
        "fin retransmitted" => {
            let wait = Action::Wait(Duration::from_secs(200));
            let again = |what, shape: Shape| {
                if row.state == "TIME-WAIT" {
                    seg(what, shape).before(wait).after(After::Lingers)
                } else {
                    seg(what, shape)
                }
            };
            vec![
                again("FIN", with(FIN).seq(Seq::Nxt(-1))),
                again("text and FIN", with(FIN).seq(Seq::Nxt(-11)).text(10)),
            ]
        }
        _ => return None,
    })
}

fn time_wait(row: &Row) -> Option<Vec<Stimulus>> {
    let refuse = |stimulus: Stimulus| stimulus.tune(|config| config.time_wait_reuse = false);
    Some(match row.class.as_str() {
        "syn, ISN above" => vec![
            seg("SYN just above", bare(SYN).seq(Seq::Nxt(1))).after(After::IsAccepted),
            seg("SYN far above", bare(SYN).seq(Seq::Nxt(FAR))).after(After::IsAccepted),
        ],
        "syn, newer timestamp" => vec![
            seg("SYN above", bare(SYN).seq(Seq::Nxt(FAR))).timestamps().after(After::IsAccepted),
            seg("SYN below", bare(SYN).seq(Seq::Nxt(-FAR))).timestamps().after(After::IsAccepted),
        ],
        "syn, older timestamp" => vec![
            seg("SYN above", bare(SYN).seq(Seq::Nxt(FAR)).age(-5)).timestamps(),
            seg("SYN below", bare(SYN).seq(Seq::Nxt(-FAR)).age(-5)).timestamps(),
        ],
        "syn, reuse refused" => vec![
            seg("SYN at RCV.NXT", bare(SYN)),
            seg("SYN below", bare(SYN).seq(Seq::Nxt(-1))),
            seg("SYN,ACK above", with(SYN).seq(Seq::Nxt(1))),
            refuse(seg("SYN above", bare(SYN).seq(Seq::Nxt(1)))),
            refuse(seg("SYN far above", bare(SYN).seq(Seq::Nxt(FAR)))),
        ],
        "syn in-window, reuse refused" => {
            vec![refuse(seg("SYN inside", bare(SYN).seq(Seq::Nxt(1)))), refuse(seg("SYN,ACK", with(SYN)))]
        }
        "syn out-window, reuse refused" => {
            vec![
                seg("SYN below", bare(SYN).seq(Seq::Nxt(-1))),
                seg("the first SYN", bare(SYN).seq(Seq::Irs(0))),
            ]
        }
        "ack in-window, no FIN" => vec![seg("ACK", ack().ack(Ack::Nxt(0)))],
        _ => return None,
    })
}
