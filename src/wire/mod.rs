//! Wires: what carries packets between the injector and the target.

pub mod mem;
