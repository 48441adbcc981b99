#![allow(clippy::all, dead_code, warnings)]
#[path = "../benches/rig/mod.rs"]
mod rig;
use rig::*;
use std::time::{Duration, Instant};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).map(|a| a == "t").unwrap_or(false) {
        let sizes = Sizes { buffer: 4096, mtu: MTU };
        let mut one = Pair::<Reference>::new(1, sizes);
        let mut many = Pair::<Reference>::new(10_000, sizes);
        for _ in 0..args.get(2).map_or(1, |a| a.parse().unwrap()) {
            let (mut a, mut b) = (Duration::MAX, Duration::MAX);
            for _ in 0..60 {
                let t = Instant::now();
                for _ in 0..2000 {
                    one.round();
                }
                a = a.min(t.elapsed());
                let t = Instant::now();
                many.round();
                b = b.min(t.elapsed());
            }
            let (a, b) = (a.as_nanos() as f64 / 4000., b.as_nanos() as f64 / 20000.);
            println!("{a:.0} {b:.0} ns, ratio {:.3}", b / a);
        }
        return;
    }
    let n: usize = args[1].parse().unwrap();
    let rounds: usize = args[2].parse().unwrap();
    let mut pair = Pair::<Reference>::new(n, Sizes { buffer: 4096, mtu: MTU });
    for _ in 0..rounds {
        pair.round();
    }
}
