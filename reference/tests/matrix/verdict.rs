//! Holds what happened against what the row says.

use core::time::Duration;

use tcpspec_reference::wire::Flags;
use tcpspec_reference::{EventKind, SeqNum, StateName, Status};

use crate::catalogue::{Emit, Row};
use crate::host::{Answer, Host, Seen, Sent};
use crate::scene::Origin;
use crate::signal::{Signal, Told};
use crate::stimulus::{Ack, Action, After, Call, Emits, Seq, Stimulus, ack, with};

type Outcome = Result<(), String>;

/// A delayed acknowledgement is less delayed than this (MUST-40).
const DELAYED_ACK: Duration = Duration::from_millis(499);

/// What there is to judge a row by.
pub(crate) struct Trace {
    pub(crate) origin: Origin,
    pub(crate) before: Status,
    pub(crate) after: Status,
    pub(crate) sent: Sent,
    pub(crate) answer: Answer,
    pub(crate) events: Vec<EventKind>,
    pub(crate) emitted: Vec<Seen>,
    /// Octets that can be read and have been waiting since before the event.
    pub(crate) waiting: u32,
}

/// Makes the event happen and gathers what comes of it.
pub(crate) fn run(host: &mut Host, row: &Row, stimulus: &Stimulus, origin: Origin) -> Trace {
    for &action in &stimulus.before {
        host.act(action);
        host.drain();
    }
    host.events();
    let before = host.status();
    let waiting = before.readable as u32;
    let (mut answer, mut emitted) = (Answer::None, Vec::new());
    for &action in &stimulus.event {
        let (got, seen) = host.act(action);
        answer = got;
        emitted.extend(seen);
    }
    emitted.extend(host.drain());
    let patient = !stimulus.at_once && !row.emit.iter().any(|emit| emit.at_once);
    let late = stimulus.delivered > 0 && patient;
    if emitted.is_empty() && late {
        emitted = host.wait(DELAYED_ACK);
    }
    Trace {
        origin,
        before,
        after: host.status(),
        sent: host.sent,
        answer,
        events: host.events(),
        emitted,
        waiting,
    }
}

/// All that a row says.
pub(crate) fn judge(host: &mut Host, row: &Row, stimulus: &Stimulus, trace: &Trace) -> Outcome {
    emission(host, row, stimulus, trace)?;
    variables(host, row, stimulus, trace)?;
    state(host, row)?;
    signal(host, row, stimulus, trace)?;
    delivered(host, row, stimulus, trace)?;
    aftermath(host, row, stimulus, trace)
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// Other emissions that the note of a row allows.
fn also_allowed(row: &Row) -> Vec<Vec<Emit>> {
    let empty = |ctl, seq: &str, ack: Option<&str>| Emit {
        flags: ctl,
        may: Flags::default(),
        seq: seq.to_owned(),
        ack: ack.map(str::to_owned),
        window: None,
        urgent: false,
        data: false,
        at_once: false,
    };
    match row.id.as_str() {
        // "most stacks resend SYN,ACK ... and a test should take both"
        "SEM-SRC-02" => vec![vec![empty(Flags::SYN | Flags::ACK, "ISS", Some("RCV.NXT"))]],
        // "Conflict in the RFC: take RST or ACK"
        "SEM-SRC-21" => vec![vec![empty(Flags::RST, "SEG.ACK", None)]],
        // "RFC 6191 says silent drop, RFC 9293/5961 a challenge ACK for the general case; accept both"
        "SEM-TWT-12" => vec![vec![empty(Flags::ACK, "SND.NXT", Some("RCV.NXT"))]],
        _ => Vec::new(),
    }
}

fn emission(host: &Host, row: &Row, stimulus: &Stimulus, trace: &Trace) -> Outcome {
    if row.strength == "unspecified" {
        let reset = trace.emitted.iter().any(|seen| seen.flags.has(Flags::RST));
        return ensure(!reset, || {
            format!("a reset, where the RFC leaves all else open: {:?}", trace.emitted)
        });
    }
    if row.emit.iter().any(|emit| emit.data) {
        return if row.class == "RETRANSMISSION TIMEOUT" {
            retransmission(host, &row.emit[0], trace)
        } else {
            stream(host, row, trace)
        };
    }
    let nothing_owed = row.note.contains("ACK owed only if the segment has") && trace.sent.len == 0;
    let expected = if nothing_owed || row.class == "USER TIMEOUT" && trace.origin == Origin::Passive {
        Vec::new()
    } else if stimulus.emits == Emits::AckOfText {
        vec![Emit {
            flags: Flags::ACK,
            may: Flags::default(),
            seq: "SND.NXT".to_owned(),
            ack: Some("RCV.NXT".to_owned()),
            window: None,
            urgent: false,
            data: false,
            at_once: false,
        }]
    } else {
        row.emit.clone()
    };
    // "A RST may be sent by stacks; text names none"
    if row.class == "USER TIMEOUT" && trace.emitted.iter().all(|seen| seen.flags.has(Flags::RST)) {
        return Ok(());
    }
    let first = segments(&expected, stimulus, trace);
    if first.is_ok() || also_allowed(row).iter().any(|other| segments(other, stimulus, trace).is_ok()) {
        return Ok(());
    }
    first
}

/// RCV.NXT after the event, from what was sent and not from what the endpoint says.
fn rcv_nxt(stimulus: &Stimulus, trace: &Trace) -> SeqNum {
    let advance = stimulus.delivered + u32::from(stimulus.fin);
    let anew = trace.before.iss != trace.after.iss && trace.after.state == StateName::SynReceived;
    let synchronizes = anew || matches!(trace.before.state, StateName::Closed | StateName::SynSent);
    let base = if synchronizes { trace.sent.seq + 1 } else { trace.before.rcv_nxt };
    base + advance
}

fn segments(expected: &[Emit], stimulus: &Stimulus, trace: &Trace) -> Outcome {
    let seen = &trace.emitted;
    ensure(seen.len() == expected.len(), || {
        format!("expected {} segments, got {}: {seen:?}", expected.len(), seen.len())
    })?;
    let mut snd_nxt = trace.before.snd_nxt;
    for (emit, seen) in expected.iter().zip(seen) {
        if emit.seq == "unspecified" {
            return reset_of_any_form(seen, snd_nxt, &trace.sent);
        }
        let flags = seen.flags.without(emit.may);
        ensure(flags == emit.flags.without(emit.may), || {
            format!("expected {:?}, got {:?}", emit.flags, seen.flags)
        })?;
        let seq = match emit.seq.as_str() {
            "0" => SeqNum(0),
            "ISS" => trace.after.iss,
            "SEG.ACK" => trace.sent.ack,
            "SND.NXT" => snd_nxt,
            other => return Err(format!("the test does not know SEQ={other}")),
        };
        ensure(seen.seq == seq, || format!("expected SEQ={} {seq:?}, got {:?}", emit.seq, seen.seq))?;
        let ack = match emit.ack.as_deref() {
            None => seen.ack,
            Some("RCV.NXT") => rcv_nxt(stimulus, trace),
            Some("SEG.SEQ+SEG.LEN") => trace.sent.seq + trace.sent.len,
            Some("SEG.SEQ+1") => trace.sent.seq + 1,
            Some(other) => return Err(format!("the test does not know ACK={other}")),
        };
        ensure(seen.ack == ack, || format!("expected ACK={ack:?}, got {:?}", seen.ack))?;
        let window = emit.window.unwrap_or(seen.window);
        ensure(seen.window == window, || format!("expected WND={window}, got {}", seen.window))?;
        if emit.urgent {
            // MUST-62: the octet after the urgent data, which is all that was just sent.
            let up = seen.text.len();
            ensure(usize::from(seen.urgent) == up, || format!("expected UP={up}, got {}", seen.urgent))?;
        } else {
            ensure(seen.text.is_empty(), || format!("{} octets of text", seen.text.len()))?;
        }
        snd_nxt += seen.len();
    }
    Ok(())
}

/// "take SEQ=SND.NXT or SEQ=SEG.ACK, or SEQ=0 with ACK=SEG.SEQ+SEG.LEN"
fn reset_of_any_form(seen: &Seen, snd_nxt: SeqNum, sent: &Sent) -> Outcome {
    let plain = seen.flags == Flags::RST && (seen.seq == snd_nxt || seen.seq == sent.ack);
    let with_ack =
        seen.flags == Flags::RST | Flags::ACK && (seen.seq, seen.ack) == (SeqNum(0), sent.seq + sent.len);
    ensure(plain || with_ack, || format!("expected a reset, got {seen:?}"))
}

/// Text that a call sends, in whatever segments, and the FIN after it.
fn stream(host: &Host, row: &Row, trace: &Trace) -> Outcome {
    let fin = row.emit.iter().any(|emit| emit.flags.has(Flags::FIN));
    let mut next = trace.before.snd_nxt;
    for seen in &trace.emitted {
        let last = next + seen.len() == trace.after.snd_nxt;
        let may = if last { Flags::PSH | Flags::FIN } else { Flags::PSH };
        ensure(seen.flags.without(may) == Flags::ACK, || format!("control bits {:?}", seen.flags))?;
        ensure(!last || seen.flags.has(Flags::FIN) == fin, || format!("FIN: {:?}", trace.emitted))?;
        ensure(seen.seq == next, || format!("expected SEQ={next:?}, got {:?}", seen.seq))?;
        ensure(seen.ack == trace.before.rcv_nxt, || format!("ACK={:?}", seen.ack))?;
        ensure(seen.text.len() as u32 <= trace.after.mss, || format!("{} octets of text", seen.text.len()))?;
        ensure(host.carries_what_was_written(seen), || "other text than was written".to_owned())?;
        next += seen.len();
    }
    let expected = trace.before.snd_nxt + trace.after.unacknowledged as u32 + u32::from(fin);
    ensure(next == expected && trace.after.snd_nxt == expected, || {
        format!("sent up to {next:?}, expected {expected:?}")
    })
}

/// The front of the retransmission queue, once.
fn retransmission(host: &Host, emit: &Emit, trace: &Trace) -> Outcome {
    let [seen] = trace.emitted.as_slice() else {
        return Err(format!("expected one segment, got {:?}", trace.emitted));
    };
    let flags = seen.flags.without(emit.may);
    ensure(flags == emit.flags, || format!("expected {:?}, got {:?}", emit.flags, seen.flags))?;
    ensure(seen.seq == trace.before.snd_una, || format!("SEQ={:?} is not SND.UNA", seen.seq))?;
    ensure(seen.ack == trace.before.rcv_nxt, || format!("ACK={:?} is not RCV.NXT", seen.ack))?;
    let all = trace.before.snd_nxt.distance_from(trace.before.snd_una);
    ensure(seen.len() > 0 && seen.len() <= all, || format!("{} of {all} numbers", seen.len()))?;
    ensure(host.carries_what_was_written(seen), || "the text has changed".to_owned())
}

/// RCV.NXT, SND.UNA, SND.WND and the right edge of the window.
fn variables(host: &Host, row: &Row, stimulus: &Stimulus, trace: &Trace) -> Outcome {
    if matches!(row.next_state.as_str(), "CLOSED" | "LISTEN") {
        return Ok(());
    }
    let (before, after) = (&trace.before, &trace.after);
    if row.is_segment && before.state != StateName::SynSent || row.next_state == "ESTABLISHED" {
        let expected = rcv_nxt(stimulus, trace);
        ensure(after.rcv_nxt == expected, || format!("RCV.NXT={:?}, not {expected:?}", after.rcv_nxt))?;
    }
    if let Some(una) = stimulus.una {
        let expected = host.ack_number(una, before);
        ensure(after.snd_una == expected, || format!("SND.UNA={:?}, not {expected:?}", after.snd_una))?;
        let text = before.unacknowledged as u32;
        let left = text.saturating_sub(expected.distance_from(before.snd_una));
        ensure(after.unacknowledged as u32 == left, || format!("{} octets queued", after.unacknowledged))?;
    }
    if let Some(window) = stimulus.snd_wnd {
        ensure(after.snd_wnd == window, || format!("SND.WND={}, not {window}", after.snd_wnd))?;
    }
    let edges = (before.rcv_nxt + before.rcv_wnd, after.rcv_nxt + after.rcv_wnd);
    let same = before.irs == after.irs && before.iss == after.iss;
    ensure(!same || edges.1.at_or_after(edges.0), || format!("the right edge went back: {edges:?}"))
}

fn state(host: &mut Host, row: &Row) -> Outcome {
    let name = host.status().state.to_string();
    let linked = host.endpoint.lookup(host.local, host.remote).is_some();
    match row.next_state.as_str() {
        "LISTEN" => {
            ensure(!linked, || format!("a connection in {name}"))?;
            if row.state == "LISTEN" { Ok(()) } else { still_listens(host) }
        }
        "CLOSED" => {
            ensure(!linked && name == "CLOSED", || format!("expected CLOSED, got {name}"))?;
            if row.state == "CLOSED" || row.state == "LISTEN" {
                answers(host, Flags::RST | Flags::ACK)?;
            }
            Ok(())
        }
        expected => ensure(name == expected, || format!("expected {expected}, got {name}")),
    }
}

fn still_listens(host: &mut Host) -> Outcome {
    answers(host, Flags::SYN | Flags::ACK)
}

fn answers(host: &mut Host, flags: Flags) -> Outcome {
    let seen = host.probe_port();
    let [answer] = seen.as_slice() else { return Err(format!("a SYN to the port is answered by {seen:?}")) };
    ensure(answer.flags == flags, || format!("a SYN to the port is answered by {:?}", answer.flags))
}

fn signal(host: &mut Host, row: &Row, stimulus: &Stimulus, trace: &Trace) -> Outcome {
    let Some(signal) = Signal::of(&row.app_signal) else {
        return Err(format!("the test does not know the signal `{}`", row.app_signal));
    };
    let vanishes = row.class == "USER TIMEOUT" && trace.before.state == StateName::SynReceived;
    let mut expected =
        if vanishes && trace.origin == Origin::Passive { Vec::new() } else { signal.told.to_vec() };
    if stimulus.delivered > 0 {
        expected.push(Told::Data);
    }
    if stimulus.urgent {
        expected.push(Told::Urgent);
    }
    if stimulus.fin && !expected.contains(&Told::Eof) {
        return Err("the row does not mention the end of the peer's stream".to_owned());
    }
    let mut told: Vec<Told> = trace.events.iter().filter_map(Told::from_event).collect();
    expected.sort_unstable();
    told.sort_unstable();
    ensure(expected == told, || format!("expected to hear {expected:?}, got {:?}", trace.events))?;
    ensure((signal.answer)(&trace.answer), || format!("the call returned {:?}", trace.answer))?;
    if let Some(error) = signal.error.filter(|_| !expected.is_empty()) {
        let id = host.id();
        let failed = Answer::Failed(error);
        let answer = host.receive(id);
        ensure(answer == failed, || format!("RECEIVE returns {answer:?}, not {error:?}"))?;
        let answer = host.act(Action::Call(Call::Send(1))).0;
        ensure(answer == failed, || format!("SEND returns {answer:?}, not {error:?}"))?;
    }
    if signal.calls_fail {
        let id = host.id();
        let answer = host.receive(id);
        ensure(matches!(answer, Answer::Failed(_)), || format!("RECEIVE returns {answer:?}"))?;
    }
    Ok(())
}

/// What the peer sent is what the application reads, once and in order.
fn delivered(host: &mut Host, row: &Row, stimulus: &Stimulus, trace: &Trace) -> Outcome {
    let open = matches!(host.status().state, StateName::Closed | StateName::SynSent);
    if open || !row.is_segment {
        return Ok(());
    }
    read(host, trace.waiting + stimulus.delivered, stimulus.fin)
}

fn read(host: &mut Host, len: u32, fin: bool) -> Outcome {
    let id = host.id();
    let expected = Host::stream(host.read, len);
    if len > 0 {
        let answer = host.receive(id);
        ensure(answer == Answer::Data(expected), || match answer {
            Answer::Data(data) => format!("{} octets, or other ones, where {len} should be", data.len()),
            other => format!("RECEIVE returns {other:?}"),
        })?;
        host.read += len;
    }
    let last = host.receive(id);
    let ended =
        matches!(host.status().state, StateName::Established | StateName::FinWait1 | StateName::FinWait2)
            || host.status().state == StateName::SynReceived;
    ensure(fin || ended == (last == Answer::WouldBlock), || format!("then RECEIVE returns {last:?}"))?;
    ensure(!fin || last == Answer::Eof, || format!("after the FIN RECEIVE returns {last:?}"))?;
    host.wait(Duration::from_millis(1));
    Ok(())
}

fn aftermath(host: &mut Host, row: &Row, stimulus: &Stimulus, trace: &Trace) -> Outcome {
    match stimulus.after {
        After::Nothing => {}
        After::Fill { gap, total, fin } => return fill(host, gap, total, fin),
        After::Lingers => return lingers(host, trace),
        After::IsAccepted => return is_accepted(host, trace),
        After::Flows { octets, fin } => return flows(host, octets, fin),
    }
    let dropped = row.is_segment && row.emit.is_empty() && row.state == row.next_state;
    if dropped && row.strength != "unspecified" { as_if_nothing_came(host, row) } else { Ok(()) }
}

/// "After every silent drop, a following in-order probe must still be handled as if the dropped segment never came"
fn as_if_nothing_came(host: &mut Host, row: &Row) -> Outcome {
    match row.state.as_str() {
        "CLOSED" => answers(host, Flags::RST | Flags::ACK),
        "LISTEN" => still_listens(host),
        "SYN-SENT" => {
            host.deliver(with(Flags::SYN).ack(Ack::Nxt(0)));
            let state = host.status().state;
            ensure(state == StateName::Established, || format!("SYN,ACK leads to {state}"))
        }
        _ => {
            let status = host.status();
            host.deliver(ack().seq(Seq::Nxt(-1)));
            let seen = host.drain();
            let fits = |seen: &Seen| {
                (seen.flags, seen.seq, seen.ack) == (Flags::ACK, status.snd_nxt, status.rcv_nxt)
            };
            ensure(seen.len() == 1 && seen.iter().all(fits), || {
                format!("a keep-alive is answered by {seen:?}")
            })
        }
    }
}

fn fill(host: &mut Host, gap: u32, total: u32, fin: bool) -> Outcome {
    let before = host.status();
    host.deliver(ack().text(gap));
    let seen = host.drain();
    let end = before.rcv_nxt + total + u32::from(fin);
    ensure(seen.len() == 1 && seen[0].ack == end, || {
        format!("filling the hole draws {seen:?}, not ACK={end:?}")
    })?;
    if fin {
        let expected = match before.state {
            StateName::Established => StateName::CloseWait,
            StateName::FinWait1 => StateName::Closing,
            _ => StateName::TimeWait,
        };
        let state = host.status().state;
        ensure(state == expected, || format!("the FIN that was held leads to {state}"))?;
    }
    read(host, total, fin)
}

fn lingers(host: &mut Host, trace: &Trace) -> Outcome {
    debug_assert_eq!(trace.after.state, StateName::TimeWait);
    host.wait(Duration::from_secs(239));
    ensure(host.status().state == StateName::TimeWait, || "2 MSL did not start anew".to_owned())?;
    host.wait(Duration::from_secs(2));
    ensure(host.status().state == StateName::Closed, || "2 MSL does not end".to_owned())
}

fn is_accepted(host: &mut Host, trace: &Trace) -> Outcome {
    ensure(trace.after.iss.after(trace.before.snd_nxt), || "the new ISS was used before".to_owned())?;
    host.deliver(ack().ack(Ack::Nxt(0)));
    let events = host.events();
    let listener = host.listener.expect("a listener");
    ensure(events == [EventKind::Accepted { listener }], || format!("the handshake leads to {events:?}"))?;
    ensure(host.endpoint.accept(listener) == Some(host.id()), || "accept finds nothing".to_owned())
}

fn flows(host: &mut Host, octets: u32, fin: bool) -> Outcome {
    let status = host.status();
    let syn = if status.state == StateName::SynSent { Flags::SYN } else { Flags::default() };
    host.deliver(with(syn).ack(Ack::Nxt(0)));
    let seen = host.drain();
    let text: usize = seen.iter().map(|seen| seen.text.len()).sum();
    let closed = seen.iter().any(|seen| seen.flags.has(Flags::FIN));
    ensure(text as u32 == octets && closed == fin, || format!("once established there comes {seen:?}"))?;
    let expected = if fin { StateName::FinWait1 } else { StateName::Established };
    ensure(host.status().state == expected, || format!("then {}", host.status().state))
}
