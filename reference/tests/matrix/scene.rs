//! Brings an endpoint into a state by segments and calls alone, as a peer and an application would.

use core::time::Duration;

use tcpspec_reference::Config;
use tcpspec_reference::wire::Flags;

use crate::host::{BUFFER, HOST, Host, PEER};
use crate::stimulus::{Ack, Action, Call, Scene, Seq, Shape, ack, bare, with};

/// Who opened the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Passive,
    Active,
}

/// The configuration all rows start from.
pub(crate) fn config() -> Config {
    Config { addresses: vec![HOST.parse().unwrap()], recv_buffer: BUFFER, seed: 9293, ..Config::default() }
}

/// An endpoint in the state, at rest, with nothing left to send or to tell.
pub(crate) fn enter(state: &str, origin: Origin, scene: Scene, config: Config) -> Host {
    let mut host = Host::new(config, scene.timestamps);
    match state {
        "CLOSED" => {}
        "LISTEN" => listen(&mut host),
        "SYN-SENT" => connect(&mut host),
        "SYN-RECEIVED" => half_open(&mut host, origin),
        _ => {
            establish(&mut host, origin);
            leave_established(&mut host, state, scene);
        }
    }
    if let Some(id) = host.endpoint.lookup(host.local, host.remote) {
        host.conn = id;
    }
    // The peer's text has been acknowledged; nothing of ours is due yet.
    if !matches!(state, "SYN-SENT" | "SYN-RECEIVED") {
        host.wait(Duration::from_millis(400));
    }
    host.drain();
    host.events();
    let expected = if state == "LISTEN" { "CLOSED" } else { state };
    assert_eq!(host.status().state.to_string(), expected, "the state that the row begins with");
    assert_eq!(host.status().rcv_wnd == 0, scene.full || expected == "CLOSED", "the window");
    host
}

fn call(host: &mut Host, call: Call) {
    host.act(Action::Call(call));
    host.drain();
}

fn deliver(host: &mut Host, shape: Shape) {
    host.deliver(shape);
    host.drain();
}

fn listen(host: &mut Host) {
    host.listener = host.endpoint.listen(host.now, host.local.port()).ok();
}

fn connect(host: &mut Host) {
    call(host, Call::Open { local: "10.0.0.2:80", remote: PEER });
}

fn half_open(host: &mut Host, origin: Origin) {
    match origin {
        Origin::Passive => listen(host),
        Origin::Active => connect(host),
    }
    deliver(host, bare(Flags::SYN));
}

fn establish(host: &mut Host, origin: Origin) {
    match origin {
        Origin::Passive => {
            half_open(host, origin);
            deliver(host, ack().ack(Ack::Nxt(0)));
            let listener = host.listener.expect("a listener");
            host.conn = host.endpoint.accept(listener).expect("an accepted connection");
        }
        Origin::Active => {
            connect(host);
            deliver(host, with(Flags::SYN).ack(Ack::Nxt(0)));
        }
    }
}

/// The roads of RFC 9293 figure 5 from ESTABLISHED on.
fn leave_established(host: &mut Host, state: &str, scene: Scene) {
    if scene.unread > 0 {
        deliver(host, ack().text(scene.unread));
    }
    if scene.unacked > 0 {
        call(host, Call::Send(scene.unacked));
    }
    let left = BUFFER - scene.unread;
    let peer_closes_first = matches!(state, "CLOSE-WAIT" | "LAST-ACK");
    if !peer_closes_first && state != "ESTABLISHED" {
        call(host, Call::Shutdown);
    }
    if matches!(state, "FIN-WAIT-2" | "TIME-WAIT") {
        deliver(host, ack().ack(Ack::Nxt(0)));
    }
    let fin = !matches!(state, "ESTABLISHED" | "FIN-WAIT-1" | "FIN-WAIT-2");
    match (fin, scene.full) {
        (false, false) => {}
        (false, true) => deliver(host, ack().text(left)),
        // The FIN takes the last number of the window.
        (true, true) => deliver(host, with(Flags::FIN).seq(Seq::Nxt(0)).text(left - 1)),
        (true, false) => deliver(host, with(Flags::FIN)),
    }
    if state == "LAST-ACK" {
        call(host, Call::Shutdown);
    }
}
