//! Devices, addresses, neighbours and routes, by route netlink (rtnetlink(7)).
//!
//! Owns one connection to the kernel per namespace and the requests that make a wire. It must not know why.

use super::namespace::Namespace;
use super::{denied, failed};
use crate::lane::SetupError;
use crate::packet::Mac;
use futures_util::TryStreamExt;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags};
use rtnetlink::packet_route::link::{InfoData, InfoVeth, LinkAttribute, LinkFlags, LinkMessage, State};
use rtnetlink::packet_route::route::RouteType;
use rtnetlink::{Error, Handle, LinkUnspec, LinkVeth, RouteMessageBuilder};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

/// Between two looks at what the kernel is still busy with, after the first few.
const LOOK_PAUSE: Duration = Duration::from_millis(1);
const QUICK_LOOKS: u32 = 16;
const UP_PATIENCE: Duration = Duration::from_secs(5);

/// What the kernel settles in its own time.
#[derive(Debug, Clone, Copy)]
enum Question {
    IsUp(u32),
    IsLocal(IpAddr),
}

/// One end of a pair that is to be made.
#[derive(Debug, Clone)]
pub(super) struct End<'a> {
    pub(super) name: &'a str,
    pub(super) mac: Mac,
}

/// Route netlink of one namespace.
#[derive(Debug, Clone)]
pub(super) struct Netlink {
    handle: Handle,
}

impl Netlink {
    /// Connects inside `namespace`. The connection lives on the calling runtime until the last handle is gone.
    pub(super) async fn open(namespace: &Namespace) -> Result<Self, SetupError> {
        let runtime = tokio::runtime::Handle::current();
        let connect = move || {
            let _watched_by = runtime.enter();
            rtnetlink::new_connection()
        };
        let (connection, handle, _unasked) =
            namespace.run(connect).await.map_err(|e| failed("open a netlink socket", e))?;
        tokio::spawn(connection);
        Ok(Self { handle })
    }

    /// Makes a veth pair: `own` here and up, `other` in another namespace and down (it cannot be up before it has a
    /// peer). Nothing moves, so nothing is ever seen in a third place. `own` speaks neither ARP nor multicast.
    pub(super) async fn add_veth(
        &self,
        own: &End<'_>,
        other: &End<'_>,
        namespace: &Namespace,
        mtu: u32,
    ) -> Result<(), SetupError> {
        let other = LinkUnspec::new_with_name(other.name)
            .address(other.mac.0.to_vec())
            .mtu(mtu)
            .setns_by_fd(namespace.as_fd().as_raw_fd())
            .build();
        let own = LinkVeth::new(own.name, "")
            .set_info_data(InfoData::Veth(InfoVeth::Peer(other)))
            .address(own.mac.0.to_vec())
            .mtu(mtu)
            .arp(false)
            .multicast(false)
            .up()
            .build();
        self.handle.link().add(own).execute().await.map_err(|e| refused("make a veth pair", &e))
    }

    /// Deletes a device, and with a veth its other end.
    pub(super) async fn delete(&self, index: u32) -> Result<(), SetupError> {
        self.handle.link().del(index).execute().await.map_err(|e| refused("delete a device", &e))
    }

    pub(super) async fn set_up(&self, index: u32) -> Result<(), SetupError> {
        let message = LinkUnspec::new_with_index(index).up().build();
        self.handle.link().set(message).execute().await.map_err(|e| refused("bring a device up", &e))
    }

    pub(super) async fn set_down(&self, index: u32) -> Result<(), SetupError> {
        let message = LinkUnspec::new_with_index(index).down().build();
        self.handle.link().set(message).execute().await.map_err(|e| refused("take a device down", &e))
    }

    pub(super) async fn set_queue_len(&self, index: u32, len: u32) -> Result<(), SetupError> {
        let mut message = LinkUnspec::new_with_index(index).build();
        message.attributes.push(LinkAttribute::TxQueueLen(len));
        self.handle
            .link()
            .set(message)
            .execute()
            .await
            .map_err(|e| refused("lengthen the queue of a device", &e))
    }

    /// Gives a device an address that is usable at once: without a look for duplicates.
    pub(super) async fn add_address(
        &self,
        index: u32,
        address: IpAddr,
        prefix: u8,
    ) -> Result<(), SetupError> {
        let mut request = self.handle.address().add(index, address, prefix);
        if address.is_ipv6() {
            let flags = AddressFlags::Nodad | AddressFlags::Permanent;
            request.message_mut().attributes.push(AddressAttribute::Flags(flags));
        }
        request.execute().await.map_err(|e| refused(format!("add address {address}"), &e))
    }

    /// Says once and for all where a neighbour is.
    pub(super) async fn pin_neighbour(
        &self,
        index: u32,
        address: IpAddr,
        mac: Mac,
    ) -> Result<(), SetupError> {
        let request = self.handle.neighbours().add(index, address).link_layer_address(&mac.0).replace();
        request.execute().await.map_err(|e| refused(format!("pin neighbour {address}"), &e))
    }

    /// Sends what is for nobody in particular through `gateway`.
    pub(super) async fn add_default_route(&self, index: u32, gateway: IpAddr) -> Result<(), SetupError> {
        let message = match gateway {
            IpAddr::V4(gateway) => {
                RouteMessageBuilder::<Ipv4Addr>::new().gateway(gateway).output_interface(index).build()
            }
            IpAddr::V6(gateway) => {
                RouteMessageBuilder::<Ipv6Addr>::new().gateway(gateway).output_interface(index).build()
            }
        };
        let request = self.handle.route().add(message);
        request.execute().await.map_err(|e| refused(format!("route through {gateway}"), &e))
    }

    /// The names of all devices, sorted.
    pub(super) async fn devices(&self) -> Result<Vec<String>, SetupError> {
        let links: Vec<_> = self
            .handle
            .link()
            .get()
            .execute()
            .try_collect()
            .await
            .map_err(|e| refused("list devices", &e))?;
        let mut names: Vec<_> = links.into_iter().filter_map(name_of).collect();
        names.sort();
        Ok(names)
    }

    /// Waits until frames go through a device.
    ///
    /// The kernel makes up its mind about a link in a work queue, and drops what is sent before.
    pub(super) async fn wait_up(&self, index: u32) -> Result<(), SetupError> {
        self.wait_until("wait for a link to come up", Question::IsUp(index)).await
    }

    /// Waits until what is sent to an address of this namespace is delivered.
    ///
    /// The kernel routes to a new IPv6 address from a work queue: before that sockets can be bound to it, but whatever
    /// arrives for it is dropped.
    pub(super) async fn wait_local(&self, address: IpAddr) -> Result<(), SetupError> {
        self.wait_until("wait for an address to be usable", Question::IsLocal(address)).await
    }

    async fn wait_until(&self, operation: &'static str, question: Question) -> Result<(), SetupError> {
        let until_so = async {
            let mut looks = 0;
            loop {
                let is_so = match question {
                    Question::IsUp(index) => self.is_up(index).await,
                    Question::IsLocal(address) => self.is_local(address).await,
                };
                if is_so.map_err(|e| refused(operation, &e))? {
                    return Ok(());
                }
                looks += 1;
                // A timer takes a millisecond at least; the kernel mostly needs less.
                if looks < QUICK_LOOKS {
                    tokio::task::yield_now().await;
                } else {
                    tokio::time::sleep(LOOK_PAUSE).await;
                }
            }
        };
        let result = tokio::time::timeout(UP_PATIENCE, until_so).await;
        result.unwrap_or_else(|_| Err(failed(operation, format!("not after {} s", UP_PATIENCE.as_secs()))))
    }

    async fn is_local(&self, address: IpAddr) -> Result<bool, Error> {
        let question = match address {
            IpAddr::V4(address) => {
                RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(address, 32).build()
            }
            IpAddr::V6(address) => {
                RouteMessageBuilder::<Ipv6Addr>::new().destination_prefix(address, 128).build()
            }
        };
        let route = self.handle.route().get(question).execute().try_next().await?;
        Ok(route.is_some_and(|route| route.header.kind == RouteType::Local))
    }

    async fn is_up(&self, index: u32) -> Result<bool, Error> {
        let link = self.handle.link().get().match_index(index).execute().try_next().await?;
        Ok(link.is_some_and(|link| {
            link.header.flags.contains(LinkFlags::Up | LinkFlags::LowerUp)
                && link.attributes.contains(&LinkAttribute::OperState(State::Up))
        }))
    }
}

fn name_of(link: LinkMessage) -> Option<String> {
    link.attributes.into_iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name),
        _ => None,
    })
}

fn refused(operation: impl Into<String>, e: &Error) -> SetupError {
    match e {
        Error::NetlinkError(message) => {
            let code = message.code.map_or(0, std::num::NonZero::get);
            denied(operation, &io::Error::from_raw_os_error(code.abs()))
        }
        other => failed(operation, other),
    }
}
