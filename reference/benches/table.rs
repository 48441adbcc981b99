//! The reference beside smoltcp 0.14 as one table, with the bars that the reference has to clear.
//!
//! ```text
//! cargo bench -p tcpspec-reference --bench table
//! ```
//!
//! The two stacks take many short turns, one after the other. What disturbs a turn only ever makes it slower, so the best
//! turn of each says what the work costs; the medians say whether that is what one gets. An argument chooses the
//! rows that contain it. See `rig` for the loads and `throughput` for the same under criterion.
#![allow(clippy::print_stdout, reason = "the table is what it is for")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads a clock")]

mod rig;

use std::time::{Duration, Instant};

use rig::{Access, MTU, Pair, Reference, Sizes, Smoltcp};

const TURNS: usize = 200;
const BULK: usize = 4 << 20;

/// What the turns of one stack took.
#[derive(Clone, Copy, Debug)]
struct Times {
    best: Duration,
    median: Duration,
}

/// Two pieces of work in turns, the reference's first. Of one that takes long a few turns have to do.
fn race(mut ours: impl FnMut(), mut theirs: impl FnMut()) -> [Times; 2] {
    const PATIENCE: Duration = Duration::from_secs(2);
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..TURNS {
        for (times, work) in times.iter_mut().zip([&mut ours as &mut dyn FnMut(), &mut theirs]) {
            if turn > 2 && times.iter().sum::<Duration>() > PATIENCE {
                continue;
            }
            let start = Instant::now();
            work();
            times.push(start.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort();
        Times { best: times[0], median: times[times.len() / 2] }
    })
}

/// A row of the table: `units` of something each turn, and what the best turns make of it.
fn row(name: &str, units: f64, digits: usize, [ours, theirs]: [Times; 2]) -> f64 {
    let rate = |time: Duration| units / time.as_secs_f64();
    let ratio = rate(ours.best) / rate(theirs.best);
    let medians = rate(ours.median) / rate(theirs.median);
    println!(
        "{name:<38}{:>12.digits$}{:>12.digits$}{ratio:>8.2}{medians:>10.2}",
        rate(ours.best),
        rate(theirs.best),
    );
    ratio
}

/// Goodput over one connection in Gbit/s.
fn bulk(name: &str, sizes: Sizes, access: Access) -> f64 {
    let (mut ours, mut theirs) = (Pair::<Reference>::new(1, sizes), Pair::<Smoltcp>::new(1, sizes));
    let times = race(|| ours.bulk(BULK, access), || theirs.bulk(BULK, access));
    row(name, BULK as f64 * 8.0 / 1e9, 2, times)
}

/// Segments of text each second over so many connections, acknowledgements and all. Returns the seconds for one.
fn segments(name: &str, connections: usize) -> f64 {
    let sizes = Sizes { buffer: 4096, mtu: MTU };
    let mut ours = Pair::<Reference>::new(connections, sizes);
    let mut theirs = Pair::<Smoltcp>::new(connections, sizes);
    let rounds = (2_000 / connections).max(1);
    let times = race(|| (0..rounds).for_each(|_| ours.round()), || (0..rounds).for_each(|_| theirs.round()));
    let segments = (2 * rounds * connections) as f64;
    row(name, segments, 0, times);
    times[0].best.as_secs_f64() / segments
}

/// Handshake to close, cycles each second.
fn cycles(name: &str) {
    const CYCLES: usize = 500;
    let sizes = Sizes { buffer: 4096, mtu: MTU };
    let (mut ours, mut theirs) = (Pair::<Reference>::new(0, sizes), Pair::<Smoltcp>::new(0, sizes));
    let times = race(|| (0..CYCLES).for_each(|_| ours.cycle()), || (0..CYCLES).for_each(|_| theirs.cycle()));
    row(name, CYCLES as f64, 0, times);
}

fn main() {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let chosen = |name: &str| name.contains(&filter);
    println!("{:<38}{:>12}{:>12}{:>8}{:>10}", "", "reference", "smoltcp", "ratio", "medians");
    let mut goodput = None;
    for (name, buffer, mtu, access) in [
        ("goodput in place, Gbit/s", 65_536, MTU, Access::InPlace),
        ("goodput copied, Gbit/s", 65_536, MTU, Access::Copied),
        ("goodput in place, MTU 9000, Gbit/s", 262_144, 9000, Access::InPlace),
        ("goodput in place, MTU 65535, Gbit/s", 262_144, 65_535, Access::InPlace),
    ] {
        if chosen(name) {
            let ratio = bulk(name, Sizes { buffer, mtu }, access);
            goodput.get_or_insert(ratio);
        }
    }
    let mut costs = Vec::new();
    for connections in [1, 100, 10_000] {
        let name = format!("segments/s, {connections} connections");
        if chosen(&name) {
            costs.push(segments(&name, connections));
        }
    }
    if chosen("handshake to close, cycles/s") {
        cycles("handshake to close, cycles/s");
    }
    println!();
    if let Some(ratio) = goodput {
        println!("goodput {ratio:.2} x smoltcp (at least 1.5)");
    }
    if let [one, _, many] = costs[..] {
        println!("cost of a segment at 10000 connections {:.2} x that at one (at most 1.5)", many / one);
    }
}
