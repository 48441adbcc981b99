//! Numbers that an application is told, held against what a case wants of them.

use super::eval::{EvalError, Scope, Value, eval};
use crate::suite::expr::{BinaryOp, Bound, Expr};
use crate::suite::linux::Unit;
use std::time::Duration;

/// Whether the number is as wanted. A duration in the bound is compared in the unit of the number.
pub(crate) fn holds(bound: &Bound, value: i64, unit: Unit, scope: &Scope<'_>) -> Result<bool, EvalError> {
    let number = |expr: &Expr| number(expr, unit, scope);
    Ok(match bound {
        Bound::Any => true,
        Bound::Is(expr) => value == number(expr)?,
        Bound::Range(low, high) => (number(low)?..=number(high)?).contains(&value),
        Bound::Compare(op, expr) => {
            let limit = number(expr)?;
            match op {
                BinaryOp::Lt => value < limit,
                BinaryOp::Le => value <= limit,
                BinaryOp::Gt => value > limit,
                BinaryOp::Ge => value >= limit,
                BinaryOp::Ne => value != limit,
                BinaryOp::Eq => value == limit,
                BinaryOp::Add
                | BinaryOp::Sub
                | BinaryOp::Mul
                | BinaryOp::Div
                | BinaryOp::And
                | BinaryOp::Or => return Err(EvalError::Senseless(bound.to_string())),
            }
        }
        Bound::OneOf(list) => {
            for one in list {
                if holds(one, value, unit, scope)? {
                    return Ok(true);
                }
            }
            false
        }
        Bound::Absent | Bound::Word(_) => return Err(EvalError::Senseless(bound.to_string())),
    })
}

fn number(expr: &Expr, unit: Unit, scope: &Scope<'_>) -> Result<i64, EvalError> {
    let senseless = || EvalError::Senseless(expr.to_string());
    match (eval(expr, scope)?, unit) {
        (Value::Int(n), _) => Ok(n),
        (Value::Bool(yes), _) => Ok(i64::from(yes)),
        (Value::Span(span), Unit::Microseconds) => i64::try_from(span.as_micros()).map_err(|_| senseless()),
        (Value::Span(span), Unit::Milliseconds) => i64::try_from(span.as_millis()).map_err(|_| senseless()),
        (Value::Span(_), Unit::Plain | Unit::Word | Unit::Flags) | (Value::Seq(_) | Value::At(_), _) => {
            Err(senseless())
        }
    }
}

/// The bound in the case's words, with the number that a name stands for.
pub(crate) fn words(bound: &Bound, scope: &Scope<'_>) -> String {
    let text = bound.to_string();
    let expr = match bound {
        Bound::Is(expr) | Bound::Compare(_, expr) => expr,
        Bound::Any | Bound::Absent | Bound::Range(..) | Bound::OneOf(_) | Bound::Word(_) => return text,
    };
    match eval(expr, scope) {
        Ok(Value::Int(n)) if !matches!(expr, Expr::Int(_) | Expr::Neg(_)) => format!("{text} ({n})"),
        Ok(_) | Err(_) => text,
    }
}

/// A time as a duration, if the case speaks of durations.
pub(crate) fn shown(value: i64, unit: Unit, bound: &Bound) -> String {
    let span = match unit {
        Unit::Microseconds => u64::try_from(value).ok().map(Duration::from_micros),
        Unit::Milliseconds => u64::try_from(value).ok().map(Duration::from_millis),
        Unit::Plain | Unit::Word | Unit::Flags => None,
    };
    match span {
        Some(span) if speaks_of_time(bound) => crate::time::span(span),
        Some(_) | None => value.to_string(),
    }
}

fn speaks_of_time(bound: &Bound) -> bool {
    fn within(expr: &Expr) -> bool {
        match expr {
            Expr::Duration(_) => true,
            Expr::Name(name) => name.starts_with("target.rto") || name.starts_with("target.delayed"),
            Expr::Int(_) | Expr::Bool(_) => false,
            Expr::Neg(inner) | Expr::Not(inner) => within(inner),
            Expr::Binary(_, a, b) => within(a) || within(b),
        }
    }
    match bound {
        Bound::Is(expr) | Bound::Compare(_, expr) => within(expr),
        Bound::Range(low, high) => within(low) || within(high),
        Bound::OneOf(list) => list.iter().any(speaks_of_time),
        Bound::Any | Bound::Absent | Bound::Word(_) => false,
    }
}
