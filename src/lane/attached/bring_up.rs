//! From a manifest to a target that is up.
#![allow(clippy::disallowed_methods, reason = "bringing something up has deadlines, and a build a log")]

use super::AnyWire;
use super::probe::Probe;
use crate::lane::SetupError;
use crate::packet::Flags;
use crate::suite::model::Family;
use crate::suite::text::fill;
use crate::target::Target;
use crate::target::manifest::{App, Link, LinkKind, Manifest, Ready};
use crate::target::process::client::Client;
use crate::target::process::{Beside, Manner, Order, Place, ProcessTarget, Running};
use crate::wire::WireError;
use crate::wire::fd::FdWire;
use crate::wire::udp::UdpWire;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// A build that takes longer is stuck.
const BUILD_PATIENCE: Duration = Duration::from_secs(600);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(super) struct BringUp {
    pub(super) manifest: Manifest,
    pub(super) link: Link,
    #[cfg(target_os = "linux")]
    pub(super) lab: tokio::sync::OnceCell<crate::lab::Lab>,
    probes: AtomicU16,
}

/// What must live as long as the target.
#[derive(Debug, Default)]
pub(super) struct World {
    #[cfg(target_os = "linux")]
    pub(super) namespace: Option<crate::lab::namespace::Namespace>,
    #[cfg(target_os = "linux")]
    pub(super) _pair: Option<crate::lab::Pair>,
}

/// A target that is up.
pub(super) struct Up {
    pub(super) wire: AnyWire,
    pub(super) target: ProcessTarget,
    pub(super) world: World,
    /// The ports of connections of our own, on which something may still come.
    pub(super) probed: Vec<u16>,
}

/// Why there is no target.
#[derive(Debug)]
pub(super) enum Trouble {
    Setup(SetupError),
    /// It started, and never became ready: how far it came.
    NotReady(Stage, String),
    /// The same, where the program had to wait so long for a processor.
    Kept(Stage, String, Duration),
    Died(String),
    Unsupported(String),
}

/// How far a target came that is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Link,
    Arp,
    SynAck,
    Ready,
}

/// What a wire brings along for the program.
pub(super) struct Attached {
    /// `None` where the program has to be there first.
    pub(super) wire: Option<AnyWire>,
    pub(super) place: Place,
    pub(super) env: BTreeMap<String, String>,
    pub(super) fd: Option<OwnedFd>,
    pub(super) world: World,
}

impl BringUp {
    pub(super) fn new(manifest: Manifest, link: Link) -> Self {
        Self {
            manifest,
            link,
            #[cfg(target_os = "linux")]
            lab: tokio::sync::OnceCell::new(),
            probes: AtomicU16::new(0),
        }
    }

    /// What messages call the target.
    pub(super) fn name(&self) -> &str {
        &self.manifest.profile.name
    }

    pub(super) fn family(&self) -> Family {
        self.manifest.profile.families.first().copied().unwrap_or(Family::V4)
    }

    /// A connection of our own, on a port that none before it had.
    pub(super) fn probe(&self) -> Probe {
        let number = self.probes.fetch_add(1, Ordering::Relaxed) % 8000;
        Probe::new(&self.manifest.profile.net, self.family(), number)
    }

    fn filled(&self, argv: &[String]) -> Vec<String> {
        argv.iter().map(|word| fill(word, &|name| self.manifest.value(name, &self.link))).collect()
    }

    fn environment(&self) -> BTreeMap<String, String> {
        let net = &self.manifest.profile.net;
        let mut env = self.manifest.program.env.clone();
        let mut add = |name: &str, value: String| env.insert(name.to_owned(), value);
        add("TCPSPEC_IPV4", format!("{}/{}", net.target_v4, self.manifest.prefix_v4));
        add("TCPSPEC_IPV6", format!("{}/{}", net.target_v6, self.manifest.prefix_v6));
        add("TCPSPEC_PORT", net.port.to_string());
        add("TCPSPEC_PEER_IPV4", net.peer_v4.to_string());
        add("TCPSPEC_PEER_IPV6", net.peer_v6.to_string());
        add("TCPSPEC_LINK", self.link.kind.word().to_owned());
        if !self.link.device.is_empty() {
            add("TCPSPEC_DEVICE", self.link.device.clone());
        }
        env
    }

    /// Runs the build. What it writes goes to `log` too, whatever comes of it.
    pub(super) async fn build(&self, log: Option<&Path>) -> Result<(), SetupError> {
        let program = &self.manifest.program;
        if program.build.is_empty() {
            return Ok(());
        }
        let argv = self.filled(&program.build);
        let failed = |cause: String| SetupError {
            operation: format!("build {} (`{}`)", self.name(), argv.join(" ")),
            cause,
            hint: Some(format!("run it yourself in {}", program.directory.display())),
        };
        let env = program.env.clone();
        let order = Order { argv: argv.clone(), env, directory: program.directory.clone(), fd: None };
        let (mut running, stdin, stdout) =
            order.start(&Place::Here).await.map_err(|e| failed(e.to_string()))?;
        drop(stdin);
        let said = tokio::spawn(running.heard().clone().listen(stdout));
        let ended = tokio::time::timeout(BUILD_PATIENCE, running.wait()).await;
        let _incomplete = tokio::time::timeout(LOOK_AGAIN, said).await;
        if let Some(log) = log {
            let written = std::fs::write(log, running.heard().since(0));
            written.map_err(|e| failed(format!("cannot write {}: {e}", log.display())))?;
        }
        let result = match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failed(running.last_words(status))),
            Err(_) => Err(failed(format!("it takes more than {} s", BUILD_PATIENCE.as_secs()))),
        };
        running.stop().await;
        result
    }

    async fn attach(&self) -> Result<Attached, SetupError> {
        let mut env = self.environment();
        let failed = |e: std::io::Error| SetupError {
            operation: format!("make the wire `{}`", self.link.kind.word()),
            cause: e.to_string(),
            hint: None,
        };
        match self.link.kind {
            LinkKind::Fd => {
                let (wire, other) = FdWire::pair().map_err(failed)?;
                let world = World::default();
                Ok(Attached {
                    wire: Some(AnyWire::Fd(wire)),
                    place: Place::Here,
                    env,
                    fd: Some(other),
                    world,
                })
            }
            LinkKind::Udp => {
                let wire = UdpWire::bind().await.map_err(failed)?;
                env.insert("TCPSPEC_UDP".to_owned(), wire.address().map_err(failed)?.to_string());
                let world = World::default();
                Ok(Attached { wire: Some(AnyWire::Udp(wire)), place: Place::Here, env, fd: None, world })
            }
            #[cfg(target_os = "linux")]
            LinkKind::Veth | LinkKind::Tap | LinkKind::Tun => self.attach_device(env).await,
            #[cfg(not(target_os = "linux"))]
            LinkKind::Veth | LinkKind::Tap | LinkKind::Tun => Err(SetupError {
                operation: format!("make the wire `{}`", self.link.kind.word()),
                cause: "only Linux has it".to_owned(),
                hint: Some("add `{kind: fd}` to the links of the manifest".to_owned()),
            }),
        }
    }

    #[cfg(not(target_os = "linux"))]
    async fn late_wire(&self, _: &World, _: &mut ProcessTarget) -> Result<AnyWire, Trouble> {
        Err(Trouble::NotReady(Stage::Link, "only Linux has this wire".to_owned()))
    }

    async fn start(
        &self,
        argv: &[String],
        attached: &Attached,
        fd: Option<OwnedFd>,
    ) -> Result<Started, SetupError> {
        let directory = self.manifest.program.directory.clone();
        let argv = self.filled(argv);
        let program = argv.first().cloned().unwrap_or_default();
        let order = Order { argv, env: attached.env.clone(), directory, fd };
        order.start(&attached.place).await.map_err(|e| SetupError {
            operation: format!("start `{program}` of the target {}", self.name()),
            cause: e.to_string(),
            hint: Some(match e.kind() {
                std::io::ErrorKind::PermissionDenied => "is it executable? (chmod +x)".to_owned(),
                _ => "is it built? a path in `run` counts from the manifest's directory".to_owned(),
            }),
        })
    }

    pub(super) async fn bring_up(&self) -> Result<Up, Trouble> {
        let program = &self.manifest.program;
        let mut attached = self.attach().await.map_err(Trouble::Setup)?;
        let beside = self.beside(&attached).await.map_err(Trouble::Setup)?;
        let mut target = self.target(&mut attached).await?.with_beside(beside);
        let Attached { wire, world, .. } = attached;
        let wire = match wire {
            Some(wire) => wire,
            None => match self.late_wire(&world, &mut target).await {
                Ok(wire) => wire,
                Err(trouble) => return Err(self.stopped(target, trouble).await),
            },
        };
        let mut up = Up { wire, target, world, probed: Vec::new() };
        if self.is_client_only() {
            return Ok(up);
        }
        let is_ready = tokio::time::timeout(program.within, self.ready(&mut up)).await;
        let trouble = match is_ready {
            Ok(Ok(())) => return Ok(up),
            Ok(Err(trouble)) => trouble,
            Err(_) if program.ready == Ready::Delay => return Ok(up),
            Err(_) => Trouble::NotReady(self.manifest.program.ready.stage(), self.never_ready(&up)),
        };
        Err(self.stopped(up.target, trouble).await)
    }

    /// The programs that run beside it, started.
    async fn beside(&self, attached: &Attached) -> Result<Beside, SetupError> {
        let mut beside = Beside::default();
        for argv in &self.manifest.program.also {
            let (running, stdin, stdout) = self.start(argv, attached, None).await?;
            tokio::spawn(running.heard().clone().listen(stdout));
            // It has nothing to read.
            drop(stdin);
            beside.add(argv.first().cloned().unwrap_or_default(), running);
        }
        Ok(beside)
    }

    /// Ends what is not ready, and says whether that may be for want of a processor.
    async fn stopped(&self, mut target: ProcessTarget, trouble: Trouble) -> Trouble {
        let waited = target.waited().unwrap_or_default();
        target.stop().await;
        match trouble {
            Trouble::NotReady(stage, why) if waited > self.manifest.program.within / 10 => {
                Trouble::Kept(stage, why, waited)
            }
            other => other,
        }
    }

    /// Nothing runs until a case connects.
    pub(super) fn is_client_only(&self) -> bool {
        self.manifest.program.run.is_empty()
    }

    /// The program, started.
    async fn target(&self, attached: &mut Attached) -> Result<ProcessTarget, Trouble> {
        let program = &self.manifest.program;
        let manner = Manner {
            app: program.app,
            stdin: program.stdin.clone(),
            lifetime: program.lifetime,
            has_device: self.link.kind.is_device(),
        };
        let fd = attached.fd.take();
        if self.is_client_only() {
            return Ok(ProcessTarget::client_only(manner, self.client(attached, fd)));
        }
        let (running, stdin, stdout) =
            self.start(&program.run, attached, fd).await.map_err(Trouble::Setup)?;
        let client = (!program.connect.is_empty()).then(|| self.client(attached, None));
        let mut target = ProcessTarget::new(manner, running, stdin, stdout).with_client(client);
        target.watch();
        Ok(target)
    }

    fn client(&self, attached: &Attached, fd: Option<OwnedFd>) -> Client {
        let program = &self.manifest.program;
        let (env, directory) = (attached.env.clone(), program.directory.clone());
        Client::new(self.filled(&program.connect), env, directory, attached.place.clone(), fd)
    }

    fn never_ready(&self, up: &Up) -> String {
        let span = crate::time::span(self.manifest.program.within);
        let what = match &self.manifest.program.ready {
            Ready::Control => "it said nothing on the control channel".to_owned(),
            Ready::Syn => format!("it answered no SYN to port {}", self.manifest.profile.net.port),
            Ready::Arp => "it answered no ARP".to_owned(),
            Ready::Text(text) => format!("it never wrote `{text}`"),
            Ready::Delay => String::new(),
        };
        let said = up.target.heard().last_lines(4);
        let said = if said.is_empty() { String::new() } else { format!("; it said: {said}") };
        format!("the target was not ready within {span}: {what}{said}")
    }

    /// Waits until it is ready, or is gone.
    async fn ready(&self, up: &mut Up) -> Result<(), Trouble> {
        let Up { wire, target, probed, .. } = up;
        let patience = self.manifest.program.within;
        match &self.manifest.program.ready {
            Ready::Control => {
                let said = race(target).await;
                match said {
                    Raced::Hello(Ok(())) => Ok(()),
                    Raced::Hello(Err(why)) => Err(Trouble::NotReady(
                        Stage::Ready,
                        format!("nonsense on the control channel: {why}"),
                    )),
                    Raced::Ended(how, unsupported) => Err(gone(how, unsupported)),
                }
            }
            // The wire is there only once ARP was answered.
            Ready::Arp => Ok(()),
            Ready::Syn => {
                let mut probe = self.probe();
                probed.push(probe.port());
                tokio::select! {
                    biased;
                    answer = probe.syn(wire, patience) => match answer {
                        Ok(Some(answer)) => {
                            if !answer.has(Flags::RST) {
                                probe.reset(wire).await.map_err(broke)?;
                            } else if self.manifest.program.app != App::Control && self.manifest.program.app != App::None {
                                let port = self.manifest.profile.net.port;
                                let why = format!(
                                    "the target answers a SYN to port {port} with RST: nobody listens there"
                                );
                                return Err(Trouble::NotReady(Stage::SynAck, why));
                            }
                            Ok(())
                        }
                        // The deadline says the rest.
                        Ok(None) => std::future::pending().await,
                        Err(e) => Err(broke(e)),
                    },
                    (how, unsupported) = target.ended() => Err(gone(how, unsupported)),
                }
            }
            Ready::Text(text) => loop {
                if target.heard().contains(text) {
                    return Ok(());
                }
                tokio::select! {
                    biased;
                    (how, unsupported) = target.ended() => return Err(gone(how, unsupported)),
                    () = tokio::time::sleep(LOOK_AGAIN) => {}
                }
            },
            Ready::Delay => {
                let (how, unsupported) = target.ended().await;
                Err(gone(how, unsupported))
            }
        }
    }
}

impl Ready {
    /// What is missing where it never comes.
    fn stage(&self) -> Stage {
        match self {
            Self::Syn => Stage::SynAck,
            Self::Arp => Stage::Arp,
            Self::Control | Self::Text(_) | Self::Delay => Stage::Ready,
        }
    }
}

type Started = (Running, tokio::process::ChildStdin, tokio::process::ChildStdout);

enum Raced {
    Hello(Result<(), String>),
    Ended(String, bool),
}

/// The answer of the control channel, or the end of the program. A program that has ended says nothing more.
async fn race(target: &mut ProcessTarget) -> Raced {
    if let Ok(answer) = tokio::time::timeout(Duration::from_millis(250), target.hello()).await {
        return Raced::Hello(answer);
    }
    loop {
        if !target.is_alive() {
            let (how, unsupported) = target.ended().await;
            return Raced::Ended(how, unsupported);
        }
        if let Ok(answer) = tokio::time::timeout(Duration::from_millis(250), target.heard_back()).await {
            return Raced::Hello(answer);
        }
    }
}

pub(super) fn gone(how: String, unsupported: bool) -> Trouble {
    if unsupported { Trouble::Unsupported(how) } else { Trouble::Died(how) }
}

pub(super) fn broke(e: WireError) -> Trouble {
    Trouble::Setup(SetupError { operation: e.operation.to_owned(), cause: e.cause, hint: None })
}
