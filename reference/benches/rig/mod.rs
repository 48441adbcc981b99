//! Two hosts of one stack on a wire in memory, and the loads that both stacks get.
//!
//! The wire carries IP packets in buffers that are used again, so neither stack pays for them. Time is virtual.
//! Nothing is lost: this is the cost of the work, not of the network.

mod reference;
mod smoltcp;

use std::collections::VecDeque;

pub(crate) use reference::Reference;
pub(crate) use smoltcp::Smoltcp;

/// What Ethernet carries.
pub(crate) const MTU: usize = 1500;
/// The text of a full packet.
const MSS: usize = MTU - 40;
pub(crate) const PORT: u16 = 80;
pub(crate) const CLIENT: [u8; 4] = [10, 0, 0, 1];
pub(crate) const SERVER: [u8; 4] = [10, 0, 0, 2];
/// How long both stacks stay in TIME-WAIT, which smoltcp has fixed.
pub(crate) const TIME_WAIT_US: u64 = 10_000_000;
/// Packets that one direction holds.
const ROOM: usize = 64;
/// The octets that are sent, over and over.
static TEXT: [u8; 65536] = [b'x'; 65536];

/// How large things are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// The buffer of each connection and direction, in octets.
    pub(crate) buffer: usize,
    /// The largest packet, in octets.
    pub(crate) mtu: usize,
}

/// How the application gets at the buffers of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It hands over octets of its own and is handed some: one copy on each side.
    Copied,
    /// It makes and takes its octets where the stack has them. What that costs is its own business, so here it costs
    /// nothing: smoltcp's own benchmark is of this kind.
    InPlace,
}

/// One packet on the wire. The buffer may be longer than the packet.
#[derive(Debug, Default)]
pub(crate) struct Packet {
    pub(crate) buffer: Vec<u8>,
    pub(crate) len: usize,
}

/// One direction of the wire.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    packets: VecDeque<Packet>,
    spare: Vec<Vec<u8>>,
}

impl Wire {
    pub(crate) fn has_room(&self) -> bool {
        self.packets.len() < ROOM
    }

    pub(crate) fn spare(&mut self, mtu: usize) -> Vec<u8> {
        self.spare.pop().unwrap_or_else(|| vec![0; mtu])
    }

    pub(crate) fn push(&mut self, packet: Packet) {
        self.packets.push_back(packet);
    }

    pub(crate) fn pop(&mut self) -> Option<Packet> {
        self.packets.pop_front()
    }

    pub(crate) fn recycle(&mut self, buffer: Vec<u8>) {
        self.spare.push(buffer);
    }
}

/// A host of one stack, as an application and a network interface see it.
pub(crate) trait Host {
    type Conn: Copy;

    fn new(address: [u8; 4], sizes: Sizes) -> Self;
    /// Ready to accept so many connections on [`PORT`].
    fn listen(&mut self, connections: usize);
    fn connect(&mut self, now: u64, local_port: u16) -> Self::Conn;
    fn accept(&mut self) -> Option<Self::Conn>;
    fn write(&mut self, now: u64, conn: Self::Conn, text: &[u8]) -> usize;
    fn read(&mut self, now: u64, conn: Self::Conn, into: &mut [u8]) -> usize;
    /// Makes up to so many octets in the send buffer, as far as its room lies together.
    fn make(&mut self, now: u64, conn: Self::Conn, most: usize) -> usize;
    /// Takes what lies together in the receive buffer.
    fn take(&mut self, now: u64, conn: Self::Conn) -> usize;
    fn close(&mut self, now: u64, conn: Self::Conn);
    /// Makes room for the next connection once this one is closed.
    fn forget(&mut self, now: u64, conn: Self::Conn);
    /// Takes all that has arrived and sends what there is to send, as far as the wire has room.
    fn work(&mut self, now: u64, arrived: &mut Wire, leaving: &mut Wire);
}

/// Two hosts and their connections.
pub(crate) struct Pair<H: Host> {
    client: H,
    server: H,
    to_client: [Wire; 2],
    to_server: [Wire; 2],
    now: u64,
    /// The ends of each connection.
    conns: Vec<(H::Conn, H::Conn)>,
    ports: core::iter::Cycle<core::ops::Range<u16>>,
    scratch: Vec<u8>,
}

impl<H: Host> Pair<H> {
    /// So many established connections.
    pub(crate) fn new(connections: usize, sizes: Sizes) -> Self {
        let mut pair = Self {
            client: H::new(CLIENT, sizes),
            server: H::new(SERVER, sizes),
            to_client: Default::default(),
            to_server: Default::default(),
            now: 1_000_000,
            conns: Vec::with_capacity(connections),
            ports: (1024..65000).cycle(),
            scratch: vec![0; 65536],
        };
        pair.server.listen(connections.max(1));
        for _ in 0..connections {
            pair.establish();
        }
        pair
    }

    fn establish(&mut self) {
        let port = self.ports.next().expect("it cycles");
        let client = self.client.connect(self.now, port);
        self.settle();
        let server = self.server.accept().expect("the handshake is complete");
        self.conns.push((client, server));
    }

    /// One exchange: both hosts work once. Returns how many packets were under way.
    fn exchange(&mut self) -> usize {
        self.now += 10;
        let [leaving, arrived] = &mut self.to_server;
        self.client.work(self.now, &mut self.to_client[1], leaving);
        let sent = leaving.packets.len();
        // The spare buffers go back the other way.
        core::mem::swap(leaving, arrived);
        let [leaving, back] = &mut self.to_client;
        self.server.work(self.now, &mut self.to_server[1], leaving);
        let sent = sent + leaving.packets.len();
        core::mem::swap(leaving, back);
        sent
    }

    /// Until nothing is under way.
    fn settle(&mut self) {
        while self.exchange() > 0 {}
    }

    /// Sends so many octets over the first connection.
    pub(crate) fn bulk(&mut self, octets: usize, access: Access) {
        let (client, server) = self.conns[0];
        let (mut sent, mut taken) = (0, 0);
        while taken < octets {
            sent += self.produce(client, octets - sent, access);
            self.exchange();
            taken += self.consume(server, access);
        }
        self.settle();
    }

    /// Fills the send buffer.
    fn produce(&mut self, conn: H::Conn, most: usize, access: Access) -> usize {
        let mut octets = 0;
        loop {
            let most = (most - octets).min(TEXT.len());
            let len = match access {
                Access::Copied => self.client.write(self.now, conn, &TEXT[..most]),
                Access::InPlace => self.client.make(self.now, conn, most),
            };
            octets += len;
            if len == 0 {
                return octets;
            }
        }
    }

    /// Empties the receive buffer.
    fn consume(&mut self, conn: H::Conn, access: Access) -> usize {
        let mut octets = 0;
        loop {
            let len = match access {
                Access::Copied => self.server.read(self.now, conn, &mut self.scratch),
                Access::InPlace => self.server.take(self.now, conn),
            };
            octets += len;
            if len == 0 {
                return octets;
            }
        }
    }

    /// Two full segments over every connection, 32 connections at a time.
    pub(crate) fn round(&mut self) {
        for first in (0..self.conns.len()).step_by(32) {
            let group = first..(first + 32).min(self.conns.len());
            for &(client, _) in &self.conns[group.clone()] {
                let taken = self.client.write(self.now, client, &TEXT[..2 * MSS]);
                assert_eq!(taken, 2 * MSS, "the buffer has room");
            }
            self.settle();
            for &(_, server) in &self.conns[group] {
                let len = self.server.read(self.now, server, &mut self.scratch);
                assert_eq!(len, 2 * MSS, "all has arrived");
            }
        }
    }

    /// Opens a connection, closes it from the client's side and waits until both have forgotten it.
    pub(crate) fn cycle(&mut self) {
        self.establish();
        let (client, server) = self.conns.pop().expect("it was just made");
        self.client.close(self.now, client);
        self.settle();
        self.server.close(self.now, server);
        self.settle();
        self.now += TIME_WAIT_US;
        self.settle();
        self.client.forget(self.now, client);
        self.server.forget(self.now, server);
    }
}
