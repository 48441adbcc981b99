//! Expressions as text that reads back as the same expression, with no more brackets than needed.

use super::parse::{parse_bound, parse_expr};
use super::{BinaryOp, Bound, Expr};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::time::Duration;

impl BinaryOp {
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::And => "and",
            Self::Or => "or",
        }
    }

    /// How tightly it binds; larger is tighter.
    fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Eq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge => COMPARE,
            Self::Add | Self::Sub => SUM,
            Self::Mul | Self::Div => 6,
        }
    }
}

const NOT: u8 = 3;
const COMPARE: u8 = 4;
const SUM: u8 = 5;
const NEG: u8 = 7;
const ATOM: u8 = 8;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_expr(f, self, 0)
    }
}

fn strength(expr: &Expr) -> u8 {
    match expr {
        Expr::Int(value) if *value < 0 => NEG,
        Expr::Int(_) | Expr::Duration(_) | Expr::Bool(_) | Expr::Name(_) => ATOM,
        Expr::Neg(_) => NEG,
        Expr::Not(_) => NOT,
        Expr::Binary(op, ..) => op.strength(),
    }
}

/// Writes `expr` where something that binds at least as tightly as `least` must stand.
fn write_expr(f: &mut fmt::Formatter<'_>, expr: &Expr, least: u8) -> fmt::Result {
    if strength(expr) < least {
        f.write_str("(")?;
        write_expr(f, expr, 0)?;
        return f.write_str(")");
    }
    match expr {
        Expr::Int(value) => write!(f, "{value}"),
        Expr::Duration(value) => write_duration(f, *value),
        Expr::Bool(value) => write!(f, "{value}"),
        Expr::Name(name) => f.write_str(name),
        Expr::Neg(inner) => {
            f.write_str("-")?;
            write_expr(f, inner, NEG)
        }
        Expr::Not(inner) => {
            f.write_str("not ")?;
            write_expr(f, inner, NOT)
        }
        Expr::Binary(op, left, right) => {
            // Chains lean to the left; comparisons do not chain at all.
            let same = op.strength();
            write_expr(f, left, if same == COMPARE { SUM } else { same })?;
            write!(f, " {} ", op.sign())?;
            write_expr(f, right, same + 1)
        }
    }
}

/// In the largest unit that leaves nothing over.
pub(super) fn write_duration(f: &mut fmt::Formatter<'_>, value: Duration) -> fmt::Result {
    let nanos = value.as_nanos();
    let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];
    let unit = units.into_iter().find(|(_, of)| nanos.is_multiple_of(*of));
    let (unit, of) = unit.unwrap_or(("ns", 1));
    write!(f, "{}{unit}", nanos / of)
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Absent => f.write_str("none"),
            Self::Is(Expr::Name(name)) if super::parse::reserved(name).is_some() => write!(f, "({name})"),
            Self::Is(expr) => write_expr(f, expr, SUM),
            Self::Range(low, high) => {
                write_expr(f, low, SUM)?;
                f.write_str("..")?;
                write_expr(f, high, SUM)
            }
            Self::Compare(op, expr) => {
                write!(f, "{} ", op.sign())?;
                write_expr(f, expr, SUM)
            }
            Self::OneOf(all) => {
                f.write_str("[")?;
                for (i, one) in all.iter().enumerate() {
                    write!(f, "{}{one}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Word(word) if matches!(word.as_str(), "bad" | "good" | "request") => f.write_str(word),
            Self::Word(word) => write!(f, "'{word}'"),
        }
    }
}

impl Serialize for Expr {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Expr {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        parse_expr(&text).map_err(|e| de::Error::custom(format!("expression `{text}`: {e}")))
    }
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        parse_bound(&text).map_err(|e| de::Error::custom(format!("value `{text}`: {e}")))
    }
}
