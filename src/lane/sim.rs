//! The `sim` lane: a case against the reference stack, in virtual time.
//!
//! Nothing waits: when neither side has anything to do, the clock jumps to the next wake-up of either.
//! A run is a function of the plan and the seed, so the same seed gives the same event log octet for
//! octet.

use super::{Lane, LaneMaker, SetupError};
use crate::engine::{AppCall, Exec, Input, InputKind, Output, verdict};
use crate::event::Try;
use crate::plan::Plan;
use crate::target::Reply;
use crate::target::profile::Profile;
use crate::target::reference::{Habit, ReferenceTarget};
use crate::time::Time;
use crate::wire::mem::{LATENCY, MemWire};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tcpspec_reference::Mutant;

/// More inputs than this is a case (or a stack) that will not end.
const INPUTS_MAX: usize = 1_000_000;
/// No window holds so many segments: who sends them without time passing never stops.
const BURST_MAX: usize = 100_000;

/// A call reaches the application after the packets that were sent before it.
const CALL_LATENCY: Duration = LATENCY.saturating_add(Duration::from_micros(10));

#[derive(Debug, Clone, Copy)]
pub struct SimMaker {
    pub mutant: Option<Mutant>,
}

impl LaneMaker for SimMaker {
    type Lane = SimLane;

    fn wire(&self) -> &'static str {
        "sim"
    }

    async fn make(&self) -> Result<SimLane, SetupError> {
        Ok(SimLane { mutant: self.mutant })
    }
}

#[derive(Debug)]
pub struct SimLane {
    mutant: Option<Mutant>,
}

impl Lane for SimLane {
    async fn run(&mut self, plan: &Arc<Plan>) -> Try {
        run(plan, self.mutant)
    }
}

/// Runs one case to its end. A host is booted for it alone.
pub fn run(plan: &Arc<Plan>, mutant: Option<Mutant>) -> Try {
    let Profile { net, abilities, .. } = &plan.profile;
    against(plan, ReferenceTarget::new(net, abilities, ReferenceTarget::seed(plan), mutant))
}

/// The same, with a server above the reference that takes no orders.
pub fn run_serving(plan: &Arc<Plan>, habit: Habit) -> Try {
    let Profile { net, abilities, .. } = &plan.profile;
    against(plan, ReferenceTarget::serving(net, abilities, ReferenceTarget::seed(plan), habit))
}

fn against(plan: &Arc<Plan>, target: ReferenceTarget) -> Try {
    let mut sim = Sim::new(plan, target);
    sim.drive();
    let events = sim.exec.into_events();
    let verdict = verdict(plan, &events);
    Try { tuple: None, inputs: sim.inputs, verdict, output: String::new(), events }
}

struct Sim {
    exec: Exec,
    target: ReferenceTarget,
    wire: MemWire,
    calls: VecDeque<(Time, u32, AppCall)>,
    inputs: Vec<Input>,
    now: Time,
}

impl Sim {
    fn new(plan: &Arc<Plan>, target: ReferenceTarget) -> Self {
        Self {
            exec: Exec::new(Arc::clone(plan)),
            target,
            wire: MemWire::default(),
            calls: VecDeque::new(),
            inputs: Vec::new(),
            now: Time::ZERO,
        }
    }

    fn drive(&mut self) {
        loop {
            self.take_outputs();
            if self.exec.is_done() {
                return;
            }
            if self.inputs.len() > INPUTS_MAX {
                let how = format!("more than {INPUTS_MAX} events: the case does not end");
                self.input(InputKind::Broken { how });
                return;
            }
            if !self.step() {
                let Some(next) = self.next_wakeup() else {
                    let how = "nothing will ever happen again, and the case still waits".to_owned();
                    self.input(InputKind::Broken { how });
                    return;
                };
                self.now = self.now.max(next);
            }
        }
    }

    /// Moves what is due now; false where nothing is.
    fn step(&mut self) -> bool {
        if let Some(packet) = self.wire.at_target(self.now) {
            self.target.handle_packet(self.now, &packet);
        } else if let Some((_, call, what)) = self.calls.pop_front_if(|(at, ..)| *at <= self.now) {
            self.target.call(self.now, call, &what);
        } else if let Some(packet) = self.wire.at_peer(self.now) {
            self.input(InputKind::Frame { octets: packet });
            return true;
        } else if self.target.poll_timeout().is_some_and(|at| at <= self.now) {
            return self.drain_target();
        } else if self.exec.poll_timeout().is_some_and(|at| at <= self.now) {
            self.input(InputKind::Timeout);
            return true;
        } else {
            return false;
        }
        self.drain_target();
        true
    }

    /// True where the target had something to say.
    fn drain_target(&mut self) -> bool {
        let mut sent = 0;
        while let Some(packet) = self.target.poll_transmit(self.now) {
            self.wire.send_to_peer(self.now, packet);
            sent += 1;
            if sent == BURST_MAX {
                self.input(InputKind::TargetHung { how: format!("{sent} packets at one time, and no end") });
                return true;
            }
        }
        let mut moved = sent > 0;
        while let Some(reply) = self.target.poll_reply() {
            self.input(match reply {
                Reply::Answer { call, outcome } => InputKind::App { call, outcome },
                Reply::Event { conn, event } => InputKind::AppEvent { conn, event },
                Reply::Died { how } => InputKind::TargetDied { how },
                Reply::Hung { how } => InputKind::TargetHung { how },
                Reply::Broken { how } => InputKind::Broken { how },
            });
            moved = true;
        }
        moved
    }

    fn take_outputs(&mut self) {
        while let Some(output) = self.exec.poll_output() {
            match output {
                Output::Frame(packet) => self.wire.send_to_target(self.now, packet),
                Output::App { call, what } => self.calls.push_back((self.now + CALL_LATENCY, call, what)),
            }
        }
    }

    fn input(&mut self, what: InputKind) {
        let input = Input { at: self.now, what };
        self.exec.handle(&input);
        self.inputs.push(input);
    }

    /// The next moment at which anybody has something to do, after now.
    fn next_wakeup(&self) -> Option<Time> {
        let call = self.calls.front().map(|(at, ..)| *at);
        let wakeups = [self.wire.next_arrival(), call, self.target.poll_timeout(), self.exec.poll_timeout()];
        let next = wakeups.into_iter().flatten().min()?;
        // A time-out that does nothing must not stop the clock.
        Some(next.max(self.now + Duration::from_micros(1)))
    }
}
