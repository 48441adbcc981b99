//! YAML -> `Case`: source, spans, expressions, checks, diagnostics, catalogue, selection. Pure.
//!
//! ```text
//! text --yaml--> tree of located nodes --check against grammar--> --lower--> model::Case
//!        every stage reports all it finds into one diagnostic::Sink
//! ```

pub mod catalogue;
pub mod check;
pub mod corpus;
mod decl;
pub mod diagnostic;
pub mod disk;
pub mod embedded;
pub mod expr;
mod flags;
pub mod grammar;
pub mod linux;
mod lower;
pub mod model;
pub mod names;
pub mod schema;
mod scope;
pub mod select;
pub mod source;
pub(crate) mod suggest;
pub mod text;
pub mod yaml;
