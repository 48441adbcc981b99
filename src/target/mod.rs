//! Targets: what is tested, and how its application is driven.

pub mod profile;
pub mod reference;
