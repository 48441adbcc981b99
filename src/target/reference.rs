//! The embedded default target: the reference stack, with an application on top that does what a case
//! says.
//!
//! Sans-IO like the stack itself: packets, calls and the time go in; packets and replies come out. A
//! lane decides whether that time is virtual.

mod app;
pub mod host;
mod server;
mod variant;

pub use server::Habit;
pub use variant::variant;

use super::Reply;
use crate::engine::AppCall;
use crate::plan::Plan;
use crate::suite::model::Family;
use crate::target::profile::{Limits, Net, Profile, Timing};
use crate::time::Time;
use app::Apps;
use server::Server;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tcpspec_reference::{Config, Endpoint, Error, Instant, Mutant, Status};

pub struct ReferenceTarget {
    endpoint: Endpoint,
    apps: Apps,
    /// In the place of an application that does what it is told.
    server: Option<Server>,
}

impl ReferenceTarget {
    /// A freshly booted host that has these abilities. The seed decides what a host chooses at random.
    pub fn new(net: &Net, abilities: &BTreeSet<String>, seed: u64, mutant: Option<Mutant>) -> Self {
        let config = Config {
            addresses: vec![IpAddr::V4(net.target_v4), IpAddr::V6(net.target_v6)],
            seed,
            mutant,
            ..variant::config(abilities)
        };
        Self::with(config)
    }

    /// A host with these settings.
    pub fn with(config: Config) -> Self {
        Self { endpoint: Endpoint::new(config), apps: Apps::default(), server: None }
    }

    /// The same with a server above it that takes no orders but to connect.
    pub fn serving(net: &Net, abilities: &BTreeSet<String>, seed: u64, habit: Habit) -> Self {
        let mut target = Self::new(net, abilities, seed, None);
        target.server = Some(Server::new(habit, &mut target.endpoint, net.port));
        target
    }

    fn work(&mut self, now: Time) {
        match &mut self.server {
            Some(server) => server.work(&mut self.endpoint, instant(now)),
            None => self.apps.work(&mut self.endpoint, instant(now)),
        }
    }

    /// What a host chooses at random in a case, on any wire.
    pub fn seed(plan: &Plan) -> u64 {
        plan.seed ^ u64::from(plan.isn)
    }

    /// Connects from a port of the caller's choice, and gives the handle.
    pub fn connect_from(&mut self, now: Time, local: SocketAddr, to: SocketAddr) -> Result<u32, Error> {
        let id = self.endpoint.connect(instant(now), Some(local), to)?;
        Ok(self.apps.handle(id))
    }

    /// What RFC 9293 calls STATUS, for those who ask beside the application.
    pub fn status(&self, conn: u32) -> Option<Status> {
        Some(self.endpoint.status(self.apps.id(conn)?))
    }

    /// How far the `recv` that is going on has come: octets, and the first that was wrong.
    pub fn reading(&self, conn: u32) -> Option<(u64, Option<u64>)> {
        self.apps.reading(conn)
    }

    /// Ends a `recv` without an answer.
    pub fn stop_reading(&mut self, conn: u32) -> Option<(u64, Option<u64>)> {
        self.apps.stop_reading(conn)
    }

    pub fn handle_packet(&mut self, now: Time, packet: &[u8]) {
        self.endpoint.handle_packet(instant(now), packet);
        self.work(now);
    }

    pub fn call(&mut self, now: Time, call: u32, what: &AppCall) {
        self.apps.call(&mut self.endpoint, instant(now), call, what);
        if let (Some(server), AppCall::Connect { .. }) = (&mut self.server, what)
            && let Some(id) = self.apps.newest()
        {
            server.adopt(id);
        }
        self.work(now);
    }

    /// Gives the next packet that is due. Drain it after every input and at every `poll_timeout`.
    pub fn poll_transmit(&mut self, now: Time) -> Option<Vec<u8>> {
        if self.server.is_some() {
            self.work(now);
            return self.endpoint.poll_transmit(instant(now));
        }
        let packet = self.endpoint.poll_transmit(instant(now));
        self.work(now);
        packet
    }

    pub fn poll_reply(&mut self) -> Option<Reply> {
        self.apps.poll_reply()
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        let server = self.server.as_ref().and_then(Server::poll_timeout);
        let due = [self.endpoint.poll_timeout(), server].into_iter().flatten().min();
        due.map(|at| Time::from_micros(at.as_micros()))
    }
}

fn instant(now: Time) -> Instant {
    Instant::from_micros(now.as_micros())
}

/// What the reference can do, and its timing, as a manifest would say it.
///
/// The defaults of the RFCs, and on top of them what a stack may do when its peer asks for it, so that there is
/// something to test.
pub fn profile() -> Profile {
    let abilities: BTreeSet<String> =
        variant::ABILITIES.iter().map(|ability| (*ability).to_owned()).collect();
    let config = variant::config(&abilities);
    Profile {
        name: "reference".to_owned(),
        about: "the reference stack of tcpspec, built in".to_owned(),
        abilities,
        families: Family::BOTH.to_vec(),
        net: Net::default(),
        mss_v4: config.mtu - 40,
        mss_v6: config.mtu - 60,
        timing: Timing {
            scale: 1.0,
            msl: config.msl,
            rto_initial: config.rto_initial,
            rto_min: config.rto_min,
            rto_max: config.rto_max,
            delayed_ack: config.delayed_ack.unwrap_or_default(),
            persist_min: config.rto_initial,
            persist_max: config.persist_max,
            keepalive_idle: config.keepalive_idle,
            keepalive_interval: config.keepalive_interval,
            keepalive_count: config.keepalive_count,
            user_timeout: config.r2,
            fin_wait_2: config.fin_wait_2.unwrap_or(Duration::MAX),
            reply: Duration::from_secs(1),
            settle: Duration::from_millis(5),
        },
        limits: Limits {
            buffer: config.recv_buffer,
            backlog: u32::try_from(config.backlog).unwrap_or(u32::MAX),
            connections: u32::try_from(config.max_connections).unwrap_or(u32::MAX),
            syn_retries: 6,
        },
        reading: "rfc9293".to_owned(),
    }
}
