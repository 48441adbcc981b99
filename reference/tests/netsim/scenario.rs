//! What a seed means: how bad the path is, how the endpoints are configured, who connects to whom, and what the
//! applications do. Everything is decided here, before anything runs, apart from the throws of single packets.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tcpspec_reference::{Config, CongestionAlgorithm};

use crate::dice::Dice;

/// One direction of the path. Chances are in a thousand.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    pub(crate) loss: u64,
    pub(crate) duplicate: u64,
    pub(crate) corrupt: u64,
    /// Packets that are held back, so that later ones overtake them, and for how long.
    pub(crate) hold: u64,
    pub(crate) hold_us: u64,
    /// ECN-capable packets that are marked besides those that meet a long queue.
    pub(crate) mark: u64,
    pub(crate) delay_us: u64,
    pub(crate) jitter_us: u64,
    /// Octets for each millisecond, and the octets that may wait. Zero is unlimited.
    pub(crate) rate: u64,
    pub(crate) queue: u64,
    /// Longer packets draw an ICMP error; `silent` routers do not name their MTU (RFC 1191 section 5).
    pub(crate) mtu: usize,
    pub(crate) silent: bool,
    /// Nothing passes between these times, in microseconds.
    pub(crate) outage: (u64, u64),
}

/// How an application ends its use of a connection, once all is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finale {
    /// Shuts down, reads to the end, closes.
    Patient,
    /// Waits for the peer's end first.
    Responder,
    /// Closes at once, whatever may still come.
    Careless,
}

/// Something done out of the blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whim {
    Shutdown,
    Close,
    Abort,
}

/// What the application at one end does.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) total: u64,
    pub(crate) write_max: u64,
    pub(crate) write_wait_us: u64,
    pub(crate) read_max: u64,
    pub(crate) read_wait_us: u64,
    pub(crate) read_start_us: u64,
    /// Looks in every so often instead of waiting for events. Events alone must do.
    pub(crate) polled: bool,
    pub(crate) finale: Finale,
    /// Microseconds after the open.
    pub(crate) whim: Option<(u64, Whim)>,
    pub(crate) nodelay: bool,
    pub(crate) keepalive: bool,
    pub(crate) linger_zero: bool,
    /// Writes in a thousand that are urgent.
    pub(crate) urgent: u64,
}

/// One connection, or several on the same four-tuple one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The ends: of host 0 and of host 1.
    pub(crate) sockets: [SocketAddr; 2],
    /// Who opens actively: host 0, host 1, or both at once.
    pub(crate) opens: [bool; 2],
    pub(crate) start_us: u64,
    pub(crate) rounds: Vec<[Script; 2]>,
}

/// All that follows from a seed.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) weather: [Weather; 2],
    pub(crate) configs: [Config; 2],
    pub(crate) plans: Vec<Plan>,
    /// How long a new connection waits for the application's `accept`.
    pub(crate) accept_wait_us: [u64; 2],
    /// Nothing but the applications can be the reason for an error: the time limits are too long for this path to
    /// end a connection, and no connection lives from a SYN cookie, which a reordered segment cannot redeem.
    pub(crate) strict: bool,
    /// A host may answer with SYN cookies.
    pub(crate) cookies: bool,
}

/// The port both hosts listen on.
pub(crate) const PORT: u16 = 80;

impl Scenario {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let v6 = dice.chance(400);
        let addresses = [address(1, v6), address(2, v6)];
        let harshness = dice.pick(&[0, 0, 10, 30, 100, 250]);
        let slow = dice.pick(&[0, 0, 0, 1, 2]);
        let weather = [0, 1].map(|_| weather(&mut dice, harshness, slow, v6));
        let unhurried = dice.chance(900);
        let msl = Duration::from_secs(dice.pick(&[8, 10, 30]));
        let configs = addresses.map(|address| {
            let config = configure(&mut dice, unhurried, v6);
            Config { addresses: vec![address], seed: dice.next(), msl, ..config }
        });
        let room = room(&configs, &weather, v6);
        let mut plans: Vec<_> =
            (0..dice.pick(&[1, 1, 1, 1, 2, 4])).map(|n| plan(&mut dice, addresses, n, room)).collect();
        let accept_wait_us = [0, 1].map(|_| dice.pick(&[0, 0, 0, 50_000, 3_000_000]));
        let short = |config: &Config| config.syn_cookies && config.syn_backlog < plans.len();
        let cookies = configs.iter().any(short);
        if cookies {
            // An old duplicate of the same four-tuple would redeem the cookie again.
            plans.iter_mut().for_each(|plan| plan.rounds.truncate(1));
        }
        let strict = unhurried && !cookies;
        Self { weather, configs, plans, accept_wait_us, strict, cookies }
    }
}

fn address(n: u8, v6: bool) -> IpAddr {
    if v6 { IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(n)]) } else { IpAddr::from([10, 0, 0, n]) }
}

fn weather(dice: &mut Dice, harshness: u64, slow: u64, v6: bool) -> Weather {
    let mut rate = [0, 2000, 30][slow as usize];
    if rate > 0 && dice.chance(300) {
        rate *= 10;
    }
    let mtus: &[usize] = if v6 { &[1500, 1280, 1400] } else { &[1500, 576, 296, 1006] };
    let outage_us = dice.below(20_000_000);
    let outage = if dice.chance(harshness.min(100)) {
        (outage_us, outage_us + dice.below(30_000_000))
    } else {
        (0, 0)
    };
    Weather {
        loss: dice.below(harshness + 1),
        duplicate: dice.below(harshness + 1),
        corrupt: dice.below(harshness / 3 + 1),
        hold: dice.below(harshness + 1),
        hold_us: dice.pick(&[500, 20_000, 700_000]),
        mark: dice.pick(&[0, 0, 50, 300]),
        delay_us: dice.pick(&[0, 100, 5_000, 60_000, 400_000]),
        jitter_us: dice.pick(&[0, 0, 1_000, 100_000]),
        rate,
        // At most three seconds, so that no packet outlives the MSL.
        queue: dice.pick(&[4_000, 20_000, 100_000]).min(rate * 3000),
        mtu: if dice.chance(850) { 65_535 } else { dice.pick(mtus) },
        silent: dice.chance(200),
        outage,
    }
}

fn configure(dice: &mut Dice, unhurried: bool, v6: bool) -> Config {
    // No IPv6 link takes less than 1280 octets (RFC 8200 section 5).
    let mtus: &[u16] = if v6 { &[1500, 1500, 1280, 9000] } else { &[1500, 1500, 1500, 576, 9000, 100] };
    let limit = if unhurried { Duration::from_secs(10 * 3600) } else { Duration::from_secs(20) };
    Config {
        mtu: dice.pick(mtus),
        recv_buffer: dice.pick(&[65_535, 65_535, 16_000, 1 << 20, 4000, 1500, 64, 7, 1]),
        send_buffer: dice.pick(&[65_536, 65_536, 5000, 100, 1, 1 << 20]),
        rto_min: Duration::from_millis(dice.pick(&[1000, 1000, 200, 20])),
        rto_max: Duration::from_secs(60),
        delayed_ack: dice.pick(&[Some(200), Some(200), Some(40), Some(490), None]).map(Duration::from_millis),
        override_timeout: Duration::from_millis(dice.pick(&[100, 200, 1000])),
        persist_max: Duration::from_secs(dice.pick(&[60, 60, 5])),
        r2: limit,
        syn_r2: limit,
        keepalive_idle: Duration::from_secs(dice.pick(&[7200, 5])),
        keepalive_interval: Duration::from_secs(dice.pick(&[75, 1])),
        keepalive_garbage: dice.chance(500),
        // Without it an orphan whose peer has vanished stays for ever, which is what RFC 9293 says.
        fin_wait_2: Some(Duration::from_secs(dice.pick(&[600, 60]))),
        window_scale: dice.chance(750),
        timestamps: dice.chance(650),
        sack: dice.chance(700),
        ecn: dice.chance(500),
        rack: dice.chance(500),
        congestion: dice.pick(&[CongestionAlgorithm::NewReno, CongestionAlgorithm::Cubic]),
        initial_window: dice.pick(&[10, 10, 1, 3]),
        rfc5961: dice.chance(800),
        rfc1337: dice.chance(500),
        time_wait_reuse: dice.chance(800),
        user_timeout_option: dice.chance(100),
        backlog: dice.pick(&[128, 128, 1]),
        syn_backlog: dice.pick(&[128, 128, 1]),
        syn_cookies: dice.chance(500),
        ..Config::default()
    }
}

/// How many octets a stream may have for the run to stay short: some hundred segments, some hundred windows.
fn room(configs: &[Config; 2], weather: &[Weather; 2], v6: bool) -> u64 {
    let segment = configs.iter().map(|config| u64::from(config.mtu)).min().unwrap_or(0).min(1500);
    let segment = segment.min(weather[0].mtu.min(weather[1].mtu) as u64);
    let text = segment.saturating_sub(if v6 { 72 } else { 52 }).max(1);
    let window = configs.iter().map(|config| u64::from(config.recv_buffer.min(config.send_buffer))).min();
    (text * 150).min(window.unwrap_or(0) * 100)
}

fn plan(dice: &mut Dice, addresses: [IpAddr; 2], n: u64, room: u64) -> Plan {
    let opens = dice.pick(&[[true, false], [true, false], [false, true], [true, true]]);
    let port = 5000 + n as u16;
    let ports = match opens {
        [true, false] => [port, PORT],
        [false, true] => [PORT, port],
        _ => [port, port],
    };
    let rounds = dice.pick(&[1, 1, 1, 2, 3]);
    let rounds = (0..rounds)
        .map(|_| {
            let mut scripts = [script(dice, room / rounds), script(dice, room / rounds)];
            if scripts[0].finale == Finale::Responder && scripts[1].finale == Finale::Responder {
                scripts[0].finale = Finale::Patient;
            }
            scripts
        })
        .collect();
    Plan {
        sockets: [SocketAddr::new(addresses[0], ports[0]), SocketAddr::new(addresses[1], ports[1])],
        opens,
        start_us: dice.pick(&[0, 0, 1000, 2_000_000]),
        rounds,
    }
}

fn script(dice: &mut Dice, room: u64) -> Script {
    let total = dice.pick(&[0, 1, 2, 100, 3000, 20_000, 60_000, 200_000]).min(room);
    let total = if dice.chance(500) { total } else { dice.below(total + 1) };
    let finale = dice.pick(&[Finale::Patient, Finale::Patient, Finale::Responder, Finale::Careless]);
    let when = dice.pick(&[1000, 100_000, 1_000_000, 20_000_000]);
    let whim = dice
        .chance(120)
        .then(|| (dice.below(when), dice.pick(&[Whim::Shutdown, Whim::Shutdown, Whim::Close, Whim::Abort])));
    // A small piece every so often makes a long run, so such streams are short.
    let write_max = dice.pick(&[100_000, 100_000, 5000, 700, 50]);
    let read_max = dice.pick(&[100_000, 100_000, 5000, 700, 50]);
    let wait = |dice: &mut Dice, size| dice.pick(&[0, 0, 0, 100, 30_000, 500_000]).min(size * 1000);
    Script {
        total: total.min(write_max * 200).min(read_max * 200),
        write_max,
        write_wait_us: wait(dice, write_max),
        read_max,
        read_wait_us: wait(dice, read_max),
        read_start_us: dice.pick(&[0, 0, 0, 300_000, 10_000_000]),
        polled: dice.chance(300),
        finale,
        whim,
        nodelay: dice.chance(300),
        keepalive: dice.chance(50),
        linger_zero: dice.chance(20),
        urgent: dice.pick(&[0, 0, 0, 100]),
    }
}
