//! YAML -> `Case`: source, spans, expressions, checks, diagnostics, catalogue, selection. Pure.

pub mod expr;
pub mod model;
