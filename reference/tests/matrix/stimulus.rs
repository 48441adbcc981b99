//! What can be done to an endpoint, in numbers relative to its own variables, and what is expected of it besides
//! what the row says.

use core::time::Duration;

use tcpspec_reference::Config;
use tcpspec_reference::wire::Flags;

/// A sequence number, by the variable it lies beside.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seq {
    /// RCV.NXT and so many more.
    Nxt(i64),
    /// RCV.NXT + RCV.WND and so many more.
    Edge(i64),
    /// The peer's initial sequence number and so many more.
    Irs(i64),
}

/// An acknowledgment number, by the variable it lies beside.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ack {
    /// The ACK bit is off.
    Off,
    /// SND.UNA and so many more.
    Una(i64),
    /// SND.NXT and so many more.
    Nxt(i64),
    /// ISS and so many more.
    Iss(i64),
}

/// Where a segment seems to come from and go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Ordinary,
    To(&'static str),
    From(&'static str),
}

/// A segment from the peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Without the ACK bit.
    pub(crate) flags: Flags,
    pub(crate) seq: Seq,
    pub(crate) ack: Ack,
    pub(crate) text: u32,
    pub(crate) window: u16,
    pub(crate) urgent: u16,
    /// How much later than the last one its timestamp is, where timestamps are on.
    pub(crate) age: i32,
    pub(crate) route: Route,
}

/// The window the peer offers unless it says otherwise: MAX.SND.WND.
pub(crate) const WINDOW: u16 = 8000;

/// An empty ACK that fits; the builders below change it.
pub(crate) const fn ack() -> Shape {
    Shape {
        flags: Flags(0),
        seq: Seq::Nxt(0),
        ack: Ack::Una(0),
        text: 0,
        window: WINDOW,
        urgent: 0,
        age: 1,
        route: Route::Ordinary,
    }
}

/// A segment with these control bits and no ACK.
pub(crate) const fn bare(flags: Flags) -> Shape {
    Shape { flags, ack: Ack::Off, ..ack() }
}

/// A segment with these control bits and an acceptable ACK.
pub(crate) const fn with(flags: Flags) -> Shape {
    Shape { flags, ..ack() }
}

impl Shape {
    pub(crate) const fn seq(self, seq: Seq) -> Self {
        Self { seq, ..self }
    }
    pub(crate) const fn ack(self, ack: Ack) -> Self {
        Self { ack, ..self }
    }
    pub(crate) const fn text(self, text: u32) -> Self {
        Self { text, ..self }
    }
    pub(crate) const fn window(self, window: u16) -> Self {
        Self { window, ..self }
    }
    pub(crate) const fn urgent(self, urgent: u16) -> Self {
        Self { urgent, flags: Flags(self.flags.0 | Flags::URG.0), ..self }
    }
    pub(crate) const fn age(self, age: i32) -> Self {
        Self { age, ..self }
    }
    pub(crate) const fn route(self, route: Route) -> Self {
        Self { route, ..self }
    }
}

/// An application call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Listen,
    CloseListener,
    /// From this local socket to this remote one.
    Open {
        local: &'static str,
        remote: &'static str,
    },
    /// OPEN with the four-tuple of the connection.
    OpenSame,
    Send(u32),
    SendUrgent(u32),
    Receive,
    /// CLOSE of RFC 9293: the application may still read.
    Shutdown,
    /// CLOSE of a half-duplex stack: both directions.
    Close,
    Abort,
    Status,
}

/// Whose expiry is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    Retransmission,
    /// R2, or where nothing is outstanding the last keep-alive.
    User,
    TimeWait,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Segment(Shape),
    Call(Call),
    Expire(Clock),
    Wait(Duration),
}

/// How a state is entered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scene {
    /// Octets that were sent and not acknowledged.
    pub(crate) unacked: u32,
    /// Octets that arrived and were not read.
    pub(crate) unread: u32,
    /// The receive window is closed.
    pub(crate) full: bool,
    /// Timestamps are on.
    pub(crate) timestamps: bool,
}

/// Where the emission differs from the row's for one stimulus of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emits {
    AsTheRow,
    /// The row speaks of the ACK field alone, but this segment has text too, which is acknowledged.
    AckOfText,
}

/// What is done after the row has been checked, to see what it has left behind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum After {
    Nothing,
    /// The octets up to the hole come; then so many octets are there in all, and maybe the FIN.
    Fill {
        gap: u32,
        total: u32,
        fin: bool,
    },
    /// The connection is in TIME-WAIT for all of 2 MSL from the event on.
    Lingers,
    /// The handshake completes and the listener has a new connection.
    IsAccepted,
    /// The handshake completes and so many queued octets go out, with a FIN where CLOSE was called.
    Flows {
        octets: u32,
        fin: bool,
    },
}

/// One way to make the event of a row happen.
#[derive(Clone, Debug)]
pub(crate) struct Stimulus {
    pub(crate) what: &'static str,
    pub(crate) tune: fn(&mut Config),
    pub(crate) scene: Scene,
    /// Comes first; what it makes the endpoint send is not looked at.
    pub(crate) before: Vec<Action>,
    /// All of it happens before the endpoint may send.
    pub(crate) event: Vec<Action>,
    /// Octets by which RCV.NXT advances, without the FIN.
    pub(crate) delivered: u32,
    /// Whether RCV.NXT advances over a FIN.
    pub(crate) fin: bool,
    /// Whether the application hears of urgent data.
    pub(crate) urgent: bool,
    /// No delayed acknowledgement.
    pub(crate) at_once: bool,
    pub(crate) emits: Emits,
    /// SND.UNA afterwards.
    pub(crate) una: Option<Ack>,
    /// SND.WND afterwards.
    pub(crate) snd_wnd: Option<u32>,
    pub(crate) after: After,
}

/// The event is one action.
pub(crate) fn on(what: &'static str, action: Action) -> Stimulus {
    Stimulus {
        what,
        tune: |_| {},
        scene: Scene::default(),
        before: Vec::new(),
        event: vec![action],
        delivered: 0,
        fin: false,
        urgent: false,
        at_once: false,
        emits: Emits::AsTheRow,
        una: None,
        snd_wnd: None,
        after: After::Nothing,
    }
}

/// The event is one segment.
pub(crate) fn seg(what: &'static str, shape: Shape) -> Stimulus {
    on(what, Action::Segment(shape))
}

/// The event is one call.
pub(crate) fn call(what: &'static str, call: Call) -> Stimulus {
    on(what, Action::Call(call))
}

impl Stimulus {
    pub(crate) fn tune(self, tune: fn(&mut Config)) -> Self {
        Self { tune, ..self }
    }
    pub(crate) fn unacked(mut self, octets: u32) -> Self {
        self.scene.unacked = octets;
        self
    }
    pub(crate) fn unread(mut self, octets: u32) -> Self {
        self.scene.unread = octets;
        self
    }
    pub(crate) fn full(mut self) -> Self {
        self.scene.full = true;
        self
    }
    pub(crate) fn timestamps(mut self) -> Self {
        self.scene.timestamps = true;
        self
    }
    pub(crate) fn before(mut self, action: Action) -> Self {
        self.before.push(action);
        self
    }
    pub(crate) fn first(mut self, action: Action) -> Self {
        self.event.insert(0, action);
        self
    }
    pub(crate) fn delivers(self, octets: u32) -> Self {
        Self { delivered: octets, ..self }
    }
    pub(crate) fn fin(self) -> Self {
        Self { fin: true, ..self }
    }
    pub(crate) fn urgent_news(self) -> Self {
        Self { urgent: true, ..self }
    }
    pub(crate) fn at_once(self) -> Self {
        Self { at_once: true, ..self }
    }
    pub(crate) fn acked_text(self, octets: u32) -> Self {
        Self { emits: Emits::AckOfText, delivered: octets, ..self }
    }
    pub(crate) fn una(self, ack: Ack) -> Self {
        Self { una: Some(ack), ..self }
    }
    pub(crate) fn snd_wnd(self, window: u32) -> Self {
        Self { snd_wnd: Some(window), ..self }
    }
    pub(crate) fn after(self, after: After) -> Self {
        Self { after, ..self }
    }
}
