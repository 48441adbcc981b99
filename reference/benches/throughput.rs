//! The reference beside smoltcp 0.14, both over the same wire in memory (see `rig`).
//!
//! ```text
//! cargo bench -p tcpspec-reference --bench throughput -- --quick
//! ```
//!
//! `bulk` is goodput over one connection with buffers of 64 KiB. `round/N` sends two full segments over each of N
//! connections with buffers of 4 KiB; its throughput counts all segments, acknowledgements too. `cycle` opens a
//! connection and closes it again. `cargo bench -p tcpspec-reference --bench table` prints the same as one table.

mod rig;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use rig::{Host, Pair, Reference, Smoltcp};

const BULK: usize = 4 << 20;

fn bulk<H: Host>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str) {
    let mut pair = Pair::<H>::new(1, 65536);
    group.bench_function(name, |bench| bench.iter(|| pair.bulk(BULK)));
}

fn round<H: Host>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, connections: usize) {
    let mut pair = Pair::<H>::new(connections, 4096);
    let before = pair.segments;
    pair.round();
    group.throughput(Throughput::Elements(pair.segments - before));
    group.bench_function(BenchmarkId::new(name, connections), |bench| bench.iter(|| pair.round()));
}

fn cycle<H: Host>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str) {
    let mut pair = Pair::<H>::new(0, 4096);
    group.bench_function(name, |bench| bench.iter(|| pair.cycle()));
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bulk");
    group.throughput(Throughput::Bytes(BULK as u64));
    bulk::<Reference>(&mut group, "reference");
    bulk::<Smoltcp>(&mut group, "smoltcp");
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
