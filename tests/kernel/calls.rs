//! Every call, in both families.

use crate::support::{Lab, PORT, deafen, heal};
use nix::sys::socket::{SockaddrIn, SockaddrIn6, SockaddrStorage, getsockname};
use rstest::rstest;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::time::Duration;
use tcpspec::engine::{AppCall, AppEvent, AppOutcome, pattern};
use tcpspec::target::Target;

#[rstest]
#[tokio::test]
async fn listen_accept_and_unlisten(#[values(false, true)] v6: bool) {
    let mut lab = Lab::new(v6);
    assert_eq!(lab.state(0).await, "CLOSED");
    lab.ok(AppCall::Listen { port: PORT }).await;
    assert_eq!(lab.state(0).await, "LISTEN");
    assert!(matches!(lab.call(AppCall::Listen { port: PORT }).await, AppOutcome::Failed(_)));
    // Accept waits, and is answered when there is someone.
    let accept = lab.start(&AppCall::Accept { port: PORT });
    lab.nothing().await;
    let peer = lab.peer_connects();
    let from = peer.local_addr().unwrap();
    assert_eq!(lab.answer(accept).await, AppOutcome::Accepted { conn: 1, from });
    assert_eq!(lab.state(1).await, "ESTABLISHED");
    lab.ok(AppCall::Unlisten { port: PORT }).await;
    let to = lab.socket(PORT);
    let refused = lab.namespace.enter(move || std::net::TcpStream::connect(to)).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    // What was accepted lives on, and the port can be listened on again.
    assert_eq!(lab.state(1).await, "ESTABLISHED");
    lab.ok(AppCall::Listen { port: PORT }).await;
}

#[tokio::test]
async fn both_families_are_listened_to_at_once() {
    let mut lab = Lab::new(false);
    lab.ok(AppCall::Listen { port: PORT }).await;
    for address in ["127.0.0.1:7", "[::1]:7"] {
        let peer = lab.namespace.enter(move || std::net::TcpStream::connect(address)).unwrap();
        let AppOutcome::Accepted { from, .. } = lab.call(AppCall::Accept { port: PORT }).await else {
            panic!("not accepted")
        };
        assert_eq!(from, peer.local_addr().unwrap());
    }
}

#[rstest]
#[tokio::test]
async fn octets_of_the_pattern_go_both_ways(#[values(false, true)] v6: bool) {
    let mut lab = Lab::new(v6);
    let (conn, mut peer) = lab.accepted().await;
    lab.send(conn, 0, 1000).await;
    lab.send(conn, 1000, 500).await;
    let mut seen = vec![0; 1500];
    peer.read_exact(&mut seen).unwrap();
    assert_eq!(pattern::mismatch(0, &seen), None);
    // The answer waits until enough has come.
    peer.write_all(&pattern::octets(0, 300)).unwrap();
    let recv = lab.start(&AppCall::Recv { conn, offset: 0, count: 1000 });
    lab.nothing().await;
    peer.write_all(&pattern::octets(300, 700)).unwrap();
    assert_eq!(lab.answer(recv).await, AppOutcome::Received { count: 1000, mismatch: None, eof: false });
}

#[tokio::test]
async fn a_wrong_octet_is_found() {
    let mut lab = Lab::new(false);
    let (conn, mut peer) = lab.accepted().await;
    let mut octets = pattern::octets(0, 100);
    octets[42] ^= 1;
    peer.write_all(&octets).unwrap();
    let outcome = lab.call(AppCall::Recv { conn, offset: 0, count: 100 }).await;
    assert_eq!(outcome, AppOutcome::Received { count: 100, mismatch: Some(42), eof: false });
}

#[tokio::test]
async fn recv_ends_with_the_stream() {
    let mut lab = Lab::new(false);
    let (conn, mut peer) = lab.accepted().await;
    peer.write_all(&pattern::octets(0, 10)).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let outcome = lab.call(AppCall::Recv { conn, offset: 0, count: 100 }).await;
    assert_eq!(outcome, AppOutcome::Received { count: 10, mismatch: None, eof: true });
}

#[tokio::test]
async fn recv_of_nothing_takes_nothing() {
    let mut lab = Lab::new(false);
    let (conn, mut peer) = lab.accepted().await;
    peer.write_all(&pattern::octets(0, 10)).unwrap();
    let outcome = lab.call(AppCall::Recv { conn, offset: 0, count: 0 }).await;
    assert_eq!(outcome, AppOutcome::Received { count: 0, mismatch: None, eof: false });
    assert_eq!(lab.target.unread(conn), Ok(10));
}

#[rstest]
#[case(AppCall::Shutdown { conn: 1 })]
#[case(AppCall::Close { conn: 1 })]
#[tokio::test]
async fn what_was_sent_goes_before_the_end(#[case] end: AppCall) {
    const COUNT: usize = 20 << 20;
    let mut lab = Lab::new(false);
    let (conn, mut peer) = lab.accepted().await;
    lab.send(conn, 0, u64::try_from(COUNT).unwrap()).await;
    lab.ok(end).await;
    // More cannot be sent, although the FIN has not left.
    let more = AppCall::Send { conn, offset: 0, count: 1, urgent: false };
    assert!(matches!(lab.call(more).await, AppOutcome::Failed(_)));
    let reader = std::thread::spawn(move || {
        let mut seen = Vec::new();
        peer.read_to_end(&mut seen).unwrap();
        seen
    });
    // The target goes on writing while its replies are waited for.
    while !reader.is_finished() {
        lab.hear(Duration::from_millis(50)).await;
    }
    let seen = reader.join().unwrap();
    assert_eq!((seen.len(), pattern::mismatch(0, &seen)), (COUNT, None));
}

#[rstest]
#[tokio::test]
async fn connect_from_the_targets_address(#[values(false, true)] v6: bool) {
    let mut lab = Lab::new(v6);
    let (conn, peer) = lab.connected().await;
    let (local, remote) = lab.target.addresses(conn).unwrap();
    assert_eq!((local, remote), (peer.peer_addr().unwrap(), peer.local_addr().unwrap()));
    lab.nothing().await;
}

#[tokio::test]
async fn abort_is_a_reset() {
    let mut lab = Lab::new(false);
    let (conn, mut peer) = lab.accepted().await;
    lab.ok(AppCall::Abort { conn }).await;
    let error = peer.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(lab.state(conn).await, "CLOSED");
    for call in [
        AppCall::Send { conn, offset: 0, count: 1, urgent: false },
        AppCall::Recv { conn, offset: 0, count: 1 },
        AppCall::Shutdown { conn },
        AppCall::Close { conn },
        AppCall::Abort { conn },
    ] {
        assert!(matches!(lab.call(call).await, AppOutcome::Failed(_)));
    }
    lab.nothing().await;
}

#[tokio::test]
async fn a_handle_that_was_never_given_is_refused() {
    let mut lab = Lab::new(false);
    let outcome = lab.call(AppCall::Send { conn: 5, offset: 0, count: 1, urgent: false }).await;
    assert_eq!(outcome, AppOutcome::Failed("connection does not exist".to_owned()));
}

#[tokio::test]
async fn a_route_that_is_not_there_is_an_error_of_the_call() {
    let mut lab = Lab::new(false);
    let to = "192.0.2.1:7".parse().unwrap();
    let AppOutcome::Failed(error) = lab.call(AppCall::Connect { to, from: None }).await else {
        panic!("no error")
    };
    assert!(error.contains("ENETUNREACH"), "{error}");
}

#[rstest]
#[case("nodelay", 1)]
#[case("cork", 1)]
#[case("keepalive", 1)]
#[case("keepalive_idle", 5000)]
#[case("keepalive_interval", 1500)]
#[case("keepalive_count", 3)]
#[case("user_timeout", 700)]
#[case("linger", 0)]
#[case("linger", -1)]
#[case("maxseg", 600)]
#[case("mss", 600)]
#[case("rcvbuf", 10_000)]
#[case("sndbuf", 10_000)]
#[case("window_clamp", 10_000)]
#[case("quickack", 0)]
#[case("syn_retries", 2)]
#[case("defer_accept", 1000)]
#[case("fin_wait_2", 1000)]
#[case("tos", 8)]
#[case("ttl", 9)]
#[tokio::test]
async fn options_are_set(#[case] name: &str, #[case] value: i64, #[values(false, true)] v6: bool) {
    let mut lab = Lab::new(v6);
    let (conn, _peer) = lab.accepted().await;
    assert_eq!(lab.option(conn, name, value).await, AppOutcome::Ok);
}

#[tokio::test]
async fn options_have_the_units_of_the_kernel() {
    let mut lab = Lab::new(false);
    let (conn, _peer) = lab.accepted().await;
    lab.option(conn, "keepalive_idle", 5001).await;
    assert_eq!(lab.target.get_option(conn, "SOL_TCP", "TCP_KEEPIDLE"), Ok(6));
    lab.option(conn, "user_timeout", 700).await;
    assert_eq!(lab.target.get_option(conn, "SOL_TCP", "TCP_USER_TIMEOUT"), Ok(700));
    assert_eq!(lab.option(conn, "no_such_thing", 1).await, AppOutcome::Unsupported);
    assert!(matches!(lab.option(conn, "maxseg", -5).await, AppOutcome::Failed(_)));
}

#[tokio::test]
async fn options_without_a_connection_are_for_those_to_come() {
    let mut lab = Lab::new(false);
    assert_eq!(lab.option(0, "maxseg", 700).await, AppOutcome::Ok);
    let (conn, _peer) = lab.connected().await;
    assert!(lab.target.info(conn).unwrap().field("snd_mss").unwrap() <= 700);
    let (conn, _peer) = lab.accepted().await;
    assert_eq!(lab.option(0, "nodelay", 1).await, AppOutcome::Ok);
    assert!(lab.target.info(conn).unwrap().field("snd_mss").unwrap() <= 700);
    let _peer = lab.peer_connects();
    let AppOutcome::Accepted { conn, .. } = lab.call(AppCall::Accept { port: PORT }).await else { panic!() };
    assert_eq!(lab.target.get_option(conn, "SOL_TCP", "TCP_NODELAY"), Ok(1));
}

#[rstest]
#[tokio::test]
async fn states_of_an_active_close(#[values(false, true)] v6: bool) {
    let mut lab = Lab::new(v6);
    let (conn, peer) = lab.accepted().await;
    deafen(&peer);
    lab.ok(AppCall::Close { conn }).await;
    assert_eq!(lab.state(conn).await, "FIN-WAIT-1");
    heal(&peer);
    lab.reaches(conn, "FIN-WAIT-2").await;
    drop(peer);
    lab.reaches(conn, "TIME-WAIT").await;
}

#[tokio::test]
async fn states_of_an_active_close_with_the_descriptor_open() {
    let mut lab = Lab::new(false);
    let (conn, peer) = lab.accepted().await;
    lab.ok(AppCall::Shutdown { conn }).await;
    lab.reaches(conn, "FIN-WAIT-2").await;
    drop(peer);
    assert_eq!(lab.event().await, (conn, AppEvent::Eof));
    lab.reaches(conn, "TIME-WAIT").await;
    lab.nothing().await;
    // An application that lets go now changes nothing.
    lab.ok(AppCall::Close { conn }).await;
    assert_eq!(lab.state(conn).await, "TIME-WAIT");
}

#[rstest]
#[tokio::test]
async fn states_of_a_passive_close(#[values(false, true)] v6: bool) {
    let mut lab = Lab::new(v6);
    let (conn, peer) = lab.accepted().await;
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(lab.event().await, (conn, AppEvent::Eof));
    assert_eq!(lab.state(conn).await, "CLOSE-WAIT");
    deafen(&peer);
    lab.ok(AppCall::Close { conn }).await;
    assert_eq!(lab.state(conn).await, "LAST-ACK");
    heal(&peer);
    assert_eq!(lab.event().await, (conn, AppEvent::Closed));
    assert_eq!(lab.state(conn).await, "CLOSED");
}

#[tokio::test]
async fn state_of_a_simultaneous_close() {
    let mut lab = Lab::new(false);
    let (conn, peer) = lab.accepted().await;
    deafen(&peer);
    lab.ok(AppCall::Close { conn }).await;
    peer.shutdown(Shutdown::Write).unwrap();
    lab.reaches(conn, "CLOSING").await;
    heal(&peer);
    lab.reaches(conn, "TIME-WAIT").await;
}

#[rstest]
#[tokio::test]
async fn states_of_the_handshake(#[values(false, true)] v6: bool) {
    let mut lab = Lab::new(v6);
    // A listener that hears nothing leaves the target in SYN-SENT.
    let listener = lab.peer_listens();
    deafen(&listener);
    let conn = lab.connect(listener.local_addr().unwrap()).await;
    assert_eq!(lab.state(conn).await, "SYN-SENT");
    lab.ok(AppCall::Abort { conn }).await;
    assert_eq!(lab.state(conn).await, "CLOSED");
    // A connecting peer that hears nothing leaves it in SYN-RECEIVED, long before `accept`.
    lab.ok(AppCall::Listen { port: PORT }).await;
    let to = lab.socket(PORT);
    let peer = lab.half_open(to);
    let port = getsockname::<SockaddrStorage>(peer.as_raw_fd()).unwrap();
    let port =
        port.as_sockaddr_in().map(SockaddrIn::port).or_else(|| port.as_sockaddr_in6().map(SockaddrIn6::port));
    // What is left of another case is in this state, too, until the kernel misses its listener.
    lab.target.peer(1);
    assert_eq!(lab.state(0).await, "LISTEN");
    lab.target.peer(port.unwrap());
    assert_eq!(lab.state(0).await, "SYN-RECEIVED");
}
