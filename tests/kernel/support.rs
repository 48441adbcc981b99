//! A namespace, a target in it, and peers.

use nix::libc;
use nix::sched::{CloneFlags, unshare};
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;
use tcpspec::engine::{AppCall, AppEvent, AppOutcome};
use tcpspec::target::kernel::{KernelTarget, Namespace};
use tcpspec::target::profile::Net;
use tcpspec::target::{Reply, Target};

pub(crate) const PORT: u16 = 7;
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Lab {
    pub(crate) target: KernelTarget,
    pub(crate) namespace: Namespace,
    pub(crate) file: File,
    address: IpAddr,
    calls: u32,
    answers: Vec<(u32, AppOutcome)>,
    events: VecDeque<(u32, AppEvent)>,
}

/// A network namespace with its loopback up. It goes when the last descriptor does.
fn fresh_namespace() -> File {
    let make = || -> io::Result<File> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
        // SAFETY: all zeroes is a valid ifreq.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        request.ifr_name[0] = libc::c_char::try_from(b'l').unwrap();
        request.ifr_name[1] = libc::c_char::try_from(b'o').unwrap();
        request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP).unwrap();
        // SAFETY: SIOCSIFFLAGS reads one ifreq, and the pointer is to one.
        if unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) } < 0 {
            return Err(io::Error::last_os_error());
        }
        File::open("/proc/thread-self/ns/net")
    };
    std::thread::spawn(make).join().unwrap().expect("a network namespace (these tests need root)")
}

impl Lab {
    pub(crate) fn new(v6: bool) -> Self {
        let net = Net {
            port: PORT,
            target_v4: Ipv4Addr::LOCALHOST,
            peer_v4: Ipv4Addr::LOCALHOST,
            target_v6: Ipv6Addr::LOCALHOST,
            peer_v6: Ipv6Addr::LOCALHOST,
        };
        let file = fresh_namespace();
        let address = if v6 { IpAddr::V6(Ipv6Addr::LOCALHOST) } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
        Self {
            target: KernelTarget::new(file.as_fd(), &net).unwrap(),
            namespace: Namespace::new(file.as_fd()).unwrap(),
            file,
            address,
            calls: 0,
            answers: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// Takes the next reply that comes in time.
    pub(crate) async fn hear(&mut self, patience: Duration) -> bool {
        match tokio::time::timeout(patience, self.target.reply()).await {
            Ok(Reply::Answer { call, outcome }) => self.answers.push((call, outcome)),
            Ok(Reply::Event { conn, event }) => self.events.push_back((conn, event)),
            Ok(Reply::Died { how }) => panic!("the kernel died: {how}"),
            Ok(Reply::Broken { how }) => panic!("the harness broke: {how}"),
            Err(_) => return false,
        }
        true
    }

    pub(crate) fn start(&mut self, what: &AppCall) -> u32 {
        self.calls += 1;
        self.target.call(self.calls, what);
        self.calls
    }

    pub(crate) async fn answer(&mut self, call: u32) -> AppOutcome {
        loop {
            if let Some(index) = self.answers.iter().position(|(answered, _)| *answered == call) {
                return self.answers.remove(index).1;
            }
            assert!(self.hear(PATIENCE).await, "no answer to call {call}");
        }
    }

    pub(crate) async fn call(&mut self, what: AppCall) -> AppOutcome {
        let call = self.start(&what);
        self.answer(call).await
    }

    pub(crate) async fn ok(&mut self, what: AppCall) {
        assert_eq!(self.call(what.clone()).await, AppOutcome::Ok, "{what:?}");
    }

    pub(crate) async fn event(&mut self) -> (u32, AppEvent) {
        while self.events.is_empty() {
            assert!(self.hear(PATIENCE).await, "no event");
        }
        self.events.pop_front().unwrap()
    }

    /// Nothing is learned for a while.
    pub(crate) async fn nothing(&mut self) {
        while self.hear(Duration::from_millis(50)).await {}
        assert_eq!(self.events, [], "events that nobody asked for");
    }

    pub(crate) async fn state(&mut self, conn: u32) -> String {
        match self.call(AppCall::Status { conn }).await {
            AppOutcome::State(state) => state,
            other => panic!("no state: {other:?}"),
        }
    }

    /// Asks until the state is there.
    pub(crate) async fn reaches(&mut self, conn: u32, wanted: &str) {
        for _ in 0..200 {
            if self.state(conn).await == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(self.state(conn).await, wanted);
    }

    pub(crate) fn socket(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.address, port)
    }

    pub(crate) fn peer_connects(&self) -> TcpStream {
        let to = self.socket(PORT);
        self.namespace.enter(move || TcpStream::connect(to)).unwrap()
    }

    pub(crate) fn peer_listens(&self) -> TcpListener {
        let at = self.socket(0);
        self.namespace.enter(move || TcpListener::bind(at)).unwrap()
    }

    /// A connection that the target accepted: its handle, and the peer's end.
    pub(crate) async fn accepted(&mut self) -> (u32, TcpStream) {
        self.ok(AppCall::Listen { port: PORT }).await;
        let peer = self.peer_connects();
        match self.call(AppCall::Accept { port: PORT }).await {
            AppOutcome::Accepted { conn, from } => {
                assert_eq!(from, peer.local_addr().unwrap());
                (conn, peer)
            }
            other => panic!("not accepted: {other:?}"),
        }
    }

    /// A connection that the target opened.
    pub(crate) async fn connected(&mut self) -> (u32, TcpStream) {
        let listener = self.peer_listens();
        let conn = self.connect(listener.local_addr().unwrap()).await;
        assert_eq!(self.event().await, (conn, AppEvent::Connected));
        (conn, listener.accept().unwrap().0)
    }

    pub(crate) async fn connect(&mut self, to: SocketAddr) -> u32 {
        match self.call(AppCall::Connect { to, from: None }).await {
            AppOutcome::Connection(conn) => conn,
            other => panic!("no connection: {other:?}"),
        }
    }

    pub(crate) async fn send(&mut self, conn: u32, offset: u64, count: u64) {
        self.ok(AppCall::Send { conn, offset, count, urgent: false }).await;
    }

    pub(crate) async fn option(&mut self, conn: u32, name: &str, value: i64) -> AppOutcome {
        self.call(AppCall::Option { conn, name: name.to_owned(), value }).await
    }
}

/// The octets do not reach the peer's socket from here on: a classic filter that takes nothing.
pub(crate) fn deafen(socket: &impl AsRawFd) {
    let mut take_nothing = libc::sock_filter { code: 6, jt: 0, jf: 0, k: 0 };
    let program = libc::sock_fprog { len: 1, filter: &raw mut take_nothing };
    // SAFETY: the option reads one sock_fprog, and the one instruction that it points to.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            libc::socklen_t::try_from(size_of::<libc::sock_fprog>()).unwrap(),
        )
    };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// The peer hears again.
pub(crate) fn heal(socket: &impl AsRawFd) {
    let nothing: libc::c_int = 0;
    // SAFETY: the option ignores its value, which is an int.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_DETACH_FILTER,
            (&raw const nothing).cast(),
            4,
        )
    };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// The peer goes with a RST.
pub(crate) fn reset(peer: TcpStream) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    // SAFETY: the option reads one linger, and the pointer is to one.
    let result = unsafe {
        libc::setsockopt(
            peer.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            libc::socklen_t::try_from(size_of::<libc::linger>()).unwrap(),
        )
    };
    assert_eq!(result, 0);
    drop(peer);
}

impl Lab {
    /// A peer that has sent its SYN and hears no answer.
    pub(crate) fn half_open(&self, to: SocketAddr) -> std::os::fd::OwnedFd {
        use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, connect, socket};
        let family = if to.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
        let open = move || Ok(socket(family, SockType::Stream, SockFlag::SOCK_NONBLOCK, None)?);
        let fd = self.namespace.enter(open).unwrap();
        deafen(&fd);
        let sent = connect(fd.as_raw_fd(), &SockaddrStorage::from(to));
        assert_eq!(sent, Err(nix::errno::Errno::EINPROGRESS));
        fd
    }
}
