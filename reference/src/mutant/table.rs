//! The table of all mutants: variant, name, the requirement that it breaks, where such a bug was seen, and what it
//! does wrong, in sections. It is one list, because it is also the enum, so the files hand on what they have.

/// Has each file add its sections to those of the files before it, and makes the enum of them all.
macro_rules! gather {
    ([] $($sections:tt)*) => { mutants! { $($sections)* } };
    ([$file:ident $($later:ident)*] $($before:tt)*) => { $file! { [$($later)*] $($before)* } };
}

#[macro_use]
mod opening;
#[macro_use]
mod segments;
#[macro_use]
mod text;
#[macro_use]
mod network;

gather! { [opening segments text network] }
