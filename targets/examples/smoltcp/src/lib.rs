//! smoltcp over the wire of the harness: a device, and an interface with the addresses that the harness gives.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::exit,
    reason = "a program of its own: it owns its environment"
)]

#[path = "../../../kit/tcpspec.rs"]
pub mod tcpspec;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpCidr};
use std::env;
use std::hash::{BuildHasher, RandomState};
use std::io::{Error, Result};
use std::time::Duration;
use tcpspec::{Control, Wire};

const MTU: usize = 1500;
const ETHERNET_LEN: usize = 14;
const MAC: EthernetAddress = EthernetAddress([0x02, 0, 0, 0, 0, 0x02]);
/// The largest window that needs no scale.
const BUFFER_LEN: usize = 65_535;

/// The wire as smoltcp wants it.
struct Port {
    wire: Wire,
    buffer: Vec<u8>,
}

struct Received(Vec<u8>);
struct Sending<'a>(&'a Wire);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut packet = vec![0; len];
        let result = f(&mut packet);
        self.0.send(&packet);
        result
    }
}

impl Device for Port {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received, Sending<'_>)> {
        let len = self.wire.recv(&mut self.buffer)?;
        let packet = self.buffer.get(..len).unwrap_or_default().to_vec();
        Some((Received(packet), Sending(&self.wire)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        Some(Sending(&self.wire))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        let has_frames = self.wire.carries_frames();
        capabilities.medium = if has_frames { Medium::Ethernet } else { Medium::Ip };
        capabilities.max_transmission_unit = if has_frames { MTU + ETHERNET_LEN } else { MTU };
        capabilities
    }
}

/// The stack on its wire.
pub struct Stack {
    port: Port,
    pub interface: Interface,
    pub sockets: SocketSet<'static>,
    /// Of sockets to come.
    pub receive_buffer: usize,
}

impl Stack {
    /// # Errors
    /// Without a wire.
    pub fn up() -> Result<Self> {
        let mut port = Port { wire: Wire::open()?, buffer: vec![0; 65_536] };
        let mut config = Config::new(match port.wire.carries_frames() {
            true => HardwareAddress::Ethernet(MAC),
            false => HardwareAddress::Ip,
        });
        // Where sequence numbers come from: no process may begin like another.
        config.random_seed = RandomState::new().hash_one(0);
        let mut interface = Interface::new(config, &mut port, Instant::now());
        for name in ["TCPSPEC_IPV4", "TCPSPEC_IPV6"] {
            let Ok(text) = env::var(name) else { continue };
            let address: IpCidr =
                text.parse().map_err(|()| Error::other(format!("{name} is no network: {text}")))?;
            let mut pushed = Ok(());
            interface.update_ip_addrs(|addresses| pushed = addresses.push(address));
            pushed.map_err(|_| Error::other("too many addresses"))?;
        }
        Ok(Self { port, interface, sockets: SocketSet::new(Vec::new()), receive_buffer: BUFFER_LEN })
    }

    /// A closed socket, with all that smoltcp offers switched on.
    pub fn socket(&mut self) -> SocketHandle {
        let buffer = |len| SocketBuffer::new(vec![0; len]);
        let mut socket = Socket::new(buffer(self.receive_buffer), buffer(BUFFER_LEN));
        socket.set_congestion_control(CongestionControl::Reno);
        socket.set_tsval_generator(Some(|| {
            u32::try_from(Instant::now().total_millis() & 0xffff_ffff).unwrap_or(0)
        }));
        self.sockets.add(socket)
    }

    /// # Panics
    /// Never: handles are given by [`Stack::socket`], and sockets are TCP's.
    pub fn tcp(&mut self, handle: SocketHandle) -> &mut Socket<'static> {
        self.sockets.get_mut(handle)
    }

    /// Waits until a packet, a command or a timer is due.
    pub fn wait(&mut self, control: Option<&Control>) {
        let delay = self.interface.poll_delay(Instant::now(), &self.sockets);
        tcpspec::wait(Some(&self.port.wire), control, delay.map(Duration::from));
    }

    /// Does what smoltcp has to do.
    pub fn poll(&mut self) {
        self.interface.poll(Instant::now(), &mut self.port, &mut self.sockets);
    }
}
