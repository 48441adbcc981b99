//! Wires on a network device in a namespace of the target's own: veth, TAP and TUN.
#![allow(clippy::disallowed_methods, reason = "looks at the devices of a namespace")]

use super::AnyWire;
use super::bring_up::{Attached, BringUp, Stage, Trouble, World, broke, gone};
use crate::lab::{Lab, Options, tap};
use crate::lane::SetupError;
use crate::suite::model::Family;
use crate::target::manifest::{Creator, LinkKind};
use crate::target::process::{Place, ProcessTarget};
use crate::wire::af_packet::{AfPacketWire, Carries, Socket};
use crate::wire::link::TargetMac;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

const LOOK_AGAIN: Duration = Duration::from_millis(2);

impl BringUp {
    /// The namespace, and what of the wire is there before the program.
    pub(super) async fn attach_device(&self, env: BTreeMap<String, String>) -> Result<Attached, SetupError> {
        let kind = match self.link.kind {
            LinkKind::Veth => return self.attach_veth(env).await,
            LinkKind::Tun => tap::Kind::Tun,
            LinkKind::Tap | LinkKind::Fd | LinkKind::Udp => tap::Kind::Tap,
        };
        let namespace = tap::quiet_namespace(&self.manifest.sysctls).await?;
        if self.link.create == Creator::Harness {
            tap::make(&namespace, &self.link.device, kind).await?;
        }
        let place = Place::Inside(namespace.clone());
        let world = World { namespace: Some(namespace), ..World::default() };
        Ok(Attached { wire: None, place, env, fd: None, world })
    }

    /// A veth whose far end belongs to the program: the kernel there has no address.
    async fn attach_veth(&self, env: BTreeMap<String, String>) -> Result<Attached, SetupError> {
        let lab = self.lab.get_or_try_init(Lab::new).await?;
        let options = Options { sysctls: self.manifest.sysctls.clone(), ..Options::default() };
        let (pair, wire) = lab.pair(&self.manifest.profile.net, &options).await?;
        tap::mute(pair.target(), &self.link.device).await?;
        let place = Place::Inside(pair.target().clone());
        let world = World { _pair: Some(pair), ..World::default() };
        Ok(Attached { wire: Some(AnyWire::Packet(Box::new(wire))), place, env, fd: None, world })
    }

    /// The wire on a device that the program has opened or made; on a TAP it has to answer ARP first.
    pub(super) async fn late_wire(
        &self,
        world: &World,
        target: &mut ProcessTarget,
    ) -> Result<AnyWire, Trouble> {
        tokio::select! {
            biased;
            wire = self.device(world) => match wire {
                Err(Trouble::NotReady(stage, why)) => {
                    Err(Trouble::NotReady(stage, why + &self.others(world).await))
                }
                wire => wire,
            },
            (how, unsupported) = target.ended() => Err(gone(how, unsupported)),
        }
    }

    async fn device(&self, world: &World) -> Result<AnyWire, Trouble> {
        let carries = if self.link.kind == LinkKind::Tun { Carries::Packets } else { Carries::Frames };
        let patience = self.manifest.program.within;
        let (device, within) = (&self.link.device, crate::time::span(patience));
        let until = Instant::now() + patience;
        let Ok(socket) = timeout_at(until, self.socket(world, carries)).await else {
            return Err(Trouble::NotReady(
                Stage::Link,
                format!("there was no device {device} within {within}"),
            ));
        };
        let socket = socket.map_err(Trouble::Setup)?;
        let mut wire =
            AfPacketWire::new(socket, &self.manifest.profile.net, TargetMac::Unknown).map_err(|e| {
                let operation = "watch a packet socket".to_owned();
                Trouble::Setup(SetupError { operation, cause: e.to_string(), hint: None })
            })?;
        // What has not started yet says first where it is.
        if self.is_client_only() {
            return Ok(AnyWire::Packet(Box::new(wire)));
        }
        let Ok(is_open) = timeout_at(until, self.until_open(world)).await else {
            return Err(Trouble::NotReady(Stage::Link, format!("nobody opened {device} within {within}")));
        };
        is_open.map_err(Trouble::Setup)?;
        // As long again: it is the program's turn only now.
        if wire.find_target(patience).await.map_err(broke)? {
            if carries == Carries::Frames && self.manifest.profile.families.contains(&Family::V6) {
                wire.introduce().await.map_err(broke)?;
            }
            return Ok(AnyWire::Packet(Box::new(wire)));
        }
        let address = self.manifest.profile.net.target_v4;
        let why = format!("nobody answered ARP for {address} on {device} within {within}");
        Err(Trouble::NotReady(Stage::Arp, why))
    }

    /// Until a program is behind the device: what is sent before is lost.
    async fn until_open(&self, world: &World) -> Result<(), SetupError> {
        let Some(namespace) = &world.namespace else { return Ok(()) };
        while !tap::is_open(namespace, &self.link.device).await? {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// What else may be wrong with a device: another one that the program has made.
    async fn others(&self, world: &World) -> String {
        let Some(namespace) = &world.namespace else { return String::new() };
        let devices = namespace.run(|| std::fs::read_to_string("/proc/thread-self/net/dev")).await;
        let devices = devices.unwrap_or_default();
        let names = devices.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim());
        let others: Vec<&str> = names.filter(|name| *name != "lo" && *name != self.link.device).collect();
        match others.as_slice() {
            [] => String::new(),
            others => format!("; but there is {}: does the program open that one?", others.join(", ")),
        }
    }

    async fn socket(&self, world: &World, carries: Carries) -> Result<Socket, SetupError> {
        let Some(namespace) = &world.namespace else {
            let operation = "open a packet socket".to_owned();
            return Err(SetupError { operation, cause: "there is no namespace".to_owned(), hint: None });
        };
        loop {
            match tap::open(namespace, &self.link.device, carries).await? {
                Some(socket) => {
                    tap::deepen(namespace, &self.link.device).await?;
                    return Ok(socket);
                }
                None => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }
}
