//! What a target can do and how fast it is, found out by asking it: for its manifest.
//!
//! Each question brings the target up afresh, so that no answer depends on an earlier question; questions that wait
//! are asked side by side. It must not know how the answers are written down.
#![allow(clippy::disallowed_methods, reason = "the doctor measures on a real clock")]

use super::bring_up::{BringUp, Trouble, Up};
use super::probe::Probe;
use super::smoke::{answer, shows};
use crate::engine::{AppCall, AppOutcome};
use crate::lane::SetupError;
use crate::packet::Flags;
use crate::target::Target;
use crate::target::manifest::App;
use crate::wire::WireError;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Enough for the slowest answer that was ever seen.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a first retransmission may take.
const RTO_PATIENCE: Duration = Duration::from_secs(8);
/// More connections than this are many.
const CONNECTIONS_MAX: u16 = 16;
/// A receiver that takes more without anybody reading has no limit worth naming.
const BUFFER_MAX: u32 = 1 << 20;

/// What was learned, in the words of manifests.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Learned {
    /// What was asked, and what came of it, for people.
    pub said: Vec<(&'static str, String)>,
    pub abilities: Vec<&'static str>,
    /// What its application or handshake would suggest, and it cannot do.
    pub lacks: Vec<&'static str>,
    pub timing: BTreeMap<&'static str, Duration>,
    /// Every wait must be stretched by this.
    pub scale: Option<u32>,
    pub limits: BTreeMap<&'static str, String>,
    pub mss: Option<u16>,
}

impl Learned {
    fn say(&mut self, what: &'static str, said: impl Into<String>) {
        self.said.push((what, said.into()));
    }

    /// Notes whether it can.
    fn ability(&mut self, id: &'static str, can: bool) {
        if can {
            self.abilities.push(id);
        } else {
            self.lacks.push(id);
        }
    }
}

/// A question that got no answer is left out, whatever the reason: only the target's failure to start is told.
type Answer<T> = Result<T, Trouble>;

/// Walks from the handshake on; that the target comes up so far, the smoke check has shown.
pub(super) async fn examine(up: &BringUp) -> Result<Learned, SetupError> {
    let mut learned = Learned::default();
    let result = walk(up, &mut learned).await;
    match result {
        Ok(()) => Ok(learned),
        Err(Trouble::Setup(error)) => Err(error),
        Err(
            Trouble::NotReady(_, why)
            | Trouble::Kept(_, why, _)
            | Trouble::Died(why)
            | Trouble::Unsupported(why),
        ) => Err(SetupError {
            operation: format!("examine {}", up.name()),
            cause: why,
            hint: Some(
                "it came up the first time: does it leave something behind when it is stopped?".to_owned(),
            ),
        }),
    }
}

async fn walk(up: &BringUp, learned: &mut Learned) -> Answer<()> {
    let app = up.manifest.program.app;
    let (handshake, closed, order, rto, data_rto, many, end) = tokio::join!(
        handshake(up),
        closed_port(up),
        out_of_order(up),
        first_timeout(up),
        data_timeout(up),
        connections(up),
        end_of_stream(up),
    );
    let (offered, mss, delay) = handshake?;
    learned.say("options", if offered.is_empty() { "none".to_owned() } else { offered.join(", ") });
    learned.abilities.extend(offered);
    learned.mss = mss;
    match delay {
        Some(delay) => {
            learned.say("an octet is acknowledged", format!("after {}", crate::time::span(delay)));
            if rounded(delay) > Duration::ZERO {
                learned.timing.insert("delayed-ack", rounded(delay));
                learned.abilities.push("delays-acks");
            }
            // Cases give an ACK half a second.
            let halves = delay.as_millis().div_ceil(350);
            learned.scale = u32::try_from(halves).ok().filter(|scale| *scale > 1);
        }
        None => learned.say("an octet is acknowledged", "not within 3 s"),
    }
    let closed = closed?;
    learned.say("a closed port", if closed { "answers with RST" } else { "is silent" });
    learned.limits.insert("closed-port-rst", closed.to_string());
    learned.ability("closed-port-rst", closed);
    let keeps = order?;
    learned.say("data behind a hole", if keeps { "is kept" } else { "is thrown away" });
    learned.ability("out-of-order", keeps);
    timeouts(learned, &rto?, data_rto?);
    let many = many?;
    learned.say(
        "connections at a time",
        if many >= CONNECTIONS_MAX { "many".to_owned() } else { many.to_string() },
    );
    learned.limits.insert("connections", many.to_string());
    learned.ability("many-connections", many > 1);
    match app {
        App::Control => orders(up, learned).await?,
        App::Echo | App::Sink => {
            let closes = end?;
            learned.say("at the end of the stream", if closes { "it closes too" } else { "it stays open" });
            learned.ability("closes-at-eof", closes);
        }
        App::None | App::Kernel | App::Reference => {}
    }
    Ok(())
}

fn timeouts(learned: &mut Learned, opening: &[Duration], data: Option<Duration>) {
    match opening {
        [] => learned.say("a lost SYN-ACK", "is not sent again within 8 s"),
        [first, rest @ ..] => {
            let then = rest.first().map(|second| format!(", then after {}", crate::time::span(*second)));
            let said =
                format!("is sent again after {}{}", crate::time::span(*first), then.unwrap_or_default());
            learned.say("a lost SYN-ACK", said);
            learned.timing.insert("rto-initial", rounded(*first));
        }
    }
    if let Some(data) = data {
        learned.say("lost data", format!("is sent again after {}", crate::time::span(data)));
        learned.timing.insert("rto-min", rounded(data));
    }
}

/// Two digits are more than a busy machine can promise.
fn rounded(span: Duration) -> Duration {
    let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let step = if ms >= 1000 { 100 } else { 10 };
    Duration::from_millis(ms.saturating_add(step / 2) / step * step)
}

/// A target for one question.
struct Patient {
    live: Up,
    probe: Probe,
}

impl BringUp {
    /// Brings the target up and lets it listen.
    async fn patient(&self) -> Answer<Patient> {
        let mut live = self.bring_up().await?;
        if self.manifest.program.app == App::Control {
            live.target.call(1, &AppCall::Listen { port: self.manifest.profile.net.port });
            answer(&mut live, 1).await;
        }
        Ok(Patient { live, probe: self.probe() })
    }
}

impl Patient {
    /// Connects; what the SYN-ACK offered.
    async fn connect(&mut self) -> Result<Option<crate::packet::Tcp>, WireError> {
        let Self { live, probe } = self;
        let Some(answer) = probe.syn(&mut live.wire, PATIENCE).await? else { return Ok(None) };
        if !answer.has(Flags::SYN | Flags::ACK) {
            return Ok(None);
        }
        probe.put(&mut live.wire, Flags::ACK, 0, &[]).await?;
        Ok(Some(answer))
    }

    async fn stop(mut self) {
        self.live.target.stop().await;
    }
}

/// The options of the handshake, the MSS, and how long the ACK of an octet takes.
async fn handshake(up: &BringUp) -> Answer<(Vec<&'static str>, Option<u16>, Option<Duration>)> {
    let mut patient = up.patient().await?;
    let asked = async {
        let Some(syn_ack) = patient.connect().await? else { return Ok((Vec::new(), None, None)) };
        let Patient { live, probe } = &mut patient;
        let mut slowest = None;
        for _ in 0..3 {
            let sent = Instant::now();
            probe.put(&mut live.wire, Flags::ACK | Flags::PSH, 0, b"?").await?;
            probe.next += 1;
            while let Some((tcp, at)) = probe.hear(&mut live.wire, PATIENCE).await? {
                if tcp.seq_end().after(probe.expects) {
                    probe.expects = tcp.seq_end();
                }
                if tcp.ack() == probe.next {
                    slowest = slowest.max(Some(at.saturating_duration_since(sent)));
                    break;
                }
            }
            probe.put(&mut live.wire, Flags::ACK, 0, &[]).await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok::<_, WireError>((shows(&syn_ack), syn_ack.options.mss(), slowest))
    };
    let answer = asked.await;
    patient.stop().await;
    answer.map_err(super::bring_up::broke)
}

/// Whether a port where nobody listens answers with RST.
async fn closed_port(up: &BringUp) -> Answer<bool> {
    let mut patient = up.patient().await?;
    let net = &up.manifest.profile.net;
    let port = net.port.checked_add(1).unwrap_or(net.port - 1);
    let mut probe = Probe::to(net, up.family(), 7999, port);
    let answer = probe.syn(&mut patient.live.wire, Duration::from_secs(1)).await;
    patient.stop().await;
    Ok(answer.map_err(super::bring_up::broke)?.is_some_and(|tcp| tcp.has(Flags::RST)))
}

/// Whether an octet behind a hole is acknowledged once the hole is filled.
async fn out_of_order(up: &BringUp) -> Answer<bool> {
    let mut patient = up.patient().await?;
    let asked = async {
        if patient.connect().await?.is_none() {
            return Ok(false);
        }
        let Patient { live, probe } = &mut patient;
        let data = Flags::ACK | Flags::PSH;
        probe.put(&mut live.wire, data, 1, b"b").await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        probe.put(&mut live.wire, data, 0, b"a").await?;
        let both = probe.next + 2;
        while let Some((tcp, _)) = probe.hear(&mut live.wire, Duration::from_secs(1)).await? {
            if tcp.ack() == both {
                return Ok(true);
            }
        }
        Ok::<_, WireError>(false)
    };
    let answer = asked.await;
    patient.stop().await;
    answer.map_err(super::bring_up::broke)
}

/// The intervals between SYN-ACKs that nobody acknowledges: the first two.
async fn first_timeout(up: &BringUp) -> Answer<Vec<Duration>> {
    let mut patient = up.patient().await?;
    let asked = async {
        let Patient { live, probe } = &mut patient;
        if probe.syn(&mut live.wire, PATIENCE).await?.is_none() {
            return Ok(Vec::new());
        }
        // What the SYN itself drew twice, on a slow target, is no retransmission.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut last = Instant::now();
        let mut spans = Vec::new();
        let until = last + RTO_PATIENCE;
        while spans.len() < 2 {
            let left = until.saturating_duration_since(Instant::now());
            let Some((tcp, at)) = probe.hear(&mut live.wire, left).await? else { break };
            let span = at.saturating_duration_since(last);
            if tcp.has(Flags::SYN) && span > Duration::from_millis(30) {
                spans.push(span + if spans.is_empty() { Duration::from_millis(20) } else { Duration::ZERO });
                last = at;
            }
        }
        Ok::<_, WireError>(spans)
    };
    let answer = asked.await;
    patient.stop().await;
    answer.map_err(super::bring_up::broke)
}

/// How long after its first transmission data goes again that nobody acknowledges, once the way was measured.
async fn data_timeout(up: &BringUp) -> Answer<Option<Duration>> {
    let app = up.manifest.program.app;
    if !matches!(app, App::Echo | App::Control) {
        return Ok(None);
    }
    let mut patient = up.patient().await?;
    let asked = async {
        if patient.connect().await?.is_none() {
            return Ok(None);
        }
        let Patient { live, probe } = &mut patient;
        if app == App::Control {
            let port = up.manifest.profile.net.port;
            live.target.call(2, &AppCall::Accept { port });
            let Some(AppOutcome::Accepted { conn, .. }) = answer(live, 2).await else { return Ok(None) };
            live.target.call(3, &AppCall::Send { conn, offset: 0, count: 1, urgent: false });
            answer(live, 3).await;
        } else {
            probe.put(&mut live.wire, Flags::ACK | Flags::PSH, 0, b"?").await?;
            probe.next += 1;
        }
        let until = Instant::now() + RTO_PATIENCE;
        let mut first = None;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Some((tcp, at)) = probe.hear(&mut live.wire, left).await? else { return Ok(None) };
            match first {
                _ if tcp.payload.is_empty() => {}
                None => first = Some(at),
                Some(before) => return Ok::<_, WireError>(Some(at.saturating_duration_since(before))),
            }
        }
    };
    let answered = asked.await;
    patient.stop().await;
    answered.map_err(super::bring_up::broke)
}

/// How many connections it holds at a time.
async fn connections(up: &BringUp) -> Answer<u16> {
    let mut patient = up.patient().await?;
    let mut count = 0;
    let asked = async {
        let mut open = Vec::new();
        while count < CONNECTIONS_MAX {
            let mut probe = up.probe();
            let wire = &mut patient.live.wire;
            match probe.syn(wire, Duration::from_secs(1)).await? {
                Some(answer) if answer.has(Flags::SYN | Flags::ACK) => {
                    probe.put(wire, Flags::ACK, 0, &[]).await?;
                    open.push(probe);
                    count += 1;
                }
                Some(_) | None => break,
            }
        }
        Ok::<_, WireError>(())
    };
    let asked = asked.await;
    patient.stop().await;
    asked.map_err(super::bring_up::broke)?;
    Ok(count)
}

/// Whether a server closes once its peer has.
async fn end_of_stream(up: &BringUp) -> Answer<bool> {
    let mut patient = up.patient().await?;
    let asked = async {
        if patient.connect().await?.is_none() {
            return Ok(false);
        }
        let Patient { live, probe } = &mut patient;
        probe.put(&mut live.wire, Flags::FIN | Flags::ACK, 0, &[]).await?;
        while let Some((tcp, _)) = probe.hear(&mut live.wire, Duration::from_secs(1)).await? {
            if tcp.has(Flags::FIN) {
                return Ok(true);
            }
        }
        Ok::<_, WireError>(false)
    };
    let answer = asked.await;
    patient.stop().await;
    answer.map_err(super::bring_up::broke)
}

/// Which commands the application knows, and how much it holds unread.
async fn orders(up: &BringUp, learned: &mut Learned) -> Answer<()> {
    let net = &up.manifest.profile.net;
    let peer = SocketAddr::new(net.peer_v4.into(), 39_998);
    type Order = fn(u32) -> AppCall;
    let known: [(&'static str, Order); 5] = [
        ("status", |conn| AppCall::Status { conn }),
        ("nodelay", |conn| AppCall::Option { conn, name: "nodelay".to_owned(), value: 1 }),
        ("urgent", |conn| AppCall::Send { conn, offset: 0, count: 1, urgent: true }),
        ("half-close", |conn| AppCall::Shutdown { conn }),
        ("abort", |conn| AppCall::Abort { conn }),
    ];
    let mut patient = up.patient().await?;
    let connected = patient.connect().await.map_err(super::bring_up::broke)?.is_some();
    let live = &mut patient.live;
    live.target.call(2, &AppCall::Accept { port: net.port });
    let conn = match answer(live, 2).await {
        Some(AppOutcome::Accepted { conn, .. }) if connected => Some(conn),
        _ => None,
    };
    for (call, (ability, order)) in (10..).zip(known) {
        let Some(conn) = conn else { break };
        live.target.call(call, &order(conn));
        let can = !matches!(answer(live, call).await, Some(AppOutcome::Unsupported) | None);
        learned.ability(ability, can);
    }
    live.target.call(20, &AppCall::Connect { to: peer, from: None });
    let connects = matches!(answer(live, 20).await, Some(AppOutcome::Connection(_)));
    learned.ability("active-open", connects);
    patient.stop().await;
    let unknown = |ability: &&str| known.iter().any(|(id, _)| id == ability) || *ability == "active-open";
    let lacks: Vec<&str> = learned.lacks.iter().filter(|ability| unknown(ability)).copied().collect();
    let lacks = lacks.join(", ");
    learned.say(
        "the application",
        if lacks.is_empty() { "knows every command".to_owned() } else { format!("lacks {lacks}") },
    );
    let buffer = unread(up).await?;
    match buffer {
        Some(buffer) => {
            learned.say("unread octets", format!("up to {buffer} are held"));
            learned.limits.insert("buffer", buffer.to_string());
        }
        None => learned.say("unread octets", "do not close the window"),
    }
    Ok(())
}

/// How many octets are held for an application that does not read. `None` where the window never closes.
async fn unread(up: &BringUp) -> Answer<Option<u32>> {
    let mut patient = up.patient().await?;
    let asked = async {
        let Some(syn_ack) = patient.connect().await? else { return Ok(None) };
        let Patient { live, probe } = &mut patient;
        let scale = syn_ack.options.window_scale().unwrap_or(0);
        let mut window = u32::from(syn_ack.window().0);
        let mut sent = 0;
        while window > 0 && sent < BUFFER_MAX {
            let len = window.min(1000);
            probe.put(&mut live.wire, Flags::ACK, 0, &vec![0; len as usize]).await?;
            probe.next += len;
            sent += len;
            loop {
                let Some((tcp, _)) = probe.hear(&mut live.wire, PATIENCE).await? else { return Ok(None) };
                if tcp.ack() == probe.next {
                    window = u32::from(tcp.window().0) << scale.min(14);
                    break;
                }
            }
        }
        Ok::<_, WireError>((window == 0).then_some(sent))
    };
    let answer = asked.await;
    patient.stop().await;
    answer.map_err(super::bring_up::broke)
}
