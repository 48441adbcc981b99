//! The packet socket itself (packet(7)): opening, reading with stamp and status, writing, counting what was dropped.
//!
//! Owns all that the kernel must be told by raw calls. It must not know what is in a frame.

use std::ffi::CString;
use std::io;
use std::mem::{MaybeUninit, size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// What the kernel holds for us while we are busy: some thousand frames.
const RECEIVE_BUFFER: libc::c_int = 8 << 20;
/// Larger than any frame: what does not fit would be an unsegmented giant.
pub(super) const FRAME_LEN_MAX: usize = 64 * 1024;

/// What a packet socket carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// Frames with their Ethernet header: veth, TAP.
    Frames,
    /// Bare IP packets: TUN.
    Packets,
}

/// An open packet socket on one device. Closing one takes the kernel about 16 ms, so it is closed aside.
#[derive(Debug)]
pub struct Socket {
    fd: Option<OwnedFd>,
    device_index: libc::c_int,
    carries: Carries,
}

/// What was read besides the octets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read {
    /// The length of the whole frame, of which a buffer may have held less.
    pub(super) len: usize,
    /// The kernel's wall clock at arrival.
    pub(super) stamp_ns: Option<i128>,
    /// Its checksum was left to hardware that does not exist.
    pub(super) is_unfinished: bool,
    /// A VLAN tag was stripped.
    pub(super) is_tagged: bool,
}

impl Socket {
    /// Opens a socket on a device of the calling thread's network namespace.
    ///
    /// The order matters: with protocol 0 the socket hears nothing until it is bound, so nothing of other devices and
    /// nothing without a stamp is ever queued.
    ///
    /// # Errors
    /// Where there is no such device, or no permission (`CAP_NET_RAW`).
    pub fn open(device: &str, carries: Carries) -> io::Result<Self> {
        let kind = match carries {
            Carries::Frames => libc::SOCK_RAW,
            Carries::Packets => libc::SOCK_DGRAM,
        } | libc::SOCK_NONBLOCK
            | libc::SOCK_CLOEXEC;
        // SAFETY: no pointers; the result is checked.
        let fd = check(unsafe { libc::socket(libc::AF_PACKET, kind, 0) })?;
        // SAFETY: just opened, owned by nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let name = CString::new(device)?;
        // SAFETY: a string with its end.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        if index == 0 {
            return Err(io::Error::last_os_error());
        }
        let device_index = libc::c_int::try_from(index).map_err(io::Error::other)?;
        set(&fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        set(&fd, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1)?;
        set(&fd, libc::SOL_PACKET, libc::PACKET_AUXDATA, 1)?;
        // Beyond the system's limit only with CAP_NET_ADMIN outside of user namespaces; else as much as there is.
        set(&fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, RECEIVE_BUFFER)
            .or_else(|_| set(&fd, libc::SOL_SOCKET, libc::SO_RCVBUF, RECEIVE_BUFFER))?;
        let socket = Self { fd: Some(fd), device_index, carries };
        let address = socket.address(libc::ETH_P_ALL as u16);
        // SAFETY: the address is a whole `sockaddr_ll` and outlives the call.
        check(unsafe {
            libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size_of::<libc::sockaddr_ll>() as u32)
        })?;
        Ok(socket)
    }

    #[must_use]
    pub fn carries(&self) -> Carries {
        self.carries
    }

    fn address(&self, ethertype: u16) -> libc::sockaddr_ll {
        // SAFETY: plain numbers, for which zero is a value.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = ethertype.to_be();
        address.sll_ifindex = self.device_index;
        address
    }

    /// Reads the next frame into `buffer`.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<Read> {
        let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        // Aligned as control messages must be; both messages together need less than half of it.
        let mut control = [MaybeUninit::<u64>::uninit(); 16];
        // SAFETY: plain numbers and pointers, for which zero is a value.
        let mut message: libc::msghdr = unsafe { zeroed() };
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control);
        // SAFETY: every pointer in `message` is to memory of the length given beside it that outlives the call.
        let len = unsafe { libc::recvmsg(self.as_raw_fd(), &raw mut message, libc::MSG_TRUNC) };
        let len = usize::try_from(len).map_err(|_| io::Error::last_os_error())?;
        let mut read = Read { len, stamp_ns: None, is_unfinished: false, is_tagged: false };
        // SAFETY: the kernel filled `control` up to `msg_controllen`; CMSG_FIRSTHDR and CMSG_NXTHDR stay inside it,
        // and each header's type says what its data are.
        unsafe {
            let mut header = libc::CMSG_FIRSTHDR(&raw const message);
            while let Some(found) = header.as_ref() {
                let data = libc::CMSG_DATA(header);
                match (found.cmsg_level, found.cmsg_type) {
                    (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                        let stamp = data.cast::<libc::timespec>().read_unaligned();
                        read.stamp_ns =
                            Some(i128::from(stamp.tv_sec) * 1_000_000_000 + i128::from(stamp.tv_nsec));
                    }
                    (libc::SOL_PACKET, libc::PACKET_AUXDATA) => {
                        let status = data.cast::<libc::tpacket_auxdata>().read_unaligned().tp_status;
                        read.is_unfinished = status & libc::TP_STATUS_CSUMNOTREADY != 0;
                        read.is_tagged = status & libc::TP_STATUS_VLAN_VALID != 0;
                    }
                    _ => {}
                }
                header = libc::CMSG_NXTHDR(&raw const message, header);
            }
        }
        Ok(read)
    }

    /// Sends a frame, or a packet of this EtherType where the socket carries packets.
    pub(super) fn write(&self, octets: &[u8], ethertype: u16) -> io::Result<()> {
        let address = self.address(ethertype);
        // SAFETY: octets and address are of the lengths given and outlive the call.
        let sent = unsafe {
            libc::sendto(
                self.as_raw_fd(),
                octets.as_ptr().cast(),
                octets.len(),
                0,
                (&raw const address).cast(),
                size_of::<libc::sockaddr_ll>() as u32,
            )
        };
        match usize::try_from(sent) {
            Ok(sent) if sent == octets.len() => Ok(()),
            Ok(_) => Err(io::ErrorKind::WriteZero.into()),
            Err(_) => Err(io::Error::last_os_error()),
        }
    }

    /// Frames that did not fit into the receive buffer since the last call.
    pub(super) fn dropped(&self) -> io::Result<u64> {
        // SAFETY: plain numbers, for which zero is a value.
        let mut stats: libc::tpacket_stats = unsafe { zeroed() };
        let mut len = size_of::<libc::tpacket_stats>() as u32;
        // SAFETY: `stats` is `len` octets long.
        check(unsafe {
            libc::getsockopt(
                self.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut stats).cast(),
                &raw mut len,
            )
        })?;
        Ok(u64::from(stats.tp_drops))
    }

    /// False once the device was removed; the socket hears nothing ever after.
    pub(super) fn has_device(&self) -> bool {
        // SAFETY: plain numbers, for which zero is a value.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        let mut len = size_of::<libc::sockaddr_ll>() as u32;
        // SAFETY: `address` is `len` octets long.
        let result = unsafe { libc::getsockname(self.as_raw_fd(), (&raw mut address).cast(), &raw mut len) };
        result == 0 && address.sll_ifindex == self.device_index
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_ref().expect("open until it is dropped").as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl Drop for Socket {
    /// The kernel waits for an RCU grace period on close. Many such waits overlap if each is in a thread of its own.
    fn drop(&mut self) {
        if let Some(fd) = self.fd.take() {
            // Where no thread can be had the descriptor went with the closure: it is closed here and now.
            let _ = std::thread::Builder::new()
                .name("close".into())
                .stack_size(64 * 1024)
                .spawn(move || drop(fd));
        }
    }
}

fn set(fd: &OwnedFd, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: the value is a `c_int` and its length is said.
    check(unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as u32,
        )
    })?;
    Ok(())
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
