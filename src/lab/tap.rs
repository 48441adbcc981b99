//! Namespaces for programs that bring a TCP of their own: no kernel has an address there, so none interferes.
//!
//! Owns TAP and TUN devices, and the muting of a kernel behind a veth. It must not know the program.
#![allow(clippy::disallowed_methods, reason = "opens /dev/net/tun")]

use super::namespace::Namespace;
use super::{denied, settings, sysctl};
use crate::lane::SetupError;
use crate::target::process::STARTING;
use crate::wire::af_packet::{Carries, Socket};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::PoisonError;

/// What a device of a program carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Tap,
    Tun,
}

/// Packets that may wait for the program: a burst of a case is never longer. The 500 of the driver are less than what a
/// backlog of 256 is filled and emptied with.
const QUEUE_LEN: libc::c_int = 10_000;

/// Nothing but TCP under test speaks there.
const QUIET: &[(&str, &str)] =
    &[("net.ipv6.conf.all.disable_ipv6", "1"), ("net.ipv6.conf.default.disable_ipv6", "1")];

/// A namespace in which the kernel is silent.
///
/// # Errors
/// Where the kernel or the caller's privilege does not suffice.
pub async fn quiet_namespace(sysctls: &[(String, String)]) -> Result<Namespace, SetupError> {
    let namespace = Namespace::new().await?;
    let asked = sysctls.to_vec();
    namespace
        .run(move || {
            settings::apply_to_target()?;
            silence();
            asked.iter().try_for_each(|(name, value)| sysctl::write(name, value))
        })
        .await?;
    Ok(namespace)
}

/// A kernel without IPv6 is silent already.
fn silence() {
    for (name, value) in QUIET {
        let _without = sysctl::write(name, value);
    }
}

/// Makes a device that outlives the program that opens it by name, and brings it up.
///
/// # Errors
/// Without `/dev/net/tun` or the permission to use it.
pub async fn make(namespace: &Namespace, device: &str, kind: Kind) -> Result<(), SetupError> {
    let operation = format!("make the device {device}");
    let name = device.to_owned();
    let made = namespace.run(move || make_here(&name, kind)).await;
    made.map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => SetupError {
            operation,
            cause: "there is no /dev/net/tun".to_owned(),
            hint: Some("load the module `tun`; in a container, --device /dev/net/tun".to_owned()),
        },
        _ => denied(operation, &e),
    })
}

fn make_here(device: &str, kind: Kind) -> io::Result<()> {
    // Open here it would be open in a program that is being started, too, and busy for its own.
    let _alone = STARTING.write().unwrap_or_else(PoisonError::into_inner);
    let tun = OpenOptions::new().read(true).write(true).open("/dev/net/tun")?;
    let mut request = request(device)?;
    let mode = match kind {
        Kind::Tap => libc::IFF_TAP,
        Kind::Tun => libc::IFF_TUN,
    } | libc::IFF_NO_PI;
    request.ifr_ifru.ifru_flags = i16::try_from(mode).map_err(io::Error::other)?;
    // SAFETY: `request` is a whole `ifreq` and outlives the call; the second takes a number.
    unsafe {
        check(libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF, &raw mut request))?;
        check(libc::ioctl(tun.as_raw_fd(), libc::TUNSETPERSIST, 1))?;
    }
    bring_up(device)
}

/// Opens a packet socket on a device of the namespace and brings the device up. `None` where it does not exist (yet).
///
/// # Errors
/// Where the kernel or the caller's privilege does not suffice.
pub async fn open(
    namespace: &Namespace,
    device: &str,
    carries: Carries,
) -> Result<Option<Socket>, SetupError> {
    let operation = format!("open a packet socket on {device}");
    let name = device.to_owned();
    let opened = namespace
        .run(move || {
            bring_up(&name)?;
            Socket::open(&name, carries)
        })
        .await;
    match opened {
        Ok(socket) => Ok(Some(socket)),
        Err(e) if e.raw_os_error() == Some(libc::ENODEV) => Ok(None),
        Err(e) => Err(denied(operation, &e)),
    }
}

/// Whether a program is behind a device, and the kernel has noticed: until then it drops what is sent there.
///
/// `IFF_RUNNING` does not tell: the kernel follows the carrier in a queue of its own, and that of the program before (the
/// one that made the device) may stand there for a second. To ask for the link works that queue off first, and then says
/// what the carrier is now.
///
/// # Errors
/// Where the kernel does not say.
pub async fn is_open(namespace: &Namespace, device: &str) -> Result<bool, SetupError> {
    let name = device.to_owned();
    let asked = namespace.run(move || has_link(&name)).await;
    match asked {
        // Who watches the program says why.
        Err(e) if e.raw_os_error() == Some(libc::ENODEV) => Ok(false),
        asked => asked.map_err(|e| denied(format!("ask for the link of the device {device}"), &e)),
    }
}

fn has_link(device: &str) -> io::Result<bool> {
    /// `struct ethtool_value`.
    #[repr(C)]
    struct Value {
        command: u32,
        data: u32,
    }
    const ETHTOOL_GLINK: u32 = 0xa;
    let mut value = Value { command: ETHTOOL_GLINK, data: 0 };
    let mut request = request(device)?;
    request.ifr_ifru.ifru_data = (&raw mut value).cast();
    ioctl(libc::SIOCETHTOOL, &mut request)?;
    Ok(value.data != 0)
}

/// Takes the kernel's addresses from a device, so that only a program with a packet socket answers there.
///
/// # Errors
/// Without permission over the namespace.
pub async fn mute(namespace: &Namespace, device: &str) -> Result<(), SetupError> {
    let operation = format!("take the kernel's addresses from {device}");
    let name = device.to_owned();
    let muted = namespace
        .run(move || {
            let mut request = request(&name)?;
            request.ifr_ifru.ifru_addr.sa_family = libc::AF_INET as u16;
            silence();
            // The address 0.0.0.0 stands for none.
            ioctl(libc::SIOCSIFADDR, &mut request)
        })
        .await;
    muted.map_err(|e| denied(operation, &e))
}

/// A queue that is full drops what is sent to the program, and nobody hears of it.
fn bring_up(device: &str) -> io::Result<()> {
    let mut request = request(device)?;
    // The member for plain numbers, by another name: `ifr_qlen` stands at the same place.
    request.ifr_ifru.ifru_metric = QUEUE_LEN;
    ioctl(libc::SIOCSIFTXQLEN, &mut request)?;
    ioctl(libc::SIOCGIFFLAGS, &mut request)?;
    // SAFETY: the call before filled this member of the union.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    request.ifr_ifru.ifru_flags = flags | libc::IFF_UP as i16;
    ioctl(libc::SIOCSIFFLAGS, &mut request)
}

fn request(device: &str) -> io::Result<libc::ifreq> {
    // SAFETY: plain numbers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if device.len() >= request.ifr_name.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (place, octet) in request.ifr_name.iter_mut().zip(device.bytes()) {
        *place = octet.cast_signed();
    }
    Ok(request)
}

fn ioctl(what: libc::c_ulong, request: &mut libc::ifreq) -> io::Result<()> {
    let any: OwnedFd = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: `request` is a whole `ifreq` and outlives the call.
    check(unsafe { libc::ioctl(any.as_raw_fd(), what as _, std::ptr::from_mut(request)) })
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
