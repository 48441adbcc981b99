//! The stack of this crate, with the options that smoltcp has on as well: no timestamps, no selective
//! acknowledgements, and an acknowledgement for whatever has arrived when it is asked what to send.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use tcpspec_reference::{Config, ConnId, Endpoint, Error, EventKind, Instant, ListenerId, Recv};

use super::{Host, PORT, Packet, SERVER, Sizes, TIME_WAIT_US, Wire};

pub(crate) struct Reference {
    endpoint: Endpoint,
    address: IpAddr,
    listener: Option<ListenerId>,
    mtu: usize,
}

fn at(now: u64) -> Instant {
    Instant::from_micros(now)
}

fn octets(answer: Result<Recv, Error>) -> usize {
    match answer.expect("an open connection") {
        Recv::Octets(len) => len,
        Recv::WouldBlock | Recv::Eof => 0,
    }
}

impl Host for Reference {
    type Conn = ConnId;

    fn new(address: [u8; 4], Sizes { buffer, mtu }: Sizes) -> Self {
        let address = IpAddr::from(address);
        let config = Config {
            addresses: vec![address],
            mtu: mtu as u16,
            send_buffer: buffer as u32,
            recv_buffer: buffer as u32,
            delayed_ack: None,
            timestamps: false,
            sack: false,
            msl: Duration::from_micros(TIME_WAIT_US / 2),
            ..Config::default()
        };
        Self { endpoint: Endpoint::new(config), address, listener: None, mtu }
    }

    fn listen(&mut self, _connections: usize) {
        self.listener = self.endpoint.listen(Instant::ZERO, PORT).ok();
    }

    fn connect(&mut self, now: u64, local_port: u16) -> ConnId {
        let local = SocketAddr::new(self.address, local_port);
        let remote = SocketAddr::new(IpAddr::from(SERVER), PORT);
        self.endpoint.connect(at(now), Some(local), remote).expect("a port that is free")
    }

    fn accept(&mut self) -> Option<ConnId> {
        self.endpoint.accept(self.listener?)
    }

    fn write(&mut self, now: u64, conn: ConnId, text: &[u8]) -> usize {
        self.endpoint.send(at(now), conn, text).expect("an open connection")
    }

    fn read(&mut self, now: u64, conn: ConnId, into: &mut [u8]) -> usize {
        octets(self.endpoint.recv(at(now), conn, into))
    }

    fn make(&mut self, now: u64, conn: ConnId, most: usize) -> usize {
        self.endpoint.send_with(at(now), conn, most, |room| room.len()).expect("an open connection")
    }

    fn take(&mut self, now: u64, conn: ConnId) -> usize {
        octets(self.endpoint.recv_with(at(now), conn, <[u8]>::len))
    }

    fn close(&mut self, now: u64, conn: ConnId) {
        self.endpoint.close(at(now), conn).expect("an open connection");
    }

    fn forget(&mut self, _now: u64, conn: ConnId) {
        assert_eq!(self.endpoint.status(conn).local, None, "it is forgotten already");
    }

    fn work(&mut self, now: u64, arrived: &mut Wire, leaving: &mut Wire) {
        while let Some(Packet { buffer, len }) = arrived.pop() {
            self.endpoint.handle_packet(at(now), &buffer[..len]);
            arrived.recycle(buffer);
        }
        while let Some(event) = self.endpoint.poll_event() {
            debug_assert_ne!(event.kind, EventKind::Reset);
        }
        while leaving.has_room() {
            let mut buffer = leaving.spare(self.mtu);
            let Some(len) = self.endpoint.poll_transmit_into(at(now), &mut buffer) else {
                leaving.recycle(buffer);
                return;
            };
            leaving.push(Packet { buffer, len });
        }
    }
}
