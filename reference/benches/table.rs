//! The reference beside smoltcp 0.14 as one table, with the bars that the reference has to clear.
//!
//! ```text
//! cargo bench -p tcpspec-reference --bench table
//! ```
//!
//! The two stacks take many short turns, and the best turn of each counts: what disturbs a turn only ever makes it
//! slower. See `rig` for the loads and `throughput` for the same under criterion.
#![allow(clippy::print_stdout, reason = "the table is what it is for")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads a clock")]

mod rig;

use std::time::{Duration, Instant};

use rig::{Pair, Reference, Smoltcp};

const TURNS: usize = 40;
const BULK: usize = 4 << 20;

/// The best time of each of two pieces of work, in turns. Of a long one a few turns have to do.
fn race(mut ours: impl FnMut(), mut theirs: impl FnMut()) -> (Duration, Duration) {
    let mut best = (Duration::MAX, Duration::MAX);
    let clock = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let limit = Instant::now() + Duration::from_secs(4);
    for turn in 0..TURNS {
        if turn > 2 && Instant::now() > limit {
            break;
        }
        best.0 = best.0.min(clock(&mut ours));
        best.1 = best.1.min(clock(&mut theirs));
    }
    best
}

/// Goodput over one connection in Gbit/s.
fn bulk() -> (f64, f64) {
    let (mut ours, mut theirs) = (Pair::<Reference>::new(1, 65536), Pair::<Smoltcp>::new(1, 65536));
    let (a, b) = race(|| ours.bulk(BULK), || theirs.bulk(BULK));
    let rate = |time: Duration| BULK as f64 * 8.0 / time.as_secs_f64() / 1e9;
    (rate(a), rate(b))
}

/// Nanoseconds for each segment of text, acknowledgements and all, over so many connections.
fn segment(connections: usize) -> (f64, f64) {
    let mut ours = Pair::<Reference>::new(connections, 4096);
    let mut theirs = Pair::<Smoltcp>::new(connections, 4096);
    let rounds = (2_000 / connections).max(1);
    let (a, b) = race(|| (0..rounds).for_each(|_| ours.round()), || (0..rounds).for_each(|_| theirs.round()));
    let each = |time: Duration| time.as_secs_f64() * 1e9 / (2 * rounds * connections) as f64;
    (each(a), each(b))
}

/// Handshake to close, cycles each second.
fn cycle() -> (f64, f64) {
    const CYCLES: usize = 500;
    let (mut ours, mut theirs) = (Pair::<Reference>::new(0, 4096), Pair::<Smoltcp>::new(0, 4096));
    let (a, b) = race(|| (0..CYCLES).for_each(|_| ours.cycle()), || (0..CYCLES).for_each(|_| theirs.cycle()));
    (CYCLES as f64 / a.as_secs_f64(), CYCLES as f64 / b.as_secs_f64())
}

fn main() {
    println!("{:<34}{:>12}{:>12}{:>8}", "", "reference", "smoltcp", "ratio");
    let (ours, theirs) = bulk();
    println!("{:<34}{ours:>12.2}{theirs:>12.2}{:>8.2}", "goodput, 1 connection, Gbit/s", ours / theirs);
    let bulk_ratio = ours / theirs;
    let mut costs = Vec::new();
    for connections in [1, 100, 10_000] {
        let (ours, theirs) = segment(connections);
        costs.push(ours);
        let name = format!("segments/s, {connections} connections");
        println!("{name:<34}{:>12.0}{:>12.0}{:>8.2}", 1e9 / ours, 1e9 / theirs, theirs / ours);
    }
    let (ours, theirs) = cycle();
    println!("{:<34}{ours:>12.0}{theirs:>12.0}{:>8.2}", "handshake to close, cycles/s", ours / theirs);
    let growth = costs[2] / costs[0];
    println!();
    println!("goodput {bulk_ratio:.2} x smoltcp (at least 1.5)");
    println!("cost of a segment at 10000 connections {growth:.2} x that at one (at most 1.5)");
}
