//! Packets in UDP datagrams on loopback, one in one: for programs that can inherit no descriptor.
//!
//! UDP has no back pressure: what does not fit into the socket at the other end is dropped, and no sender hears of it. The
//! kernel counts it, and a case in which that happened proves nothing about the target.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a wire is made of sockets and stamps"
)]

use super::fd::{BUFFER, Inbox, broken, is_gone};
use super::{Received, Wire, WireError};
use nix::sys::socket::{SockaddrIn, setsockopt, sockopt};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Datagrams of others in a row that are read without waiting.
const NOISE_MAX: u32 = 4096;
/// So few packets always find room, in the smallest buffer that a system gives unasked.
const ROOM: u32 = 64;

/// The target sends an empty datagram first, so that we know where it is.
#[derive(Debug)]
pub struct UdpWire {
    socket: UdpSocket,
    target: Option<SocketAddr>,
    inbox: Inbox,
    /// What came while we asked where the target is.
    waiting: VecDeque<Received>,
    /// Packets both ways since the kernel was asked for what it has dropped.
    moved: u32,
    dropped: u64,
}

impl UdpWire {
    /// # Errors
    /// Where there is no loopback interface.
    pub async fn bind() -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        // As much as the system gives.
        #[cfg(target_os = "linux")]
        let _unprivileged = setsockopt(&socket, sockopt::RcvBufForce, &BUFFER)
            .or_else(|_| setsockopt(&socket, sockopt::RcvBuf, &BUFFER));
        #[cfg(not(target_os = "linux"))]
        let _less = setsockopt(&socket, sockopt::RcvBuf, &BUFFER);
        let inbox = Inbox::of(&socket);
        Ok(Self { socket, target: None, inbox, waiting: VecDeque::new(), moved: 0, dropped: 0 })
    }

    /// What the target is told.
    ///
    /// # Errors
    /// Never on an open socket.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// What was read, if that is a packet of the target.
    fn take(
        &mut self,
        read: io::Result<(Received, Option<SockaddrIn>)>,
    ) -> Option<Result<Received, WireError>> {
        match read {
            Ok((received, from)) => {
                let from = SocketAddr::V4(from?.into());
                let is_packet = *self.target.get_or_insert(from) == from && !received.packet.is_empty();
                self.moved = self.moved.saturating_add(1);
                // Or somebody else of this machine.
                is_packet.then_some(Ok(received))
            }
            Err(e) if is_gone(&e) || e.kind() == io::ErrorKind::Interrupted => None,
            Err(e) => Some(Err(broken("receive", &e))),
        }
    }

    /// Reads what is there until something of the target has come. It has said where it is before it was ready; who sends
    /// first has not looked yet.
    fn find(&mut self) -> Result<Option<SocketAddr>, WireError> {
        for _ in 0..NOISE_MAX {
            if self.target.is_some() {
                break;
            }
            match self.inbox.read(&self.socket) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                read => {
                    let packet = self.take(read).transpose()?;
                    self.waiting.extend(packet);
                }
            }
        }
        Ok(self.target)
    }
}

impl Wire for UdpWire {
    async fn recv(&mut self) -> Result<Received, WireError> {
        loop {
            if let Some(received) = self.waiting.pop_front() {
                return Ok(received);
            }
            self.socket.readable().await.map_err(|e| broken("wait for a packet", &e))?;
            let (socket, inbox) = (&self.socket, &mut self.inbox);
            let read = socket.try_io(Interest::READABLE, || inbox.read(socket));
            if matches!(&read, Err(e) if e.kind() == io::ErrorKind::WouldBlock) {
                continue;
            }
            if let Some(received) = self.take(read) {
                return received;
            }
        }
    }

    fn try_recv(&mut self) -> Option<Result<Received, WireError>> {
        if let Some(received) = self.waiting.pop_front() {
            return Some(Ok(received));
        }
        for _ in 0..NOISE_MAX {
            match self.inbox.read(&self.socket) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return None,
                read => {
                    if let Some(received) = self.take(read) {
                        return Some(received);
                    }
                }
            }
        }
        None
    }

    async fn send(&mut self, packet: &[u8]) -> Result<Instant, WireError> {
        let Some(target) = self.find()? else { return Ok(Instant::now()) };
        let at = Instant::now();
        self.moved = self.moved.saturating_add(1);
        match self.socket.send_to(packet, target).await {
            Ok(_) => Ok(at),
            Err(e) if is_gone(&e) => Ok(at),
            Err(e) => Err(broken("send", &e)),
        }
    }

    /// What found no room, at either end.
    fn lost(&mut self) -> u64 {
        if self.moved < ROOM {
            return 0;
        }
        self.moved = 0;
        let ends = [self.socket.local_addr().ok(), self.target];
        let dropped = dropped(&ends.into_iter().flatten().map(|end| end.port()).collect::<Vec<u16>>());
        let before = std::mem::replace(&mut self.dropped, dropped);
        dropped.saturating_sub(before)
    }
}

/// The datagrams that sockets on these ports of the loopback had no room for, as the kernel counts them; elsewhere than on
/// Linux nobody says.
fn dropped(ports: &[u16]) -> u64 {
    let table = std::fs::read_to_string("/proc/net/udp").unwrap_or_default();
    drops(&table, ports)
}

fn drops(table: &str, ports: &[u16]) -> u64 {
    let of_line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let (_, port) = words.nth(1)?.rsplit_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        ports.contains(&port).then(|| words.next_back()?.parse::<u64>().ok()).flatten()
    };
    table.lines().filter_map(of_line).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket as Std;

    /// A wire, and the target's end of it, which has said where it is and no more.
    async fn pair() -> (UdpWire, Std) {
        let wire = UdpWire::bind().await.unwrap();
        let target = Std::bind("127.0.0.1:0").unwrap();
        target.connect(wire.address().unwrap()).unwrap();
        target.send(&[]).unwrap();
        (wire, target)
    }

    /// Nothing was asked of the wire before.
    #[tokio::test]
    async fn the_first_packet_finds_the_target() {
        let (mut wire, target) = pair().await;
        wire.send(b"syn").await.unwrap();
        let mut buffer = [0; 8];
        target.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        assert_eq!(target.recv(&mut buffer).unwrap(), 3);
        assert_eq!(&buffer[..3], b"syn");
    }

    #[tokio::test]
    async fn what_came_before_the_first_packet_is_not_lost() {
        let wire = UdpWire::bind().await.unwrap();
        let target = Std::bind("127.0.0.1:0").unwrap();
        target.connect(wire.address().unwrap()).unwrap();
        // This one says where it is by its first packet.
        target.send(b"syn").unwrap();
        let mut wire = wire;
        wire.send(b"ack").await.unwrap();
        assert_eq!(wire.recv().await.unwrap().packet, b"syn");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_finds_no_room_is_told() {
        let (mut wire, target) = pair().await;
        setsockopt(&target, sockopt::RcvBuf, &2048).unwrap();
        assert_eq!(wire.lost(), 0);
        for _ in 0..200 {
            wire.send(&[0; 1000]).await.unwrap();
        }
        target.set_nonblocking(true).unwrap();
        let mut buffer = [0; 2000];
        let mut came = 0;
        while target.recv(&mut buffer).is_ok() {
            came += 1;
        }
        assert!(came < 200, "the buffer was to be too small");
        assert_eq!(wire.lost(), 200 - came);
        assert_eq!(wire.lost(), 0, "told once");
    }

    #[test]
    fn drops_are_of_the_ports_asked_for() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
             48: 0100007F:BDBA 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12471112 2 000000002ff5952a 3\n\
             49: 0100007F:BDBB 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12471113 2 000000002ff5952a 5\n";
        assert_eq!(drops(table, &[0xbdba]), 3);
        assert_eq!(drops(table, &[0xbdba, 0xbdbb]), 8);
        assert_eq!(drops(table, &[1]), 0);
    }
}
