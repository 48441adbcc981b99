//! The lab and the packet-socket wire on a real kernel. Needs root or user namespaces.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests against the real world")]

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};
use tcpspec::lab::{Lab, Neighbours, Options, Pair};
use tcpspec::packet::{Body, Flags, Ip, Packet, SeqNum, Tcp};
use tcpspec::target::profile::Net;
use tcpspec::wire::Wire;
use tcpspec::wire::af_packet::AfPacketWire;

const PATIENCE: Duration = Duration::from_secs(5);

fn ends(net: &Net, is_v6: bool) -> (IpAddr, IpAddr) {
    if is_v6 {
        (net.peer_v6.into(), net.target_v6.into())
    } else {
        (net.peer_v4.into(), net.target_v4.into())
    }
}

fn syn(net: &Net, is_v6: bool, sport: u16) -> Vec<u8> {
    let (peer, target) = ends(net, is_v6);
    let tcp =
        Tcp { sport: Some(sport), dport: Some(net.port), seq: Some(SeqNum(1000)), ..Tcp::with(Flags::SYN) };
    Packet::of(Ip::between(peer, target).unwrap(), Body::Tcp(tcp)).build()
}

async fn listen(pair: &Pair, at: SocketAddr) -> TcpListener {
    pair.target().run(move || TcpListener::bind(at)).await.unwrap()
}

async fn recv(wire: &mut AfPacketWire) -> (Instant, Packet) {
    let received = tokio::time::timeout(PATIENCE, wire.recv()).await.expect("an answer").unwrap();
    (received.at, Packet::parse_ip(&received.packet))
}

async fn syn_is_answered(neighbours: Neighbours) {
    let net = Net::default();
    let options = Options { neighbours, ..Options::default() };
    let (pair, mut wire) = Pair::new(&net, &options).await.unwrap();
    for is_v6 in [false, true] {
        let _listener = listen(&pair, SocketAddr::new(ends(&net, is_v6).1, net.port)).await;
        let sent = wire.send(&syn(&net, is_v6, 4000)).await.unwrap();
        let (at, packet) = recv(&mut wire).await;
        assert_eq!(packet.defects, [], "{packet:?}");
        let tcp = packet.tcp().unwrap();
        assert_eq!((tcp.flags(), tcp.ack()), (Flags::SYN | Flags::ACK, SeqNum(1001)));
        assert!(at >= sent, "stamped before it was asked for");
        assert!(at <= Instant::now());
        assert!(at - sent < Duration::from_millis(500), "{:?}", at - sent);
    }
    assert_eq!(wire.lost(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kernel_answers_a_syn() {
    syn_is_answered(Neighbours::Pinned).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kernel_that_asks_who_the_injector_is_gets_an_answer() {
    syn_is_answered(Neighbours::Answered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pairs_do_not_hear_each_other() {
    let net = Net::default();
    let lab = Lab::new().await.unwrap();
    let (_one, mut wire_one) = lab.pair(&net, &Options::default()).await.unwrap();
    let (_two, mut wire_two) = lab.pair(&net, &Options::default()).await.unwrap();
    wire_one.send(&syn(&net, false, 4000)).await.unwrap();
    let (_, packet) = recv(&mut wire_one).await;
    assert!(packet.tcp().unwrap().has(Flags::RST));
    let other = tokio::time::timeout(Duration::from_millis(50), wire_two.recv()).await;
    assert!(other.is_err(), "{other:?}");
}
