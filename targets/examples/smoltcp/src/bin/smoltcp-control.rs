//! smoltcp under full control: every command of the protocol that its sockets know.
//!
//! smoltcp tells nothing by itself: what happened is seen in the states that its sockets were in before and after.

use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::State;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::IpAddress;
use std::collections::BTreeMap;
use std::io;
use tcpspec_smoltcp::Stack;
use tcpspec_smoltcp::tcpspec::{self, Command, Control};

/// A SYN needs a socket that listens already; so many can come at once.
const SPARE: usize = 8;
/// Handshakes that may be open.
const BACKLOG: usize = 256;
/// What RFC 1122 4.2.3.6 says.
const KEEP_ALIVE: Duration = Duration::from_secs(7200);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Shutdown,
    Close,
}

/// A `recv` that waits for octets.
struct Read {
    command: Command,
    wanted: u64,
    count: u64,
    mismatch: Option<u64>,
}

struct Conn {
    socket: SocketHandle,
    /// As it was seen last.
    state: State,
    has_eof: bool,
    has_ended: bool,
    read: u64,
    written: u64,
    unwritten: u64,
    ending: Option<Ending>,
    reading: Option<Read>,
    /// With a timeout, silence may be what ended it.
    timeout: Option<Duration>,
    heard: Instant,
}

impl Conn {
    fn new(socket: SocketHandle, state: State) -> Self {
        Self {
            socket,
            state,
            has_eof: false,
            has_ended: false,
            read: 0,
            written: 0,
            unwritten: 0,
            ending: None,
            reading: None,
            timeout: None,
            heard: Instant::now(),
        }
    }
}

struct App {
    stack: Stack,
    /// Handles count from 1.
    conns: Vec<Conn>,
    /// By port: the sockets that listen, or are in a handshake.
    listeners: BTreeMap<u16, Vec<SocketHandle>>,
    next_port: u16,
}

fn main() -> io::Result<()> {
    let stack = Stack::up()?;
    let mut app = App { stack, conns: Vec::new(), listeners: BTreeMap::new(), next_port: 49_152 };
    // Local ports begin somewhere else each time, like its sequence numbers.
    app.next_port += u16::try_from(Instant::now().total_micros() % 16_000).unwrap_or(0);
    let mut control = Control::new();
    loop {
        app.stack.wait(Some(&control));
        let commands = control.commands();
        // What was sent before a command comes before it.
        app.stack.poll();
        app.work();
        for command in &commands {
            app.command(command);
        }
        app.work();
        app.stack.poll();
        app.work();
    }
}

impl App {
    /// Does what has become possible, and tells what happened.
    fn work(&mut self) {
        self.accept();
        for handle in 1..=self.conns.len() {
            self.news(handle);
            self.write(handle);
            self.serve(handle);
        }
    }

    fn conn(&mut self, handle: usize) -> Option<&mut Conn> {
        self.conns.get_mut(handle.checked_sub(1)?)
    }

    fn add(&mut self, conn: Conn) -> u32 {
        self.conns.push(conn);
        u32::try_from(self.conns.len()).unwrap_or(u32::MAX)
    }

    /// Takes what has shaken hands out of the listeners, and lets others listen in its place.
    fn accept(&mut self) {
        let ports: Vec<u16> = self.listeners.keys().copied().collect();
        for port in ports {
            let waiting = self.listeners.remove(&port).unwrap_or_default();
            let mut keep = Vec::new();
            for socket in waiting {
                match self.stack.tcp(socket).state() {
                    State::Listen | State::SynReceived => keep.push(socket),
                    State::Closed => {
                        self.stack.sockets.remove(socket);
                    }
                    state => self.accepted(socket, state),
                }
            }
            let listening =
                keep.iter().filter(|socket| self.stack.tcp(**socket).state() == State::Listen).count();
            let room = BACKLOG.saturating_sub(keep.len() - listening);
            for _ in listening..SPARE.min(room) {
                let socket = self.stack.socket();
                // The port is not 0, and the socket is closed.
                let _ = self.stack.tcp(socket).listen(port);
                keep.push(socket);
            }
            self.listeners.insert(port, keep);
        }
    }

    fn accepted(&mut self, socket: SocketHandle, state: State) {
        let from = self.stack.tcp(socket).remote_endpoint();
        let handle = self.add(Conn::new(socket, State::Established));
        if let Some(from) = from {
            tcpspec::accepted(handle, from.addr, from.port);
        }
        // It may be further already; that is news, too.
        let _ = state;
    }

    /// Tells what a change of state means.
    fn news(&mut self, handle: usize) {
        let Some(conn) = self.conns.get_mut(handle - 1) else { return };
        let state = self.stack.tcp(conn.socket).state();
        let number = u32::try_from(handle).unwrap_or(u32::MAX);
        let was_opening = matches!(conn.state, State::SynSent | State::SynReceived);
        if was_opening && !matches!(state, State::SynSent | State::SynReceived | State::Closed) {
            tcpspec::event("connected", number);
        }
        let has_fin = matches!(state, State::CloseWait | State::LastAck | State::Closing | State::TimeWait);
        if has_fin && !conn.has_eof {
            conn.has_eof = true;
            tcpspec::event("eof", number);
        }
        if state == State::Closed && !conn.has_ended {
            conn.has_ended = true;
            let is_silent = conn.timeout.is_some_and(|timeout| Instant::now() >= conn.heard + timeout);
            let word = match conn.state {
                _ if is_silent => "timed-out",
                State::SynSent | State::SynReceived => "refused",
                State::Closing | State::LastAck | State::TimeWait | State::Closed | State::Listen => "closed",
                State::Established | State::FinWait1 | State::FinWait2 | State::CloseWait => "reset",
            };
            tcpspec::event(word, number);
        }
        if state != conn.state {
            conn.heard = Instant::now();
        }
        conn.state = state;
    }

    /// Writes what there is room for, and ends the connection behind it where that was asked for.
    fn write(&mut self, handle: usize) {
        let Some(conn) = self.conns.get_mut(handle - 1) else { return };
        let socket = self.stack.tcp(conn.socket);
        while conn.unwritten > 0 && socket.may_send() {
            let chunk = usize::try_from(conn.unwritten).unwrap_or(usize::MAX).min(16_384);
            let Ok(taken @ 1..) = socket.send_slice(&tcpspec::octets(conn.written, chunk)) else { break };
            conn.written += taken as u64;
            conn.unwritten -= taken as u64;
        }
        if !socket.is_open() {
            conn.unwritten = 0;
        }
        if conn.unwritten == 0 && conn.ending.take().is_some() {
            // There is one way to end: smoltcp goes on receiving after it.
            socket.close();
        }
    }

    /// Answers a `recv` that waits, when enough has come.
    fn serve(&mut self, handle: usize) {
        let Some(conn) = self.conns.get_mut(handle - 1) else { return };
        let Some(mut read) = conn.reading.take() else { return };
        let socket = self.stack.tcp(conn.socket);
        let mut octets = [0; 4096];
        while read.count < read.wanted {
            let room = usize::try_from(read.wanted - read.count).unwrap_or(usize::MAX).min(octets.len());
            let Ok(got @ 1..) = socket.recv_slice(&mut octets[..room]) else { break };
            read.mismatch = read.mismatch.or_else(|| tcpspec::mismatch(conn.read, &octets[..got]));
            conn.read += got as u64;
            read.count += got as u64;
        }
        let is_over = conn.has_eof && !socket.can_recv();
        if let Some(at) = read.mismatch {
            read.command.mismatch(at);
        } else if read.count == read.wanted {
            read.command.ok(read.count);
        } else if is_over {
            read.command.ok(format!("{} eof", read.count));
        } else if !socket.is_open() {
            read.command.error("no connection");
        } else {
            conn.reading = Some(read);
        }
    }

    fn command(&mut self, command: &Command) {
        match command.word.as_str() {
            "hello" => command.ok(""),
            "reset" => self.reset(command),
            "listen" => self.listen(command),
            "unlisten" => {
                for socket in self.listeners.remove(&command.get(0).unwrap_or(0)).unwrap_or_default() {
                    self.stack.sockets.remove(socket);
                }
                command.ok("");
            }
            "connect" => self.connect(command, None),
            "open" => self.connect(command, command.get(0)),
            "status" | "abort" if command.get(0) == Some(0) => self.on_listener(command),
            "option" if command.get(0) == Some(0) => self.option_to_come(command),
            _ => match command.get(0).filter(|handle| self.conn(*handle).is_some()) {
                Some(handle) => self.on_conn(command, handle),
                None => command.error("no such connection"),
            },
        }
    }

    fn reset(&mut self, command: &Command) {
        let conns = self.conns.drain(..).map(|conn| conn.socket);
        let listeners = std::mem::take(&mut self.listeners).into_values().flatten();
        for socket in conns.chain(listeners) {
            self.stack.sockets.remove(socket);
        }
        command.ok("");
    }

    fn listen(&mut self, command: &Command) {
        let Some(port) = command.get::<u16>(0).filter(|port| *port != 0) else {
            return command.error("no such port");
        };
        if self.listeners.contains_key(&port) {
            return command.error("the port is in use");
        }
        self.listeners.insert(port, Vec::new());
        self.accept();
        command.ok("");
    }

    /// Tells the state of the listeners, or ends them.
    fn on_listener(&mut self, command: &Command) {
        if self.listeners.is_empty() {
            return command.error("no such connection");
        }
        if command.word == "status" {
            return command.ok(State::Listen);
        }
        for socket in std::mem::take(&mut self.listeners).into_values().flatten() {
            self.stack.sockets.remove(socket);
        }
        command.ok("");
    }

    /// `from` a port of the caller's choice; its other arguments stand behind it.
    fn connect(&mut self, command: &Command, from: Option<u16>) {
        let first = usize::from(from.is_some());
        let (Some(address), Some(port)) = (command.get::<IpAddress>(first), command.get::<u16>(first + 1))
        else {
            return command.error("no such address");
        };
        let handle = self.stack.socket();
        let local = from.unwrap_or(self.next_port);
        if from.is_none() {
            self.next_port = if local == u16::MAX { 49_152 } else { local + 1 };
        }
        let socket = self.stack.sockets.get_mut::<smoltcp::socket::tcp::Socket<'_>>(handle);
        match socket.connect(self.stack.interface.context(), (address, port), local) {
            Ok(()) => {
                let conn = self.add(Conn::new(handle, State::SynSent));
                command.ok(conn);
            }
            Err(why) => command.error(why),
        }
    }

    fn on_conn(&mut self, command: &Command, handle: usize) {
        let Some(conn) = self.conns.get_mut(handle - 1) else { return };
        let socket = self.stack.tcp(conn.socket);
        match command.word.as_str() {
            "send" => {
                let takes =
                    socket.may_send() || matches!(socket.state(), State::SynSent | State::SynReceived);
                if !takes || conn.ending.is_some() {
                    return command.error("the connection is closing or closed");
                }
                if conn.unwritten == 0 && socket.send_queue() == 0 {
                    conn.heard = Instant::now();
                }
                conn.unwritten += command.get(1).unwrap_or(0);
                command.ok("");
            }
            "recv" => {
                let wanted = command.get(1).unwrap_or(0);
                conn.reading = Some(Read { command: command.clone(), wanted, count: 0, mismatch: None });
            }
            "shutdown" | "close" if !socket.is_open() => command.error("no connection"),
            "shutdown" => {
                conn.ending = Some(Ending::Shutdown);
                command.ok("");
            }
            "close" => {
                conn.ending = Some(Ending::Close);
                command.ok("");
            }
            "abort" => {
                socket.abort();
                conn.has_ended = true;
                command.ok("");
            }
            "status" => command.ok(socket.state()),
            "option" => self.option(command, handle),
            _ => command.unsupported(),
        }
    }

    /// An option of connections that there are not yet.
    fn option_to_come(&mut self, command: &Command) {
        let len = command.get(2).filter(|len| (1..=1 << 30).contains(len));
        match (command.arguments.get(1).map_or("", String::as_str), len) {
            ("rcvbuf", Some(len)) => self.stack.receive_buffer = len,
            ("rcvbuf", None) => return command.error("no such length"),
            _ => return command.unsupported(),
        }
        command.ok("");
    }

    fn option(&mut self, command: &Command, handle: usize) {
        let Some(conn) = self.conns.get_mut(handle - 1) else { return };
        let value: u64 = command.get(2).unwrap_or(0);
        let span = Duration::from_millis(value);
        let socket = self.stack.tcp(conn.socket);
        match command.arguments.get(1).map_or("", String::as_str) {
            "nodelay" => socket.set_nagle_enabled(value == 0),
            "keepalive" => socket.set_keep_alive(Some(KEEP_ALIVE).filter(|_| value != 0)),
            "keepalive_idle" => socket.set_keep_alive(Some(span)),
            "user_timeout" => {
                conn.timeout = Some(span);
                socket.set_timeout(Some(span));
            }
            "ttl" => socket.set_hop_limit(u8::try_from(value).ok().filter(|ttl| *ttl != 0)),
            _ => return command.unsupported(),
        }
        command.ok("");
    }
}
