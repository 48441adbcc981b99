//! The grammar of manifests, in the same kind of table as that of suites: it is checked, explained to
//! editors and turned into a JSON Schema by the same code.

use crate::suite::grammar::{Key, Mapping, Shape, key, required};

pub(super) const LINK_KINDS: &[&str] = &["veth", "tap", "tun", "fd", "udp"];
/// What `--wire` takes.
pub(super) const WIRES: &[&str] = &["veth", "tap", "tun", "fd", "udp", "sim"];
pub(super) const APPS: &[&str] = &["echo", "sink", "none", "control", "kernel", "reference"];
pub(super) const READINGS: &[&str] = &["rfc9293", "rfc5961", "rfc793"];
pub(super) const READY: &[&str] = &["control", "syn", "arp", "text", "delay"];
pub(super) const OUTCOMES: &[&str] = &["pass", "fail", "warn", "blocked", "unsupported", "inconclusive"];

const TEXTS: Shape = Shape::List(&Shape::Text);
const DURATION: Shape = Shape::Expr("a duration (5s, 200ms)");

pub static MANIFEST: Mapping = Mapping {
    name: "a manifest",
    id: "manifest",
    doc: "A target: how it is attached, started and spoken to, and what it can do.",
    keys: &[IDENTITY, ATTACHMENT, PROGRAM, KNOWLEDGE],
};

static IDENTITY: &[Key] = &[
    required("name", Shape::Id, "What `-t` calls it."),
    key("about", Shape::Text, "What it is, in a sentence."),
];

static ATTACHMENT: &[Key] = &[
    key(
        "link",
        Shape::Either(&[Shape::Map(&LINK), Shape::List(&Shape::Map(&LINK))]),
        "What carries its packets; of several, `--wire` picks one, and the first is taken unless said. `fd` unless said.",
    ),
    key("target", Shape::Map(&TARGET), "Where the target is."),
    key("peer", Shape::Map(&PEER), "Where its peer is: an address in its subnet that no kernel owns."),
];

static PROGRAM: &[Key] = &[
    key(
        "build",
        TEXTS,
        "What builds the program, as an argument vector; run once before the first start, in the manifest's directory.",
    ),
    key(
        "run",
        TEXTS,
        "What starts the program, as an argument vector. {target.port}, {link.device} and others are filled in.",
    ),
    key(
        "connect",
        TEXTS,
        "What starts a program that connects to {peer.ip} {peer.port}: an active open without a control channel. Without `run` it is the target itself.",
    ),
    key(
        "also",
        Shape::List(&TEXTS),
        "Programs that run beside it, started first. One that ends with anything but 0 takes the target with it.",
    ),
    key("env", Shape::Dict(&Shape::Text), "Variables for its environment."),
    key(
        "stdin",
        Shape::Either(&[Shape::Words(&["hold", "relay"]), TEXTS]),
        "`hold` keeps it open, a list is written as lines, `relay` sends back what the program writes to stdout.",
    ),
    key("ready", Shape::Map(&READY_MAP), "How the harness knows that the program can be tested."),
    key(
        "lifetime",
        Shape::Words(&["case", "run"]),
        "`case`, unless said: a fresh program for every case. `run`: one for many, where it is sturdy.",
    ),
    key(
        "app",
        Shape::Words(APPS),
        "What its application does; `control` is the control protocol on stdin and stdout. `reference`: no program, but the built-in TCP with these abilities.",
    ),
    key("sysctls", Shape::Dict(&Shape::Text), "Settings of the target's namespace."),
];

static KNOWLEDGE: &[Key] = &[
    key(
        "abilities",
        Shape::List(&Shape::Id),
        "All that it can do. Unless said, what its application can be asked for, and what its handshake shows.",
    ),
    key(
        "lacks",
        Shape::List(&Shape::Id),
        "Abilities that it does not have although its application or handshake suggest them.",
    ),
    key("mss", Shape::Map(&MSS), "The largest segment that it receives."),
    key("limits", Shape::Map(&LIMITS), "How much it can hold."),
    key("timing", Shape::Map(&TIMING), "How fast it is."),
    key("profile", Shape::Words(READINGS), "Which reading of optional rules it follows."),
    key("waive", Shape::List(&Shape::Map(&WAIVE)), "Cases that are not asked of it, and why."),
    key(
        "deviations",
        Shape::List(&Shape::Map(&DEVIATION)),
        "Where it is known not to do what a requirement says.",
    ),
];

static LINK: Mapping = Mapping {
    name: "a link",
    id: "link",
    doc: "What carries packets between target and harness.",
    keys: &[&[
        required(
            "kind",
            Shape::Words(LINK_KINDS),
            "`fd`: packets over a socket whose descriptor is in TCPSPEC_FD; `udp`: in datagrams to the address in TCPSPEC_UDP; neither needs privilege.",
        ),
        key("device", Shape::Text, "The name of the device, where there is one: tap0, tun0."),
        key(
            "create",
            Shape::Words(&["harness", "target"]),
            "Who makes a TAP or TUN device; the harness unless said.",
        ),
    ]],
};

static TARGET: Mapping = Mapping {
    name: "the target's place",
    id: "place",
    doc: "Where the target is. What is left out is an address for documentation.",
    keys: &[&[
        key("ipv4", Shape::Text, "Address and prefix: 10.0.0.2/24; `none` where it does not speak IPv4."),
        key("ipv6", Shape::Text, "Address and prefix; `none`, unless said."),
        key("port", Shape::Count, "Where its application listens; 7 unless said."),
        key("mac", Shape::Text, "`auto`: it is asked for by ARP."),
    ]],
};

static PEER: Mapping = Mapping {
    name: "the peer's place",
    id: "peer",
    doc: "Where the injector seems to be.",
    keys: &[&[key("ipv4", Shape::Text, "An address."), key("ipv6", Shape::Text, "An address.")]],
};

static READY_MAP: Mapping = Mapping {
    name: "readiness",
    id: "ready",
    doc: "How the harness knows that the program can be tested.",
    keys: &[&[
        required(
            "by",
            Shape::Words(READY),
            "`control`: it answers on the control channel; `syn`: it answers a SYN; `arp`: it answers ARP; `text`: it writes it; `delay`: it is given time.",
        ),
        key("within", DURATION, "The deadline, or the delay; 5 s unless said."),
        key("text", Shape::Text, "With `by: text`: what a line of its stdout or stderr contains."),
    ]],
};

static MSS: Mapping = Mapping {
    name: "an MSS of each family",
    id: "mss",
    doc: "The largest segment that it receives.",
    keys: &[&[
        key("ipv4", Shape::Count, "1460 unless said."),
        key("ipv6", Shape::Count, "1440 unless said."),
    ]],
};

static LIMITS: Mapping = Mapping {
    name: "limits",
    id: "limits",
    doc: "How much it can hold.",
    keys: &[&[
        key("connections", Shape::Count, "Connections at a time."),
        key("buffer", Shape::Count, "Octets held for an application that does not read."),
        key("backlog", Shape::Count, "Connections that wait to be accepted."),
        key("syn-retries", Shape::Count, "How often a SYN is sent again."),
        key("closed-port-rst", Shape::Bool, "Whether a port where nobody listens answers with RST."),
    ]],
};

static TIMING: Mapping = Mapping {
    name: "timing",
    id: "timing",
    doc: "How fast it is.",
    keys: &[&[
        key("scale", Shape::Expr("a number"), "Stretches every wait of every case."),
        key("msl", DURATION, "The maximum segment lifetime; TIME-WAIT lasts two."),
        key("rto-initial", DURATION, "The first retransmission timeout."),
        key("rto-min", DURATION, "The shortest."),
        key("rto-max", DURATION, "The longest."),
        key("delayed-ack", DURATION, "The longest that an ACK is delayed."),
        key("persist-min", DURATION, "The first interval between window probes."),
        key("persist-max", DURATION, "The longest."),
        key("keepalive-idle", DURATION, "Idle time before the first keep-alive."),
        key("keepalive-interval", DURATION, "Between keep-alives."),
        key("keepalive-count", Shape::Count, "Unanswered keep-alives before it gives up."),
        key("user-timeout", DURATION, "How long data may stay unacknowledged."),
        key("fin-wait-2", DURATION, "How long a closed connection stays in FIN-WAIT-2."),
        key("reply", DURATION, "How soon an answer comes that nothing delays."),
        key("settle", DURATION, "How long after the last step a late segment is waited for."),
    ]],
};

const CASES: Shape = Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]);

static WAIVE: Mapping = Mapping {
    name: "a waiver",
    id: "waiver",
    doc: "Cases that are not asked of this target.",
    keys: &[&[
        required("cases", CASES, "A case, or a pattern: `reset/blind/**`; or a list of them."),
        required("because", Shape::Text, "Why; it is shown with every report."),
    ]],
};

static DEVIATION: Mapping = Mapping {
    name: "a deviation",
    id: "deviation",
    doc: "Where the target is known not to do what a requirement says.",
    keys: &[&[
        required("cases", CASES, "A case, or a pattern; or a list of them."),
        required("outcome", Shape::Words(OUTCOMES), "What comes of them."),
        required("because", Shape::Text, "What the target does instead, and where in its source."),
        key(
            "wire",
            Shape::Either(&[Shape::Words(WIRES), Shape::List(&Shape::Words(WIRES))]),
            "Where it is seen on a part of its wires only: which; or a list of them.",
        ),
        key("link", Shape::Text, "Where it is discussed."),
        key(
            "soak",
            Shape::Either(&[Shape::Id, Shape::List(&Shape::Id)]),
            "What `tcpspec soak` shows of it, by the words that it gives: a monitor, or what it has asked; or a list of them. The search goes on behind it.",
        ),
        key(
            "sometimes",
            Shape::Bool,
            "It depends on what no case can rule: where it is not seen it is not stale.",
        ),
    ]],
};
