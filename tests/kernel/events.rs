//! What the application learns without a call.

use crate::support::{Lab, PORT, deafen, reset};
use rstest::rstest;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use tcpspec::engine::{AppCall, AppEvent, AppOutcome, pattern};

#[rstest]
#[tokio::test]
async fn the_end_of_the_stream_comes_before_the_octets_are_read(#[values(false, true)] v6: bool) {
    let mut lab = Lab::new(v6);
    let (conn, mut peer) = lab.accepted().await;
    peer.write_all(&pattern::octets(0, 10)).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(lab.event().await, (conn, AppEvent::Eof));
    lab.nothing().await;
    let outcome = lab.call(AppCall::Recv { conn, offset: 0, count: 10 }).await;
    assert_eq!(outcome, AppOutcome::Received { count: 10, mismatch: None, eof: false });
    lab.nothing().await;
}

#[rstest]
#[tokio::test]
async fn a_reset_is_told_once(#[values(false, true)] v6: bool) {
    let mut lab = Lab::new(v6);
    let (conn, peer) = lab.accepted().await;
    reset(peer);
    assert_eq!(lab.event().await, (conn, AppEvent::Reset));
    let AppOutcome::Failed(error) = lab.call(AppCall::Recv { conn, offset: 0, count: 1 }).await else {
        panic!()
    };
    assert!(error.contains("ECONNRESET"), "{error}");
    let send = AppCall::Send { conn, offset: 0, count: 1, urgent: false };
    assert!(matches!(lab.call(send).await, AppOutcome::Failed(_)));
    assert_eq!(lab.state(conn).await, "CLOSED");
    lab.nothing().await;
}

#[tokio::test]
async fn a_reset_that_a_call_finds_first_is_an_event_too() {
    let mut lab = Lab::new(false);
    let (conn, peer) = lab.accepted().await;
    reset(peer);
    // No reply is waited for in between.
    let recv = lab.start(&AppCall::Recv { conn, offset: 0, count: 1 });
    assert!(matches!(lab.answer(recv).await, AppOutcome::Failed(_)));
    assert_eq!(lab.event().await, (conn, AppEvent::Reset));
    lab.nothing().await;
}

#[tokio::test]
async fn a_reset_fails_the_recv_that_waits() {
    let mut lab = Lab::new(false);
    let (conn, peer) = lab.accepted().await;
    let recv = lab.start(&AppCall::Recv { conn, offset: 0, count: 1 });
    reset(peer);
    assert!(matches!(lab.answer(recv).await, AppOutcome::Failed(_)));
    assert_eq!(lab.event().await, (conn, AppEvent::Reset));
}

#[tokio::test]
async fn a_reset_in_close_wait_is_a_reset() {
    let mut lab = Lab::new(false);
    let (conn, peer) = lab.accepted().await;
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(lab.event().await, (conn, AppEvent::Eof));
    reset(peer);
    assert_eq!(lab.event().await, (conn, AppEvent::Reset));
    lab.nothing().await;
}

#[tokio::test]
async fn an_end_and_a_reset_at_once_are_both_told() {
    let mut lab = Lab::new(false);
    let (conn, peer) = lab.accepted().await;
    peer.shutdown(Shutdown::Write).unwrap();
    reset(peer);
    assert_eq!(lab.event().await, (conn, AppEvent::Eof));
    assert_eq!(lab.event().await, (conn, AppEvent::Reset));
    lab.nothing().await;
}

#[tokio::test]
async fn a_reset_before_accept_is_learned_with_it() {
    let mut lab = Lab::new(false);
    lab.ok(AppCall::Listen { port: PORT }).await;
    reset(lab.peer_connects());
    let AppOutcome::Accepted { conn, .. } = lab.call(AppCall::Accept { port: PORT }).await else { panic!() };
    assert_eq!(lab.event().await, (conn, AppEvent::Reset));
}

#[rstest]
#[tokio::test]
async fn nobody_listens(#[values(false, true)] v6: bool) {
    let mut lab = Lab::new(v6);
    let to = lab.socket(9);
    let conn = lab.connect(to).await;
    assert_eq!(lab.event().await, (conn, AppEvent::Refused));
    assert_eq!(lab.state(conn).await, "CLOSED");
    assert!(matches!(lab.call(AppCall::Recv { conn, offset: 0, count: 1 }).await, AppOutcome::Failed(_)));
    lab.nothing().await;
}

#[tokio::test]
async fn nobody_answers() {
    let mut lab = Lab::new(false);
    let listener = lab.peer_listens();
    deafen(&listener);
    assert_eq!(lab.option(0, "user_timeout", 200).await, AppOutcome::Ok);
    let conn = lab.connect(listener.local_addr().unwrap()).await;
    assert_eq!(lab.event().await, (conn, AppEvent::TimedOut));
    lab.nothing().await;
}

#[tokio::test]
async fn data_that_nobody_acknowledges_times_out() {
    let mut lab = Lab::new(false);
    let (conn, peer) = lab.accepted().await;
    lab.option(conn, "user_timeout", 300).await;
    deafen(&peer);
    lab.send(conn, 0, 10).await;
    assert_eq!(lab.event().await, (conn, AppEvent::TimedOut));
    assert_eq!(lab.state(conn).await, "CLOSED");
    lab.nothing().await;
}

#[tokio::test]
async fn keep_alives_that_nobody_answers_time_out() {
    let mut lab = Lab::new(false);
    let (conn, peer) = lab.accepted().await;
    for (name, value) in
        [("keepalive_idle", 1000), ("keepalive_interval", 1000), ("keepalive_count", 1), ("keepalive", 1)]
    {
        assert_eq!(lab.option(conn, name, value).await, AppOutcome::Ok);
    }
    deafen(&peer);
    assert_eq!(lab.event().await, (conn, AppEvent::TimedOut));
}

#[tokio::test]
async fn urgent_data_is_told_and_stays_in_the_stream() {
    let mut lab = Lab::new(false);
    let (conn, peer) = lab.accepted().await;
    for round in 0..2 {
        let octets = pattern::octets(round * 5, 5);
        let flags = nix::sys::socket::MsgFlags::MSG_OOB;
        assert_eq!(nix::sys::socket::send(peer.as_raw_fd(), &octets, flags), Ok(5));
        assert_eq!(lab.event().await, (conn, AppEvent::Urgent));
        let outcome = lab.call(AppCall::Recv { conn, offset: round * 5, count: 5 }).await;
        assert_eq!(outcome, AppOutcome::Received { count: 5, mismatch: None, eof: false });
        lab.nothing().await;
    }
}

#[tokio::test]
async fn urgent_data_is_told_of_the_connection_that_it_came_on() {
    let mut lab = Lab::new(false);
    let (first, _peer) = lab.accepted().await;
    let other = lab.peer_connects();
    let AppOutcome::Accepted { conn: second, .. } = lab.call(AppCall::Accept { port: PORT }).await else {
        panic!("not accepted")
    };
    let flags = nix::sys::socket::MsgFlags::MSG_OOB;
    assert_eq!(nix::sys::socket::send(other.as_raw_fd(), &[0], flags), Ok(1));
    assert_ne!(first, second);
    assert_eq!(lab.event().await, (second, AppEvent::Urgent));
    lab.nothing().await;
}

#[tokio::test]
async fn urgent_data_that_came_before_accept_is_told() {
    let mut lab = Lab::new(false);
    lab.ok(AppCall::Listen { port: PORT }).await;
    let peer = lab.peer_connects();
    let flags = nix::sys::socket::MsgFlags::MSG_OOB;
    assert_eq!(nix::sys::socket::send(peer.as_raw_fd(), &[0], flags), Ok(1));
    assert!(matches!(lab.call(AppCall::Accept { port: PORT }).await, AppOutcome::Accepted { conn: 1, .. }));
    assert_eq!(lab.event().await, (1, AppEvent::Urgent));
    lab.nothing().await;
}

#[tokio::test]
async fn urgent_data_is_sent() {
    let mut lab = Lab::new(false);
    let (conn, mut peer) = lab.accepted().await;
    lab.ok(AppCall::Send { conn, offset: 0, count: 3, urgent: true }).await;
    let mut octet = [0; 1];
    let flags = nix::sys::socket::MsgFlags::MSG_OOB;
    assert_eq!(nix::sys::socket::recv(peer.as_raw_fd(), &mut octet, flags), Ok(1));
    assert_eq!(octet[0], pattern::octet(2));
    assert_eq!(peer.read(&mut [0; 10]).unwrap(), 2);
}

#[rstest]
#[tokio::test]
async fn a_passive_close_is_told_with_the_descriptor_open(#[values(false, true)] v6: bool) {
    let mut lab = Lab::new(v6);
    let (conn, peer) = lab.accepted().await;
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(lab.event().await, (conn, AppEvent::Eof));
    lab.ok(AppCall::Shutdown { conn }).await;
    assert_eq!(lab.event().await, (conn, AppEvent::Closed));
    assert_eq!(lab.state(conn).await, "CLOSED");
    lab.nothing().await;
}

#[rstest]
#[tokio::test]
async fn the_end_of_an_orphan_is_told(#[values(false, true)] v6: bool) {
    let mut lab = Lab::new(v6);
    let (conn, peer) = lab.accepted().await;
    lab.ok(AppCall::Close { conn }).await;
    lab.nothing().await;
    reset(peer);
    assert_eq!(lab.event().await, (conn, AppEvent::Closed));
    lab.nothing().await;
}

#[tokio::test]
async fn unread_data_makes_close_a_reset() {
    let mut lab = Lab::new(false);
    let (conn, mut peer) = lab.accepted().await;
    peer.write_all(&[0; 10]).unwrap();
    lab.ok(AppCall::Close { conn }).await;
    assert_eq!(peer.read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(lab.event().await, (conn, AppEvent::Closed));
}

#[tokio::test]
async fn a_lingering_close_does_not_hold_up_the_target() {
    let mut lab = Lab::new(false);
    let (conn, peer) = lab.accepted().await;
    deafen(&peer);
    lab.option(conn, "linger", 1000).await;
    lab.send(conn, 0, 10).await;
    lab.ok(AppCall::Close { conn }).await;
    lab.reaches(conn, "FIN-WAIT-1").await;
    reset(peer);
    assert_eq!(lab.event().await, (conn, AppEvent::Closed));
}
