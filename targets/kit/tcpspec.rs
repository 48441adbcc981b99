//! The Rust side of tcpspec: the wire, the control protocol, and the pattern of streams.
//!
//! Copy this file beside your program as a module. It needs nothing but the standard library.
//!
//! ```text
//! let wire = tcpspec::Wire::open()?;                     // packets; frames on a TAP: wire.carries_frames()
//! let mut control = tcpspec::Control::new();
//! loop {
//!     tcpspec::wait(Some(&wire), Some(&control), timeout);
//!     while let Some(len) = wire.recv(&mut buffer) { .. }
//!     for command in control.commands() {
//!         match command.word.as_str() {
//!             "hello" => command.ok(""),
//!             _ => command.unsupported(),
//!         }
//!     }
//! }
//! ```
//!
//! What is meant for people goes to stderr.
#![allow(dead_code, reason = "a program uses what it needs")]

use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;
use std::{env, process};

/// Octet `offset` of every stream, counted from 0.
pub fn octet(offset: u64) -> u8 {
    (offset % 251 + 7 * (offset / 251)) as u8
}

/// `count` octets of the pattern from `offset` on.
pub fn octets(offset: u64, count: usize) -> Vec<u8> {
    (offset..).take(count).map(octet).collect()
}

/// The stream offset of the first octet of `data` that is not the pattern's.
pub fn mismatch(offset: u64, data: &[u8]) -> Option<u64> {
    (offset..).zip(data).find(|(at, seen)| octet(*at) != **seen).map(|(at, _)| at)
}

/// Packets to and from the harness; frames, where the link is a TAP.
pub struct Wire {
    medium: Medium,
    is_fd: bool,
}

enum Medium {
    Unix(UnixDatagram),
    Udp(UdpSocket),
    Device(File),
}

impl Wire {
    /// The wire that the environment names. It does not block.
    ///
    /// # Errors
    /// Where there is none, or it cannot be opened.
    pub fn open() -> io::Result<Self> {
        if let Ok(number) = env::var("TCPSPEC_FD") {
            let fd: RawFd = number.parse().map_err(io::Error::other)?;
            // SAFETY: the harness has passed this descriptor to us, and nobody else uses it.
            let socket = unsafe { UnixDatagram::from_raw_fd(fd) };
            socket.set_nonblocking(true)?;
            return Ok(Self { medium: Medium::Unix(socket), is_fd: true });
        }
        if let Ok(harness) = env::var("TCPSPEC_UDP") {
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            make_room(&socket);
            socket.connect(harness)?;
            // Says where we are.
            socket.send(&[])?;
            socket.set_nonblocking(true)?;
            return Ok(Self { medium: Medium::Udp(socket), is_fd: false });
        }
        let device = env::var("TCPSPEC_DEVICE").map_err(|_| {
            io::Error::other(
                "none of TCPSPEC_FD, TCPSPEC_UDP and TCPSPEC_DEVICE is set: start me by `tcpspec run -t MANIFEST`",
            )
        })?;
        Ok(Self { medium: Medium::Device(tun_or_tap(&device, carries_frames())?), is_fd: false })
    }

    /// True where it carries Ethernet frames, false where it carries IP packets.
    pub fn carries_frames(&self) -> bool {
        carries_frames()
    }

    /// The length of the next packet, now in `buffer`. Ends the program with the wire.
    pub fn recv(&self, buffer: &mut [u8]) -> Option<usize> {
        let len = match &self.medium {
            Medium::Unix(socket) => socket.recv(buffer),
            Medium::Udp(socket) => socket.recv(buffer),
            Medium::Device(device) => (&*device).read(buffer),
        };
        match len {
            Ok(0) if self.is_fd => process::exit(0),
            Ok(0) | Err(_) => None,
            Ok(len) => Some(len),
        }
    }

    /// Sends a packet. On a full queue it is lost, as in a cable.
    pub fn send(&self, packet: &[u8]) {
        let _lost = match &self.medium {
            Medium::Unix(socket) => socket.send(packet),
            Medium::Udp(socket) => socket.send(packet),
            Medium::Device(device) => (&*device).write(packet),
        };
    }
}

impl AsRawFd for Wire {
    fn as_raw_fd(&self) -> RawFd {
        match &self.medium {
            Medium::Unix(socket) => socket.as_raw_fd(),
            Medium::Udp(socket) => socket.as_raw_fd(),
            Medium::Device(device) => device.as_raw_fd(),
        }
    }
}

/// For the packets of a burst, as much as the system gives: what finds no room is lost, and its sender hears nothing.
fn make_room(socket: &UdpSocket) {
    #[cfg(target_os = "linux")]
    {
        const SOL_SOCKET: i32 = 1;
        const SO_RCVBUF: i32 = 8;
        /// For the privileged.
        const SO_RCVBUFFORCE: i32 = 33;
        unsafe extern "C" {
            fn setsockopt(fd: i32, level: i32, name: i32, value: *const i32, len: u32) -> i32;
        }
        let room = 4 << 20;
        for name in [SO_RCVBUF, SO_RCVBUFFORCE] {
            // SAFETY: `room` is as long as is said, and outlives the call.
            let _less = unsafe { setsockopt(socket.as_raw_fd(), SOL_SOCKET, name, &raw const room, 4) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
}

fn carries_frames() -> bool {
    env::var("TCPSPEC_LINK").is_ok_and(|link| link == "tap")
}

/// Opens a TUN or TAP device of Linux, without the header of four octets.
fn tun_or_tap(name: &str, is_tap: bool) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    const O_NONBLOCK: i32 = 0o4000;
    const TUNSETIFF: u32 = 0x4004_54ca;
    const IFF_TUN_NO_PI: i16 = 0x1001;
    const IFF_TAP_NO_PI: i16 = 0x1002;
    /// A `struct ifreq`.
    #[repr(C)]
    struct Request {
        name: [u8; 16],
        flags: i16,
        rest: [u8; 22],
    }
    unsafe extern "C" {
        fn ioctl(fd: i32, request: std::ffi::c_ulong, ...) -> i32;
    }
    let device = OpenOptions::new().read(true).write(true).custom_flags(O_NONBLOCK).open("/dev/net/tun")?;
    let flags = if is_tap { IFF_TAP_NO_PI } else { IFF_TUN_NO_PI };
    let mut request = Request { name: [0; 16], flags, rest: [0; 22] };
    for (place, octet) in request.name.iter_mut().take(15).zip(name.bytes()) {
        *place = octet;
    }
    // SAFETY: `request` is a whole `ifreq` and outlives the call.
    match unsafe { ioctl(device.as_raw_fd(), TUNSETIFF.into(), &raw mut request) } {
        0 => Ok(device),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Waits until a packet or a command comes, or `timeout` is over; without one, for ever.
pub fn wait(wire: Option<&Wire>, control: Option<&Control>, timeout: Option<Duration>) {
    let fds = [wire.map(AsRawFd::as_raw_fd), control.map(|_| 0)];
    // A part of a millisecond is a whole one, or the loop would spin until it is over.
    let timeout =
        timeout.map_or(-1, |timeout| timeout.as_micros().div_ceil(1000).try_into().unwrap_or(i32::MAX));
    poll_readable(fds, timeout);
}

/// Whether one of the descriptors has something to read, or comes to have it within so many milliseconds.
fn poll_readable(fds: [Option<RawFd>; 2], timeout: i32) -> bool {
    const POLLIN: i16 = 1;
    #[repr(C)]
    struct PollFd {
        fd: RawFd,
        events: i16,
        revents: i16,
    }
    unsafe extern "C" {
        fn poll(fds: *mut PollFd, count: std::ffi::c_ulong, timeout: i32) -> i32;
    }
    let mut fds = fds.map(|fd| PollFd { fd: fd.unwrap_or(-1), events: POLLIN, revents: 0 });
    // SAFETY: `fds` outlives the call; a descriptor of -1 is left out.
    unsafe { poll(fds.as_mut_ptr(), 2, timeout) > 0 }
}

/// A command of the harness.
#[derive(Debug, Clone)]
pub struct Command {
    pub number: u32,
    pub word: String,
    pub arguments: Vec<String>,
}

impl Command {
    /// An argument as a number, or whatever can be read from it.
    pub fn get<T: std::str::FromStr>(&self, index: usize) -> Option<T> {
        self.arguments.get(index)?.parse().ok()
    }

    /// `N ok`, and more words.
    pub fn ok(&self, more: impl Display) {
        say(format!("{} ok {more}", self.number).trim_end());
    }

    /// The octets of a `recv` are not the pattern's from this stream offset on.
    pub fn mismatch(&self, offset: u64) {
        say(format!("{} mismatch {offset}", self.number));
    }

    /// The stack, or this program, cannot do that at all.
    pub fn unsupported(&self) {
        say(format!("{} unsupported", self.number));
    }

    /// The call failed, in a few words.
    pub fn error(&self, why: impl Display) {
        say(format!("{} error {why}", self.number));
    }
}

/// A listener's handshake is complete.
pub fn accepted(conn: u32, address: impl Display, port: u16) {
    say(format!("* accepted {conn} {address} {port}"));
}

/// `connected`, `refused`, `reset`, `timed-out`, `eof`, `closed` or `urgent`.
pub fn event(word: &str, conn: u32) {
    say(format!("* {word} {conn}"));
}

fn say(line: impl Display) {
    // A harness that does not listen any more has ended.
    if writeln!(io::stdout().lock(), "{line}").is_err() {
        process::exit(0);
    }
}

/// The commands on stdin.
#[derive(Default)]
pub struct Control {
    rest: Vec<u8>,
}

impl Control {
    pub fn new() -> Self {
        Self::default()
    }

    /// The commands that have come. Call it when [`wait`] has returned. Ends the program with its stdin.
    pub fn commands(&mut self) -> Vec<Command> {
        if !poll_readable([Some(0), None], 0) {
            return Vec::new();
        }
        // SAFETY: stdin is open; it is not closed when this goes out of scope.
        let stdin = ManuallyDrop::new(unsafe { File::from_raw_fd(0) });
        let mut buffer = [0; 4096];
        match (&*stdin).read(&mut buffer) {
            Ok(0) => process::exit(0),
            Ok(len) => self.rest.extend(buffer.iter().take(len)),
            Err(_) => {}
        }
        let end = self.rest.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.rest.drain(..end).collect();
        String::from_utf8_lossy(&lines).lines().filter_map(command).collect()
    }
}

fn command(line: &str) -> Option<Command> {
    let mut words = line.split_ascii_whitespace().map(str::to_owned);
    Some(Command { number: words.next()?.parse().ok()?, word: words.next()?, arguments: words.collect() })
}
