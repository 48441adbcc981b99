//! Deliberate bugs, one of which [`crate::Config::mutant`] may switch on.
//!
//! Each is small and plausible: something a student, an RFC 2525 implementation or a shipped stack has got wrong.
//! The table is the whole truth about them; the bug itself is in the branch that the requirement rules, behind
//! `config.is(Mutant::...)`, which is one comparison when it is off. A suite that passes with a mutant switched on
//! does not test that requirement.
//!
//! To add one: a row in [`table`], and the branch that it breaks.

/// Makes the enums and the table from one list.
macro_rules! mutants {
    ($($section:ident $about:literal {
        $($variant:ident $id:literal $requirement:literal $source:literal $sentence:literal;)*
    })*) => {
        /// A deliberate bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mutant {
            $($(#[doc = $sentence] $variant,)*)*
        }

        /// What a bug is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Section {
            $(#[doc = $about] $section,)*
        }

        impl Mutant {
            /// All of them, in the order of the table.
            pub const ALL: &[Self] = &[$($(Self::$variant,)*)*];

            pub(super) const TABLE: &[super::Row] = &[$($(super::Row {
                section: Section::$section,
                id: $id,
                requirement: $requirement,
                source: $source,
                sentence: $sentence,
            },)*)*];
        }
    };
}

struct Row {
    section: Section,
    id: &'static str,
    requirement: &'static str,
    source: &'static str,
    sentence: &'static str,
}

impl Mutant {
    const fn row(self) -> &'static Row {
        &Self::TABLE[self as usize]
    }

    /// The name it goes by: `syn-not-counted`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.row().id
    }

    /// What it does wrong, in one sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        self.row().sentence
    }

    /// The section of the table that it stands in.
    #[must_use]
    pub const fn section(self) -> Section {
        self.row().section
    }

    /// The requirement that it breaks.
    #[must_use]
    pub const fn requirement(self) -> &'static str {
        self.row().requirement
    }

    /// Where such a bug was seen, or why one is to be expected.
    #[must_use]
    pub const fn source(self) -> &'static str {
        self.row().source
    }

    /// The mutant of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mutant| mutant.id() == id)
    }
}

mod table;

pub use table::{Mutant, Section};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_kebab_case_and_found_again() {
        let names: BTreeSet<&str> = Mutant::ALL.iter().map(|mutant| mutant.id()).collect();
        assert_eq!(names.len(), Mutant::ALL.len());
        for &mutant in Mutant::ALL {
            assert!(mutant.id().bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-'));
            assert_eq!(Mutant::from_id(mutant.id()), Some(mutant));
        }
        assert_eq!(Mutant::from_id("no-such-mutant"), None);
    }

    #[test]
    fn every_row_says_what_it_breaks_in_a_sentence() {
        for &mutant in Mutant::ALL {
            // A clause, or a row of the state/event matrix.
            let requirement = mutant.requirement();
            assert!(requirement.starts_with("RFC") || requirement.starts_with("SEM-"), "{}", mutant.id());
            assert!(mutant.sentence().ends_with('.') && mutant.sentence().len() > 20, "{}", mutant.id());
            assert!(!mutant.source().is_empty());
        }
    }

    #[test]
    fn the_eighteen_of_rfc_2525_are_here() {
        for number in 1..=18 {
            // 2.4, inconsistent retransmission, and all others by their section number.
            let source = format!("RFC 2525 2.{number}");
            assert!(Mutant::ALL.iter().any(|mutant| mutant.source() == source), "{source}");
        }
    }
}
