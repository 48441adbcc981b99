//! The reference beside smoltcp 0.14, both over the same wire in memory (see `rig`).
//!
//! ```text
//! cargo bench -p tcpspec-reference --bench throughput -- --quick
//! ```
//!
//! `bulk` is goodput over one connection with buffers of 64 KiB, made and taken in place or copied. `round/N` sends two full segments over each of N
//! connections with buffers of 4 KiB; its throughput counts the segments with text. `cycle` opens a
//! connection and closes it again. `cargo bench -p tcpspec-reference --bench table` prints the same as one table.

mod rig;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use rig::{Access, Host, MTU, Pair, Reference, Sizes, Smoltcp};

const BULK: usize = 4 << 20;

/// The hosts are made when a benchmark runs, so that one left out costs nothing.
fn bulk<H: Host>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, access: Access) {
    let mut pair = None;
    group.bench_function(BenchmarkId::new(name, format!("{access:?}")), |bench| {
        let pair = pair.get_or_insert_with(|| Pair::<H>::new(1, Sizes { buffer: 65536, mtu: MTU }));
        bench.iter(|| pair.bulk(BULK, access));
    });
}

fn round<H: Host>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, connections: usize) {
    let mut pair = None;
    group.throughput(Throughput::Elements(2 * connections as u64));
    group.bench_function(BenchmarkId::new(name, connections), |bench| {
        let pair = pair.get_or_insert_with(|| Pair::<H>::new(connections, Sizes { buffer: 4096, mtu: MTU }));
        bench.iter(|| pair.round());
    });
}

fn cycle<H: Host>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str) {
    let mut pair = None;
    group.bench_function(name, |bench| {
        let pair = pair.get_or_insert_with(|| Pair::<H>::new(0, Sizes { buffer: 4096, mtu: MTU }));
        bench.iter(|| pair.cycle());
    });
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bulk");
    group.throughput(Throughput::Bytes(BULK as u64));
    for access in [Access::InPlace, Access::Copied] {
        bulk::<Reference>(&mut group, "reference", access);
        bulk::<Smoltcp>(&mut group, "smoltcp", access);
    }
    group.finish();

    let mut group = criterion.benchmark_group("round");
    group.sample_size(10);
    for connections in [1, 100, 10_000] {
        round::<Reference>(&mut group, "reference", connections);
        round::<Smoltcp>(&mut group, "smoltcp", connections);
    }
    group.finish();

    let mut group = criterion.benchmark_group("cycle");
    group.throughput(Throughput::Elements(1));
    cycle::<Reference>(&mut group, "reference");
    cycle::<Smoltcp>(&mut group, "smoltcp");
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
