//! The names of the `linux` step: socket options, fields of `TCP_INFO`, flags, errors, as C spells them.
//!
//! Names only, so that a case is checked on any system; the numbers behind them belong to the target,
//! and a test holds the two together.

/// What a field of `TCP_INFO` counts in, so that a case may write it as a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Plain,
    Microseconds,
    Milliseconds,
    /// A word stands for the number: the state, the state of congestion control.
    Word,
    /// A set of flags.
    Flags,
}

#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub unit: Unit,
}

const fn all<const N: usize>(unit: Unit, names: [&'static str; N]) -> [Field; N] {
    let mut fields = [Field { name: "", unit }; N];
    let mut at = 0;
    while at < N {
        fields[at].name = names[at];
        at += 1;
    }
    fields
}

/// The fields of `struct tcp_info` (`linux/tcp.h`), without their `tcpi_`.
pub const INFO: &[&[Field]] = &[
    &all(Unit::Word, ["state", "ca_state"]),
    &all(Unit::Flags, ["options"]),
    &all(
        Unit::Microseconds,
        ["rto", "ato", "rtt", "rttvar", "rcv_rtt", "min_rtt", "busy_time", "rwnd_limited", "sndbuf_limited"],
    ),
    &all(
        Unit::Milliseconds,
        ["last_data_sent", "last_ack_sent", "last_data_recv", "last_ack_recv", "total_rto_time"],
    ),
    &all(
        Unit::Plain,
        [
            "retransmits",
            "probes",
            "backoff",
            "snd_wscale",
            "rcv_wscale",
            "delivery_rate_app_limited",
            "fastopen_client_fail",
            "snd_mss",
            "rcv_mss",
            "unacked",
            "sacked",
            "lost",
            "retrans",
            "fackets",
            "pmtu",
            "rcv_ssthresh",
            "snd_ssthresh",
            "snd_cwnd",
            "advmss",
            "reordering",
            "rcv_space",
            "total_retrans",
            "pacing_rate",
            "max_pacing_rate",
            "bytes_acked",
            "bytes_received",
            "segs_out",
            "segs_in",
            "notsent_bytes",
            "data_segs_in",
            "data_segs_out",
            "delivery_rate",
            "delivered",
            "delivered_ce",
            "bytes_sent",
            "bytes_retrans",
            "dsack_dups",
            "reord_seen",
            "rcv_ooopack",
            "snd_wnd",
            "rcv_wnd",
            "rehash",
            "total_rto",
            "total_rto_recoveries",
            "received_ce",
            "delivered_e1_bytes",
            "delivered_e0_bytes",
            "delivered_ce_bytes",
            "received_e1_bytes",
            "received_e0_bytes",
            "received_ce_bytes",
        ],
    ),
];

pub fn info_fields() -> impl Iterator<Item = &'static Field> {
    INFO.iter().flat_map(|fields| fields.iter())
}

/// `tcpi_ca_state`, by `TCP_CA_*`, in the order of its numbers.
pub const CA_STATES: &[&str] = &["open", "disorder", "cwr", "recovery", "loss"];

/// `tcpi_options`, by `TCPI_OPT_*`, lowest bit first.
pub const INFO_OPTIONS: &[&str] =
    &["timestamps", "sack", "wscale", "ecn", "ecn_seen", "syn_data", "usec_ts", "tfo_child"];

/// What `poll` can say of a TCP socket.
pub const POLL: &[&str] = &["POLLIN", "POLLPRI", "POLLOUT", "POLLRDHUP", "POLLERR", "POLLHUP"];

/// Flags of `send` and `recv`.
pub const MESSAGE: &[&str] = &[
    "MSG_DONTWAIT",
    "MSG_EOR",
    "MSG_MORE",
    "MSG_NOSIGNAL",
    "MSG_OOB",
    "MSG_PEEK",
    "MSG_TRUNC",
    "MSG_WAITALL",
    "MSG_ZEROCOPY",
];

/// What waits in a socket: unread octets, octets not acknowledged, octets not sent; and whether the urgent mark is reached.
pub const IOCTLS: &[&str] = &["SIOCINQ", "SIOCOUTQ", "SIOCOUTQNSD", "SIOCATMARK"];

pub const SHUTDOWNS: &[&str] = &["SHUT_RD", "SHUT_WR", "SHUT_RDWR"];

/// `SO_EE_ORIGIN_*`, in the order of their numbers.
pub const ORIGINS: &[&str] = &["none", "local", "icmp", "icmp6", "timestamping", "zerocopy"];

pub const LEVELS: &[&str] =
    &["SOL_SOCKET", "SOL_TCP", "SOL_IP", "SOL_IPV6", "IPPROTO_TCP", "IPPROTO_IP", "IPPROTO_IPV6"];

/// The levels that an option can be of, by how its name begins.
pub fn levels_of(option: &str) -> &'static [&'static str] {
    match option.split('_').next() {
        Some("SO") => &["SOL_SOCKET"],
        Some("TCP") => &["SOL_TCP", "IPPROTO_TCP"],
        Some("IP") => &["SOL_IP", "IPPROTO_IP"],
        Some("IPV6") => &["SOL_IPV6", "IPPROTO_IPV6"],
        Some(_) | None => LEVELS,
    }
}

pub const OPTIONS: &[&str] = &[
    "SO_BUSY_POLL",
    "SO_DOMAIN",
    "SO_DONTROUTE",
    "SO_ERROR",
    "SO_INCOMING_CPU",
    "SO_KEEPALIVE",
    "SO_LINGER",
    "SO_MARK",
    "SO_MAX_PACING_RATE",
    "SO_MEMINFO",
    "SO_OOBINLINE",
    "SO_PRIORITY",
    "SO_PROTOCOL",
    "SO_RCVBUF",
    "SO_RCVBUFFORCE",
    "SO_RCVLOWAT",
    "SO_RCVTIMEO",
    "SO_REUSEADDR",
    "SO_REUSEPORT",
    "SO_SNDBUF",
    "SO_SNDBUFFORCE",
    "SO_SNDTIMEO",
    "SO_TIMESTAMP",
    "SO_TIMESTAMPING",
    "SO_TIMESTAMPNS",
    "SO_TYPE",
    "SO_ZEROCOPY",
    "TCP_CC_INFO",
    "TCP_CM_INQ",
    "TCP_CONGESTION",
    "TCP_CORK",
    "TCP_DEFER_ACCEPT",
    "TCP_FASTOPEN",
    "TCP_FASTOPEN_CONNECT",
    "TCP_FASTOPEN_KEY",
    "TCP_FASTOPEN_NO_COOKIE",
    "TCP_INFO",
    "TCP_INQ",
    "TCP_KEEPCNT",
    "TCP_KEEPIDLE",
    "TCP_KEEPINTVL",
    "TCP_LINGER2",
    "TCP_MAXSEG",
    "TCP_MD5SIG",
    "TCP_NODELAY",
    "TCP_NOTSENT_LOWAT",
    "TCP_QUEUE_SEQ",
    "TCP_QUICKACK",
    "TCP_REPAIR",
    "TCP_REPAIR_OPTIONS",
    "TCP_REPAIR_QUEUE",
    "TCP_REPAIR_WINDOW",
    "TCP_SAVED_SYN",
    "TCP_SAVE_SYN",
    "TCP_SYNCNT",
    "TCP_THIN_DUPACK",
    "TCP_THIN_LINEAR_TIMEOUTS",
    "TCP_TIMESTAMP",
    "TCP_TX_DELAY",
    "TCP_ULP",
    "TCP_USER_TIMEOUT",
    "TCP_WINDOW_CLAMP",
    "TCP_ZEROCOPY_RECEIVE",
    "IP_FREEBIND",
    "IP_MTU",
    "IP_MTU_DISCOVER",
    "IP_OPTIONS",
    "IP_RECVERR",
    "IP_RECVTOS",
    "IP_RECVTTL",
    "IP_MINTTL",
    "IP_TOS",
    "IP_TTL",
    "IPV6_MTU",
    "IPV6_MTU_DISCOVER",
    "IPV6_RECVERR",
    "IPV6_RECVTCLASS",
    "IPV6_TCLASS",
    "IPV6_UNICAST_HOPS",
    "IPV6_V6ONLY",
];

/// Errors that a call on a TCP socket, or its error queue, can give.
pub const ERRNOS: &[&str] = &[
    "EACCES",
    "EADDRINUSE",
    "EADDRNOTAVAIL",
    "EAFNOSUPPORT",
    "EAGAIN",
    "EALREADY",
    "EBADF",
    "EBUSY",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "EDESTADDRREQ",
    "EEXIST",
    "EFAULT",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "EINPROGRESS",
    "EINTR",
    "EINVAL",
    "EISCONN",
    "EMFILE",
    "EMSGSIZE",
    "ENETDOWN",
    "ENETRESET",
    "ENETUNREACH",
    "ENFILE",
    "ENOBUFS",
    "ENOENT",
    "ENOMEM",
    "ENOMSG",
    "ENONET",
    "ENOPROTOOPT",
    "ENOSYS",
    "ENOTCONN",
    "ENOTSOCK",
    "EOPNOTSUPP",
    "EPERM",
    "EPIPE",
    "EPROTO",
    "ERANGE",
    "EROFS",
    "ESTALE",
    "ETIMEDOUT",
];

/// Whether it is a sysctl of a network namespace: `net.ipv4.tcp_sack`.
pub fn is_sysctl(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    };
    name.starts_with("net.") && name.split('.').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_a_level() {
        for option in OPTIONS {
            assert!(levels_of(option).len() < LEVELS.len(), "{option}");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = info_fields().map(|field| field.name).collect();
        names.extend(OPTIONS.iter().chain(ERRNOS).chain(MESSAGE));
        let before = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), before);
        assert!(ERRNOS.is_sorted());
    }

    #[test]
    fn sysctls_of_a_namespace() {
        for name in ["net.ipv4.tcp_sack", "net.core.somaxconn", "net.ipv6.conf.all.forwarding"] {
            assert!(is_sysctl(name), "{name}");
        }
        for name in ["kernel.hostname", "net.", "net..ipv4", "net.ipv4/../x", "net.ipv4 x"] {
            assert!(!is_sysctl(name), "{name}");
        }
    }
}
