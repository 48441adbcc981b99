//! Whole connections between two endpoints in virtual time.

use core::time::Duration;

use super::*;
use crate::event::{EventKind, StateName};
use crate::pair::{Pair, Side, address};
use crate::seq::SeqNum;
use crate::wire::Flags;

fn pair() -> Pair {
    Pair::new(Config::default(), Config::default())
}

fn with(mutant: Mutant) -> Pair {
    Pair::new(Config { mutant: Some(mutant), ..Config::default() }, Config::default())
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 7 + n / 251) as u8).collect()
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn three_segments_open_a_connection_over_both_families() {
    for v6 in [false, true] {
        let mut pair = pair();
        let (client, server, _) = pair.establish_over(v6);
        let flags: Vec<Flags> = pair.seen.iter().map(|seen| seen.flags).collect();
        assert_eq!(flags, [Flags::SYN, Flags::SYN | Flags::ACK, Flags::ACK]);
        assert_eq!(pair.seen[1].ack, pair.seen[0].seq + 1);
        assert_eq!(pair.seen[2].ack, pair.seen[1].seq + 1);
        assert_eq!(pair.seen[0].options.mss, Some(if v6 { 1440 } else { 1460 }));
        assert_eq!(pair.client.status(client).state, StateName::Established);
        assert_eq!(pair.server.status(server).state, StateName::Established);
        assert!(pair.told(Side::Client, EventKind::Connected));
    }
}

#[test]
fn a_stream_crosses_whole_in_both_directions() {
    let mut pair = pair();
    let (client, server, _) = pair.establish();
    let data = pattern(300_000);
    assert_eq!(pair.transfer(Side::Client, client, server, &data), data);
    assert_eq!(pair.transfer(Side::Server, server, client, &data), data);
    assert!(pair.seen.iter().all(|seen| seen.len <= 1448), "timestamps are counted in the MSS");
}

#[test]
fn a_stream_survives_the_loss_of_every_seventh_segment() {
    for sack in [true, false] {
        let config = Config { sack, ..Config::default() };
        let mut pair = Pair::new(config.clone(), config);
        let (client, server, _) = pair.establish();
        let mut count = 0;
        pair.lose = Some(Box::new(move |_| {
            count += 1;
            count % 7 == 0
        }));
        let data = pattern(200_000);
        assert_eq!(pair.transfer(Side::Client, client, server, &data), data, "sack {sack}");
        pair.client.close(pair.now, client).unwrap();
        pair.run(secs(30));
        pair.server.close(pair.now, server).unwrap();
        pair.run(secs(600));
        assert_eq!((pair.client.connection_count(), pair.server.connection_count()), (0, 0));
    }
}

#[test]
fn the_active_closer_waits_two_msl_and_the_other_does_not() {
    let mut pair = pair();
    let (client, server, _) = pair.establish();
    pair.client.shutdown(pair.now, client).unwrap();
    assert_eq!(pair.client.status(client).state, StateName::FinWait1);
    pair.run(secs(1));
    assert_eq!(pair.client.status(client).state, StateName::FinWait2);
    assert_eq!(pair.server.status(server).state, StateName::CloseWait);
    assert!(pair.told(Side::Server, EventKind::Eof));
    // Half-closed: data still flows the other way (U-10).
    assert_eq!(pair.transfer(Side::Server, server, client, b"still here"), b"still here");
    pair.server.close(pair.now, server).unwrap();
    let closed_at = pair.now;
    pair.run(secs(1));
    assert_eq!(pair.server.connection_count(), 0);
    assert_eq!(pair.client.status(client).state, StateName::TimeWait);
    pair.client.close(pair.now, client).unwrap();
    pair.run(secs(238));
    assert_eq!(pair.client.status(client).state, StateName::TimeWait);
    pair.run(secs(2));
    assert_eq!(pair.client.connection_count(), 0);
    assert!(pair.now.since(closed_at) > secs(240));
}

#[test]
fn simultaneous_close_passes_through_closing() {
    let mut pair = pair();
    let (client, server, _) = pair.establish();
    pair.client.shutdown(pair.now, client).unwrap();
    pair.server.shutdown(pair.now, server).unwrap();
    pair.step(pair.now + secs(1));
    pair.run(Duration::from_millis(5));
    assert_eq!(pair.client.status(client).state, StateName::Closing);
    pair.run(secs(1));
    assert_eq!(pair.client.status(client).state, StateName::TimeWait);
    assert_eq!(pair.server.status(server).state, StateName::TimeWait);
}

#[test]
fn simultaneous_open_reaches_established_on_both_sides() {
    let mut pair = pair();
    let a = SocketAddr::new(address(Side::Client, false), 5000);
    let b = SocketAddr::new(address(Side::Server, false), 5001);
    let left = pair.client.connect(pair.now, Some(a), b).unwrap();
    let right = pair.server.connect(pair.now, Some(b), a).unwrap();
    pair.run(secs(3));
    assert_eq!(pair.client.status(left).state, StateName::Established);
    assert_eq!(pair.server.status(right).state, StateName::Established);
    let syns: Vec<SeqNum> =
        pair.from(Side::Client).filter(|seen| seen.flags.has(Flags::SYN)).map(|seen| seen.seq).collect();
    assert!(syns.len() >= 2 && syns.iter().all(|&seq| seq == syns[0]), "the same ISS");
    assert_eq!(pair.transfer(Side::Client, left, right, b"hello"), b"hello");
}

#[test]
fn a_closed_port_refuses() {
    let mut pair = pair();
    let remote = SocketAddr::new(address(Side::Server, false), 81);
    let conn = pair.client.connect(pair.now, None, remote).unwrap();
    pair.run(secs(1));
    assert!(pair.told(Side::Client, EventKind::Refused));
    assert_eq!(pair.client.recv(pair.now, conn, &mut [0; 1]), Err(Error::Refused));
    assert_eq!(pair.client.status(conn).state, StateName::Closed);
    pair.client.close(pair.now, conn).unwrap();
    assert_eq!(pair.client.close(pair.now, conn), Err(Error::NotFound));
}

#[test]
fn an_unanswered_syn_backs_off_and_gives_up_after_three_minutes() {
    let mut pair = pair();
    pair.lose = Some(Box::new(|_| true));
    let remote = SocketAddr::new(address(Side::Server, false), 80);
    pair.client.connect(pair.now, None, remote).unwrap();
    let start = pair.now;
    pair.run(secs(179));
    let at: Vec<u64> = pair.seen.iter().map(|seen| seen.at.since(start).as_secs()).collect();
    assert_eq!(at, [0, 1, 3, 7, 15, 31, 63, 123]);
    assert!(!pair.told(Side::Client, EventKind::TimedOut));
    pair.run(secs(2));
    assert!(pair.told(Side::Client, EventKind::TimedOut));
}

#[test]
fn a_closed_window_is_probed_and_reopens() {
    let mut pair = Pair::new(Config::default(), Config { recv_buffer: 4000, ..Config::default() });
    let (client, server, _) = pair.establish();
    let data = pattern(9000);
    pair.client.send(pair.now, client, &data).unwrap();
    pair.run(secs(400));
    assert_eq!(pair.client.status(client).state, StateName::Established, "MUST-37");
    assert_eq!(pair.client.status(client).snd_wnd, 0);
    let mut got = Vec::new();
    for _ in 0..40 {
        got.extend(pair.read(Side::Server, server).0);
        pair.run(secs(2));
    }
    assert_eq!(got, data);
}

#[test]
fn abort_resets_the_peer() {
    let mut pair = pair();
    let (client, server, _) = pair.establish();
    pair.client.abort(pair.now, client).unwrap();
    pair.run(secs(1));
    assert!(pair.told(Side::Server, EventKind::Accepted { listener: ListenerId(1) }));
    assert!(pair.told(Side::Server, EventKind::Reset));
    assert_eq!(pair.server.recv(pair.now, server, &mut [0; 1]), Err(Error::Reset));
    assert_eq!(pair.client.connection_count(), 0);
}

#[test]
fn closing_with_unread_data_resets_and_late_data_too() {
    let mut pair = pair();
    let (client, server, _) = pair.establish();
    pair.client.send(pair.now, client, b"unread").unwrap();
    pair.run(secs(1));
    pair.server.close(pair.now, server).unwrap();
    pair.run(secs(1));
    assert!(pair.told(Side::Client, EventKind::Reset));

    let mut pair = self::pair();
    let (client, server, _) = pair.establish();
    pair.server.close(pair.now, server).unwrap();
    pair.run(secs(1));
    assert_eq!(pair.client.status(client).state, StateName::CloseWait);
    pair.client.send(pair.now, client, b"late").unwrap();
    pair.run(secs(1));
    assert!(pair.told(Side::Client, EventKind::Reset));
}

#[test]
fn lost_data_is_given_up_after_r2() {
    let config = Config { r2: secs(100), ..Config::default() };
    let mut pair = Pair::new(config, Config::default());
    let (client, _, _) = pair.establish();
    pair.lose = Some(Box::new(|_| true));
    pair.client.send(pair.now, client, b"lost").unwrap();
    pair.run(secs(99));
    assert!(pair.told(Side::Client, EventKind::SoftError), "R1");
    assert!(!pair.told(Side::Client, EventKind::TimedOut));
    pair.run(secs(2));
    assert!(pair.told(Side::Client, EventKind::TimedOut));
    assert_eq!(pair.client.send(pair.now, client, b"x"), Err(Error::TimedOut));
}

#[test]
fn the_same_seed_gives_the_same_octets() {
    let run = |seed| {
        let mut pair = Pair::new(Config { seed, ..Config::default() }, Config::default());
        let (client, server, _) = pair.establish();
        pair.transfer(Side::Client, client, server, &pattern(50_000));
        pair.seen.iter().map(|seen| (seen.at, seen.seq, seen.ack, seen.len)).collect::<Vec<_>>()
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn keep_alives_come_only_when_asked_for_and_end_a_dead_connection() {
    let mut pair = pair();
    let (client, _, _) = pair.establish();
    let before = pair.seen.len();
    pair.run(secs(8000));
    assert_eq!(pair.seen.len(), before);
    pair.client.set_option(pair.now, client, ConnOption::KeepAlive(true)).unwrap();
    pair.run(secs(7300));
    assert_eq!(pair.seen.len(), before + 2, "a probe and its answer");
    pair.lose = Some(Box::new(|_| true));
    pair.run(secs(7200 + 10 * 75));
    assert!(pair.told(Side::Client, EventKind::TimedOut));
}

#[test]
fn urgent_data_points_past_its_last_octet() {
    let mut pair = pair();
    let (client, server, _) = pair.establish();
    pair.client.send_urgent(pair.now, client, b"now").unwrap();
    pair.run(secs(1));
    let urgent = pair.from(Side::Client).find(|seen| seen.flags.has(Flags::URG)).unwrap();
    assert_eq!(urgent.len, 3);
    assert!(pair.told(Side::Server, EventKind::Urgent));
    assert_eq!(pair.server.status(server).urgent, 3);
    pair.server.recv(pair.now, server, &mut [0; 2]).unwrap();
    assert_eq!(pair.server.status(server).urgent, 1);
}

#[test]
fn a_full_accept_queue_leaves_the_peer_retrying() {
    let mut pair = Pair::new(Config::default(), Config { backlog: 1, ..Config::default() });
    let listener = pair.server.listen(pair.now, 80).unwrap();
    let remote = SocketAddr::new(address(Side::Server, false), 80);
    let first = pair.client.connect(pair.now, None, remote).unwrap();
    pair.run(secs(1));
    let second = pair.client.connect(pair.now, None, remote).unwrap();
    pair.run(secs(2));
    assert!(pair.server.accept(listener).is_some());
    assert!(pair.server.accept(listener).is_none());
    pair.run(secs(10));
    assert!(pair.server.accept(listener).is_some(), "the SYN,ACK was sent again");
    for conn in [first, second] {
        assert_eq!(pair.client.status(conn).state, StateName::Established);
    }
}

#[test]
fn arbitrary_octets_do_no_harm() {
    let mut pair = pair();
    pair.establish();
    let mut packet = vec![0x45, 0, 0, 44];
    for n in 0..2000u32 {
        packet.resize(44 + (n % 17) as usize, 0);
        for (at, octet) in packet.iter_mut().enumerate().skip(4) {
            *octet = (n.wrapping_mul(2_654_435_761) >> (at % 24)) as u8;
        }
        pair.server.handle_packet(pair.now, &packet);
    }
    pair.run(secs(1));
}

#[test]
fn mutants_change_what_is_seen() {
    let mut pair = with(Mutant::FinNotCounted);
    let (client, server, _) = pair.establish();
    pair.server.shutdown(pair.now, server).unwrap();
    pair.run(secs(1));
    let status = pair.server.status(server);
    assert_eq!(status.state, StateName::FinWait1, "its FIN was not acknowledged");
    assert_eq!(pair.client.status(client).state, StateName::CloseWait);

    let mut pair = with(Mutant::TimeWaitSkipped);
    let (client, server, _) = pair.establish();
    pair.client.shutdown(pair.now, client).unwrap();
    pair.run(secs(1));
    pair.server.shutdown(pair.now, server).unwrap();
    pair.run(secs(1));
    assert_eq!(pair.client.status(client).state, StateName::Closed);
}

#[test]
fn two_closed_windows_do_not_answer_each_other_for_ever() {
    let config = Config { recv_buffer: 100, delayed_ack: None, ..Config::default() };
    let mut pair = Pair::new(config.clone(), config);
    let (client, server, _) = pair.establish();
    for (side, conn) in [(Side::Client, client), (Side::Server, server)] {
        let now = pair.now;
        pair.end(side).send(now, conn, &pattern(300)).unwrap();
    }
    pair.run(secs(30));
    let sent = pair.seen.len();
    assert!(sent < 100, "{sent} segments");
    // An abort is heard in spite of the probe beyond the window.
    let now = pair.now;
    pair.client.abort(now, client).unwrap();
    pair.run(secs(1));
    assert!(pair.told(Side::Server, EventKind::Reset));
}
