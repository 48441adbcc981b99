//! What the expressions of a step are worth at this moment.
//!
//! The names stand in `suite/names.rs`; here are their values. An expression that was checked can
//! still fail where a value does not exist yet (`irs` before the target's SYN), and the message says
//! so.

use super::book::Book;
use crate::packet::{Ip, Packet, SeqNum};
use crate::plan::Tuple;
use crate::suite::expr::{BinaryOp, Expr};
use crate::suite::model::{Family, Level};
use crate::target::profile::Profile;
use crate::time::Time;
use std::collections::BTreeMap;
use std::time::Duration;
use tcpspec_reference::{StateName, Status};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    Int(i64),
    Seq(SeqNum),
    Span(Duration),
    At(Time),
    Bool(bool),
}

/// What a label remembers of its step.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Mark {
    pub(crate) at: Time,
    pub(crate) packet: Option<Packet>,
    /// The alternative of a `one_of` that was seen.
    pub(crate) answer: Option<String>,
    /// Numbers that the application was told, by name.
    pub(crate) values: BTreeMap<String, i64>,
    /// RCV.NXT of the script's book once the step was done: how far the target has sent.
    pub(crate) rcv_nxt: Option<SeqNum>,
}

/// Everything a name can refer to.
pub(crate) struct Scope<'a> {
    pub(crate) book: &'a Book,
    /// The live peer's own variables, which a book can only infer.
    pub(crate) peer: Option<Status>,
    pub(crate) labels: &'a BTreeMap<String, Mark>,
    pub(crate) profile: &'a Profile,
    pub(crate) tuple: Tuple,
    pub(crate) family: Family,
    /// How much the case demands.
    pub(crate) level: Level,
}

impl Scope<'_> {
    /// The live peer's variables, until it has forgotten the connection: then the wire still knows.
    fn variables(&self) -> Option<Status> {
        self.peer.filter(|peer| peer.state != StateName::Closed)
    }

    /// SND.NXT of the peer.
    pub(crate) fn snd_nxt(&self) -> SeqNum {
        self.variables().map_or_else(|| self.book.snd_nxt(), |peer| SeqNum(peer.snd_nxt.0))
    }

    /// RCV.NXT of the peer.
    pub(crate) fn rcv_nxt(&self) -> SeqNum {
        self.variables()
            .filter(|_| self.book.irs.is_some())
            .map_or_else(|| self.book.rcv_nxt(), |peer| SeqNum(peer.rcv_nxt.0))
    }

    /// The Fast Open cookie of a labelled segment: `answer.fast_open`.
    pub(crate) fn cookie(&self, name: &str) -> Option<Vec<u8>> {
        let label = name.strip_suffix(".fast_open")?;
        self.labels.get(label)?.packet.as_ref()?.tcp()?.options.fast_open()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EvalError {
    #[error("`{0}` has no value yet at this step")]
    NotYet(String),
    #[error("`{0}` is not a name that can be used here")]
    Unknown(String),
    #[error("`{0}` cannot be computed")]
    Senseless(String),
}

pub(crate) fn eval(expr: &Expr, scope: &Scope<'_>) -> Result<Value, EvalError> {
    let senseless = || EvalError::Senseless(expr.to_string());
    match expr {
        Expr::Int(n) => Ok(Value::Int(*n)),
        Expr::Bool(b) => Ok(Value::Bool(*b)),
        Expr::Duration(d) => Ok(Value::Span(stretch(*d, scope.profile.timing.scale))),
        Expr::Name(name) => name_value(name, scope),
        Expr::Neg(inner) => match eval(inner, scope)? {
            Value::Int(n) => n.checked_neg().map(Value::Int).ok_or_else(senseless),
            _ => Err(senseless()),
        },
        Expr::Not(inner) => match eval(inner, scope)? {
            Value::Bool(b) => Ok(Value::Bool(!b)),
            _ => Err(senseless()),
        },
        Expr::Binary(op, a, b) => binary(*op, eval(a, scope)?, eval(b, scope)?).ok_or_else(senseless),
    }
}

/// Literal times are for a target at scale 1, and so is what a prompt answer takes; what the manifest states otherwise is
/// as it is.
pub(crate) fn stretch(span: Duration, scale: f64) -> Duration {
    Duration::try_from_secs_f64(span.as_secs_f64() * scale).unwrap_or(span)
}

fn binary(op: BinaryOp, a: Value, b: Value) -> Option<Value> {
    use BinaryOp::{Add, And, Div, Eq, Ge, Gt, Le, Lt, Mul, Ne, Or, Sub};
    Some(match (op, a, b) {
        (Add, Value::Int(a), Value::Int(b)) => Value::Int(a.checked_add(b)?),
        (Sub, Value::Int(a), Value::Int(b)) => Value::Int(a.checked_sub(b)?),
        (Mul, Value::Int(a), Value::Int(b)) => Value::Int(a.checked_mul(b)?),
        (Div, Value::Int(a), Value::Int(b)) => Value::Int(a.checked_div(b)?),
        (Add, Value::Seq(s), Value::Int(n)) | (Add, Value::Int(n), Value::Seq(s)) => Value::Seq(s + wrap(n)),
        (Sub, Value::Seq(s), Value::Int(n)) => Value::Seq(s - wrap(n)),
        (Sub, Value::Seq(a), Value::Seq(b)) => Value::Int(i64::from(a.diff(b))),
        (Add, Value::Span(a), Value::Span(b)) => Value::Span(a.saturating_add(b)),
        (Sub, Value::Span(a), Value::Span(b)) => Value::Span(a.saturating_sub(b)),
        (Mul, Value::Span(d), Value::Int(n)) | (Mul, Value::Int(n), Value::Span(d)) => {
            Value::Span(d.saturating_mul(u32::try_from(n).ok()?))
        }
        (Div, Value::Span(d), Value::Int(n)) => Value::Span(d.checked_div(u32::try_from(n).ok()?)?),
        (Div, Value::Span(a), Value::Span(b)) => {
            Value::Int(i64::try_from(a.as_nanos().checked_div(b.as_nanos())?).ok()?)
        }
        (Add, Value::At(t), Value::Span(d)) => Value::At(t + d),
        (Sub, Value::At(t), Value::Span(d)) => Value::At(t - d),
        (Sub, Value::At(a), Value::At(b)) => Value::Span(a.since(b)),
        (And, Value::Bool(a), Value::Bool(b)) => Value::Bool(a && b),
        (Or, Value::Bool(a), Value::Bool(b)) => Value::Bool(a || b),
        (Eq, a, b) => Value::Bool(order(a, b)?.is_eq()),
        (Ne, a, b) => Value::Bool(order(a, b)?.is_ne()),
        (Lt, a, b) => Value::Bool(order(a, b)?.is_lt()),
        (Le, a, b) => Value::Bool(order(a, b)?.is_le()),
        (Gt, a, b) => Value::Bool(order(a, b)?.is_gt()),
        (Ge, a, b) => Value::Bool(order(a, b)?.is_ge()),
        _ => return None,
    })
}

/// Sequence numbers compare modulo 2^32.
fn order(a: Value, b: Value) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(&b)),
        (Value::Seq(a), Value::Seq(b)) => Some(a.diff(b).cmp(&0)),
        (Value::Seq(a), Value::Int(b)) => Some(a.diff(SeqNum(wrap(b))).cmp(&0)),
        (Value::Int(a), Value::Seq(b)) => Some(SeqNum(wrap(a)).diff(b).cmp(&0)),
        (Value::Span(a), Value::Span(b)) => Some(a.cmp(&b)),
        (Value::At(a), Value::At(b)) => Some(a.cmp(&b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(&b)),
        _ => None,
    }
}

/// A whole number as a distance or a number on the circle of 2^32.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "modulo 2^32 is what is meant")]
pub(crate) fn wrap(n: i64) -> u32 {
    n.rem_euclid(1 << 32) as u32
}

fn name_value(name: &str, scope: &Scope<'_>) -> Result<Value, EvalError> {
    let not_yet = || EvalError::NotYet(name.to_owned());
    if let Some(rest) = name.strip_prefix("target.") {
        return target_value(rest, scope).ok_or_else(not_yet);
    }
    let book = scope.book;
    let value = match name {
        "isn" => Value::Seq(book.isn),
        "irs" => Value::Seq(book.irs.ok_or_else(not_yet)?),
        "snd.nxt" => Value::Seq(scope.snd_nxt()),
        "snd.max" => {
            Value::Seq(scope.variables().map_or_else(|| book.snd_max(), |peer| SeqNum(peer.snd_nxt.0)))
        }
        "snd.una" => Value::Seq(scope.variables().map_or(book.snd_una, |peer| SeqNum(peer.snd_una.0))),
        "snd.wnd" => Value::Int(i64::from(scope.variables().map_or(book.snd_wnd, |peer| peer.snd_wnd))),
        "rcv.nxt" => Value::Seq(book.irs.map(|_| scope.rcv_nxt()).ok_or_else(not_yet)?),
        "rcv.wnd" => Value::Int(i64::from(scope.variables().map_or(book.rcv_wnd, |peer| peer.rcv_wnd))),
        "peer.port" => Value::Int(i64::from(scope.tuple.peer_port)),
        _ => return label_value(name, scope),
    };
    Ok(value)
}

fn label_value(name: &str, scope: &Scope<'_>) -> Result<Value, EvalError> {
    let unknown = || EvalError::Unknown(name.to_owned());
    let not_yet = || EvalError::NotYet(name.to_owned());
    let (label, attribute) = name.split_once('.').ok_or_else(unknown)?;
    let mark = scope.labels.get(label).ok_or_else(not_yet)?;
    if attribute == "time" {
        return Ok(Value::At(mark.at));
    }
    if let Some(value) = mark.values.get(attribute) {
        return Ok(Value::Int(*value));
    }
    if attribute == "rcv_nxt" {
        return mark.rcv_nxt.map(Value::Seq).ok_or_else(not_yet);
    }
    let answered = || mark.answer.as_ref().map(|seen| Value::Bool(seen == attribute)).ok_or_else(not_yet);
    let Some((packet, tcp)) = mark.packet.as_ref().and_then(|packet| Some((packet, packet.tcp()?))) else {
        return answered();
    };
    let int = |n: Option<i64>| n.map(Value::Int).ok_or_else(not_yet);
    let stamps = tcp.options.timestamps();
    match attribute {
        "seq" => Ok(Value::Seq(tcp.seq())),
        "ack" => Ok(Value::Seq(tcp.ack())),
        "end" => Ok(Value::Seq(tcp.seq_end())),
        "len" => int(i64::try_from(tcp.payload.len()).ok()),
        "window" => int(Some(tcp.window().0.into())),
        "src_port" => int(Some(tcp.sport().into())),
        "dst_port" => int(Some(tcp.dport().into())),
        "mss" => int(tcp.options.mss().map(Into::into)),
        "wscale" => int(tcp.options.window_scale().map(Into::into)),
        "ts_val" => stamps.map(|(val, _)| Value::Seq(SeqNum(val))).ok_or_else(not_yet),
        "ts_ecr" => stamps.map(|(_, ecr)| Value::Seq(SeqNum(ecr))).ok_or_else(not_yet),
        "ttl" => int(packet.ip.as_ref().and_then(Ip::ttl).map(Into::into)),
        "ip_id" => match &packet.ip {
            Some(Ip::V4(ip)) => int(ip.id.map(Into::into)),
            Some(Ip::V6(_)) | None => Err(not_yet()),
        },
        _ => answered(),
    }
}

/// Names that begin with `target.`: its variables by the wire, its manifest, its abilities.
fn target_value(name: &str, scope: &Scope<'_>) -> Option<Value> {
    let book = scope.book;
    Some(match name {
        "rcv.nxt" => Value::Seq(book.target_rcv_nxt()),
        "rcv.wnd" => Value::Int(i64::from(book.target_rcv_wnd())),
        "snd.nxt" => Value::Seq(book.irs.map(|_| book.target_max)?),
        "snd.una" => Value::Seq(book.acked.map(|(ack, _)| ack).or(book.irs)?),
        "snd.wnd" => Value::Int(i64::from(book.rcv_wnd)),
        "port" => Value::Int(i64::from(scope.tuple.target_port)),
        _ => stated(name, scope.profile, scope.family)
            .unwrap_or_else(|| Value::Bool(scope.profile.abilities.contains(&name.replace('_', "-")))),
    })
}

/// Of the names that begin with `target.`, what the manifest states: true before the case starts.
fn stated(name: &str, profile: &Profile, family: Family) -> Option<Value> {
    let timing = &profile.timing;
    Some(match name {
        "mss" => Value::Int(i64::from(profile.mss(family))),
        "msl" => Value::Span(timing.msl),
        "rto.initial" => Value::Span(timing.rto_initial),
        "rto.min" => Value::Span(timing.rto_min),
        "rto.max" => Value::Span(timing.rto_max),
        "delayed_ack" => Value::Span(timing.delayed_ack),
        "persist.min" => Value::Span(timing.persist_min),
        "persist.max" => Value::Span(timing.persist_max),
        "keepalive.idle" => Value::Span(timing.keepalive_idle),
        "keepalive.interval" => Value::Span(timing.keepalive_interval),
        "keepalive.count" => Value::Int(i64::from(timing.keepalive_count)),
        "user_timeout" => Value::Span(timing.user_timeout),
        "fin_wait_2" => Value::Span(timing.fin_wait_2),
        "reply" => Value::Span(stretch(timing.reply, timing.scale)),
        "buffer" => Value::Int(i64::from(profile.limits.buffer)),
        "backlog" => Value::Int(i64::from(profile.limits.backlog)),
        "connections" => Value::Int(i64::from(profile.limits.connections)),
        "syn_retries" => Value::Int(i64::from(profile.limits.syn_retries)),
        _ => return None,
    })
}

/// A whole number that is known before the case starts.
pub(crate) fn known(expr: &Expr, profile: &Profile, family: Family) -> Option<i64> {
    fn value(expr: &Expr, profile: &Profile, family: Family) -> Option<Value> {
        match expr {
            Expr::Int(n) => Some(Value::Int(*n)),
            Expr::Duration(span) => Some(Value::Span(stretch(*span, profile.timing.scale))),
            Expr::Name(name) => stated(name.strip_prefix("target.")?, profile, family),
            Expr::Binary(op, a, b) => binary(*op, value(a, profile, family)?, value(b, profile, family)?),
            Expr::Neg(inner) => binary(BinaryOp::Sub, Value::Int(0), value(inner, profile, family)?),
            Expr::Bool(_) | Expr::Not(_) => None,
        }
    }
    match value(expr, profile, family)? {
        Value::Int(n) => Some(n),
        Value::Seq(_) | Value::Span(_) | Value::At(_) | Value::Bool(_) => None,
    }
}

/// Texts of a case may name runtime values: `port {target.port}`.
pub(crate) fn fill_in(text: &str, scope: &Scope<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match name_value(name, scope) {
            Ok(value) => out.push_str(&show(value)),
            Err(_) => out.push_str(&format!("{{{name}}}")),
        }
        rest = tail;
    }
    out + rest
}

fn show(value: Value) -> String {
    match value {
        Value::Int(n) => n.to_string(),
        Value::Seq(s) => s.0.to_string(),
        Value::Span(d) => crate::time::span(d),
        Value::At(t) => t.to_string(),
        Value::Bool(b) => b.to_string(),
    }
}
