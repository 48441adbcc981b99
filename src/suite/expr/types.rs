//! The types of expressions, and what may be done with them.
//!
//! Sequence numbers are a type of their own: they wrap, so they are moved by whole numbers and
//! subtracted from one another, but never added or multiplied.

use super::parse::{Tree, TreeNode};
use super::{BinaryOp, Expr};
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    Int,
    /// A number modulo 2^32: sequence numbers and timestamps.
    Seq,
    Duration,
    /// A moment of the run.
    Time,
    Bool,
    Text,
}

impl Type {
    /// With its article, for messages.
    pub fn described(self) -> &'static str {
        match self {
            Self::Int => "a number",
            Self::Seq => "a sequence number",
            Self::Duration => "a duration",
            Self::Time => "a moment",
            Self::Bool => "a yes or no",
            Self::Text => "a text",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.described())
    }
}

/// What is wrong with the types of an expression, and the octets of its text that show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeError {
    UnknownName { name: String, start: usize, end: usize },
    Mismatch { message: String, start: usize, end: usize },
}

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownName { name, .. } => write!(f, "unknown name `{name}`"),
            Self::Mismatch { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for TypeError {}

/// The type of an expression, where `scope` knows the types of the names.
pub fn type_of(expr: &Expr, scope: &dyn Fn(&str) -> Option<Type>) -> Result<Type, TypeError> {
    type_of_tree(&Tree::unplaced(expr), &mut |name| scope(name))
}

pub(in crate::suite) fn type_of_tree(
    tree: &Tree,
    scope: &mut dyn FnMut(&str) -> Option<Type>,
) -> Result<Type, TypeError> {
    match &tree.node {
        TreeNode::Int(_) => Ok(Type::Int),
        TreeNode::Duration(_) => Ok(Type::Duration),
        TreeNode::Bool(_) => Ok(Type::Bool),
        TreeNode::Name(name) => scope(name).ok_or_else(|| TypeError::UnknownName {
            name: name.clone(),
            start: tree.start,
            end: tree.end,
        }),
        TreeNode::Neg(inner) => match type_of_tree(inner, scope)? {
            Type::Int => Ok(Type::Int),
            other => mismatch(tree, format!("{other} cannot be negative")),
        },
        TreeNode::Not(inner) => match type_of_tree(inner, scope)? {
            Type::Bool => Ok(Type::Bool),
            other => mismatch(tree, format!("`not` needs a yes or no, this is {other}")),
        },
        TreeNode::Binary(op, left, right) => {
            let (a, b) = (type_of_tree(left, scope)?, type_of_tree(right, scope)?);
            match binary(*op, a, b) {
                Some(result) => Ok(result),
                None => mismatch(tree, complaint(*op, a, b)),
            }
        }
    }
}

fn mismatch<T>(tree: &Tree, message: String) -> Result<T, TypeError> {
    Err(TypeError::Mismatch { message, start: tree.start, end: tree.end })
}

fn binary(op: BinaryOp, a: Type, b: Type) -> Option<Type> {
    use Type::{Bool, Duration, Int, Seq, Time};
    match op {
        BinaryOp::Add => match (a, b) {
            (Int, Int) => Some(Int),
            (Seq, Int) | (Int, Seq) => Some(Seq),
            (Duration, Duration) => Some(Duration),
            (Time, Duration) | (Duration, Time) => Some(Time),
            _ => None,
        },
        BinaryOp::Sub => match (a, b) {
            (Int, Int) | (Seq, Seq) => Some(Int),
            (Seq, Int) => Some(Seq),
            (Duration, Duration) | (Time, Time) => Some(Duration),
            (Time, Duration) => Some(Time),
            _ => None,
        },
        BinaryOp::Mul => match (a, b) {
            (Int, Int) => Some(Int),
            (Duration, Int) | (Int, Duration) => Some(Duration),
            _ => None,
        },
        BinaryOp::Div => match (a, b) {
            (Int, Int) | (Duration, Duration) => Some(Int),
            (Duration, Int) => Some(Duration),
            _ => None,
        },
        BinaryOp::Eq | BinaryOp::Ne => comparable(a, b).then_some(Bool),
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
            (comparable(a, b) && a != Bool).then_some(Bool)
        }
        BinaryOp::And | BinaryOp::Or => (a == Bool && b == Bool).then_some(Bool),
    }
}

/// A whole number may stand for a sequence number: `ack: 0`.
pub(in crate::suite) fn comparable(a: Type, b: Type) -> bool {
    a == b || matches!((a, b), (Type::Int, Type::Seq) | (Type::Seq, Type::Int))
}

fn complaint(op: BinaryOp, a: Type, b: Type) -> String {
    let (did, with) = match op {
        BinaryOp::Add => ("be added to", true),
        BinaryOp::Sub => ("be subtracted from", false),
        BinaryOp::Mul => ("be multiplied by", false),
        BinaryOp::Div => ("be divided by", false),
        BinaryOp::And | BinaryOp::Or => {
            return format!("`{}` joins yes and no, not {a} and {b}", op.sign());
        }
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
            return format!("{a} cannot be compared with {b}");
        }
    };
    let (first, second) = if with || op == BinaryOp::Sub { (b, a) } else { (a, b) };
    format!("{first} cannot {did} {second}")
}
