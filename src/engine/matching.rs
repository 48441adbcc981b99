//! Holding a packet of the target against what a step wants of it, and wording the difference.
//!
//! The comparison itself is `packet::Pattern`'s; here the names of the case are given their values,
//! and the outcome is worded in those names: `ack = isn+1 (1001), got isn (1000)`.

use super::book::Book;
use super::compose::{modular, named_icmp};
use super::eval::{EvalError, Scope, Value, eval, wrap};
use super::event::Cell;
use super::io::hex;
use crate::packet::{
    Comparison, Field, Flags, FlagsWant, Packet, Pattern as Wanted, Seen, SeqNum, TcpOption, Want,
};
use crate::suite::expr::{BinaryOp, Bound, Expr};
use crate::suite::model::{FieldName, Fields, FlagSpec, OctetField, OptionSpec, Pattern, SackSpec};

/// A pattern with its numbers filled in.
pub(crate) struct Resolved {
    wanted: Wanted,
    /// The case's own words for each field, in the order of `wanted.fields`.
    words: Vec<String>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Segment,
    Icmp,
    Any,
}

impl Resolved {
    pub(crate) fn of(pattern: &Pattern, scope: &Scope<'_>) -> Result<Self, EvalError> {
        let (fields, kind) = match pattern {
            Pattern::Segment(fields) => (fields, Kind::Segment),
            Pattern::Icmp(fields) => (fields, Kind::Icmp),
            Pattern::Any => (&Fields::default(), Kind::Any),
        };
        let mut resolved = Self {
            wanted: Wanted { flags: fields.flags.map(flags_want), fields: Vec::new() },
            words: Vec::new(),
            kind,
        };
        for (name, bound) in &fields.values {
            let field = field_of(*name);
            if let (FieldName::IcmpType, Bound::Word(message)) = (name, bound) {
                resolved.push_icmp(message, scope)?;
                continue;
            }
            let want = match (name, bound) {
                (FieldName::FastOpen, bound) => cookie_want(bound, scope)?,
                (_, bound) => want(bound, scope)?,
            };
            resolved.push(field, want, bound.to_string());
        }
        if let Some(sack) = &fields.sack {
            resolved.push(Field::Sack, sack_want(sack, scope)?, sack_words(sack));
        }
        if let Some(options) = &fields.options {
            let list = options.iter().map(|o| option(o, scope)).collect::<Result<Vec<_>, _>>()?;
            let words = list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            resolved.push(Field::Options, Want::Options(list), words);
        }
        for (name, octets) in &fields.octets {
            let want = Want::Octets(octets.clone());
            let words = want.to_string();
            resolved.push(octet_field(*name), want, words);
        }
        Ok(resolved)
    }

    /// A message by its name is a type and a code.
    fn push_icmp(&mut self, message: &str, scope: &Scope<'_>) -> Result<(), EvalError> {
        let (kind, code) =
            named_icmp(message, scope.family).map_err(|_| EvalError::Unknown(message.to_owned()))?;
        self.push(Field::IcmpType, Want::Exact(kind.into()), message.to_owned());
        self.push(Field::IcmpCode, Want::Exact(code.into()), code.to_string());
        Ok(())
    }

    fn push(&mut self, field: Field, want: Want, words: String) {
        self.wanted.fields.push((field, want));
        self.words.push(words);
    }

    fn fits_kind(&self, packet: &Packet) -> bool {
        match self.kind {
            Kind::Segment => packet.tcp().is_some(),
            Kind::Icmp => packet.icmp().is_some(),
            Kind::Any => true,
        }
    }

    pub(crate) fn matches(&self, packet: &Packet) -> bool {
        self.fits_kind(packet) && self.wanted.matches(packet)
    }

    /// The port that a segment is sent to is part of what is wanted: it may be of another connection.
    pub(crate) fn names_port(&self) -> bool {
        self.wanted.fields.iter().any(|(field, _)| matches!(field, Field::DstPort | Field::SrcPort))
    }

    /// One cell a field, in the words of the case.
    pub(crate) fn cells(&self, packet: &Packet, book: &Book) -> Vec<Cell> {
        if !self.fits_kind(packet) {
            return Vec::new();
        }
        let flagged = usize::from(self.wanted.flags.is_some());
        let compared = self.wanted.compare(packet);
        compared
            .iter()
            .enumerate()
            .map(|(index, comparison)| match index.checked_sub(flagged) {
                None => flag_cell(comparison),
                Some(at) => cell(comparison, self.words.get(at).map_or("", String::as_str), book),
            })
            .collect()
    }

    /// What is expected, in one line.
    pub(crate) fn line(&self) -> String {
        let mut parts = Vec::new();
        match self.kind {
            Kind::Any => parts.push("any segment".to_owned()),
            Kind::Icmp => parts.push("ICMP".to_owned()),
            Kind::Segment => match &self.wanted.flags {
                Some(flags) => parts.push(flags.to_string()),
                None => parts.push("a segment".to_owned()),
            },
        }
        for ((field, want), words) in self.wanted.fields.iter().zip(&self.words) {
            parts.push(with_label(*field, &expected_words(*field, want, words)));
        }
        parts.join("  ")
    }
}

fn flags_want(spec: FlagSpec) -> FlagsWant {
    FlagsWant {
        exact: spec.core.map(Flags::from_bits),
        plus: Flags::from_bits(spec.plus),
        minus: Flags::from_bits(spec.minus),
    }
}

fn flag_cell(comparison: &Comparison) -> Cell {
    let got = match (&comparison.got, &comparison.expected) {
        (Seen::Flags(seen), Want::Flags(wanted)) => wanted.relevant(*seen).to_string(),
        (seen, _) => seen.to_string(),
    };
    Cell { field: String::new(), expected: comparison.expected.to_string(), got, differs: comparison.differs }
}

fn cell(comparison: &Comparison, words: &str, book: &Book) -> Cell {
    let field = comparison.field;
    Cell {
        field: field.to_string(),
        expected: expected_words(field, &comparison.expected, words),
        got: match (&comparison.got, owner(field)) {
            (Seen::Number(n), Some(side)) => named(SeqNum(wrap(i64::try_from(*n).unwrap_or(0))), side, book),
            (seen, _) => seen.to_string(),
        },
        differs: comparison.differs,
    }
}

/// `isn + 1` with the number it stands for.
fn expected_words(field: Field, want: &Want, words: &str) -> String {
    match want {
        Want::Exact(n) if *words != n.to_string() => {
            if matches!(field, Field::Df | Field::MoreFragments | Field::SackPermitted) {
                words.to_owned()
            } else {
                format!("{} ({n})", words.replace(" + ", "+").replace(" - ", "-"))
            }
        }
        _ => words.to_owned(),
    }
}

/// Whose sequence numbers a field of a target's segment counts in.
#[derive(Clone, Copy)]
enum Owner {
    Ours,
    Theirs,
}

fn owner(field: Field) -> Option<Owner> {
    match field {
        Field::Seq => Some(Owner::Theirs),
        Field::Ack | Field::SackLeft(_) | Field::SackRight(_) => Some(Owner::Ours),
        _ => None,
    }
}

/// `isn+1 (1001)`: the distance from the initial number, where that is what a reader looks for.
fn named(number: SeqNum, owner: Owner, book: &Book) -> String {
    let (name, base) = match owner {
        Owner::Ours => ("isn", Some(book.isn)),
        Owner::Theirs => ("irs", book.irs),
    };
    match base.map(|base| number.diff(base)) {
        Some(0) => format!("{name} ({number})"),
        Some(n @ 1..=0x0fff_ffff) => format!("{name}+{n} ({number})"),
        Some(n @ -0xffff..=-1) => format!("{name}{n} ({number})"),
        _ => number.to_string(),
    }
}

/// A field and its value in running text: `ack = isn+1 (1001)`, `mss any`.
fn with_label(field: Field, text: &str) -> String {
    let joint = if owner(field).is_some() { " = " } else { " " };
    format!("{field}{joint}{text}")
}

fn want(bound: &Bound, scope: &Scope<'_>) -> Result<Want, EvalError> {
    Ok(match bound {
        Bound::Any => Want::Any,
        Bound::Absent => Want::Absent,
        Bound::Is(expr) => match eval(expr, scope)? {
            // `sack_permitted: no` is the absence of the option.
            Value::Bool(false) => Want::OneOf(vec![Want::Absent, Want::Exact(0)]),
            Value::Bool(true) => Want::Exact(1),
            _ => Want::Exact(number(expr, scope)?),
        },
        Bound::Range(a, b) => Want::Range(number(a, scope)?, number(b, scope)?),
        Bound::Compare(op, expr) => {
            let n = number(expr, scope)?;
            match op {
                BinaryOp::Lt => Want::Less(n),
                BinaryOp::Le => Want::AtMost(n),
                BinaryOp::Gt => Want::Greater(n),
                BinaryOp::Ge => Want::AtLeast(n),
                BinaryOp::Ne => Want::Not(n),
                BinaryOp::Eq => Want::Exact(n),
                BinaryOp::Add
                | BinaryOp::Sub
                | BinaryOp::Mul
                | BinaryOp::Div
                | BinaryOp::And
                | BinaryOp::Or => return Err(EvalError::Senseless(bound.to_string())),
            }
        }
        Bound::OneOf(list) => {
            Want::OneOf(list.iter().map(|bound| want(bound, scope)).collect::<Result<_, _>>()?)
        }
        Bound::Word(word) => match word.as_str() {
            "good" => Want::Good,
            "bad" => Want::Bad,
            other => return Err(EvalError::Unknown(other.to_owned())),
        },
    })
}

/// A Fast Open option: with a cookie, asking for one, or the cookie of an earlier segment.
fn cookie_want(bound: &Bound, scope: &Scope<'_>) -> Result<Want, EvalError> {
    match bound {
        Bound::Word(word) if word == "request" => Ok(Want::Exact(0)),
        Bound::Word(word) => {
            hex::decode(word).map(Want::Octets).ok_or_else(|| EvalError::Senseless(word.clone()))
        }
        Bound::Is(Expr::Name(name)) if scope.cookie(name).is_some() => {
            Ok(Want::Octets(scope.cookie(name).unwrap_or_default()))
        }
        other => want(other, scope),
    }
}

fn number(expr: &Expr, scope: &Scope<'_>) -> Result<u64, EvalError> {
    match eval(expr, scope)? {
        Value::Int(n) => u64::try_from(n).map_err(|_| EvalError::Senseless(expr.to_string())),
        Value::Seq(s) => Ok(u64::from(s.0)),
        Value::Bool(b) => Ok(u64::from(b)),
        Value::Span(_) | Value::At(_) => Err(EvalError::Senseless(expr.to_string())),
    }
}

fn sack_want(sack: &SackSpec, scope: &Scope<'_>) -> Result<Want, EvalError> {
    Ok(match sack {
        SackSpec::Any => Want::Any,
        SackSpec::None => Want::Absent,
        SackSpec::Blocks(blocks) => Want::Blocks(self::blocks(blocks, scope)?),
    })
}

fn blocks(blocks: &[(Expr, Expr)], scope: &Scope<'_>) -> Result<Vec<(SeqNum, SeqNum)>, EvalError> {
    blocks.iter().map(|(a, b)| Ok((SeqNum(modular(a, scope)?), SeqNum(modular(b, scope)?)))).collect()
}

fn sack_words(sack: &SackSpec) -> String {
    match sack {
        SackSpec::Any => "any".to_owned(),
        SackSpec::None => "none".to_owned(),
        SackSpec::Blocks(blocks) => {
            blocks.iter().map(|(a, b)| format!("{a}..{b}")).collect::<Vec<_>>().join(", ")
        }
    }
}

fn option(option: &OptionSpec, scope: &Scope<'_>) -> Result<TcpOption, EvalError> {
    let short = |expr: &Expr| -> Result<u16, EvalError> {
        u16::try_from(number(expr, scope)?).map_err(|_| EvalError::Senseless(expr.to_string()))
    };
    Ok(match option {
        OptionSpec::Eol => TcpOption::Eol,
        OptionSpec::Nop => TcpOption::Nop,
        OptionSpec::Mss(e) => TcpOption::Mss(short(e)?),
        OptionSpec::Wscale(e) => {
            TcpOption::WindowScale(u8::try_from(short(e)?).map_err(|_| EvalError::Senseless(e.to_string()))?)
        }
        OptionSpec::SackPermitted => TcpOption::SackPermitted,
        OptionSpec::Timestamps(val, ecr) => {
            TcpOption::Timestamps { val: modular(val, scope)?, ecr: modular(ecr, scope)? }
        }
        OptionSpec::Sack(list) => TcpOption::Sack(blocks(list, scope)?),
        OptionSpec::Raw(octets) => TcpOption::Raw(octets.clone()),
    })
}

fn octet_field(field: OctetField) -> Field {
    match field {
        OctetField::RawOptions => Field::RawOptions,
        OctetField::IpOptions => Field::IpOptions,
        OctetField::Data => Field::Data,
        OctetField::Trailer => Field::Trailer,
        // Addresses are the tuple's; the checker refuses them in patterns.
        OctetField::Src | OctetField::Dst => Field::Trailer,
    }
}

fn field_of(name: FieldName) -> Field {
    match name {
        FieldName::Seq => Field::Seq,
        FieldName::Ack => Field::Ack,
        FieldName::Window => Field::Window,
        FieldName::Urgent => Field::Urgent,
        FieldName::Len => Field::Len,
        FieldName::Mss => Field::Mss,
        FieldName::Wscale => Field::Wscale,
        FieldName::SackPermitted => Field::SackPermitted,
        FieldName::TsVal => Field::TsVal,
        FieldName::TsEcr => Field::TsEcr,
        FieldName::FastOpen => Field::FastOpen,
        FieldName::UserTimeout => Field::UserTimeout,
        FieldName::Offset => Field::Offset,
        FieldName::Reserved => Field::Reserved,
        FieldName::Checksum => Field::Checksum,
        FieldName::SrcPort => Field::SrcPort,
        FieldName::DstPort => Field::DstPort,
        FieldName::Ttl => Field::Ttl,
        FieldName::Tos => Field::Tos,
        FieldName::Ecn => Field::Ecn,
        FieldName::Df => Field::Df,
        FieldName::IpId => Field::IpId,
        FieldName::IpChecksum => Field::IpChecksum,
        FieldName::IpLength => Field::IpLength,
        FieldName::IpVersion => Field::IpVersion,
        FieldName::Ihl => Field::Ihl,
        FieldName::MoreFragments => Field::MoreFragments,
        FieldName::FragmentOffset => Field::FragmentOffset,
        FieldName::IcmpType => Field::IcmpType,
        FieldName::IcmpCode => Field::IcmpCode,
        FieldName::Mtu => Field::Mtu,
    }
}
