//! An echo server on smoltcp: the smallest program that tcpspec can test.
#![allow(clippy::disallowed_methods, reason = "a program of its own: it reads its environment")]

use smoltcp::socket::tcp::State;
use std::{env, io};
use tcpspec_smoltcp::Stack;

/// So many connections at a time.
const CONNECTIONS: usize = 8;

fn main() -> io::Result<()> {
    let port: u16 = env::var("TCPSPEC_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(7);
    let mut stack = Stack::up()?;
    let handles: Vec<_> = (0..CONNECTIONS).map(|_| stack.socket()).collect();
    loop {
        for handle in &handles {
            let socket = stack.tcp(*handle);
            if socket.state() == State::Closed {
                socket.listen(port).map_err(io::Error::other)?;
            }
            let mut octets = [0; 4096];
            while socket.can_recv() && socket.send_capacity() > socket.send_queue() {
                let room = (socket.send_capacity() - socket.send_queue()).min(octets.len());
                let got = socket.recv_slice(&mut octets[..room]).map_err(io::Error::other)?;
                socket.send_slice(&octets[..got]).map_err(io::Error::other)?;
            }
            if socket.state() == State::CloseWait && !socket.can_recv() {
                socket.close();
            }
        }
        stack.poll();
        stack.wait(None);
        stack.poll();
    }
}
