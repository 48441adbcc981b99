//! Options of a connection by the names of the case language, and socket options by the kernel's own.

use super::socket;
use nix::errno::Errno;
use nix::libc;
use std::ffi::c_int;
use std::os::fd::BorrowedFd;

/// What a value of the case language means.
#[derive(Clone, Copy)]
enum Unit {
    /// Taken as it is.
    Plain,
    /// A span, given in milliseconds and wanted in whole seconds.
    Seconds,
}

struct AppOption {
    name: &'static str,
    level: c_int,
    number: c_int,
    unit: Unit,
}

const fn tcp(name: &'static str, number: c_int) -> AppOption {
    AppOption { name, level: libc::IPPROTO_TCP, number, unit: Unit::Plain }
}

const fn any(name: &'static str, number: c_int) -> AppOption {
    AppOption { name, level: libc::SOL_SOCKET, number, unit: Unit::Plain }
}

/// Those whose value is an integer. `linger`, `tos` and `ttl` are not among them.
const OPTIONS: &[AppOption] = &[
    any("keepalive", libc::SO_KEEPALIVE),
    any("oobinline", libc::SO_OOBINLINE),
    any("rcvbuf", libc::SO_RCVBUF),
    any("rcvlowat", libc::SO_RCVLOWAT),
    any("sndbuf", libc::SO_SNDBUF),
    tcp("cork", libc::TCP_CORK),
    AppOption { unit: Unit::Seconds, ..tcp("defer_accept", libc::TCP_DEFER_ACCEPT) },
    AppOption { unit: Unit::Seconds, ..tcp("fin_wait_2", libc::TCP_LINGER2) },
    tcp("keepalive_count", libc::TCP_KEEPCNT),
    AppOption { unit: Unit::Seconds, ..tcp("keepalive_idle", libc::TCP_KEEPIDLE) },
    AppOption { unit: Unit::Seconds, ..tcp("keepalive_interval", libc::TCP_KEEPINTVL) },
    tcp("maxseg", libc::TCP_MAXSEG),
    tcp("mss", libc::TCP_MAXSEG),
    tcp("nodelay", libc::TCP_NODELAY),
    tcp("notsent_lowat", libc::TCP_NOTSENT_LOWAT),
    tcp("quickack", libc::TCP_QUICKACK),
    tcp("syn_retries", libc::TCP_SYNCNT),
    tcp("user_timeout", libc::TCP_USER_TIMEOUT),
    tcp("window_clamp", libc::TCP_WINDOW_CLAMP),
];

/// Whether the case language may name it here.
pub(super) fn is_known(name: &str) -> bool {
    matches!(name, "linger" | "tos" | "ttl") || OPTIONS.iter().any(|option| option.name == name)
}

/// Sets an option of the case language; `None` if there is none of this name.
pub(super) fn set(fd: BorrowedFd<'_>, v6: bool, name: &str, value: i64) -> Option<Result<(), Errno>> {
    let plain = c_int::try_from(value).map_err(|_| Errno::EINVAL);
    let set = |level, number, value| socket::set_int(fd, level, number, value);
    match (name, v6) {
        ("linger", _) => return Some(socket::set_linger(fd, linger(value))),
        ("tos", false) => return Some(plain.and_then(|v| set(libc::IPPROTO_IP, libc::IP_TOS, v))),
        ("tos", true) => return Some(plain.and_then(|v| set(libc::IPPROTO_IPV6, libc::IPV6_TCLASS, v))),
        ("ttl", false) => return Some(plain.and_then(|v| set(libc::IPPROTO_IP, libc::IP_TTL, v))),
        ("ttl", true) => {
            return Some(plain.and_then(|v| set(libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS, v)));
        }
        _ => {}
    }
    let option = OPTIONS.iter().find(|option| option.name == name)?;
    let value = match option.unit {
        Unit::Plain => plain,
        Unit::Seconds => c_int::try_from(seconds(value)).map_err(|_| Errno::EINVAL),
    };
    Some(value.and_then(|value| set(option.level, option.number, value)))
}

/// What `linger` says in seconds: zero aborts on close, a negative value switches it off.
pub(super) fn linger(value: i64) -> Option<u32> {
    u32::try_from(seconds(value)).ok()
}

/// Milliseconds as the seconds that they begin.
fn seconds(milliseconds: i64) -> i64 {
    if milliseconds > 0 { (milliseconds - 1) / 1000 + 1 } else { milliseconds }
}

/// A level of `setsockopt` by its name in C.
pub(super) fn level(name: &str) -> Option<c_int> {
    Some(match name {
        "SOL_SOCKET" => libc::SOL_SOCKET,
        "SOL_TCP" | "IPPROTO_TCP" => libc::IPPROTO_TCP,
        "SOL_IP" | "IPPROTO_IP" => libc::IPPROTO_IP,
        "SOL_IPV6" | "IPPROTO_IPV6" => libc::IPPROTO_IPV6,
        _ => return name.parse().ok(),
    })
}

/// An option of `setsockopt` by its name in C, or by its number.
pub(super) fn number(name: &str) -> Option<c_int> {
    let known = NUMBERS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    // libc has no name for this one.
    let known = known.or_else(|| (name == "TCP_TX_DELAY").then_some(37));
    known.or_else(|| name.parse().ok())
}

macro_rules! numbers {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name)),*] };
}

/// Flags of `send` and `recv`.
pub(super) const MESSAGE_FLAGS: &[(&str, c_int)] = numbers! {
    MSG_DONTWAIT MSG_EOR MSG_MORE MSG_NOSIGNAL MSG_OOB MSG_PEEK MSG_TRUNC MSG_WAITALL MSG_ZEROCOPY
};

const NUMBERS: &[(&str, c_int)] = numbers! {
    SO_BUSY_POLL SO_DOMAIN SO_DONTROUTE SO_ERROR SO_INCOMING_CPU SO_KEEPALIVE SO_LINGER SO_MARK
    SO_MAX_PACING_RATE SO_MEMINFO SO_OOBINLINE SO_PRIORITY SO_PROTOCOL SO_RCVBUF SO_RCVBUFFORCE SO_RCVLOWAT
    SO_RCVTIMEO SO_REUSEADDR SO_REUSEPORT SO_SNDBUF SO_SNDBUFFORCE SO_SNDTIMEO SO_TIMESTAMP SO_TIMESTAMPING
    SO_TIMESTAMPNS SO_TYPE SO_ZEROCOPY
    TCP_CC_INFO TCP_CM_INQ TCP_CONGESTION TCP_CORK TCP_DEFER_ACCEPT TCP_FASTOPEN TCP_FASTOPEN_CONNECT
    TCP_FASTOPEN_KEY TCP_FASTOPEN_NO_COOKIE TCP_INFO TCP_INQ TCP_KEEPCNT TCP_KEEPIDLE TCP_KEEPINTVL TCP_LINGER2
    TCP_MAXSEG TCP_MD5SIG TCP_NODELAY TCP_NOTSENT_LOWAT TCP_QUEUE_SEQ TCP_QUICKACK TCP_REPAIR
    TCP_REPAIR_OPTIONS TCP_REPAIR_QUEUE TCP_REPAIR_WINDOW TCP_SAVED_SYN TCP_SAVE_SYN TCP_SYNCNT
    TCP_THIN_DUPACK TCP_THIN_LINEAR_TIMEOUTS TCP_TIMESTAMP TCP_ULP TCP_USER_TIMEOUT
    TCP_WINDOW_CLAMP TCP_ZEROCOPY_RECEIVE
    IP_FREEBIND IP_MTU IP_MTU_DISCOVER IP_OPTIONS IP_RECVERR IP_RECVTOS IP_RECVTTL IP_MINTTL IP_TOS IP_TTL
    IPV6_MTU IPV6_MTU_DISCOVER IPV6_RECVERR IPV6_RECVTCLASS IPV6_TCLASS IPV6_UNICAST_HOPS IPV6_V6ONLY
};
