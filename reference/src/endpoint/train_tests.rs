//! The short ways change no octet, and end when something happens.

use core::time::Duration;
use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::pair::{Pair, Side};

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 7 + n / 251) as u8).collect()
}

/// What was sent, packet by packet, and what arrived.
type Outcome = (Vec<Vec<u8>>, Vec<u8>);

/// A stream in both directions over a path that damages every packet that `damages` names.
fn stream(config: &Config, v6: bool, damages: impl Fn(usize) -> bool + 'static) -> Outcome {
    let mut pair = Pair::new(config.clone(), config.clone());
    let packets = Rc::new(RefCell::new(Vec::new()));
    let record = Rc::clone(&packets);
    pair.tamper = Some(Box::new(move |_, packet| {
        let mut record = record.borrow_mut();
        record.push(packet.clone());
        if damages(record.len()) {
            let at = record.len() * 31 % packet.len();
            packet[at] ^= 1 << (record.len() % 8);
        }
    }));
    let (client, server, _) = pair.establish_over(v6);
    let data = text(150_000);
    let mut got = pair.transfer(Side::Client, client, server, &data);
    got.extend(pair.transfer(Side::Server, server, client, &data[..70_000]));
    pair.run(Duration::from_secs(5));
    let packets = packets.borrow().clone();
    (packets, got)
}

#[test]
fn the_short_ways_change_no_octet() {
    let whole = [text(150_000), text(70_000)].concat();
    for v6 in [false, true] {
        for timestamps in [false, true] {
            for every in [usize::MAX, 7, 40] {
                let config = Config { timestamps, ..Config::default() };
                let long = Config { header_prediction: false, ..config.clone() };
                let damages = move |count: usize| count > 10 && count.is_multiple_of(every);
                let short = stream(&config, v6, damages);
                assert!(short.1 == whole, "v6 {v6}, timestamps {timestamps}, damaged every {every}");
                assert!(short == stream(&long, v6, damages), "v6 {v6}, timestamps {timestamps}, {every}");
            }
        }
    }
}

/// A client with an open window and a train that has begun, and its peer.
fn begun() -> (Pair, ConnId, ConnId) {
    let mut pair = Pair::new(Config::default(), Config::default());
    let (client, server, _) = pair.establish();
    pair.transfer(Side::Client, client, server, &text(60_000));
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.client.send(pair.now, client, &text(20_000)), Ok(20_000));
    for _ in 0..3 {
        let packet = pair.client.poll_transmit(pair.now).expect("the window is open");
        pair.server.handle_packet(pair.now, &packet);
    }
    (pair, client, server)
}

#[test]
fn full_segments_go_out_and_come_in_as_a_train() {
    let (pair, client, server) = begun();
    let leaving = pair.client.leaving.as_ref().expect("there is text for many full segments");
    assert!(leaving.has_more_of(client.index));
    assert!(pair.server.arriving.as_ref().expect("they are alike").is_of(server));
}

#[test]
fn what_happens_to_a_connection_ends_its_train() {
    let hops = |packet: &[u8]| packet[8];
    let (mut pair, client, _) = begun();
    let before = pair.client.poll_transmit(pair.now).expect("the train goes on");
    pair.client.set_option(pair.now, client, ConnOption::HopLimit(9)).unwrap();
    assert!(pair.client.leaving.is_none());
    let after = pair.client.poll_transmit(pair.now).expect("there is more text");
    assert_eq!((hops(&before), hops(&after)), (64, 9));

    let (mut pair, _, _) = begun();
    pair.client.config_mut().mutant = Some(Mutant::DataSeqOffByOne);
    assert!(pair.client.leaving.is_none(), "a deliberate bug shows at once");

    let (mut pair, client, server) = begun();
    pair.server.close(pair.now, server).unwrap();
    let next = pair.client.poll_transmit(pair.now).expect("the train goes on");
    pair.server.handle_packet(pair.now, &next);
    pair.run(Duration::from_secs(1));
    assert!(pair.client.status(client).error.is_some(), "nobody reads, so it is no train any more");
}

#[test]
fn a_train_stops_at_the_windows() {
    let (mut pair, client, _) = begun();
    let edge = pair.client.status(client).snd_una + pair.client.status(client).snd_wnd;
    pair.client.send(pair.now, client, &text(200_000)).unwrap();
    let mut sent = 0;
    while pair.client.poll_transmit(pair.now).is_some() {
        sent += 1;
        let status = pair.client.status(client);
        assert!(status.snd_nxt.at_or_before(edge));
        assert!(status.snd_nxt.distance_from(status.snd_una) <= status.cwnd);
    }
    assert!(sent > 3);
}
