//! The smoke check: link, program, SYN-ACK and application once, before any verdict. If something is wrong there, one
//! sentence is worth more than five hundred red cases.

use super::bring_up::{BringUp, Stage, Trouble, Up};
use crate::engine::{AppCall, AppOutcome};
use crate::lane::SetupError;
use crate::packet::{Flags, Packet, Tcp};
use crate::target::manifest::App;
use crate::target::{Reply, Target};
use crate::wire::{Wire, WireError};
use std::net::SocketAddr;
use std::time::Duration;

/// Enough for the slowest answer that was ever seen, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where a client is told to connect to when it is tried.
const CLIENT_PORT: u16 = 39_999;

/// What the handshake shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    pub abilities: Vec<&'static str>,
    /// Why no case can run: the target says that it is not to be had here.
    pub unsupported: Option<String>,
}

pub(super) async fn smoke(up: &BringUp) -> Result<Found, SetupError> {
    let stopped = |at: &str, cause: String, hint: &str| SetupError {
        operation: format!("attach {}: it stopped at {at}", up.name()),
        cause,
        hint: Some(hint.to_owned()),
    };
    let mut live = match up.bring_up().await {
        Ok(live) => live,
        Err(Trouble::Setup(error)) => return Err(error),
        Err(Trouble::Unsupported(why)) => return Ok(Found { unsupported: Some(why), ..Found::default() }),
        Err(Trouble::Died(how)) => {
            return Err(stopped(
                "its start",
                how,
                "run its command by hand; TCPSPEC_FD and the like are missing then",
            ));
        }
        Err(Trouble::NotReady(stage, why)) => return Err(stopped(stage.word(), why, stage.hint())),
        Err(Trouble::Kept(stage, why, waited)) => {
            let why = format!("{why}; it had to wait {} for a processor", crate::time::span(waited));
            return Err(stopped(stage.word(), why, "is this machine busy? try again when it is not"));
        }
    };
    let result = match up.is_client_only() {
        true => client(up, &mut live).await,
        false => handshake(up, &mut live).await,
    };
    live.target.stop().await;
    match result {
        Ok(found) => Ok(found),
        Err(Stop::Wire(e)) => Err(stopped("the wire", e.to_string(), "does the program keep its end open?")),
        Err(Stop::At(at, cause, hint)) => Err(stopped(at, cause, hint)),
    }
}

impl Stage {
    /// Where it stopped.
    fn word(self) -> &'static str {
        match self {
            Self::Link => "the link",
            Self::Arp => "ARP",
            Self::SynAck => "the SYN-ACK",
            Self::Ready => "becoming ready",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Link => {
                "is `device` the name that the program opens? `create: target` if it makes the device itself"
            }
            Self::Arp => {
                "does the program open this device, and is the manifest's `target: {ipv4: ..}` its address?"
            }
            Self::SynAck => {
                "is its address the manifest's? does it listen on that port, and that soon? `ready: {within: ..}`"
            }
            Self::Ready => "give it longer, or another `ready: {by: ..}`; docs/attach.md",
        }
    }
}

/// What only connects is started once, and its SYN looked at.
async fn client(up: &BringUp, live: &mut Up) -> Result<Found, Stop> {
    let net = &up.manifest.profile.net;
    let to = SocketAddr::new(net.peer_v4.into(), CLIENT_PORT);
    live.target.call(1, &AppCall::Connect { to, from: None });
    if let Some(AppOutcome::Failed(why)) = answer(live, 1).await {
        return Err(Stop::At("the start of `connect`", why, "a path counts from the manifest's directory"));
    }
    let syn = async {
        loop {
            let packet = Packet::parse_ip(&live.wire.recv().await?.packet);
            if let Some(tcp) = packet.tcp().filter(|tcp| tcp.has(Flags::SYN)) {
                return Ok::<_, WireError>(tcp.clone());
            }
        }
    };
    match tokio::time::timeout(PATIENCE, syn).await {
        Ok(syn) => Ok(Found { abilities: shows(&syn?), unsupported: None }),
        Err(_) => {
            let cause = format!("no SYN to {}:{CLIENT_PORT} came from `connect`", net.peer_v4);
            Err(Stop::At("the SYN", cause, "does it use {peer.ip} and {peer.port}, and this device?"))
        }
    }
}

enum Stop {
    Wire(WireError),
    At(&'static str, String, &'static str),
}

impl From<WireError> for Stop {
    fn from(e: WireError) -> Self {
        Self::Wire(e)
    }
}

async fn handshake(up: &BringUp, live: &mut Up) -> Result<Found, Stop> {
    let app = up.manifest.program.app;
    let port = up.manifest.profile.net.port;
    match app {
        App::None | App::Kernel | App::Reference => return Ok(Found::default()),
        App::Echo | App::Sink => {}
        App::Control => {
            live.target.call(1, &AppCall::Listen { port });
            match answer(live, 1).await {
                Some(AppOutcome::Ok) => {}
                // It can only connect.
                Some(AppOutcome::Unsupported) => return Ok(Found::default()),
                Some(other) => {
                    let cause = format!("`listen {port}` was answered with {other:?}");
                    return Err(Stop::At("the application", cause, "`listen` is answered with `ok`"));
                }
                None => {
                    let cause = format!("`listen {port}` was not answered");
                    return Err(Stop::At("the application", cause, "answer every line, and flush stdout"));
                }
            }
        }
    }
    let mut probe = up.probe();
    let Some(syn_ack) = probe.syn(&mut live.wire, PATIENCE).await? else {
        let cause = format!("no answer to a SYN to port {port}");
        return Err(Stop::At(
            "the SYN-ACK",
            cause,
            "is its address the manifest's? does it listen on that port?",
        ));
    };
    if !syn_ack.has(Flags::SYN | Flags::ACK) {
        let cause = format!("a SYN to port {port} was answered with {}", syn_ack.flags());
        return Err(Stop::At("the SYN-ACK", cause, "does it listen on that port?"));
    }
    let found = Found { abilities: shows(&syn_ack), unsupported: None };
    probe.exchange(&mut live.wire, &[], Duration::ZERO, |_| true).await?;
    let done = match app {
        App::Echo => probe.exchange(&mut live.wire, b"?", PATIENCE, |tcp| !tcp.payload.is_empty()).await?,
        App::Sink => probe.exchange(&mut live.wire, b"?", PATIENCE, |tcp| tcp.has(Flags::ACK)).await?,
        App::Control => {
            live.target.call(2, &AppCall::Accept { port });
            matches!(answer(live, 2).await, Some(AppOutcome::Accepted { .. }))
        }
        App::None | App::Kernel | App::Reference => true,
    };
    probe.reset(&mut live.wire).await?;
    if done {
        return Ok(found);
    }
    let (cause, hint) = match app {
        App::Echo => ("one octet was not echoed", "is it an echo server? `app: sink` if it only reads"),
        App::Control => {
            ("`* accepted CONN ADDRESS PORT` never came", "say it when the handshake is complete")
        }
        App::Sink | App::None | App::Kernel | App::Reference => {
            ("one octet was not acknowledged", "does it take data at all?")
        }
    };
    Err(Stop::At("the application", cause.to_owned(), hint))
}

pub(super) async fn answer(live: &mut Up, wanted: u32) -> Option<AppOutcome> {
    let wait = async {
        loop {
            match live.target.reply().await {
                Reply::Answer { call, outcome } if call == wanted => return Some(outcome),
                Reply::Answer { .. } | Reply::Event { .. } => {}
                Reply::Died { how } | Reply::Hung { how } | Reply::Broken { how } => {
                    return Some(AppOutcome::Failed(how));
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.ok().flatten()
}

/// The abilities that a SYN-ACK shows, answering a SYN with every option.
pub(super) fn shows(syn_ack: &Tcp) -> Vec<&'static str> {
    let options = &syn_ack.options;
    [
        ("mss-option", options.mss().is_some()),
        ("sack", options.sack_permitted()),
        ("timestamps", options.timestamps().is_some()),
        ("wscale", options.window_scale().is_some()),
    ]
    .into_iter()
    .filter_map(|(ability, shown)| shown.then_some(ability))
    .collect()
}
