//! smoltcp 0.14 as a host, with an acknowledgement for whatever has arrived and no congestion control, which is
//! its default.

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::socket::tcp::{self, Socket, SocketBuffer};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use super::{Host, PORT, Packet, SERVER, Sizes, Wire};

pub(crate) struct Smoltcp {
    interface: Interface,
    sockets: SocketSet<'static>,
    sizes: Sizes,
    /// Sockets that listen or have been accepted, the listening ones last.
    listening: Vec<SocketHandle>,
    idle: Vec<SocketHandle>,
}

impl Smoltcp {
    fn socket(&mut self) -> SocketHandle {
        if let Some(handle) = self.idle.pop() {
            return handle;
        }
        let space = || SocketBuffer::new(vec![0; self.sizes.buffer]);
        let mut socket = Socket::new(space(), space());
        socket.set_ack_delay(None);
        self.sockets.add(socket)
    }

    fn get(&mut self, handle: SocketHandle) -> &mut Socket<'static> {
        self.sockets.get_mut::<Socket<'static>>(handle)
    }

    fn listen_once(&mut self) {
        let handle = self.socket();
        self.get(handle).listen(PORT).expect("a fresh socket");
        self.listening.push(handle);
    }
}

fn at(now: u64) -> Instant {
    Instant::from_micros(now as i64)
}

impl Host for Smoltcp {
    type Conn = SocketHandle;

    fn new(address: [u8; 4], sizes: Sizes) -> Self {
        let (mut arrived, mut leaving) = (Wire::default(), Wire::default());
        let mut device = Ends { arrived: &mut arrived, leaving: &mut leaving, mtu: sizes.mtu };
        let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut device, at(0));
        interface.update_ip_addrs(|list| {
            list.push(IpCidr::new(IpAddress::from(core::net::Ipv4Addr::from(address)), 24))
                .expect("room for one");
        });
        let sockets = SocketSet::new(Vec::new());
        Self { interface, sockets, sizes, listening: Vec::new(), idle: Vec::new() }
    }

    fn listen(&mut self, _connections: usize) {
        self.listen_once();
    }

    fn connect(&mut self, _now: u64, local_port: u16) -> SocketHandle {
        let handle = self.socket();
        let remote = (IpAddress::from(core::net::Ipv4Addr::from(SERVER)), PORT);
        let socket = self.sockets.get_mut::<Socket<'static>>(handle);
        socket.connect(self.interface.context(), remote, local_port).expect("a fresh socket");
        handle
    }

    fn accept(&mut self) -> Option<SocketHandle> {
        let handle = *self.listening.last()?;
        if self.get(handle).state() != tcp::State::Established {
            return None;
        }
        self.listening.pop();
        self.listen_once();
        Some(handle)
    }

    fn write(&mut self, _now: u64, conn: SocketHandle, text: &[u8]) -> usize {
        self.get(conn).send_slice(text).expect("an open connection")
    }

    fn read(&mut self, _now: u64, conn: SocketHandle, into: &mut [u8]) -> usize {
        self.get(conn).recv_slice(into).expect("an open connection")
    }

    fn make(&mut self, _now: u64, conn: SocketHandle, most: usize) -> usize {
        let fill = |room: &mut [u8]| (room.len().min(most), room.len().min(most));
        self.get(conn).send(fill).expect("an open connection")
    }

    fn take(&mut self, _now: u64, conn: SocketHandle) -> usize {
        self.get(conn).recv(|text| (text.len(), text.len())).expect("an open connection")
    }

    fn close(&mut self, _now: u64, conn: SocketHandle) {
        self.get(conn).close();
    }

    fn forget(&mut self, _now: u64, conn: SocketHandle) {
        assert_eq!(self.get(conn).state(), tcp::State::Closed, "2 MSL are over");
        self.idle.push(conn);
    }

    fn work(&mut self, now: u64, arrived: &mut Wire, leaving: &mut Wire) {
        let mut device = Ends { arrived, leaving, mtu: self.sizes.mtu };
        self.interface.poll(at(now), &mut device, &mut self.sockets);
    }
}

/// A host's end of both directions.
struct Ends<'a> {
    arrived: &'a mut Wire,
    leaving: &'a mut Wire,
    mtu: usize,
}

impl Device for Ends<'_> {
    type RxToken<'a>
        = Arrived<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = Leaving<'a>
    where
        Self: 'a;

    fn receive(&mut self, _now: Instant) -> Option<(Arrived<'_>, Leaving<'_>)> {
        if !self.leaving.has_room() {
            return None;
        }
        let packet = self.arrived.pop()?;
        Some((Arrived { packet, wire: self.arrived }, Leaving { wire: self.leaving, mtu: self.mtu }))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Leaving<'_>> {
        self.leaving.has_room().then_some(Leaving { wire: self.leaving, mtu: self.mtu })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}

struct Arrived<'a> {
    packet: Packet,
    wire: &'a mut Wire,
}

impl phy::RxToken for Arrived<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, work: F) -> R {
        let result = work(&self.packet.buffer[..self.packet.len]);
        self.wire.recycle(self.packet.buffer);
        result
    }
}

struct Leaving<'a> {
    wire: &'a mut Wire,
    mtu: usize,
}

impl phy::TxToken for Leaving<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, work: F) -> R {
        let mut buffer = self.wire.spare(self.mtu);
        // Never shrunk, so there is nothing to fill with zeros.
        buffer.resize(self.mtu, 0);
        let result = work(&mut buffer[..len]);
        self.wire.push(Packet { buffer, len });
        result
    }
}
