//! The codes of diagnostics and what `tcpspec explain` says about each.
//!
//! A code is a promise: once released it keeps its meaning. Longer than other files because it is
//! a table of texts.

use crate::suite::diagnostic::Severity;
use std::fmt;

macro_rules! codes {
    ($($name:ident $id:literal $title:literal $text:literal)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// `E031`, as shown and as `tcpspec explain` takes it.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// The mistake in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What it means, why it is a mistake, and what to write instead.
            pub fn explain(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    YamlSyntax "E001" "not YAML"
"The file could not be read as YAML from the marked place on, so nothing in it was checked.

Frequent causes: a tab in the indentation; a `: ` or ` #` inside a sentence that is not
quoted; a bracket or quote that is never closed; a value that begins with one of the
characters @ ` % & * ! | > { [ and is not quoted.

    title: Why: because          # wrong: a second `: `
    title: \"Why: because\"        # right"
    NotUtf8 "E002" "not UTF-8"
"Suites are UTF-8 text. The message names the first octet that is not. Save the file as
UTF-8; a byte order mark is allowed."
    TooLarge "E003" "file too large"
"A suite is written to be read by people; a file of several megabytes is a mistake or an
attack, so it is refused before it is parsed. Split the suite into files of one topic each."
    TooDeep "E004" "nested too deeply"
"Mappings and lists may stand inside one another only so deep. The deepest thing that the
language can say needs about a dozen levels."
    AliasBomb "E005" "aliases expand to too much"
"An alias (`*name`) repeats what its anchor (`&name`) marks. Aliases of aliases multiply, so
the number of values that a file expands to has a limit. To repeat steps with
variations use a named list (`lists:` and `use:`) or `for:`, which are made for it."
    DuplicateKey "E006" "key given twice"
"A mapping says each key once. Which of two values was meant cannot be known, and many YAML
readers silently keep one of them."
    YamlFeature "E007" "YAML feature that suites do not use"
"Suites use plain YAML: mappings with text keys, lists and scalars. Tags (`!name`), merge keys
(`<<`), several documents in a file, keys that are not text, and aliases without an anchor
are refused: each of them reads differently in different YAML readers."
    UnknownKey "E010" "unknown key"
"The key means nothing at this place. It may be misspelt, or stand one level too high or too
low: what qualifies a step (`within`, `as`, `otherwise`) stands beside the verb, and what
describes a segment (`flags`, `seq`) stands inside it.

    - expect: {flags: ACK, within: 1s}     # wrong
    - expect: {flags: ACK}                 # right
      within: 1s"
    MissingKey "E011" "missing key"
"Something that must be said is not there. A case needs at least an id, a title, a level (its
own or the file's), refs and steps; the requirement behind a verdict is what makes it one."
    WrongShape "E012" "wrong shape"
"The value is of another kind than this place takes: a list where a mapping belongs, or a
mapping where a single value belongs."
    UnknownWord "E013" "unknown word"
"The value must be one of a few words, and this is none of them."
    NoVerb "E014" "a step without a verb"
"A step does one thing: send, expect, app, wait, use, repeat, note; with a live peer also live,
drop, delay, duplicate, reorder, corrupt, rewrite, heal. Keys such as `within` or
`as` only qualify it."
    SeveralVerbs "E015" "a step with several verbs"
"Exactly one verb a step, so that the order of things is never in doubt. Write two steps."
    UnsupportedVerb "E016" "known, but not in this version"
"The language has a word for this, but this version of the program cannot run it yet."
    TooMany "E017" "too many"
"Everything has a limit: steps of a case, instances of a `for:`, lists within lists. The limits
are far above what a readable case needs, and keep one mistake from filling the memory."
    Empty "E018" "empty"
"A file without cases or a case without steps tests nothing, and would pass."
    BadId "E020" "not a word-name"
"Ids are names for good: people cite them, reports and grades keep them. They are made of
lower-case words, digits and hyphens (`rst-in-window-is-challenged`), with parameters of
`for:` in braces. Labels, parameters and counters can stand in expressions, where a hyphen
would be a minus, so they use `_` instead."
    DuplicateId "E021" "id used twice"
"Every case, fixture, named list and catalogue row has an id of its own. With `for:`, every
combination must get another id: name the parameters in the id, or leave them to be
appended (`[n=7]`)."
    UnknownRequirement "E022" "unknown requirement"
"`refs:` cites rows of the catalogue (suites/catalog/): requirements of the RFCs such as
RFC9293-MUST-12, cells of the state/event matrix such as SEM-EST-01, known problems such as
RFC2525-2.4, and course items such as C01. A verdict without a requirement is an opinion."
    UnknownMutant "E023" "unknown mutant"
"`kills:` names mutants of the reference stack: each a small bug that a real stack had. The
case claims to catch it, and the mutation run holds it to that. `tcpspec mutants` lists
them."
    UnknownFixture "E024" "unknown fixture"
"`given:` names a fixture of suites/fixtures.yaml: steps that bring the target into a state."
    UnknownList "E025" "unknown list"
"`use:` names a list of steps from the `lists:` of the same file or of suites/fixtures.yaml."
    Recursion "E026" "uses itself"
"A named list that uses itself, or a fixture that is given itself, would never end."
    UnknownArgument "E027" "unknown or missing argument"
"A named list or fixture takes the parameters that it declares under `params:`. A parameter
without a default must be given, and others do not exist."
    UnusedParameter "E028" "unused parameter"
"Every parameter of `for:` or `params:` must have an effect: in an expression, or as `{name}`
in a text. One that has none usually means that a field still says something fixed."
    UnknownAbility "E029" "unknown ability"
"`needs:` names abilities of a target, as its manifest declares them or as they are found out
when it is first spoken to. A case that needs what the target lacks is reported as
unsupported; an ability that does not exist would never be found."
    ExprSyntax "E030" "not an expression"
"Values are expressions: numbers (`1460`, `0x10`, `64KiB`), durations (`200ms`, `1.5s`), names
(`isn`, `target.rcv.nxt`, `fin.seq`), + - * / and brackets. A field of an expectation may
also be `any`, `none`, a range `a..b`, a comparison with the sign first (`>= isn + 1`), or a
list of these. YAML wants quotes around values that begin with `>`, `[` or `!`."
    UnknownName "E031" "unknown name"
"The name stands for nothing at this place. Known are: the injector's own numbers (`isn`, `irs`,
`snd.nxt`, `snd.una`, `snd.wnd`, `rcv.nxt`, `rcv.wnd`); the target's, as RFC 9293 names them
(`target.rcv.nxt`, `target.snd.una`, ...); the target's profile (`target.port`,
`target.rto.min`, ...) and abilities (`target.sack`); labels of earlier steps with a
property (`fin.seq`, `fin.end`, `fin.time`); and the parameters of `for:`."
    TypeMismatch "E032" "types do not fit"
"Sequence numbers wrap modulo 2^32: they can be moved by a number, subtracted from one another
and compared, but not added or multiplied. Durations add up, and can be multiplied and
divided by numbers. `and`, `or`, `not` and `when:` take yes and no."
    LabelTooEarly "E033" "label used before its step"
"A label (`as: fin`) stands for a segment that was seen. Before its step there is nothing that
it could stand for."
    DuplicateLabel "E034" "label given twice"
"One label, one step. Steps that come from a fixture or a named list count too."
    UnknownPlaceholder "E035" "unknown placeholder"
"`{name}` in a text is replaced by the parameter of that name when the case is read, or by the
value of a name such as `{target.port}` when the text is shown. This name is neither."
    OutOfRange "E036" "out of range"
"The field is not wide enough for the value: a window has 16 bits, a port 16, a data offset 4.
A sent value is put on the wire as it stands, so what does not fit cannot be meant."
    ReservedName "E037" "name is taken"
"The name already means something in expressions, so a reader could not tell which is meant."
    BadFlags "E038" "not a set of flags"
"`SYN|ACK` is exactly these of FIN, SYN, RST and ACK. PSH, URG, ECE and CWR matter only when
written: `+PSH` must be set, `-PSH` must be clear. `any` does not look, `none` is a segment
without any of the four."
    BadOctets "E039" "not octets"
"Octets are written in hexadecimal, two digits each, with spaces as you like: `03 00 0a`."
    QualifierMisplaced "E040" "qualifier does not fit the verb"
"`within`, `after`, `otherwise` and `tolerate` qualify what is waited for (`expect`, and `app`
with something to learn); `for` goes with `expect: none`."
    EmptyRange "E041" "empty range"
"A range goes from the smaller to the larger value, both included. Nothing lies in this one."
    NotAValue "E042" "not a single value"
"What is sent has one value in every field. `any`, ranges, comparisons and sets say what may
come back, and belong to `expect`."
    UnknownCase "E043" "unknown case"
"The id of a case that does not exist. `tested-by:` names the case that checks a fixture's own
steps, so that a fixture that fails can blame it."
    LiveOnly "E044" "needs a live peer"
"`live`, rules for the wire (`drop`, `delay` ...), `heal`, `on:` and `from:` need a peer that does
TCP by itself, so the case says `mode: live`. In a scripted case the script is the peer:
what it does not send is lost already. A fixture that sends is played by a script too; for a
live case it has a way with `mode: live`."
    FilterSyntax "E050" "not a filter"
"A filter is made of predicates joined by `&`, `|`, `!` and brackets:

    level(must) & tag(course) & !rfc(7323)

`and`, `or` and `not` may stand for the signs."
    UnknownPredicate "E051" "unknown predicate"
"A filter asks about: id(glob), level(must|should|may), tag(word), rfc(number), ref(id or prefix*),
needs(ability), kills(mutant), family(4|6), slow()."
    BadGlob "E053" "not a pattern"
"In a pattern `*` stands for any text without a slash, `**` for any text, `?` for one
character, and `[abc]` or `[a-z]` for one of these."
    CannotRead "E060" "cannot be read"
"The file or directory could not be read. The message says what the system said."
    NoSuites "E061" "nothing to check"
"The directory holds no .yaml file below it. Directories named `catalog` or `_invalid`, and
those whose name begins with a dot, are not searched."
    UnknownKernelName "E070" "name that the Linux API does not have"
"A `linux` step spells everything as C does: levels and options of sockets (`SOL_TCP`,
`TCP_USER_TIMEOUT`), errors (`EINVAL`), flags (`POLLIN`, `MSG_PEEK`), fields of TCP_INFO without
their `tcpi_` (`snd_cwnd`), and sysctls of a network namespace (`net.ipv4.tcp_sack`). An option
that is too new to be known can be written as a number: `[SOL_TCP, 47, 1]`."
    KillsOutOfReach "E071" "kills what it is never run against"
"Mutants are bugs of the reference, and a case that needs the Linux kernel is never run against
it. Such a case is held to what the kernel documents instead: leave `kills:` out."
    VacuousSilence "W001" "proves only silence"
"The only thing this case checks is that nothing comes. A target that has crashed is silent
too, so such a case passes for the wrong reason. End it with a probe: send something that
a living target must answer, and expect the answer."
    KillsNothing "W002" "kills no mutant"
"A case that no known bug can fail has not been seen to work. Name in `kills:` a mutant of the
reference that it catches; if there is none, the mutant is missing. A case that needs the
Linux kernel cannot be run against the reference, and is not asked for one."
    UnusedList "W003" "unused list"
"No case uses this list of steps, so nobody has checked that it works."
    StrongerThanCited "W004" "level above what is cited"
"The case calls a violation worse than any requirement that it cites does. A violated SHOULD
is a warning, not a failure: cite the MUST behind it, or lower the level."
}

impl Code {
    pub fn severity(self) -> Severity {
        if self.id().starts_with('W') { Severity::Warning } else { Severity::Error }
    }

    /// `E031`, in upper or lower case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.id().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_ordered_and_explained() {
        for pair in Code::ALL.windows(2) {
            assert!(pair[0].id() < pair[1].id(), "{} before {}", pair[0], pair[1]);
        }
        for code in Code::ALL {
            assert!(code.explain().len() > 60, "{code} has no explanation");
            assert_eq!(Code::parse(&code.id().to_lowercase()), Some(*code));
        }
    }
}
