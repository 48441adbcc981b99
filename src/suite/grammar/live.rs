//! The part of the grammar that a live peer adds: its application, and rules for the wire.

use super::{APP_KEYS, Key, LIVE_CALLS, Mapping, SEGMENT, SEND, Shape, key, required, verb};

pub(super) const FROM: Shape = Shape::Words(&["peer", "target"]);

pub(super) static VERBS: &[Key] = &[
    verb(
        "live",
        Shape::Either(&[Shape::Words(LIVE_CALLS), Shape::Map(&LIVE)]),
        "A call of the application above the live peer, what it must learn, or what befalls its host.",
    ),
    verb("drop", Shape::Map(&DROP), "Segments get lost on the wire from here on."),
    verb("delay", Shape::Map(&DELAY), "The wire takes its time from here on."),
    verb("duplicate", Shape::Map(&DUPLICATE), "Segments arrive more than once from here on."),
    verb("reorder", Shape::Map(&REORDER), "Segments are overtaken by later ones from here on."),
    verb("corrupt", Shape::Map(&CORRUPT), "Segments arrive with a flipped bit from here on."),
    verb("rewrite", Shape::Map(&REWRITE), "Segments arrive with other fields from here on."),
    verb("heal", Shape::Id, "Ends the rule of that label, or `all`."),
];

pub static LIVE: Mapping = Mapping {
    name: "a call above the live peer",
    id: "live",
    doc: "A call of the application above the live peer, what it must learn, or what befalls its host.",
    keys: &[
        APP_KEYS,
        &[
            verb(
                "reads",
                Shape::Either(&[Shape::Words(&["all", "none"]), Shape::Map(&READS)]),
                "How the application reads: all that comes (unless said), nothing, or slowly.",
            ),
            verb(
                "reboot",
                Shape::Map(&HOST),
                "The host forgets everything and starts again, with these settings.",
            ),
        ],
    ],
};

static READS: Mapping = Mapping {
    name: "a slow reader",
    id: "reads",
    doc: "An application that reads a little at a time.",
    keys: &[&[
        required("octets", Shape::Expr("a number"), "So many octets at a time."),
        required("every", Shape::Expr("a duration"), "The pause between."),
    ]],
};

static HOST: Mapping = Mapping {
    name: "the live peer's host",
    id: "host",
    doc: "Settings of the live peer's host.",
    keys: &[&[
        key("mss", Shape::Expr("a number"), "The MSS that it announces."),
        key("buffer", Shape::Expr("a number"), "Its receive buffer, in octets."),
        key("sack", Shape::Bool, "Permits SACK; yes unless said."),
        key("timestamps", Shape::Bool, "Offers timestamps; yes unless said."),
        key("wscale", Shape::Bool, "Offers window scaling; yes unless said."),
        key("ecn", Shape::Bool, "Asks for ECN; no unless said."),
        key(
            "delayed_ack",
            Shape::Expr("a duration"),
            "How long its ACKs may wait; 0ms acknowledges at once.",
        ),
        key("rto_min", Shape::Expr("a duration"), "Its shortest retransmission timeout."),
        key(
            "rto_initial",
            Shape::Expr("a duration"),
            "Its first retransmission timeout, before any measurement.",
        ),
        key(
            "isn",
            Shape::Expr("a number"),
            "The sequence number that its connections begin with, for the wrap.",
        ),
    ]],
};

/// Which segments: what they look like stands beside these.
static PICK: &[Key] = &[
    key("from", FROM, "Whose segments; both directions unless said."),
    key("count", Shape::Expr("a number"), "At most so many of those that match."),
    key("every", Shape::Expr("a number"), "Every n-th of those that match."),
    key("nth", Shape::Expr("a number"), "Only the n-th of those that match, from 1."),
    key("probability", Shape::Text, "By chance, from the seed: `5%`, `0.05`."),
];

static DROP: Mapping =
    Mapping { name: "a loss", id: "drop", doc: "Segments that get lost.", keys: &[SEGMENT, PICK] };

static DELAY: Mapping = Mapping {
    name: "a delay",
    id: "delay",
    doc: "How long the wire takes.",
    keys: &[
        SEGMENT,
        PICK,
        &[
            key("by", Shape::Expr("a duration"), "So long."),
            key("jitter", Shape::Expr("a duration"), "Up to so much more, by chance; the order stays."),
            key("rate", Shape::Expr("a number"), "Octets in a second."),
            key(
                "queue",
                Shape::Expr("a number"),
                "Octets that may wait for their turn; what comes then is lost.",
            ),
        ],
    ],
};

static DUPLICATE: Mapping = Mapping {
    name: "a duplication",
    id: "duplicate",
    doc: "Segments that arrive more than once.",
    keys: &[SEGMENT, PICK, &[key("times", Shape::Expr("a number"), "Further copies; one unless said.")]],
};

static REORDER: Mapping = Mapping {
    name: "a change of order",
    id: "reorder",
    doc: "Segments that later ones overtake.",
    keys: &[
        SEGMENT,
        PICK,
        &[
            key("behind", Shape::Expr("a number"), "How many later segments pass first; one unless said."),
            key("hold", Shape::Expr("a duration"), "How long it waits for them at most; 50ms unless said."),
        ],
    ],
};

static CORRUPT: Mapping = Mapping {
    name: "a corruption",
    id: "corrupt",
    doc: "Segments that arrive with a flipped bit.",
    keys: &[
        SEGMENT,
        PICK,
        &[key(
            "octet",
            Shape::Expr("a number"),
            "Which octet of the TCP segment, from 0; by chance unless said.",
        )],
    ],
};

static REWRITE: Mapping = Mapping {
    name: "a change of fields",
    id: "rewrite",
    doc: "Segments that arrive with other fields; the checksum is made to fit.",
    keys: &[
        SEGMENT,
        PICK,
        &[required(
            "set",
            Shape::Map(&SEND),
            "The fields, as `send` takes them; `none` takes an option away.",
        )],
    ],
};
