//! Segments: from the keys of `send` and `expect` to [`Fields`].

use super::Lower;
use super::values::{Open, constant};
use crate::suite::check;
use crate::suite::diagnostic::{Code, Diagnostic};
use crate::suite::expr::{Bound, Expr, Type};
use crate::suite::grammar::{self, Shape};
use crate::suite::model::{
    Cut, FieldName, Fields, FlagSpec, IcmpKind, IcmpSend, OctetField, OptionSpec, Pattern, SackSpec, Send,
};
use crate::suite::scope::Env;
use crate::suite::source::Span;
use crate::suite::yaml::{Entry, Node};
use std::net::IpAddr;

/// Whether the fields are put on the wire or looked for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Use {
    Send,
    Match,
}

/// Number fields by key: what they become, their type, their largest value.
const NUMBERS: &[(&str, FieldName, Type, i64)] = &[
    ("seq", FieldName::Seq, Type::Seq, 0xffff_ffff),
    ("ack", FieldName::Ack, Type::Seq, 0xffff_ffff),
    ("window", FieldName::Window, Type::Int, 0xffff),
    ("urgent", FieldName::Urgent, Type::Int, 0xffff),
    ("len", FieldName::Len, Type::Int, 0xffff),
    ("mss", FieldName::Mss, Type::Int, 0xffff),
    ("wscale", FieldName::Wscale, Type::Int, 0xff),
    ("user_timeout", FieldName::UserTimeout, Type::Int, 0xffff),
    ("offset", FieldName::Offset, Type::Int, 0xf),
    ("reserved", FieldName::Reserved, Type::Int, 0xf),
    ("checksum", FieldName::Checksum, Type::Int, 0xffff),
    ("src_port", FieldName::SrcPort, Type::Int, 0xffff),
    ("dst_port", FieldName::DstPort, Type::Int, 0xffff),
    ("ttl", FieldName::Ttl, Type::Int, 0xff),
    ("tos", FieldName::Tos, Type::Int, 0xff),
    ("ecn", FieldName::Ecn, Type::Int, 3),
    ("ip_id", FieldName::IpId, Type::Int, 0xffff),
    ("ip_checksum", FieldName::IpChecksum, Type::Int, 0xffff),
    ("ip_length", FieldName::IpLength, Type::Int, 0xffff),
    ("ip_version", FieldName::IpVersion, Type::Int, 0xf),
    ("ihl", FieldName::Ihl, Type::Int, 0xf),
    ("fragment_offset", FieldName::FragmentOffset, Type::Int, 0x1fff),
];

const TIMESTAMPS: [(&str, FieldName, Type, i64); 2] =
    [("val", FieldName::TsVal, Type::Seq, 0xffff_ffff), ("ecr", FieldName::TsEcr, Type::Seq, 0xffff_ffff)];

/// The option that a key names, for those that a segment may lack.
pub(super) fn option_named(key: &str) -> Option<FieldName> {
    match key {
        "mss" => Some(FieldName::Mss),
        "wscale" => Some(FieldName::Wscale),
        "sack_permitted" => Some(FieldName::SackPermitted),
        "timestamps" => Some(FieldName::TsVal),
        _ => None,
    }
}

impl<'a> Lower<'a> {
    pub(super) fn send(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Send> {
        let (node, env) = self.resolve(node, env, &Shape::Map(&grammar::SEND));
        let Some(entries) = node.entries() else {
            check::wrong_shape(node, "`send`", "a mapping", &mut self.sink);
            return None;
        };
        if let Some(entry) = self.alone(entries, &["raw", "icmp"]) {
            return match entry.key.value.as_str() {
                "raw" => Some(Send::Raw(self.octets(&entry.value, &env)?)),
                _ => Some(Send::Icmp(self.icmp_send(&entry.value, &env)?)),
            };
        }
        Some(Send::Segment(self.fields(entries, &env, Use::Send)))
    }

    /// A key that leaves no room for others, if there is one.
    pub(super) fn alone(&mut self, entries: &'a [Entry], keys: &[&str]) -> Option<&'a Entry> {
        let entry = entries.iter().find(|entry| keys.contains(&entry.key.value.as_str()))?;
        // Whose segment it is goes with any of them.
        let beside = |other: &&Entry| other.key.span != entry.key.span && other.key.value != "from";
        if let Some(other) = entries.iter().find(beside) {
            let message = format!("`{}` stands alone, without `{}`", entry.key.value, other.key.value);
            let found = Diagnostic::new(Code::SeveralVerbs, other.key.span, message);
            self.push(found.context(entry.key.span, "instead of a segment"));
        }
        Some(entry)
    }

    fn icmp_send(&mut self, node: &'a Node, env: &Env<'a>) -> Option<IcmpSend> {
        let kind = self.text(node.get("type")?, env, Open::Refuse)?;
        let code = node.get("code").and_then(|code| self.expr(code, env, &[Type::Int]));
        let number = kind.text.starts_with(|c: char| c.is_ascii_digit());
        let kind = if number {
            let kind = self.expr(node.get("type")?, env, &[Type::Int])?;
            IcmpKind::Numbers { kind, code: code.unwrap_or(Expr::Int(0)) }
        } else {
            if !grammar::ICMP_KINDS.contains(&kind.text.as_str()) {
                self.unknown_word(Code::UnknownWord, kind.span, "ICMP type", &kind.text, grammar::ICMP_KINDS);
            }
            IcmpKind::Named(kind.text)
        };
        let mut number = |key: &str| node.get(key).and_then(|value| self.expr(value, env, &[Type::Int]));
        let (mtu, quote_len) = (number("mtu"), number("quote_len"));
        let quote =
            node.get("quote").and_then(Node::entries).map(|entries| self.fields(entries, env, Use::Send));
        Some(IcmpSend { kind, mtu, quote: quote.unwrap_or_default(), quote_len })
    }

    /// `any`, or a mapping that describes a segment or ICMP message.
    pub(super) fn pattern(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Pattern> {
        let (node, env) = self.resolve(node, env, &Shape::Map(&grammar::PATTERN));
        if let Some(entries) = node.entries() {
            return Some(self.pattern_entries(entries, &env));
        }
        let word = self.text(node, &env, Open::Refuse)?;
        if word.text == "any" {
            return Some(Pattern::Any);
        }
        self.unknown_word(Code::UnknownWord, word.span, "pattern", &word.text, &["any", "none"]);
        None
    }

    pub(super) fn pattern_entries(&mut self, entries: &'a [Entry], env: &Env<'a>) -> Pattern {
        match self.alone(entries, &["icmp"]) {
            Some(entry) => Pattern::Icmp(self.icmp_pattern(&entry.value, env)),
            None => Pattern::Segment(self.fields(entries, env, Use::Match)),
        }
    }

    fn icmp_pattern(&mut self, node: &'a Node, env: &Env<'a>) -> Fields {
        let mut fields = Fields::default();
        for entry in node.entries().unwrap_or_default() {
            let name = match entry.key.value.as_str() {
                "type" => FieldName::IcmpType,
                "code" => FieldName::IcmpCode,
                "mtu" => FieldName::Mtu,
                _ => continue,
            };
            let named = name == FieldName::IcmpType
                && entry.value.scalar().is_some_and(|text| grammar::ICMP_KINDS.contains(&text));
            let bound = match named {
                true => entry.value.scalar().map(|text| Bound::Word(text.to_owned())),
                false => self.bound(&entry.value, env, &[Type::Int]).map(|(bound, _)| bound),
            };
            fields.values.extend(bound.map(|bound| (name, bound)));
        }
        fields
    }

    pub(super) fn fields(&mut self, entries: &'a [Entry], env: &Env<'a>, how: Use) -> Fields {
        let mut fields = Fields::default();
        for entry in entries {
            self.field(entry, env, how, &mut fields);
        }
        fields
    }

    pub(super) fn field(&mut self, entry: &'a Entry, env: &Env<'a>, how: Use, out: &mut Fields) {
        let (key, value) = (entry.key.value.as_str(), &entry.value);
        if let Some(number) = NUMBERS.iter().find(|(name, ..)| *name == key) {
            return self.number(number, value, env, how, out);
        }
        let octets = match key {
            "raw_options" => Some(OctetField::RawOptions),
            "ip_options" => Some(OctetField::IpOptions),
            "trailer" => Some(OctetField::Trailer),
            _ => None,
        };
        if let Some(field) = octets {
            out.octets.extend(self.octets(value, env).map(|octets| (field, octets)));
            return;
        }
        match key {
            "flags" => out.flags = self.flags(value, env),
            "data" => out.octets.extend(self.data(value, env).map(|octets| (OctetField::Data, octets))),
            "src" => out.octets.extend(self.address(value, env).map(|octets| (OctetField::Src, octets))),
            "dst" => out.octets.extend(self.address(value, env).map(|octets| (OctetField::Dst, octets))),
            "counts" => out.counts = self.yes(value, env),
            "fragments" => out.fragments = self.cut(value, env),
            "options" => out.options = self.options(value, env),
            "sack" => out.sack = self.sack(value, env, how),
            "timestamps" => self.timestamps(value, env, how, out),
            "sack_permitted" => self.present(FieldName::SackPermitted, value, env, how, out),
            "df" | "more_fragments" => {
                let name = if key == "df" { FieldName::Df } else { FieldName::MoreFragments };
                out.values.extend(self.yes(value, env).map(|yes| (name, Bound::Is(Expr::Bool(yes)))));
            }
            "fast_open" => self.fast_open(value, env, how, out),
            // Reported by the structural check.
            _ => {}
        }
    }

    fn number(
        &mut self,
        (key, name, kind, most): &(&str, FieldName, Type, i64),
        node: &'a Node,
        env: &Env<'a>,
        how: Use,
        out: &mut Fields,
    ) {
        let Some((bound, through)) = self.bound(node, env, &[*kind]) else { return };
        if through && bound == Bound::Absent {
            return;
        }
        if let Some(word) = misfit(*name, &bound) {
            self.push(Diagnostic::new(Code::UnknownWord, node.span, format!("`{key}` cannot be `{word}`")));
            return;
        }
        self.in_range(&bound, key, *most, node.span);
        if how == Use::Send {
            self.single(&bound, key, node.span);
        }
        out.values.push((*name, bound));
    }

    /// What is sent has one value.
    fn single(&mut self, bound: &Bound, key: &str, span: Span) {
        let what = match bound {
            Bound::Is(_) | Bound::Absent | Bound::Word(_) => return,
            Bound::Any => "`any`",
            Bound::Range(..) => "a range",
            Bound::Compare(..) => "a comparison",
            Bound::OneOf(_) => "a set",
        };
        let found = Diagnostic::new(
            Code::NotAValue,
            span,
            format!("`{key}` of a sent segment has one value, not {what}"),
        );
        self.push(found.help("to vary a value over instances of the case, use `for:`"));
    }

    fn in_range(&mut self, bound: &Bound, key: &str, most: i64, span: Span) {
        let exprs = match bound {
            Bound::Is(expr) | Bound::Compare(_, expr) => vec![expr],
            Bound::Range(low, high) => vec![low, high],
            Bound::OneOf(all) => {
                all.iter().for_each(|one| self.in_range(one, key, most, span));
                return;
            }
            Bound::Any | Bound::Absent | Bound::Word(_) => return,
        };
        for value in exprs.into_iter().filter_map(constant) {
            if !(0..=most).contains(&value) {
                let message = format!("`{key}` goes from 0 to {most}, {value} does not fit");
                self.push(Diagnostic::new(Code::OutOfRange, span, message));
            }
        }
    }

    fn flags(&mut self, node: &'a Node, env: &Env<'a>) -> Option<FlagSpec> {
        let filled = self.text(node, env, Open::Refuse)?;
        match FlagSpec::parse(&filled.text) {
            Ok(spec) => Some(spec),
            Err(word) => {
                let bare = word.trim_start_matches(['+', '-']);
                let at = filled.text.find(&word).unwrap_or(0);
                let span = self.sub(filled.span, &filled.text, at, at + word.len());
                let found = Diagnostic::new(Code::BadFlags, span, format!("`{word}` is not a flag"));
                let found = found.suggest(self.nearest(bare, FlagSpec::names()));
                let all: Vec<_> = FlagSpec::names().collect();
                self.push(found.help(format!("flags are {}, joined by `|`", all.join(" "))));
                None
            }
        }
    }

    fn cut(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Cut> {
        let (node, env) = self.resolve(node, env, &Shape::Map(&grammar::FRAGMENTS));
        let size = self.whole(node.get("size")?, &env, 65_528)?;
        if size == 0 || size % 8 != 0 {
            let message = format!("fragments are cut at multiples of eight octets, not at {size}");
            self.push(Diagnostic::new(Code::OutOfRange, node.span, message));
            return None;
        }
        let mut order = Vec::new();
        if let Some(list) = node.get("order") {
            let (list, env) = self.resolve(list, &env, &Shape::List(&Shape::Count));
            for item in list.items().unwrap_or_default() {
                order.push(u8::try_from(self.whole(item, &env, 255)?).ok()?);
            }
        }
        Some(Cut { size, order })
    }

    /// A whole number, written out.
    fn whole(&mut self, node: &'a Node, env: &Env<'a>, most: u16) -> Option<u16> {
        let filled = self.text(node, env, Open::Refuse)?;
        let number = filled.text.parse().ok().filter(|number| *number <= most);
        if number.is_none() {
            let message = format!("`{}` is not a whole number from 0 to {most}", filled.text);
            self.push(Diagnostic::new(Code::OutOfRange, filled.span, message));
        }
        number
    }

    /// Text, or `{hex: ...}`.
    fn data(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Vec<u8>> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        match node.get("hex") {
            Some(hex) => self.octets(hex, &env),
            None => Some(self.text(node, &env, Open::Refuse)?.text.into_bytes()),
        }
    }

    /// An address as people write it, or its octets.
    fn address(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Vec<u8>> {
        let filled = self.text(node, env, Open::Refuse)?;
        match filled.text.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => Some(address.octets().to_vec()),
            Ok(IpAddr::V6(address)) => Some(address.octets().to_vec()),
            Err(_) => {
                let found = Diagnostic::new(
                    Code::BadOctets,
                    filled.span,
                    format!("`{}` is not an address", filled.text),
                );
                self.push(found.help("write an IPv4 address `10.0.0.1` or an IPv6 address `fd00::1`"));
                None
            }
        }
    }

    fn present(&mut self, name: FieldName, node: &'a Node, env: &Env<'a>, how: Use, out: &mut Fields) {
        let Some((bound, through)) = self.bound(node, env, &[Type::Bool]) else { return };
        let bound = match bound {
            Bound::Absent if through => return,
            Bound::Is(Expr::Bool(false)) | Bound::Absent => Bound::Absent,
            Bound::Any if how == Use::Match => Bound::Is(Expr::Bool(true)),
            other => other,
        };
        if how == Use::Send {
            self.single(&bound, "sack_permitted", node.span);
        }
        out.values.push((name, bound));
    }

    fn fast_open(&mut self, node: &'a Node, env: &Env<'a>, how: Use, out: &mut Fields) {
        let (node, env, through) = self.through(node, env);
        let Some(filled) = self.text(node, &env, Open::Refuse) else { return };
        let bound = match filled.text.as_str() {
            "any" => Bound::Any,
            "none" if through => return,
            "none" => Bound::Absent,
            "request" => Bound::Word("request".into()),
            // The cookie of a segment that came: `asked.fast_open`.
            name if name.strip_suffix(".fast_open").is_some_and(|of| self.labels.known.contains_key(of)) => {
                Bound::Is(Expr::Name(filled.text))
            }
            _ => match self.octets(node, &env) {
                Some(octets) => Bound::Word(octets.iter().map(|octet| format!("{octet:02x}")).collect()),
                None => return,
            },
        };
        if how == Use::Send {
            self.single(&bound, "fast_open", node.span);
        }
        out.values.push((FieldName::FastOpen, bound));
    }

    fn timestamps(&mut self, node: &'a Node, env: &Env<'a>, how: Use, out: &mut Fields) {
        let (node, env, through) = self.through(node, env);
        if let Some(entries) = node.entries() {
            for entry in entries {
                if let Some(number) = TIMESTAMPS.iter().find(|(name, ..)| *name == entry.key.value) {
                    self.number(number, &entry.value, &env, how, out);
                }
            }
            return;
        }
        let Some(filled) = self.text(node, &env, Open::Refuse) else { return };
        let bound = match filled.text.as_str() {
            "none" if through => return,
            "none" => Bound::Absent,
            "any" => Bound::Any,
            other => {
                self.unknown_word(Code::UnknownWord, filled.span, "word", other, &["any", "none"]);
                return;
            }
        };
        if how == Use::Send {
            self.single(&bound, "timestamps", node.span);
        }
        out.values.extend([(FieldName::TsVal, bound.clone()), (FieldName::TsEcr, bound)]);
    }

    fn sack(&mut self, node: &'a Node, env: &Env<'a>, how: Use) -> Option<SackSpec> {
        let (node, env, through) = self.through(node, env);
        if node.items().is_some() {
            return Some(SackSpec::Blocks(self.blocks(node, &env)));
        }
        let filled = self.text(node, &env, Open::Refuse)?;
        match filled.text.as_str() {
            "none" if through => None,
            "none" => Some(SackSpec::None),
            "any" => {
                if how == Use::Send {
                    self.single(&Bound::Any, "sack", node.span);
                }
                Some(SackSpec::Any)
            }
            other => {
                self.unknown_word(Code::UnknownWord, filled.span, "word", other, &["any", "none"]);
                None
            }
        }
    }

    fn blocks(&mut self, node: &'a Node, env: &Env<'a>) -> Vec<(Expr, Expr)> {
        let mut blocks = Vec::new();
        for block in node.items().unwrap_or_default() {
            let (block, env) = self.resolve(block, env, &Shape::Any);
            let Some([left, right]) = block.items() else {
                check::wrong_shape(block, "a block", "a list of two: [left, right]", &mut self.sink);
                continue;
            };
            let left = self.expr(left, &env, &[Type::Seq]);
            let right = self.expr(right, &env, &[Type::Seq]);
            blocks.extend(left.zip(right));
        }
        blocks
    }

    fn options(&mut self, node: &'a Node, env: &Env<'a>) -> Option<Vec<OptionSpec>> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        let Some(items) = node.items() else {
            check::wrong_shape(node, "`options`", "a list", &mut self.sink);
            return None;
        };
        Some(items.iter().filter_map(|item| self.option(item, &env)).collect())
    }

    fn option(&mut self, node: &'a Node, env: &Env<'a>) -> Option<OptionSpec> {
        let (node, env) = self.resolve(node, env, &Shape::Any);
        let Some(entry) = node.entries().and_then(<[_]>::first) else {
            let word = self.text(node, &env, Open::Refuse)?;
            return match word.text.as_str() {
                "nop" => Some(OptionSpec::Nop),
                "eol" => Some(OptionSpec::Eol),
                "sack_permitted" => Some(OptionSpec::SackPermitted),
                other => {
                    let known =
                        ["nop", "eol", "sack_permitted", "mss", "wscale", "timestamps", "sack", "raw"];
                    self.unknown_word(Code::UnknownWord, word.span, "option", other, &known);
                    None
                }
            };
        };
        let value = &entry.value;
        match entry.key.value.as_str() {
            "mss" => Some(OptionSpec::Mss(self.expr(value, &env, &[Type::Int])?)),
            "wscale" => Some(OptionSpec::Wscale(self.expr(value, &env, &[Type::Int])?)),
            "sack" => Some(OptionSpec::Sack(self.blocks(value, &env))),
            "raw" => Some(OptionSpec::Raw(self.octets(value, &env)?)),
            "timestamps" => {
                let mut part = |key: &str| match value.get(key) {
                    Some(node) => self.expr(node, &env, &[Type::Seq]),
                    None => Some(Expr::Int(0)),
                };
                let (val, ecr) = (part("val"), part("ecr"));
                Some(OptionSpec::Timestamps(val?, ecr?))
            }
            // Reported by the structural check.
            _ => None,
        }
    }
}

/// A word that the field does not know: only checksums are good or bad.
fn misfit(name: FieldName, bound: &Bound) -> Option<&str> {
    let sum = matches!(name, FieldName::Checksum | FieldName::IpChecksum);
    match bound {
        Bound::Word(word) if sum && (word == "good" || word == "bad") => None,
        Bound::Word(word) => Some(word),
        Bound::OneOf(all) => all.iter().find_map(|one| misfit(name, one)),
        Bound::Any | Bound::Absent | Bound::Is(_) | Bound::Range(..) | Bound::Compare(..) => None,
    }
}
