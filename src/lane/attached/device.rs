//! Wires on a network device in a namespace of the target's own: veth, TAP and TUN.
#![allow(clippy::disallowed_methods, reason = "looks at the devices of a namespace")]

use super::AnyWire;
use super::bring_up::{Attached, BringUp, Stage, Trouble, World, broke, gone};
use crate::lab::{Lab, Options, tap};
use crate::lane::SetupError;
use crate::target::manifest::{Creator, LinkKind};
use crate::target::process::{Place, ProcessTarget};
use crate::wire::af_packet::{AfPacketWire, Carries, Socket};
use crate::wire::link::TargetMac;
use std::collections::BTreeMap;
use std::time::Duration;

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
        let patience = self.manifest.program.within;
        tokio::select! {
            biased;
            wire = tokio::time::timeout(patience, self.device(world)) => {
                let device = &self.link.device;
                let never = || Trouble::NotReady(Stage::Link, format!(
                    "there was no device {device} within {}",
                    crate::time::span(patience)
                ));
                match wire {
                    Ok(Err(Trouble::NotReady(stage, why))) => {
                        Err(Trouble::NotReady(stage, why + &self.others(world).await))
                    }
                    Ok(wire) => wire,
                    Err(_) => match never() {
                        Trouble::NotReady(stage, why) => {
                            Err(Trouble::NotReady(stage, why + &self.others(world).await))
                        }
                        other => Err(other),
                    },
                }
            }
            (how, unsupported) = target.ended() => Err(gone(how, unsupported)),
        }
    }

    async fn device(&self, world: &World) -> Result<AnyWire, Trouble> {
        let carries = if self.link.kind == LinkKind::Tun { Carries::Packets } else { Carries::Frames };
        let socket = self.socket(world, carries).await.map_err(Trouble::Setup)?;
        let mut wire =
            AfPacketWire::new(socket, &self.manifest.profile.net, TargetMac::Unknown).map_err(|e| {
                let operation = "watch a packet socket".to_owned();
                Trouble::Setup(SetupError { operation, cause: e.to_string(), hint: None })
            })?;
        let patience = self.manifest.program.within;
        // What has not started yet says first where it is.
        if self.is_client_only() || wire.find_target(patience).await.map_err(broke)? {
            return Ok(AnyWire::Packet(Box::new(wire)));
        }
        let address = self.manifest.profile.net.target_v4;
        Err(Trouble::NotReady(
            Stage::Arp,
            format!(
                "nobody answered ARP for {address} on {} within {}",
                self.link.device,
                crate::time::span(patience)
            ),
        ))
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
                Some(socket) => return Ok(socket),
                None => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }
}
