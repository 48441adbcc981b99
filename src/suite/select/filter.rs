//! `level(must) & tag(course) & !rfc(7323)`
//!
//! ```text
//! any  = all { (| or) all }      all = one { (& and) one }
//! one  = (! not) one | ( any ) | predicate ( argument { , argument } )
//! ```

use super::glob::Glob;
use crate::suite::catalogue::Catalogue;
use crate::suite::diagnostic::{Code, Diagnostic, Sink};
use crate::suite::grammar;
use crate::suite::model::{Case, Family, Level};
use crate::suite::names;
use crate::suite::source::{Loc, Span};
use crate::suite::suggest;

const LENGTH_MAX: usize = 4096;
const DEPTH_MAX: usize = 32;

#[derive(Debug)]
pub(super) enum Filter {
    Any(Vec<Self>),
    All(Vec<Self>),
    Not(Box<Self>),
    Is(Predicate),
}

#[derive(Debug)]
pub(super) enum Predicate {
    Level(Level),
    Rfc(u16),
    Family(u8),
    Slow,
    /// A pattern over one or several words of the case.
    Words(Words, Glob),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Words {
    Id,
    Tag,
    Ref,
    Needs,
    Kills,
    Given,
}

const PREDICATES: &[&str] =
    &["id", "case", "level", "tag", "rfc", "ref", "needs", "kills", "given", "family", "slow"];

impl Filter {
    pub(super) fn matches(&self, case: &Case, family: Family) -> bool {
        match self {
            Self::Any(all) => all.iter().any(|one| one.matches(case, family)),
            Self::All(all) => all.iter().all(|one| one.matches(case, family)),
            Self::Not(one) => !one.matches(case, family),
            Self::Is(predicate) => predicate.matches(case, family),
        }
    }
}

impl Predicate {
    fn matches(&self, case: &Case, family: Family) -> bool {
        match self {
            Self::Level(level) => case.level == *level,
            Self::Family(number) => family.number() == *number,
            Self::Slow => case.slow,
            Self::Rfc(number) => {
                let row = |id: &String| Catalogue::embedded().get(id);
                case.refs.iter().filter_map(row).any(|row| row.rfc == Some(*number))
            }
            Self::Words(words, glob) => {
                let any = |all: &[String]| all.iter().any(|word| glob.matches(word));
                match words {
                    Words::Id => glob.selects(&case.id),
                    Words::Tag => any(&case.tags),
                    Words::Ref => any(&case.refs),
                    Words::Needs => any(&case.needs),
                    Words::Kills => any(&case.kills),
                    Words::Given => case.given.iter().any(|fixture| glob.matches(&fixture.id)),
                }
            }
        }
    }
}

/// Reads a filter; `None` has been reported.
pub(super) fn parse(text: &str, span: Span, sink: &mut Sink) -> Option<Filter> {
    if text.len() > LENGTH_MAX {
        sink.push(Diagnostic::new(
            Code::FilterSyntax,
            span,
            format!("the filter is longer than {LENGTH_MAX} octets"),
        ));
        return None;
    }
    let before = sink.errors();
    let mut parser = Parser { text, at: 0, span, sink, depth: 0 };
    let filter = parser.any();
    parser.space();
    if filter.is_some() && parser.at < text.len() {
        let at = parser.at;
        parser.fail(at, text.len(), "an operator is missing before this", "join predicates by `&` or `|`");
    }
    // A predicate that is wrong is left out, so that the next mistake is found too.
    filter.filter(|_| sink.errors() == before)
}

struct Parser<'a, 's> {
    text: &'a str,
    at: usize,
    span: Span,
    sink: &'s mut Sink,
    depth: usize,
}

impl<'a> Parser<'a, '_> {
    fn fail(&mut self, start: usize, end: usize, message: &str, help: &str) {
        let found = Diagnostic::new(Code::FilterSyntax, self.span.slice(start, end), message);
        self.sink.push(found.help(help));
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn sign(&mut self, sign: char, word: &str) -> bool {
        self.space();
        let rest = &self.text[self.at..];
        let doubled = [sign, sign].iter().collect::<String>();
        let after_word = rest.strip_prefix(word).map(|rest| rest.chars().next());
        let len = if rest.starts_with(&doubled) && sign != '!' {
            2
        } else if rest.starts_with(sign) {
            1
        } else if after_word
            .is_some_and(|next| next.is_none_or(|c| c.is_whitespace() || c == '(' || c == '!'))
        {
            word.len()
        } else {
            return false;
        };
        self.at += len;
        true
    }

    fn any(&mut self) -> Option<Filter> {
        let mut all = vec![self.all()?];
        while self.sign('|', "or") {
            all.push(self.all()?);
        }
        Some(if all.len() == 1 { all.remove(0) } else { Filter::Any(all) })
    }

    fn all(&mut self) -> Option<Filter> {
        let mut all = vec![self.one()?];
        while self.sign('&', "and") {
            all.push(self.one()?);
        }
        Some(if all.len() == 1 { all.remove(0) } else { Filter::All(all) })
    }

    fn one(&mut self) -> Option<Filter> {
        if self.depth >= DEPTH_MAX {
            self.fail(self.at, self.at + 1, "the filter is nested too deeply", "write it flatter");
            return None;
        }
        self.depth += 1;
        let filter = self.one_within();
        self.depth -= 1;
        filter
    }

    fn one_within(&mut self) -> Option<Filter> {
        if self.sign('!', "not") {
            return Some(Filter::Not(Box::new(self.one()?)));
        }
        self.space();
        let start = self.at;
        if self.text[start..].starts_with('(') {
            self.at += 1;
            let inner = self.any()?;
            self.space();
            if !self.text[self.at..].starts_with(')') {
                self.fail(start, start + 1, "this bracket is not closed", "add a `)`");
                return None;
            }
            self.at += 1;
            return Some(inner);
        }
        self.predicate(start)
    }

    fn predicate(&mut self, start: usize) -> Option<Filter> {
        let rest = &self.text[start..];
        let len =
            rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
        let name = &rest[..len];
        if name.is_empty() {
            self.fail(start, start + 1, "a predicate is missing here", "for example `level(must)`");
            return None;
        }
        let arguments =
            rest[len..].strip_prefix('(').and_then(|inner| inner.find(')').map(|end| &inner[..end]));
        let Some(arguments) = arguments else {
            let help = format!("a predicate has brackets: `{name}(...)`; an id or glob stands before `-E`");
            self.fail(start, start + len, &format!("`{name}` is not a predicate yet"), &help);
            return None;
        };
        let from = start + len + 1;
        self.at = from + arguments.len() + 1;
        if !PREDICATES.contains(&name) {
            let at = self.span.slice(start, start + len);
            let found = Diagnostic::new(Code::UnknownPredicate, at, format!("unknown predicate `{name}`"));
            let found = found.suggest(suggest::nearest(name, PREDICATES.iter().copied()));
            self.sink.push(found.help(format!("predicates are {}", PREDICATES.join(", "))));
            return Some(Filter::Any(Vec::new()));
        }
        Some(self.arguments(name, arguments, from))
    }

    /// Several arguments: any of them.
    fn arguments(&mut self, name: &str, text: &'a str, from: usize) -> Filter {
        if name == "slow" && text.trim().is_empty() {
            return Filter::Is(Predicate::Slow);
        }
        let mut all = Vec::new();
        let mut at = from;
        for argument in text.split(',') {
            let start = at + (argument.len() - argument.trim_start().len());
            let word = argument.trim();
            let span = self.span.slice(start, (start + word.len()).max(start + 1));
            all.extend(self.argument(name, Loc::new(word, span)).map(Filter::Is));
            at += argument.len() + 1;
        }
        Filter::Any(all)
    }

    fn argument(&mut self, name: &str, word: Loc<&'a str>) -> Option<Predicate> {
        let words = match name {
            "level" => {
                let level = match word.value {
                    "must" => Some(Level::Must),
                    "should" => Some(Level::Should),
                    "may" => Some(Level::May),
                    _ => self.unknown("level", &word, grammar::LEVELS),
                };
                return level.map(Predicate::Level);
            }
            "family" => {
                let number = match word.value.trim_start_matches('v') {
                    "4" => Some(4),
                    "6" => Some(6),
                    _ => self.unknown("family", &word, grammar::FAMILIES),
                };
                return number.map(Predicate::Family);
            }
            "rfc" => {
                let number = word.value.parse().ok();
                if number.is_none() {
                    let found = Diagnostic::new(
                        Code::UnknownWord,
                        word.span,
                        format!("`{}` is no RFC's number", word.value),
                    );
                    self.sink.push(found.help("for example `rfc(7323)`"));
                }
                return number.map(Predicate::Rfc);
            }
            "slow" => {
                let found =
                    Diagnostic::new(Code::FilterSyntax, word.span, "`slow()` takes nothing in its brackets");
                self.sink.push(found);
                return None;
            }
            "tag" => Words::Tag,
            "ref" => Words::Ref,
            "needs" => Words::Needs,
            "kills" => Words::Kills,
            "given" => Words::Given,
            _ => Words::Id,
        };
        if word.value.is_empty() {
            self.sink.push(Diagnostic::new(
                Code::FilterSyntax,
                word.span,
                format!("`{name}()` needs something in its brackets"),
            ));
            return None;
        }
        self.known(words, &word);
        Glob::parse(word.value, word.span, self.sink).map(|glob| Predicate::Words(words, glob))
    }

    /// A plain word of a closed list that is not in it would never match.
    fn known(&mut self, words: Words, word: &Loc<&'a str>) {
        if word.value.contains(['*', '?', '[']) {
            return;
        }
        match words {
            Words::Needs if !names::is_ability(word.value) => {
                let known: Vec<_> = names::ABILITIES.iter().map(|ability| ability.id).collect();
                self.unknown::<()>("ability", word, &known);
            }
            Words::Ref if Catalogue::embedded().get(word.value).is_none() => {
                let near = suggest::nearest(word.value, Catalogue::embedded().ids());
                let found = Diagnostic::new(
                    Code::UnknownWord,
                    word.span,
                    format!("unknown requirement `{}`", word.value),
                );
                self.sink.push(found.suggest(near).help("a `*` stands for any text: `ref(RFC5961-*)`"));
            }
            Words::Id | Words::Tag | Words::Ref | Words::Needs | Words::Kills | Words::Given => {}
        }
    }

    fn unknown<T>(&mut self, what: &str, word: &Loc<&'a str>, known: &[&str]) -> Option<T> {
        let found = Diagnostic::new(Code::UnknownWord, word.span, format!("unknown {what} `{}`", word.value));
        let found = found.suggest(suggest::nearest(word.value, known.iter().copied()));
        self.sink.push(found.help(format!("there is {}", known.join(", "))));
        None
    }
}
