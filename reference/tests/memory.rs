//! What an idle connection costs: at most 2 KiB besides its buffers, which grow on demand and are given back.
//!
//! An allocator counts the octets that are in use, so this test has a process of its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tcpspec_reference::{Config, ConnId, Endpoint, Instant, Recv};

/// Octets that are allocated now.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: everything is left to the system's allocator; only sizes are noted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CONNECTIONS: usize = 2000;
/// The bar, in octets for each end of a connection.
const BAR: usize = 2048;

/// Two hosts that hear each other at once.
struct Pair {
    client: Endpoint,
    server: Endpoint,
    now: Instant,
}

impl Pair {
    fn settle(&mut self) {
        for _ in 0..1000 {
            let mut quiet = true;
            while let Some(packet) = self.client.poll_transmit(self.now) {
                self.server.handle_packet(self.now, &packet);
                quiet = false;
            }
            while let Some(packet) = self.server.poll_transmit(self.now) {
                self.client.handle_packet(self.now, &packet);
                quiet = false;
            }
            if quiet {
                break;
            }
        }
        while self.client.poll_event().is_some() || self.server.poll_event().is_some() {}
    }

    /// The delayed acknowledgements go out.
    fn rest(&mut self) {
        self.now = self.now + Duration::from_millis(500);
        self.settle();
    }
}

fn host(address: [u8; 4]) -> Endpoint {
    Endpoint::new(Config { addresses: vec![address.into()], backlog: CONNECTIONS, ..Config::default() })
}

/// Both ends of many connections, established and idle.
fn establish(pair: &mut Pair) -> Vec<(ConnId, ConnId)> {
    let listener = pair.server.listen(pair.now, 80).expect("a free port");
    let connect = |n: usize, pair: &mut Pair| {
        let local = SocketAddr::from(([10, 0, 0, 1], 2000 + n as u16));
        let client = pair.client.connect(pair.now, Some(local), ([10, 0, 0, 2], 80).into());
        pair.settle();
        (client.expect("a free port"), pair.server.accept(listener).expect("the handshake is complete"))
    };
    let conns = (0..CONNECTIONS).map(|n| connect(n, pair)).collect();
    pair.rest();
    conns
}

fn transfer(pair: &mut Pair, conns: &[(ConnId, ConnId)]) {
    let (text, mut buf) = (vec![7; 30_000], vec![0; 65536]);
    for &(client, server) in conns {
        let taken = pair.client.send(pair.now, client, &text);
        pair.settle();
        pair.rest();
        let got = pair.server.recv(pair.now, server, &mut buf);
        assert_eq!((taken, got), (Ok(30_000), Ok(Recv::Octets(30_000))));
    }
    pair.rest();
}

#[test]
fn an_idle_connection_costs_little_and_gives_its_buffers_back() {
    let mut pair =
        Pair { client: host([10, 0, 0, 1]), server: host([10, 0, 0, 2]), now: Instant::from_millis(1000) };
    let before = IN_USE.load(Ordering::Relaxed);
    let conns = establish(&mut pair);
    let names = size_of_val(conns.as_slice());
    let each = |now: usize| (now - before - names) / (2 * CONNECTIONS);
    let fresh = each(IN_USE.load(Ordering::Relaxed));
    assert!(fresh <= BAR, "{fresh} octets for an end that has never sent");
    transfer(&mut pair, &conns);
    let used = each(IN_USE.load(Ordering::Relaxed));
    assert!(used <= BAR, "{used} octets for an end that has sent and read");
    // Shown by `--nocapture`, for the record.
    #[allow(clippy::print_stdout, reason = "a measurement")]
    {
        println!("octets of an idle connection, each end: {fresh} at first, {used} after a transfer");
    }
}
