//! Expressions of the case language: what they are, their types and their text.
//!
//! An expression is written to `run.jsonl` as its text and read back by parsing it, so a recorded
//! plan stays readable. Evaluation belongs to the engine: it owns the values of the names.

mod display;
mod lex;
pub(in crate::suite) mod parse;
#[cfg(test)]
mod tests;
pub(in crate::suite) mod types;

pub use parse::{ParseError, parse_bound, parse_expr};
pub use types::{Type, TypeError, type_of};

use std::time::Duration;

#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    Int(i64),
    Duration(Duration),
    Bool(bool),
    /// A dotted name: `isn`, `snd.nxt`, `target.rto.min`, `fin.seq`, a parameter or a counter.
    Name(String),
    Neg(Box<Self>),
    Not(Box<Self>),
    Binary(BinaryOp, Box<Self>, Box<Self>),
}

impl Expr {
    /// Operators, names and values.
    pub fn parts(&self) -> usize {
        match self {
            Self::Int(_) | Self::Duration(_) | Self::Bool(_) | Self::Name(_) => 1,
            Self::Neg(inner) | Self::Not(inner) => 1 + inner.parts(),
            Self::Binary(_, left, right) => 1 + left.parts() + right.parts(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    And,
    Or,
}

/// What a field may be: the right-hand side of `seq:`, `ack:`, `mss:` ...
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// `any`: must be there, whatever its value.
    Any,
    /// `none`: must not be there (an option).
    Absent,
    Is(Expr),
    /// `a..b`, both included.
    Range(Expr, Expr),
    /// `>= x`, `!= x` ...
    Compare(BinaryOp, Expr),
    /// `[a, b]`: one of these.
    OneOf(Vec<Self>),
    /// A word with a meaning of its own: `bad`, `good`.
    Word(String),
}
