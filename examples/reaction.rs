//! Measures the reaction time over a veth pair: from the kernel's stamp of the target's segment to our answer being on
//! its way. Once awake, where the target answers at once; once asleep, where the target speaks first.
//!
//! ```text
//! cargo run --release --example reaction [CONNECTIONS]
//! ```
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement prints what it measured, and needs a listener to measure"
)]

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    // First of all: threads cannot follow into a user namespace.
    tcpspec::lab::user::obtain_privilege()?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        // As a lane would: in a task, not in the thread that waits for all of them.
        tokio::spawn(measure()).await?.map_err(Into::into)
    })
}

#[cfg(target_os = "linux")]
async fn measure() -> Result<(), String> {
    use std::net::{IpAddr, TcpListener};
    use std::time::{Duration, Instant};
    use tcpspec::lab::{Options, Pair};
    use tcpspec::packet::{Body, Flags, Ip, Packet, SeqNum, Tcp};
    use tcpspec::target::profile::Net;
    use tcpspec::wire::Wire;

    let rounds: u16 = std::env::args().nth(1).map_or(Ok(10_000), |arg| arg.parse()).map_err(text)?;
    let net = Net::default();
    let (pair, mut wire) = Pair::new(&net, &Options::default()).await.map_err(text)?;
    let at = (net.target_v4, net.port);
    let listener = pair.target().run(move || TcpListener::bind(at)).await.map_err(text)?;
    let segment = |tcp: Tcp| {
        let ip = Ip::between(IpAddr::V4(net.peer_v4), IpAddr::V4(net.target_v4)).expect("one family");
        Packet::of(ip, Body::Tcp(Tcp { dport: Some(net.port), ..tcp })).build()
    };
    let (mut answered, mut reacted, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for sport in (10_000..).take(rounds.into()) {
        let tcp = Tcp { sport: Some(sport), seq: Some(SeqNum(1000)), ..Tcp::with(Flags::SYN) };
        let sent = wire.send(&segment(tcp)).await.map_err(text)?;
        let (received, syn_ack) = loop {
            let received = wire.recv().await.map_err(text)?;
            let packet = Packet::parse_ip(&received.packet);
            match packet.tcp() {
                Some(tcp) if tcp.has(Flags::SYN | Flags::ACK) && tcp.dport() == sport => {
                    break (received.at, tcp.clone());
                }
                // The FIN of an earlier connection.
                _ => {}
            }
        };
        let read = Instant::now();
        let numbers =
            |tcp| Tcp { sport: Some(sport), seq: Some(SeqNum(1001)), ack: Some(syn_ack.seq() + 1), ..tcp };
        let ack = segment(numbers(Tcp::with(Flags::ACK)));
        let left = wire.send(&ack).await.map_err(text)?;
        answered.push(received.saturating_duration_since(sent));
        seen.push(read - received);
        reacted.push(left - received);
        // The queue of the listener must not overflow: a SYN would be dropped.
        listener.accept().map_err(text)?;
        wire.send(&segment(numbers(Tcp::with(Flags::RST | Flags::ACK)))).await.map_err(text)?;
        // As between the cases of a lane: the wire is idle when the next SYN leaves.
        if sport % 16 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let mut woken = wake(&pair, &mut wire, &net, rounds / 4).await?;
    show("SYN sent to SYN-ACK stamped", &mut answered);
    show("SYN-ACK stamped to SYN-ACK read", &mut seen);
    show("SYN-ACK stamped to ACK sent", &mut reacted);
    show("asleep: SYN stamped to answer", &mut woken);
    println!("lost {}", wire.lost());
    Ok(())
}

/// The target connects now and then, and is refused at once.
#[cfg(target_os = "linux")]
async fn wake(
    pair: &tcpspec::lab::Pair,
    wire: &mut tcpspec::wire::af_packet::AfPacketWire,
    net: &tcpspec::target::profile::Net,
    rounds: u16,
) -> Result<Vec<std::time::Duration>, String> {
    use std::net::{IpAddr, TcpStream};
    use std::time::Duration;
    use tcpspec::packet::{Body, Flags, Ip, Packet, Tcp};
    use tcpspec::wire::Wire;

    let (namespace, peer) = (pair.target().clone(), net.peer_v4);
    std::thread::spawn(move || {
        namespace.run_blocking(move || {
            for _ in 0..rounds {
                std::thread::sleep(Duration::from_micros(500));
                let _ = TcpStream::connect((peer, 5000));
            }
        });
    });
    let mut spans = Vec::new();
    while spans.len() < usize::from(rounds) {
        let received = wire.recv().await.map_err(text)?;
        let syn = Packet::parse_ip(&received.packet);
        let Some(syn) = syn.tcp().filter(|tcp| tcp.flags().contains(Flags::SYN) && tcp.dport() == 5000)
        else {
            continue;
        };
        let rst = Tcp {
            sport: syn.dport,
            dport: syn.sport,
            ack: Some(syn.seq_end()),
            ..Tcp::with(Flags::RST | Flags::ACK)
        };
        let ip = Ip::between(IpAddr::V4(net.peer_v4), IpAddr::V4(net.target_v4)).expect("one family");
        let left = wire.send(&Packet::of(ip, Body::Tcp(rst)).build()).await.map_err(text)?;
        spans.push(left - received.at);
    }
    Ok(spans)
}

#[cfg(target_os = "linux")]
fn show(what: &str, spans: &mut [std::time::Duration]) {
    spans.sort_unstable();
    let at = |share: f64| spans[((spans.len() - 1) as f64 * share) as usize];
    println!(
        "{what:<32} p50 {:>9.1?}  p99 {:>9.1?}  p99.9 {:>9.1?}  max {:>9.1?}",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}

#[cfg(target_os = "linux")]
fn text(e: impl std::fmt::Display) -> String {
    e.to_string()
}

#[cfg(not(target_os = "linux"))]
fn main() {}
