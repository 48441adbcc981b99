//! The lab: network namespaces, veth pairs and settings that a target runs in, made by system calls alone.
//!
//! Owns the world around a target: [`Lab`] holds what all wires share, [`Pair`] one target's namespace with its end of a
//! wire. Nothing here has a name outside of this process, so everything vanishes with it, also after SIGKILL. No other
//! program is ever run. It must not know of cases or targets.
//!
//! ```text
//!        tester's namespace (one)                      target's namespace (one a pair)
//!   AfPacketWire -- w0  no address, no ARP  ==veth==  veth0  192.0.2.2/24  2001:db8::2/64
//!   AfPacketWire -- w1                      ==veth==  veth0  ...
//! ```
//!
//! The injector's addresses belong to no kernel: the wire answers for them.

pub mod facts;
pub mod limits;
pub mod namespace;
pub mod offload;
pub mod priority;
mod settings;
pub mod steering;
pub mod sysctl;
#[cfg(target_os = "linux")]
pub mod tap;
pub mod user;
mod veth;

use crate::lane::SetupError;
use crate::packet::Mac;
use crate::target::profile::Net;
use crate::wire::af_packet::{AfPacketWire, Carries, Socket};
use crate::wire::link::{INJECTOR_MAC, PREFIX_V4, PREFIX_V6, TargetMac};
use namespace::{Namespace, device_index};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, setsockopt, socket, sockopt};
use std::fmt::Display;
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use steering::{Steering, steer_to};
use tokio::sync::Mutex;
use veth::{End, Netlink};

/// The target's end of every wire, in a namespace of its own.
pub const TARGET_DEVICE: &str = "veth0";
const TARGET_MAC: Mac = Mac([0x02, 0, 0, 0, 0, 0x02]);
/// Of the tester's device. Not the injector's: see [`INJECTOR_MAC`].
const TESTER_MAC: Mac = Mac([0x02, 0, 0, 0, 0, 0xff]);
const LOOPBACK_INDEX: u32 = 1;

/// How the target comes to know the injector's Ethernet address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Neighbours {
    /// It is told: no ARP and no neighbour discovery ever delays a segment.
    #[default]
    Pinned,
    /// It asks, and the injector answers.
    Answered,
}

/// What may differ from pair to pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub mtu: u32,
    pub neighbours: Neighbours,
    /// Settings of the target's namespace beyond those that every lab makes.
    pub sysctls: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self { mtu: 1500, neighbours: Neighbours::default(), sysctls: Vec::new() }
    }
}

/// What all pairs share: the tester's namespace. Clones are handles of the same lab.
///
/// It belongs to the async runtime it was made on.
#[derive(Debug, Clone)]
pub struct Lab {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    tester: Namespace,
    netlink: Netlink,
    pairs_made: AtomicUsize,
    has_ipv6: bool,
    steering: Steering,
    /// Held from saying where frames are steered to until the device that it is said for is there.
    making: Mutex<()>,
    /// As long as some socket wants stamps the kernel stamps every packet on arrival. Switching that on and off stops
    /// all processors for a moment, so it stays on.
    _stamps: OwnedFd,
}

impl Lab {
    /// # Errors
    /// Where the kernel or the caller's privilege does not suffice.
    pub async fn new() -> Result<Self, SetupError> {
        let tester = Namespace::new().await?;
        let (stamps, has_ipv6, steering) = tester
            .run(|| {
                settings::apply_to_tester()?;
                Ok((keep_stamping()?, settings::has_ipv6(), Steering::find()?))
            })
            .await?;
        let netlink = Netlink::open(&tester).await?;
        let (pairs_made, making) = (AtomicUsize::new(0), Mutex::new(()));
        let shared = Shared { tester, netlink, pairs_made, has_ipv6, steering, making, _stamps: stamps };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Makes a namespace for a target, and the wire to it.
    ///
    /// # Errors
    /// Where the kernel or the caller's privilege does not suffice, or an option is none.
    pub async fn pair(&self, net: &Net, options: &Options) -> Result<(Pair, AfPacketWire), SetupError> {
        let Shared { tester, netlink, pairs_made, has_ipv6, steering, making, _stamps } = &*self.shared;
        let target = Namespace::new().await?;
        let number = pairs_made.fetch_add(1, Ordering::Relaxed);
        let processor = steering.processor(number);
        let asked = options.sysctls.clone();
        target
            .run(move || {
                settings::apply_to_target()?;
                asked.iter().try_for_each(|(name, value)| sysctl::write(name, value))
            })
            .await?;
        let device = format!("w{number}");
        let own = End { name: &device, mac: TESTER_MAC };
        let other = End { name: TARGET_DEVICE, mac: TARGET_MAC };
        {
            let _alone = making.lock().await;
            tester.run(move || processor.map_or(Ok(()), steer_to)).await?;
            netlink.add_veth(&own, &other, &target, options.mtu).await?;
        }
        let target_index = configure_target(&target, net, options, *has_ipv6).await?;
        let (socket, tester_index) = tester
            .run(move || {
                let socket = Socket::open(&device, Carries::Frames)
                    .map_err(|e| denied(format!("open a packet socket on {device}"), &e))?;
                Ok((socket, device_index(&device)?))
            })
            .await?;
        netlink.wait_up(tester_index).await?;
        let wire = AfPacketWire::new(socket, net, TargetMac::Pinned(TARGET_MAC))
            .map_err(|e| failed("watch a packet socket", e))?;
        let pair = Pair { lab: self.clone(), target, target_index, tester_index, has_ipv6: *has_ipv6 };
        Ok((pair, wire))
    }

    /// The namespace of all testers' ends.
    #[must_use]
    pub fn tester(&self) -> &Namespace {
        &self.shared.tester
    }

    /// The names of the tester's devices: one a pair, and the loopback device.
    ///
    /// # Errors
    /// Where the kernel does not say.
    pub async fn devices(&self) -> Result<Vec<String>, SetupError> {
        self.shared.netlink.devices().await
    }
}

/// A target's namespace and its end of a wire. Clones are handles of the same. The wire is cut when the last user of the
/// namespace is gone.
#[derive(Debug, Clone)]
pub struct Pair {
    lab: Lab,
    target: Namespace,
    target_index: u32,
    tester_index: u32,
    has_ipv6: bool,
}

impl Pair {
    /// A pair in a lab of its own. For many pairs, keep a [`Lab`].
    ///
    /// # Errors
    /// As [`Lab::new`] and [`Lab::pair`].
    pub async fn new(net: &Net, options: &Options) -> Result<(Self, AfPacketWire), SetupError> {
        Lab::new().await?.pair(net, options).await
    }

    /// Where the target runs.
    #[must_use]
    pub fn target(&self) -> &Namespace {
        &self.target
    }

    /// The index of the target's device in its namespace.
    #[must_use]
    pub fn device_index(&self) -> u32 {
        self.target_index
    }

    #[must_use]
    pub fn target_mac(&self) -> Mac {
        TARGET_MAC
    }

    /// False where this kernel was built or booted without IPv6.
    #[must_use]
    pub fn has_ipv6(&self) -> bool {
        self.has_ipv6
    }

    /// Takes the wire's link down, as if the cable were pulled.
    ///
    /// # Errors
    /// Where the device is gone.
    pub async fn unplug(&self) -> Result<(), SetupError> {
        self.lab.shared.netlink.set_down(self.tester_index).await
    }

    /// Brings the link back and waits until it carries frames.
    ///
    /// # Errors
    /// Where the device is gone.
    pub async fn plug_in(&self) -> Result<(), SetupError> {
        let netlink = &self.lab.shared.netlink;
        netlink.set_up(self.tester_index).await?;
        netlink.wait_up(self.tester_index).await
    }

    /// Removes both devices of the wire at once, whoever still uses them.
    ///
    /// # Errors
    /// Where they are gone.
    pub async fn cut(&self) -> Result<(), SetupError> {
        self.lab.shared.netlink.delete(self.tester_index).await
    }
}

/// Addresses, neighbours and routes of the target's end; tells its device's index.
async fn configure_target(
    target: &Namespace,
    net: &Net,
    options: &Options,
    has_ipv6: bool,
) -> Result<u32, SetupError> {
    let index = target
        .run(|| {
            offload::finish_checksums(TARGET_DEVICE)?;
            device_index(TARGET_DEVICE)
        })
        .await?;
    let netlink = Netlink::open(target).await?;
    netlink.set_up(index).await?;
    let v4 = (IpAddr::V4(net.target_v4), PREFIX_V4, IpAddr::V4(net.peer_v4));
    let v6 = (IpAddr::V6(net.target_v6), PREFIX_V6, IpAddr::V6(net.peer_v6));
    for (address, prefix, peer) in [Some(v4), Some(v6).filter(|_| has_ipv6)].into_iter().flatten() {
        netlink.add_address(index, address, prefix).await?;
        if options.neighbours == Neighbours::Pinned {
            netlink.pin_neighbour(index, peer, INJECTOR_MAC).await?;
        }
        netlink.add_default_route(index, peer).await?;
    }
    netlink.set_up(LOOPBACK_INDEX).await?;
    netlink.wait_up(index).await?;
    if has_ipv6 {
        netlink.wait_local(net.target_v6.into()).await?;
    }
    Ok(index)
}

/// A socket that makes the kernel stamp packets, and costs nothing to close.
fn keep_stamping() -> Result<OwnedFd, SetupError> {
    let operation = "have packets stamped";
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)
        .map_err(|e| failed(operation, e))?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true).map_err(|e| failed(operation, e))?;
    Ok(socket)
}

pub(crate) fn failed(operation: impl Into<String>, cause: impl Display) -> SetupError {
    SetupError { operation: operation.into(), cause: cause.to_string(), hint: None }
}

/// A refusal by the kernel, with what to do about it where it was for want of privilege.
pub(crate) fn denied(operation: impl Into<String>, e: &io::Error) -> SetupError {
    let hint = match e.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => Some(
            "needs CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW: run as root or where user namespaces are allowed \
             (`tcpspec doctor` explains), or without any privilege on the `sim` wire",
        ),
        Some(libc::ENOSPC) => {
            Some("there are as many namespaces as user.max_net_namespaces and user.max_user_namespaces allow")
        }
        Some(libc::EMFILE | libc::ENFILE) => {
            Some("too many open files: raise `ulimit -n` or run fewer lanes")
        }
        Some(libc::EOPNOTSUPP | libc::ENODEV) => Some("the kernel may lack veth devices (CONFIG_VETH)"),
        _ => None,
    };
    SetupError { hint: hint.map(str::to_owned), ..failed(operation, e) }
}
