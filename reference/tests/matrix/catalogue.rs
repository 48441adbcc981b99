//! Reads the rows of `suites/catalog/state-event-matrix.yaml`.

use serde_yaml::Value;
use tcpspec_reference::wire::Flags;

/// One segment that a row expects, in the notation of the catalogue.
#[derive(Clone, Debug)]
pub(crate) struct Emit {
    pub(crate) flags: Flags,
    /// Bits that may be added.
    pub(crate) may: Flags,
    pub(crate) seq: String,
    pub(crate) ack: Option<String>,
    pub(crate) window: Option<u16>,
    pub(crate) urgent: bool,
    pub(crate) data: bool,
    pub(crate) at_once: bool,
}

/// One row: what an event means in a state.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) class: String,
    pub(crate) is_segment: bool,
    pub(crate) variant: String,
    pub(crate) origin: Option<String>,
    pub(crate) emit: Vec<Emit>,
    pub(crate) next_state: String,
    pub(crate) app_signal: String,
    pub(crate) strength: String,
    pub(crate) note: String,
}

/// All rows of a catalogue, in its order.
pub(crate) fn rows(text: &str) -> Vec<Row> {
    let root: Value = serde_yaml::from_str(text).expect("the catalogue is YAML");
    let rows = root.get("rows").and_then(Value::as_sequence).expect("the catalogue has rows");
    rows.iter().map(row).collect()
}

fn row(value: &Value) -> Row {
    let field = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let emit = value.get("emit").and_then(Value::as_sequence).expect("a row says what is emitted");
    Row {
        id: field("id"),
        state: field("state"),
        class: field("event_class"),
        is_segment: field("event") == "segment",
        variant: field("variant"),
        origin: value.get("origin").and_then(Value::as_str).map(str::to_owned),
        emit: emit.iter().map(template).collect(),
        next_state: field("next_state"),
        app_signal: field("app_signal"),
        strength: field("strength"),
        note: field("note"),
    }
}

fn template(value: &Value) -> Emit {
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    Emit {
        flags: flags(field("ctl").expect("a segment has control bits")),
        may: flags(field("ctl_may").unwrap_or_default()),
        seq: field("seq").unwrap_or_default().to_owned(),
        ack: field("ack").map(str::to_owned),
        window: field("wnd").map(|text| text.parse().expect("a window is a number")),
        urgent: field("up").is_some(),
        data: field("data").is_some(),
        at_once: field("timing").is_some_and(|text| text.contains("immediate")),
    }
}

/// The control bits that a text names; what stands in brackets is a remark.
fn flags(text: &str) -> Flags {
    let bare = text.split(" (").next().unwrap_or_default();
    bare.split(',').map(str::trim).fold(Flags::default(), |all, name| {
        all | match name {
            "FIN" => Flags::FIN,
            "SYN" => Flags::SYN,
            "RST" => Flags::RST,
            "PSH" => Flags::PSH,
            "ACK" => Flags::ACK,
            "URG" => Flags::URG,
            "" => Flags::default(),
            other => panic!("no control bit {other}"),
        }
    })
}
