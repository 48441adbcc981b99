//! The table of the `linux` step.

use super::{BOUND, Key, Mapping, Shape, key, verb};
use crate::suite::linux;

/// `[SOL_TCP, TCP_USER_TIMEOUT, 5000]`, the last as a mapping where it is no number.
const OPTION: Shape =
    Shape::List(&Shape::Either(&[Shape::Bound, Shape::List(&Shape::Bound), Shape::Map(&OPTION_VALUE)]));

/// The calls that need no argument.
pub const CALLS: &[&str] = &["accept"];

pub static LINUX: Mapping = Mapping {
    name: "a linux step",
    id: "linux",
    doc: "A system call on a socket of the Linux kernel under test, and what must come of it.",
    keys: &[CALLS_WITH_ARGUMENTS, RESULTS],
};

static CALLS_WITH_ARGUMENTS: &[Key] = &[
    verb(
        "sysctl",
        Shape::Dict(&Shape::Text),
        "Sets sysctls of the network namespace for the rest of the case: {net.ipv4.tcp_sack: 0}.",
    ),
    verb(
        "setsockopt",
        OPTION,
        "Sets a socket option, by its names in C or by numbers: [SOL_TCP, TCP_USER_TIMEOUT, 5000].",
    ),
    verb("getsockopt", OPTION, "What a socket option must be: [SOL_TCP, TCP_MAXSEG, 500..1460]."),
    verb(
        "info",
        Shape::Dict(&BOUND),
        "What fields of TCP_INFO must be, without their tcpi_: {snd_cwnd: \">= 10\", state: established}.",
    ),
    verb(
        "poll",
        Shape::Text,
        "What poll must say: `POLLIN|POLLOUT` exactly these, `+POLLIN|-POLLOUT` these set and those clear, `none`.",
    ),
    verb(
        "errqueue",
        Shape::Either(&[Shape::Words(&["none"]), Shape::Map(&ERROR)]),
        "The oldest entry of the error queue (MSG_ERRQUEUE), which this takes off; `none`: there is none.",
    ),
    verb("ioctl", Shape::Dict(&BOUND), "What waits in the socket: {SIOCINQ: 1000, SIOCOUTQ: 0}."),
    verb("listen", Shape::Expr("a number"), "Listens with this backlog."),
    verb(
        "accept",
        Shape::Words(&["now"]),
        "Accepts if a connection waits; if none does, it fails with EAGAIN.",
    ),
    verb("shutdown", Shape::Words(linux::SHUTDOWNS), "Closes one direction, or both."),
    verb("send", Shape::Expr("a number"), "Writes so many octets of the pattern, without waiting for room."),
    verb("recv", Shape::Expr("a number"), "Reads what is there, at most so many octets, and checks them."),
];

static RESULTS: &[Key] = &[
    key("flags", Shape::Text, "With `send` or `recv`: MSG_MORE, MSG_OOB, MSG_PEEK ..., joined by `|`."),
    key(
        "on",
        Shape::Words(&["listener"]),
        "The socket: the connection unless said, or `listener` (an option also for sockets to be opened).",
    ),
    key("returns", BOUND, "What the call must return; anything but an error unless said."),
    key(
        "errno",
        Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]),
        "The error that the call must fail with: EINVAL; or one of several.",
    ),
];

static OPTION_VALUE: Mapping = Mapping {
    name: "the value of a socket option",
    id: "socket-option-value",
    doc: "The value of a socket option that is no single number.",
    keys: &[&[
        verb("ints", Shape::List(&BOUND), "Several ints in a row, as in struct linger: [1, 0]."),
        verb("text", Shape::Text, "A name: cubic."),
        verb("hex", Shape::Octets, "Octets in hexadecimal."),
    ]],
};

static ERROR: Mapping = Mapping {
    name: "an entry of the error queue",
    id: "queued-error",
    doc: "What struct sock_extended_err must say.",
    keys: &[&[
        key("errno", Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]), "ee_errno: EHOSTUNREACH."),
        key("origin", Shape::Words(linux::ORIGINS), "ee_origin: icmp, timestamping ..."),
        key("type", BOUND, "ee_type: the type of the ICMP message."),
        key("code", BOUND, "ee_code."),
        key("info", BOUND, "ee_info: the MTU of an ICMP message, the kind of a timestamp ..."),
        key("data", BOUND, "ee_data."),
    ]],
};
