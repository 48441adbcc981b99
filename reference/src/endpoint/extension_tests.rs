//! What goes beyond RFC 9293, between two endpoints in virtual time.

use core::time::Duration;

use super::*;
use crate::event::{EventKind, StateName};
use crate::pair::{PORT, Pair, Side, address};
use crate::seq::SeqNum;
use crate::wire::ip::HeaderFields;
use crate::wire::{Ecn, FastOpen, Flags, UserTimeout, checksum, ip};

fn both(config: Config) -> Pair {
    Pair::new(config.clone(), config)
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 13 + n / 253) as u8).collect()
}

/// An ICMP "fragmentation needed" about a segment of the client's.
fn too_big(pair: &Pair, client: ConnId, mtu: u16, seq: SeqNum) -> Vec<u8> {
    let status = pair.client.status(client);
    let (Some(local), Some(remote)) = (status.local, status.remote) else { panic!("no connection") };
    let mut quote = Vec::new();
    let fields = HeaderFields { hops: 9, dscp: 0, ecn: Ecn::NotEct, identification: 0 };
    ip::emit(&mut quote, local.ip(), remote.ip(), fields, 20);
    quote.extend_from_slice(&local.port().to_be_bytes());
    quote.extend_from_slice(&remote.port().to_be_bytes());
    quote.extend_from_slice(&seq.0.to_be_bytes());
    let mut icmp = vec![3, 4, 0, 0, 0, 0];
    icmp.extend_from_slice(&mtu.to_be_bytes());
    icmp.extend_from_slice(&quote);
    let sum = checksum::of(&icmp);
    icmp[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut packet = Vec::new();
    ip::emit(&mut packet, remote.ip(), local.ip(), fields, icmp.len());
    packet[9] = ip::PROTOCOL_ICMP;
    packet[10..12].fill(0);
    let sum = checksum::of(&packet);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend_from_slice(&icmp);
    packet
}

#[test]
fn a_packet_that_was_too_big_goes_again_in_smaller_ones() {
    let mut pair = both(Config::default());
    let (client, server, _) = pair.establish();
    pair.lose = Some(Box::new(|seen| seen.len > 500));
    pair.client.send(pair.now, client, &pattern(3000)).unwrap();
    pair.step(pair.now + Duration::from_millis(1));
    let status = pair.client.status(client);
    // RFC 5927 4.1: a number that is not in flight is not believed.
    let forged = too_big(&pair, client, 540, status.snd_nxt);
    pair.client.handle_packet(pair.now, &forged);
    assert_eq!(pair.client.status(client).mss, 1448);
    let real = too_big(&pair, client, 540, status.snd_una);
    pair.client.handle_packet(pair.now, &real);
    let after = pair.client.status(client);
    // RFC 5681 3.1: the initial window is counted in the smaller segments.
    assert_eq!((after.mss, after.cwnd), (488, status.cwnd * 488 / 1448));
    pair.run(Duration::from_millis(200));
    assert_eq!(pair.read(Side::Server, server).0, pattern(3000));
}

#[test]
fn a_mark_is_echoed_until_the_sender_has_reduced_its_window() {
    let mut pair = both(Config { ecn: true, ..Config::default() });
    let (client, server, _) = pair.establish();
    assert!(pair.seen[0].flags.has(Flags::ECE | Flags::CWR));
    assert!(pair.seen[1].flags.has(Flags::ECE) && !pair.seen[1].flags.has(Flags::CWR));
    let mut marked = false;
    pair.tamper = Some(Box::new(move |seen, packet| {
        if seen.ecn == Ecn::Ect0 && seen.len > 0 && !marked {
            marked = true;
            packet[1] |= 0b11;
            packet[10..12].fill(0);
            let sum = checksum::of(&packet[..20]);
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
        }
    }));
    let before = pair.client.status(client).cwnd;
    let data = pattern(100_000);
    assert_eq!(pair.transfer(Side::Client, client, server, &data), data);
    assert!(pair.client.status(client).ssthresh <= before);
    let cwr = pair.from(Side::Client).filter(|seen| seen.len > 0 && seen.flags.has(Flags::CWR)).count();
    assert_eq!(cwr, 1);
    assert!(pair.from(Side::Server).any(|seen| seen.flags.has(Flags::ECE) && seen.len == 0));
    assert!(!pair.seen.last().unwrap().flags.has(Flags::ECE));
    assert!(pair.seen.iter().filter(|seen| seen.len == 0).all(|seen| seen.ecn == Ecn::NotEct));
}

#[test]
fn a_lost_tail_is_probed_long_before_the_timeout() {
    let mut pair = both(Config { rack: true, ..Config::default() });
    let (client, server, _) = pair.establish();
    let data = pattern(20_000);
    assert_eq!(pair.transfer(Side::Client, client, server, &data), data);
    pair.run(secs(1));
    let mut lost = false;
    pair.lose = Some(Box::new(move |seen| {
        let lose = seen.len > 0 && !lost && seen.flags.has(Flags::PSH);
        lost |= lose;
        lose
    }));
    let start = pair.now;
    pair.client.send(pair.now, client, &pattern(4000)).unwrap();
    pair.run(Duration::from_millis(500));
    assert_eq!(pair.read(Side::Server, server).0.len(), 4000);
    assert!(pair.now.since(start) < secs(1));
}

#[test]
fn rack_repairs_a_stream_with_losses_and_lost_retransmissions() {
    let mut pair = both(Config { rack: true, ..Config::default() });
    let (client, server, _) = pair.establish();
    let mut count = 0;
    pair.lose = Some(Box::new(move |seen| {
        count += 1;
        seen.len > 0 && count % 9 == 0
    }));
    let data = pattern(200_000);
    assert_eq!(pair.transfer(Side::Client, client, server, &data), data);
}

#[test]
fn a_full_half_open_queue_answers_with_cookies_that_open_connections() {
    let server = Config { syn_backlog: 0, ..Config::default() };
    let mut pair = Pair::new(Config::default(), server);
    let (client, server, _) = pair.establish();
    assert_eq!(pair.server.status(server).state, StateName::Established);
    assert_eq!(pair.seen[1].options.window_scale, None);
    let data = pattern(30_000);
    assert_eq!(pair.transfer(Side::Client, client, server, &data), data);
    assert_eq!(pair.transfer(Side::Server, server, client, &data), data);
}

#[test]
fn half_open_connections_expire() {
    let mut pair = both(Config { syn_backlog: 4, ..Config::default() });
    pair.server.listen(pair.now, PORT).unwrap();
    pair.lose = Some(Box::new(|seen| seen.from == Side::Server));
    let remote = SocketAddr::new(address(Side::Server, false), PORT);
    for _ in 0..10 {
        let conn = pair.client.connect(pair.now, None, remote).unwrap();
        pair.run(Duration::from_millis(50));
        pair.client.abort(pair.now, conn).unwrap();
    }
    assert_eq!(pair.server.connection_count(), 4);
    pair.run(secs(200));
    assert_eq!(pair.server.connection_count(), 0);
}

#[test]
fn the_second_connection_carries_text_on_its_syn() {
    let mut pair = both(Config { fast_open: true, ..Config::default() });
    let (first, _, listener) = pair.establish();
    assert_eq!(pair.seen[0].options.fast_open, Some(FastOpen::Request));
    assert!(matches!(pair.seen[1].options.fast_open, Some(FastOpen::Cookie { len: 8, .. })));
    pair.client.abort(pair.now, first).unwrap();
    pair.run(secs(1));
    pair.seen.clear();
    let remote = SocketAddr::new(address(Side::Server, false), PORT);
    let conn = pair.client.connect(pair.now, None, remote).unwrap();
    pair.client.send(pair.now, conn, b"early").unwrap();
    pair.step(pair.now + secs(1));
    pair.step(pair.now);
    assert_eq!((pair.seen[0].flags.has(Flags::SYN), pair.seen[0].len), (true, 5));
    let accepted = pair.server.accept(listener).expect("before the handshake is done");
    assert_eq!(pair.read(Side::Server, accepted).0, b"early");
    pair.server.send(pair.now, accepted, b"reply").unwrap();
    pair.run(secs(1));
    assert_eq!(pair.read(Side::Client, conn).0, b"reply");
    assert_eq!(pair.server.status(accepted).state, StateName::Established);
    assert!(pair.server.accept(listener).is_none());
}

#[test]
fn a_wrong_fast_open_cookie_costs_the_text_only() {
    let mut pair = both(Config { fast_open: true, ..Config::default() });
    let wrong = FastOpen::Cookie { octets: [7; 16], len: 8 };
    let remote = SocketAddr::new(address(Side::Server, false), PORT);
    pair.client.remember_fast_open(remote.ip(), wrong, 1460);
    let listener = pair.server.listen(pair.now, PORT).unwrap();
    let conn = pair.client.connect(pair.now, None, remote).unwrap();
    pair.client.send(pair.now, conn, b"early").unwrap();
    pair.run(secs(1));
    assert_eq!(pair.seen[1].ack, pair.seen[0].seq + 1);
    let accepted = pair.server.accept(listener).unwrap();
    assert_eq!(pair.read(Side::Server, accepted).0, b"early");
}

#[test]
fn the_peers_user_timeout_is_honoured_within_limits() {
    let client = Config { user_timeout_option: true, r2: secs(120), ..Config::default() };
    let server = Config { user_timeout_option: true, r2: secs(600), ..Config::default() };
    let mut pair = Pair::new(client, server);
    let (client, _, _) = pair.establish();
    assert_eq!(pair.seen[0].options.user_timeout, Some(UserTimeout(secs(120))));
    pair.lose = Some(Box::new(|_| true));
    pair.client.send(pair.now, client, b"x").unwrap();
    pair.run(secs(599));
    assert!(!pair.told(Side::Client, EventKind::TimedOut));
    pair.run(secs(2));
    assert!(pair.told(Side::Client, EventKind::TimedOut));
}

#[test]
fn a_later_timestamp_reopens_a_connection_out_of_time_wait() {
    let mut pair = both(Config::default());
    let local = SocketAddr::new(address(Side::Client, false), 5000);
    let remote = SocketAddr::new(address(Side::Server, false), PORT);
    let listener = pair.server.listen(pair.now, PORT).unwrap();
    let first = pair.client.connect(pair.now, Some(local), remote).unwrap();
    pair.run(secs(1));
    let server = pair.server.accept(listener).unwrap();
    // The server closes first and waits; the client is free at once.
    pair.server.close(pair.now, server).unwrap();
    pair.run(secs(1));
    pair.client.close(pair.now, first).unwrap();
    pair.run(secs(1));
    assert_eq!(pair.server.status(server).state, StateName::TimeWait);
    let again = pair.client.connect(pair.now, Some(local), remote).unwrap();
    pair.run(secs(1));
    assert_eq!(pair.client.status(again).state, StateName::Established);
    let fresh = pair.server.accept(listener).unwrap();
    assert_eq!(pair.server.status(server).state, StateName::Closed);
    assert_eq!(pair.server.status(fresh).state, StateName::Established);
}

#[test]
fn a_close_that_lingers_too_long_aborts() {
    for (span, dies) in [(secs(3), true), (secs(3600), false)] {
        let mut pair = both(Config::default());
        let (client, _, _) = pair.establish();
        pair.client.set_option(pair.now, client, ConnOption::Linger(Some(span))).unwrap();
        pair.lose = Some(Box::new(|seen| seen.from == Side::Server));
        pair.client.send(pair.now, client, b"unheard").unwrap();
        pair.client.close(pair.now, client).unwrap();
        pair.run(secs(10));
        assert_eq!(pair.from(Side::Client).any(|seen| seen.flags.has(Flags::RST)), dies);
        assert_eq!(pair.client.status(client).state == StateName::Closed, dies);
    }
    // What is acknowledged in time is closed in the normal way.
    let mut pair = both(Config::default());
    let (client, server, _) = pair.establish();
    pair.client.set_option(pair.now, client, ConnOption::Linger(Some(secs(3)))).unwrap();
    pair.client.close(pair.now, client).unwrap();
    pair.run(secs(10));
    assert_eq!(pair.server.status(server).state, StateName::CloseWait);
    assert!(!pair.seen.iter().any(|seen| seen.flags.has(Flags::RST)));
}

#[test]
fn keep_alives_wait_longer_than_the_user_timeout_that_was_adopted() {
    // RFC 5482 4.2
    let mut pair = both(Config { user_timeout_option: true, ..Config::default() });
    let (client, _, _) = pair.establish();
    pair.client.set_option(pair.now, client, ConnOption::UserTimeout(secs(500))).unwrap();
    pair.client.set_option(pair.now, client, ConnOption::KeepAliveIdle(secs(10))).unwrap();
    pair.client.set_option(pair.now, client, ConnOption::KeepAlive(true)).unwrap();
    pair.run(secs(1));
    let before = pair.seen.len();
    pair.run(secs(495));
    assert_eq!(pair.seen.len(), before);
    pair.run(secs(10));
    assert!(pair.seen.len() > before);
}

#[test]
fn no_keep_alive_goes_out_while_text_is_outstanding() {
    // RFC 9293 3.8.4, MUST-26; the octet that it may carry would be in the place of text.
    for send_after in [secs(15), secs(20)] {
        let config = Config {
            keepalive_idle: secs(10),
            keepalive_interval: secs(10),
            keepalive_garbage: true,
            ..Config::default()
        };
        let mut pair = both(config);
        let (client, _, _) = pair.establish();
        pair.client.set_option(pair.now, client, ConnOption::KeepAlive(true)).unwrap();
        let next = pair.client.status(client).snd_nxt;
        pair.lose = Some(Box::new(|_| true));
        pair.run(send_after);
        let unanswered = pair.from(Side::Client).filter(|seen| seen.seq == next - 1 && seen.len == 1).count();
        assert!(unanswered >= 1);
        let before = pair.seen.len();
        pair.client.send(pair.now, client, b"text").unwrap();
        pair.run(secs(200));
        assert!(pair.seen.len() > before + 3);
        assert!(pair.seen[before..].iter().all(|seen| seen.seq == next && seen.len == 4), "{:?}", pair.seen);
    }
}

#[test]
fn a_server_that_does_not_take_fast_open_is_not_asked_again_for_a_while() {
    // RFC 7413 4.1.3.1
    let config = Config { fast_open: true, ..Config::default() };
    let retry = config.fast_open_retry;
    let mut pair = both(config);
    let (client, _, _) = pair.establish();
    assert!(pair.seen[0].options.fast_open.is_some());
    let asks = |pair: &mut Pair, answered: bool| {
        pair.lose = Some(Box::new(move |_| !answered));
        let first = pair.seen.len();
        let conn = pair.client.connect(pair.now, None, (address(Side::Server, false), PORT).into()).unwrap();
        // With a cookie the SYN waits for its text.
        pair.client.send(pair.now, conn, b"early").unwrap();
        pair.run(secs(2));
        let asked = pair.seen[first].options.fast_open.is_some();
        pair.client.abort(pair.now, conn).unwrap();
        pair.run(secs(1));
        asked
    };
    assert!(asks(&mut pair, false), "it had answered");
    assert!(!asks(&mut pair, true), "it had not answered");
    pair.client.abort(pair.now, client).unwrap();
    pair.run(retry);
    assert!(asks(&mut pair, true), "the time is over");
}

#[test]
fn an_echo_at_a_window_of_one_segment_waits_for_the_timer() {
    // RFC 3168 6.1.2
    let mut pair = both(Config { ecn: true, initial_window: 1, ..Config::default() });
    let (client, server, _) = pair.establish();
    pair.tamper = Some(Box::new(|seen, packet| {
        // A router that is always full.
        if seen.ecn == Ecn::Ect0 {
            packet[1] |= 0b11;
            packet[10..12].fill(0);
            let sum = checksum::of(&packet[..20]);
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
        }
    }));
    let mss = pair.client.status(client).mss;
    let data = pattern(4 * mss as usize);
    pair.client.send(pair.now, client, &data).unwrap();
    pair.run(secs(60));
    assert_eq!(pair.read(Side::Server, server).0, data);
    let sent: Vec<Instant> =
        pair.from(Side::Client).filter(|seen| seen.len > 0).map(|seen| seen.at).collect();
    let waits = sent.windows(2).filter(|two| two[1].since(two[0]) >= secs(1)).count();
    assert!(waits >= 1, "{sent:?}");
    assert!(pair.client.status(client).cwnd <= 2 * mss);
}

#[test]
fn fast_open_stops_when_too_many_wait() {
    // RFC 7413 4.2
    let config = Config { fast_open: true, fast_open_backlog: 0, ..Config::default() };
    let mut pair = both(config);
    let (client, _, _) = pair.establish();
    pair.client.abort(pair.now, client).unwrap();
    pair.run(secs(1));
    // The SYN,ACK brought no cookie, because the request was not looked at.
    assert!(
        pair.from(Side::Server)
            .filter(|seen| seen.flags.has(Flags::SYN))
            .all(|seen| seen.options.fast_open.is_none())
    );
}

#[test]
fn stray_acks_are_answered_a_few_times_a_second() {
    // RFC 5961 section 10
    let mut pair = both(Config { timestamps: false, ..Config::default() });
    let (_, server, _) = pair.establish();
    let status = pair.server.status(server);
    let (Some(local), Some(remote)) = (status.remote, status.local) else { panic!("no connection") };
    let stray = crate::wire::Outgoing {
        local,
        remote,
        ip: HeaderFields { hops: 64, dscp: 0, ecn: Ecn::NotEct, identification: 0 },
        seq: status.rcv_nxt - 1000,
        ack: status.snd_nxt,
        flags: Flags::ACK,
        window: 1000,
        urgent: 0,
        options: crate::wire::Options::default(),
        text: (&[], &[]),
    };
    let mut packet = Vec::new();
    stray.emit(&mut packet);
    for _ in 0..2 {
        let mut answers = 0;
        for _ in 0..30 {
            pair.server.handle_packet(pair.now, &packet);
            answers += core::iter::from_fn(|| pair.server.poll_transmit(pair.now)).count();
        }
        assert_eq!(answers, 10);
        pair.run(secs(1));
    }
}
