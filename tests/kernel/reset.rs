//! After a case nothing of it is left.

use crate::support::{Lab, PORT, deafen, heal};
use rstest::rstest;
use std::time::{Duration, Instant};
use tcpspec::engine::{AppCall, AppOutcome};
use tcpspec::target::Target;
use tcpspec::target::kernel::{Entry, State};

#[rstest]
#[tokio::test]
async fn nothing_is_left(#[values(false, true)] v6: bool) {
    let mut lab = Lab::new(v6);
    let (_open, peer_1) = lab.accepted().await;
    let (time_wait, peer_2) = lab.connected().await;
    let (orphan, peer_3) = lab.connected().await;
    let (shut, peer_4) = lab.connected().await;
    let (lingering, peer_5) = lab.connected().await;
    lab.ok(AppCall::Close { conn: time_wait }).await;
    drop(peer_2);
    lab.reaches(time_wait, "TIME-WAIT").await;
    deafen(&peer_3);
    lab.ok(AppCall::Close { conn: orphan }).await;
    assert_eq!(lab.state(orphan).await, "FIN-WAIT-1");
    lab.ok(AppCall::Shutdown { conn: shut }).await;
    drop(peer_4);
    lab.reaches(shut, "TIME-WAIT").await;
    deafen(&peer_5);
    lab.option(lingering, "linger", 5000).await;
    lab.send(lingering, 0, 5).await;
    lab.ok(AppCall::Close { conn: lingering }).await;
    lab.reaches(lingering, "FIN-WAIT-1").await;
    let _half = lab.half_open(lab.socket(PORT));
    let waiting = lab.peer_connects();
    lab.option(0, "nodelay", 1).await;
    lab.start(&AppCall::Accept { port: 99 });

    heal(&peer_3);
    heal(&peer_5);
    lab.target.reset().await;
    drop((peer_1, peer_3, peer_5, waiting, _half));
    lab.nothing().await;
    // The kernel drops what is half open with the listener gone when it would send the next SYN-ACK.
    let half_open = |entry: &Entry| entry.state == State::SynReceived;
    let left = lab.target.sockets().unwrap();
    assert!(left.iter().all(half_open), "{left:?}");
    for _ in 0..30 {
        lab.nothing().await;
    }
    assert_eq!(lab.target.sockets().unwrap(), []);
    // The next case begins like the first.
    let (conn, _peer) = lab.accepted().await;
    assert_eq!(conn, 1);
    assert_eq!(lab.target.get_option(conn, "SOL_TCP", "TCP_NODELAY"), Ok(0));
}

#[tokio::test]
async fn dropping_the_target_leaves_nothing() {
    let mut lab = Lab::new(false);
    let (_open, _peer) = lab.accepted().await;
    let other = Lab::new(false);
    let Lab { target, file, .. } = lab;
    drop(target);
    let net = tcpspec::target::profile::Net::default();
    let fresh = tcpspec::target::kernel::KernelTarget::new(std::os::fd::AsFd::as_fd(&file), &net).unwrap();
    let left = fresh.sockets().unwrap();
    assert!(left.iter().all(|entry| entry.local.port() != PORT), "{left:?}");
    drop(other);
}

#[tokio::test]
async fn a_thousand_cases_leave_nothing() {
    const CASES: u32 = 1000;
    let mut lab = Lab::new(false);
    let begin = Instant::now();
    let (mut in_reset, mut in_peer) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..CASES {
        lab.ok(AppCall::Listen { port: PORT }).await;
        let before = Instant::now();
        let peer = lab.peer_connects();
        in_peer += before.elapsed();
        let AppOutcome::Accepted { conn, .. } = lab.call(AppCall::Accept { port: PORT }).await else {
            panic!()
        };
        lab.ok(AppCall::Close { conn }).await;
        drop(peer);
        let before = Instant::now();
        lab.target.reset().await;
        in_reset += before.elapsed();
    }
    // What the kernel did not show at the last reset is looked for once more at the next.
    lab.target.reset().await;
    let wall = begin.elapsed();
    let each = |span: Duration| span / CASES;
    println!("a case {:?}, of it reset {:?}, the peer {:?}", each(wall), each(in_reset), each(in_peer));
    let left = lab.target.sockets().unwrap();
    assert_eq!(left.iter().filter(|entry| entry.local.port() == PORT).count(), 0, "{left:?}");
}
