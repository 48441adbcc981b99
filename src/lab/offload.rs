//! Offloads of a network device, by the ethtool ioctl.
//!
//! A veth pair has no hardware, and so no use for work left to hardware: with transmit checksumming on, the target's
//! segments arrive with unfinished checksums and, for want of a device that cuts them, as giants of up to 64 KiB. The
//! kernel ties both to the same switch. Owns that one switch.

use super::{denied, failed};
use crate::lane::SetupError;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

const ETHTOOL_GTXCSUM: u32 = 0x16;
const ETHTOOL_STXCSUM: u32 = 0x17;

/// `struct ethtool_value` of linux/ethtool.h.
#[repr(C)]
struct EthtoolValue {
    command: u32,
    data: u32,
}

/// Has the kernel finish checksums and cut segments itself on this device of the calling thread's namespace.
///
/// # Errors
/// Where the device does not exist or cannot be told so.
pub fn finish_checksums(device: &str) -> Result<(), SetupError> {
    let operation = || format!("switch off transmit checksumming of {device}");
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)
        .map_err(|e| failed(operation(), e))?;
    ethtool(&socket, device, ETHTOOL_STXCSUM, 0).map_err(|e| denied(operation(), &e))?;
    match ethtool(&socket, device, ETHTOOL_GTXCSUM, 0).map_err(|e| denied(operation(), &e))? {
        0 => Ok(()),
        _ => Err(failed(operation(), "the device keeps it on")),
    }
}

/// True where segments leave this device with their checksums unfinished.
///
/// # Errors
/// Where the device does not exist.
pub fn leaves_checksums(device: &str) -> io::Result<bool> {
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    Ok(ethtool(&socket, device, ETHTOOL_GTXCSUM, 0)? != 0)
}

/// Runs one command whose argument and answer is one number.
fn ethtool(socket: &OwnedFd, device: &str, command: u32, data: u32) -> io::Result<u32> {
    let mut value = EthtoolValue { command, data };
    // SAFETY: plain numbers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last octet stays zero: the end of the string.
    let room = request.ifr_name.len() - 1;
    if device.len() > room {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (to, from) in request.ifr_name.iter_mut().zip(device.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_data = (&raw mut value).cast();
    // SAFETY: the name has its end, and both commands take and give an `ethtool_value`, which outlives the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(value.data) }
}
