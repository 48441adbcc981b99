//! The language as one table: which mappings there are, their keys, and what each key takes.
//!
//! The structural checker walks a file along this table, the editor schema is generated from it,
//! and its doc strings are what an editor shows. Whatever the table cannot say (types, names,
//! which keys go together) is checked where cases are lowered.

mod linux;
mod live;

pub use linux::{CALLS as LINUX_CALLS, LINUX};
pub use live::LIVE;

/// What may stand at a place. `{parameter}` as the whole of a value may stand anywhere.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Words for a reader.
    Text,
    /// A word-name: `syn-ack-counts-the-syn`.
    Id,
    /// A name usable in expressions: `fin`, `last_ack`.
    Name,
    /// One of these words.
    Words(&'static [&'static str]),
    /// Yes or no.
    Bool,
    /// A whole number, written out.
    Count,
    /// An expression with one value; the text says what of.
    Expr(&'static str),
    /// What a field may be: an expression, `any`, `none`, a range, a comparison, a set.
    Bound,
    Flags,
    /// Octets in hexadecimal.
    Octets,
    /// Whatever: parameters are looked at where they are used.
    Any,
    List(&'static Self),
    Map(&'static Mapping),
    /// [`STEP`], which holds steps itself: a table in constants cannot refer to itself.
    Step,
    /// Free keys, all with values of one shape.
    Dict(&'static Self),
    /// The first whose kind (scalar, list, mapping) fits.
    Either(&'static [Self]),
}

#[derive(Debug)]
pub struct Mapping {
    /// In messages: "unknown key `x` in a step".
    pub name: &'static str,
    /// Name in the schema's `$defs`.
    pub id: &'static str,
    pub doc: &'static str,
    pub keys: &'static [&'static [Key]],
}

impl Mapping {
    pub fn all_keys(&self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().flat_map(|group| group.iter())
    }

    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.all_keys().find(|key| key.name == name)
    }
}

#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub shape: Shape,
    pub doc: &'static str,
    pub required: bool,
    /// Exactly one of the verbs of a mapping must be there.
    pub verb: bool,
}

/// A key that may be left out.
pub const fn key(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, shape, doc, required: false, verb: false }
}

/// A key that must be there.
pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, shape, doc, required: true, verb: false }
}

/// One of the keys of which exactly one must be there.
pub const fn verb(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, shape, doc, required: false, verb: true }
}

/// Verbs that the language has and this version cannot run.
pub const LATER: &[&str] = &["parallel"];

pub const LEVELS: &[&str] = &["must", "should", "may"];
pub const FAMILIES: &[&str] = &["4", "6"];
/// The states, as RFC 9293 writes them.
pub const STATES: &[&str] = &[
    "CLOSED",
    "LISTEN",
    "SYN-SENT",
    "SYN-RECEIVED",
    "ESTABLISHED",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "CLOSE-WAIT",
    "CLOSING",
    "LAST-ACK",
    "TIME-WAIT",
];
pub const ICMP_KINDS: &[&str] = &[
    "net-unreachable",
    "host-unreachable",
    "protocol-unreachable",
    "port-unreachable",
    "fragmentation-needed",
    "source-route-failed",
    "admin-prohibited",
    "packet-too-big",
    "source-quench",
    "time-exceeded",
    "reassembly-time-exceeded",
    "parameter-problem",
];
pub const APP_CALLS: &[&str] = &["listen", "connect", "accept", "close", "abort"];
pub const LIVE_CALLS: &[&str] = &["listen", "connect", "accept", "close", "abort", "reboot"];
pub const MODES: &[&str] = &["scripted", "live"];
pub const APP_EVENTS: &[&str] = &[
    "connected",
    "eof",
    "reset",
    "refused",
    "timed-out",
    "closed",
    "urgent",
    "soft-error",
    "unreachable",
    "nothing",
    "error",
];

const WORDS: Shape = Shape::List(&Shape::Id);
const TEXTS: Shape = Shape::List(&Shape::Text);
const STEPS: Shape = Shape::List(&Shape::Step);
/// A name, or a name with arguments.
const CALL: Shape = Shape::Either(&[Shape::Id, Shape::Dict(&Shape::Dict(&Shape::Any))]);
const PARAMS: Shape = Shape::Dict(&Shape::Any);
const PAIRS: Shape = Shape::List(&Shape::List(&Shape::Expr("a sequence number")));
const BOUND: Shape = Shape::Either(&[Shape::Bound, Shape::List(&Shape::Bound)]);
const DATA: Shape = Shape::Either(&[Shape::Text, Shape::Map(&HEX)]);

static DEFAULTS: &[Key] = &[
    key(
        "level",
        Shape::Words(LEVELS),
        "How binding the requirement is: a violation of a must fails, of a should warns, a may only records.",
    ),
    key("tags", WORDS, "Words to select cases by."),
    key(
        "needs",
        WORDS,
        "Abilities that the target must have; without them the case is unsupported, not failed.",
    ),
    key(
        "family",
        Shape::Either(&[Shape::Words(FAMILIES), Shape::List(&Shape::Words(FAMILIES))]),
        "Address families to run over; both unless said.",
    ),
    key("mode", Shape::Words(MODES), "Who the peer is: the script (unless said), or the reference stack."),
    key("slow", Shape::Bool, "Takes over ten seconds on a real clock."),
    key("isolation", Shape::Words(&["fresh", "shared"]), "`fresh`: a wire and a target of its own."),
    key("points", Shape::Count, "Weight in grading; 1 unless said."),
    key("strict", Shape::Bool, "Noise that is legal becomes a violation too."),
    key(
        "tolerate",
        Shape::List(&Shape::Map(&TOLERATE)),
        "Segments beyond the legal noise that may come at any time, with the reason.",
    ),
];

pub static SUITE: Mapping = Mapping {
    name: "a suite",
    id: "suite",
    doc: "A suite: the cases about one topic.",
    keys: &[
        &[
            required("title", Shape::Text, "The topic in a few words."),
            key("about", Shape::Text, "A sentence or two for a reader of the suite."),
            key("lists", Shape::Dict(&LIST), "Named lists of steps, for `use:`."),
            required("cases", Shape::List(&Shape::Map(&CASE)), "The cases."),
        ],
        DEFAULTS,
    ],
};

pub static FIXTURES: Mapping = Mapping {
    name: "the fixtures",
    id: "fixtures",
    doc: "Fixtures: how a target is brought into a state.",
    keys: &[&[
        key("title", Shape::Text, "What these fixtures are for."),
        key("about", Shape::Text, "A sentence or two for a reader."),
        key("lists", Shape::Dict(&LIST), "Named lists of steps that every suite can use."),
        required("fixtures", Shape::List(&Shape::Map(&FIXTURE)), "The fixtures."),
    ]],
};

pub static CASE: Mapping = Mapping {
    name: "a case",
    id: "case",
    doc: "One test: setup, steps, expectations, and the requirements it checks.",
    keys: &[
        &[
            required("id", Shape::Id, "A word-name, stable for ever. The full id is directory/file/id."),
            required("title", Shape::Text, "What must be so, in a sentence without a full stop."),
            required(
                "refs",
                TEXTS,
                "The catalogue rows that the case checks: RFC9293-MUST-12, SEM-EST-01, C18.",
            ),
            key("lesson", Shape::Text, "One or two sentences from which a student learns the rule."),
            key("about", Shape::Text, "More for a reader, where the lesson is not enough."),
            key("kills", WORDS, "Mutants of the reference that this case must catch."),
            key("for", FOR, "Parameters: every combination of values is an instance of the case."),
            key("given", CALL, "The fixture that brings the target into the state to start from."),
            required("steps", STEPS, "What happens, in order."),
        ],
        DEFAULTS,
    ],
};

const FOR: Shape =
    Shape::Dict(&Shape::Either(&[Shape::Text, Shape::List(&Shape::Text), Shape::Dict(&PARAMS)]));

pub static LIST: Shape = Shape::Either(&[STEPS, Shape::Map(&LIST_WITH_PARAMS)]);

static LIST_WITH_PARAMS: Mapping = Mapping {
    name: "a named list",
    id: "list",
    doc: "Steps with a name, and parameters to vary them.",
    keys: &[&[
        key("about", Shape::Text, "What the steps do or prove."),
        key("params", PARAMS, "Parameters and their defaults; without a default one must be given."),
        required("steps", STEPS, "The steps."),
    ]],
};

pub static FIXTURE: Mapping = Mapping {
    name: "a fixture",
    id: "fixture",
    doc: "Steps that bring the target into a state.",
    keys: &[&[
        required("id", Shape::Id, "What `given:` calls it."),
        required("title", Shape::Text, "The state and the path to it, in a few words."),
        key("about", Shape::Text, "More for a reader."),
        key("state", Shape::Words(STATES), "The state that the target is in afterwards."),
        required("tested-by", Shape::Text, "The case that checks these steps: it is blamed when they fail."),
        key("params", PARAMS, "Parameters and their defaults; `none` leaves a field out."),
        key("given", CALL, "The fixture to start from."),
        key(
            "ways",
            Shape::List(&Shape::Map(&WAY)),
            "Ways to get there; the first that the target is able to go is taken.",
        ),
        key("steps", STEPS, "The steps, where there is one way."),
    ]],
};

static WAY: Mapping = Mapping {
    name: "a way",
    id: "way",
    doc: "One way to bring the target into the state.",
    keys: &[&[
        key("needs", WORDS, "Abilities that this way needs of the target."),
        key(
            "mode",
            Shape::Words(MODES),
            "The mode of the cases that can go this way; both unless a way says one.",
        ),
        required("steps", STEPS, "The steps of this way; may be empty where nothing need be done."),
    ]],
};

pub static STEP: Mapping = Mapping {
    name: "a step",
    id: "step",
    doc: "One verb, and what qualifies it.",
    keys: &[
        &[
            verb(
                "send",
                Shape::Either(&[Shape::Map(&SEND)]),
                "Injects a segment. What is left out is filled in as a correct peer would; every field can be wrong on purpose.",
            ),
            verb(
                "expect",
                Shape::Either(&[Shape::Words(&["any", "none"]), Shape::Map(&EXPECT)]),
                "Waits for the next segment of the target that is not legal noise; it must match. `none` expects silence.",
            ),
            verb(
                "app",
                Shape::Either(&[Shape::Words(APP_CALLS), Shape::Map(&APP)]),
                "A call of the application above the target, or what it must learn.",
            ),
            verb(
                "linux",
                Shape::Either(&[Shape::Words(LINUX_CALLS), Shape::Map(&LINUX)]),
                "A system call on a socket of the Linux kernel, and what must come of it.",
            ),
            verb("wait", Shape::Expr("a duration"), "Lets time pass."),
            verb("use", CALL, "Puts a named list of steps here."),
            verb("repeat", Shape::Map(&REPEAT), "Steps several times."),
            verb("note", Shape::Text, "A sentence for the reader, shown in the story and in reports."),
        ],
        live::VERBS,
        QUALIFIERS,
    ],
};

pub static QUALIFIERS: &[Key] = &[
    key("as", Shape::Name, "A label: `fin` makes fin.seq, fin.end, fin.time usable from here on."),
    key(
        "within",
        Shape::Either(&[Shape::Expr("a duration"), Shape::List(&Shape::Expr("a duration"))]),
        "The time limit, or [earliest, latest]; counted from the step before, or from `after`.",
    ),
    key("after", Shape::Name, "The label that `within`, or the time of `wait`, counts from."),
    key("or_error", Shape::Bool, "With `app`: the call may also be refused with an error."),
    key("for", Shape::Expr("a duration"), "With `expect: none`: how long it must stay silent."),
    key(
        "when",
        Shape::Expr("a yes or no"),
        "Does the step only if this holds: `target.timestamps`, `answer.rst`.",
    ),
    key("otherwise", Shape::List(&Shape::Map(&OTHERWISE)), "Known wrong answers, and what each means."),
    key(
        "tolerate",
        Shape::List(&Shape::Map(&TOLERATE)),
        "Segments that may come before the expected one, with the reason.",
    ),
    key("strict", Shape::Bool, "Legal noise is a violation while this step waits."),
    key("why", Shape::Text, "The sentence shown if the step fails."),
    key(
        "on",
        Shape::Expr("a number"),
        "With a live peer: which connection, from 0; for a rule, all unless said.",
    ),
];

static OTHERWISE: Mapping = Mapping {
    name: "a known wrong answer",
    id: "otherwise",
    doc: "A wrong answer that is seen often, and the mistake behind it.",
    keys: &[&[
        required("seen", SEEN, "What came instead; `none` for silence."),
        required("means", Shape::Text, "The mistake, in words a student understands."),
    ]],
};

static TOLERATE: Mapping = Mapping {
    name: "tolerated noise",
    id: "tolerate",
    doc: "A segment that the case allows beside what it expects.",
    keys: &[&[
        required("seen", SEEN, "The segment."),
        required("because", Shape::Text, "Why it is allowed."),
    ]],
};

const SEEN: Shape = Shape::Either(&[Shape::Words(&["any", "none"]), Shape::Map(&PATTERN)]);

static REPEAT: Mapping = Mapping {
    name: "a repetition",
    id: "repeat",
    doc: "Steps several times.",
    keys: &[&[
        required("times", Shape::Expr("a number"), "How often."),
        key("counter", Shape::Name, "A name for the counter, from 0."),
        required("steps", STEPS, "The steps."),
    ]],
};

pub static SEGMENT: &[Key] = &[
    key(
        "flags",
        Shape::Flags,
        "`SYN|ACK`: exactly these of FIN SYN RST ACK; `+PSH` must be set, `-PSH` clear.",
    ),
    key("seq", BOUND, "Sequence number."),
    key("ack", BOUND, "Acknowledgment number."),
    key("window", BOUND, "The window field, 16 bits, as it stands."),
    key("urgent", BOUND, "The urgent pointer."),
    key("len", BOUND, "Octets of payload; their content follows from their place in the stream."),
    key("data", DATA, "Payload, instead of the pattern."),
    key("mss", BOUND, "The maximum segment size option."),
    key("wscale", BOUND, "The window scale option: the shift."),
    key(
        "sack_permitted",
        Shape::Either(&[Shape::Words(&["yes", "no", "true", "false", "any", "none"])]),
        "The SACK-permitted option.",
    ),
    key(
        "sack",
        Shape::Either(&[Shape::Words(&["any", "none"]), PAIRS]),
        "The SACK option: a list of [left, right], first first.",
    ),
    key(
        "timestamps",
        Shape::Either(&[Shape::Words(&["any", "none"]), Shape::Map(&TIMESTAMPS)]),
        "The timestamps option.",
    ),
    key("fast_open", Shape::Bound, "The Fast Open option: `request`, or a cookie in hexadecimal."),
    key("user_timeout", BOUND, "The user timeout option, as the 16-bit field stands."),
    key(
        "options",
        Shape::List(&Shape::Either(&[Shape::Words(&["nop", "eol", "sack_permitted"]), Shape::Map(&OPTION)])),
        "Exactly these options, in this order.",
    ),
    key("raw_options", Shape::Octets, "The octets of the option space."),
    key("offset", BOUND, "Data offset, in words of 32 bits."),
    key("reserved", BOUND, "The reserved bits."),
    key("checksum", BOUND, "`good`, `bad`, or the field's value."),
    key("src_port", BOUND, "Source port."),
    key("dst_port", BOUND, "Destination port."),
    key("ttl", BOUND, "Time to live, or hop limit."),
    key("tos", BOUND, "Type of service or traffic class, all eight bits."),
    key("ecn", BOUND, "The two ECN bits of the IP header."),
    key("df", Shape::Bool, "The don't-fragment bit."),
    key("ip_id", BOUND, "IPv4 identification."),
    key("ip_checksum", BOUND, "IPv4 header checksum: `good`, `bad`, or the field's value."),
    key("ip_length", BOUND, "Total length, or payload length in IPv6."),
    key("ip_version", BOUND, "The version field of the IP header."),
    key("ihl", BOUND, "IPv4 header length, in words of 32 bits."),
    key("more_fragments", Shape::Bool, "The more-fragments bit."),
    key("fragment_offset", BOUND, "Fragment offset, in units of 8 octets."),
    key(
        "ip_options",
        Shape::Octets,
        "Octets of IPv4 options, or of IPv6 extension headers, each with its own number in its first octet.",
    ),
    key("trailer", Shape::Octets, "Octets behind the end of the IP packet."),
    key("src", Shape::Text, "Source address."),
    key("dst", Shape::Text, "Destination address."),
    key("counts", Shape::Bool, "`false`: the target must discard this segment, so it changes no numbers."),
];

pub static SEND: Mapping = Mapping {
    name: "what is sent",
    id: "send",
    doc: "A segment to inject. What is left out is filled in as a correct peer would.",
    keys: &[
        SEGMENT,
        &[
            key("icmp", Shape::Map(&ICMP_SEND), "An ICMP message instead of a segment."),
            key("raw", Shape::Octets, "A whole IP packet, octet by octet."),
            key("fragments", Shape::Map(&FRAGMENTS), "Sends the packet in fragments."),
        ],
    ],
};

pub static PATTERN: Mapping = Mapping {
    name: "a pattern",
    id: "pattern",
    doc: "What a segment must look like. What is left out does not matter.",
    keys: &[SEGMENT, &[key("icmp", Shape::Map(&ICMP_PATTERN), "An ICMP message instead of a segment.")]],
};

pub static EXPECT: Mapping = Mapping {
    name: "an expectation",
    id: "expect",
    doc: "What the target must send. What is left out does not matter.",
    keys: &[
        SEGMENT,
        &[
            key("icmp", Shape::Map(&ICMP_PATTERN), "An ICMP message instead of a segment."),
            key("from", live::FROM, "With a live peer: whose segment; the target's unless said."),
            key(
                "one_of",
                Shape::Dict(&SEEN),
                "Allowed answers, each with a name that is recorded; `none` for silence.",
            ),
        ],
    ],
};

pub static FRAGMENTS: Mapping = Mapping {
    name: "fragments",
    id: "fragments",
    doc: "How a packet is cut into fragments.",
    keys: &[&[
        required("size", Shape::Count, "Octets of payload in each but the last, a multiple of eight."),
        key(
            "order",
            Shape::List(&Shape::Count),
            "Which are sent, counted from 0, in this order; all of them unless said. What is left out is lost.",
        ),
    ]],
};

static ICMP_SEND: Mapping = Mapping {
    name: "an ICMP message",
    id: "icmp-send",
    doc: "An ICMP message to inject.",
    keys: &[&[
        required(
            "type",
            Shape::Expr("a name or number"),
            "By name, so that one text serves both families (port-unreachable, packet-too-big ...), or by number.",
        ),
        key("code", Shape::Expr("a number"), "With a type by number."),
        key("mtu", Shape::Expr("a number"), "The MTU that a packet-too-big names."),
        key(
            "quote",
            Shape::Map(&QUOTE),
            "What the quoted TCP header says; what is left out is as in the target's last segment.",
        ),
        key(
            "quote_len",
            Shape::Expr("a number"),
            "Octets of the quoted packet beyond its IP header; 8 unless said.",
        ),
    ]],
};

static QUOTE: Mapping = Mapping {
    name: "a quoted header",
    id: "quote",
    doc: "The TCP header that an ICMP message quotes.",
    keys: &[SEGMENT],
};

static ICMP_PATTERN: Mapping = Mapping {
    name: "an ICMP pattern",
    id: "icmp-pattern",
    doc: "What an ICMP message must look like.",
    keys: &[&[
        key("type", Shape::Bound, "By name or number."),
        key("code", Shape::Bound, "The code."),
        key("mtu", Shape::Bound, "The MTU it names."),
    ]],
};

static TIMESTAMPS: Mapping = Mapping {
    name: "timestamps",
    id: "timestamps",
    doc: "The timestamps option.",
    keys: &[&[key("val", BOUND, "TSval."), key("ecr", BOUND, "TSecr.")]],
};

static HEX: Mapping = Mapping {
    name: "octets",
    id: "hex",
    doc: "Octets.",
    keys: &[&[required("hex", Shape::Octets, "In hexadecimal.")]],
};

static OPTION: Mapping = Mapping {
    name: "an option",
    id: "option",
    doc: "One TCP option.",
    keys: &[&[
        verb("mss", Shape::Expr("a number"), "Maximum segment size."),
        verb("wscale", Shape::Expr("a number"), "Window scale."),
        verb("timestamps", Shape::Map(&TIMESTAMPS), "Timestamps."),
        verb("sack", PAIRS, "SACK blocks."),
        verb("raw", Shape::Octets, "Octets as they stand, kind and length included."),
    ]],
};

pub static APP: Mapping = Mapping {
    name: "an application call",
    id: "app",
    doc: "A call of the application above the target, or what it must learn.",
    keys: &[APP_KEYS],
};

static APP_KEYS: &[Key] = &[
    verb(
        "connect",
        Shape::Either(&[Shape::Text, Shape::Map(&APP_CONNECT)]),
        "Connects to this address instead of the peer's; or from a port that is said.",
    ),
    verb("send", Shape::Expr("a number"), "Sends so many octets of the pattern."),
    verb("send_urgent", Shape::Expr("a number"), "Sends so many octets as urgent data."),
    verb("recv", Shape::Expr("a number"), "Reads so many octets and checks them."),
    verb(
        "begin_recv",
        Shape::Expr("a number"),
        "Begins to read so many octets, and goes on; `{expect: {data: 100}}` or `{expect: error}` is what comes of it.",
    ),
    verb("shutdown", Shape::Words(&["write"]), "Closes one direction."),
    verb(
        "option",
        Shape::Dict(&Shape::Expr("a number or yes or no")),
        "Sets an option of the connection: {nodelay: true}.",
    ),
    verb(
        "status",
        Shape::Either(&[Shape::Words(STATES), Shape::List(&Shape::Words(STATES))]),
        "The state that the application sees must be this, or one of these.",
    ),
    verb(
        "urgent_left",
        Shape::Bool,
        "Whether the application, when it asks, learns that urgent data remains to be read.",
    ),
    verb(
        "expect",
        Shape::Either(&[Shape::Words(APP_EVENTS), Shape::Map(&APP_DATA)]),
        "What the application must learn.",
    ),
];

static APP_CONNECT: Mapping = Mapping {
    name: "where to connect from",
    id: "app-connect",
    doc: "An active open with a local port that the application chooses.",
    keys: &[&[required(
        "from",
        Shape::Expr("a number"),
        "The target's port. Where it has the connection already, the call must be refused.",
    )]],
};

static APP_DATA: Mapping = Mapping {
    name: "what the application learns",
    id: "app-data",
    doc: "Data that the application receives.",
    keys: &[&[required(
        "data",
        Shape::Expr("a number"),
        "So many octets arrive, and their content is right.",
    )]],
};
