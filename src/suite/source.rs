//! The texts that diagnostics point into: files, spans, lines and columns. Pure: someone else reads
//! the files.

use crate::suite::model::Place;
use std::sync::Arc;

/// Which file of a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A range of octets in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// `start..end` counted from the start of this span.
    pub fn slice(self, start: usize, end: usize) -> Self {
        let at = |offset: usize| {
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            self.start.saturating_add(offset).min(self.end)
        };
        Self { file: self.file, start: at(start), end: at(end) }
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loc<T> {
    pub value: T,
    pub span: Span,
}

impl<T> Loc<T> {
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

#[derive(Debug, Clone)]
pub struct File {
    /// As messages show it: a path, or `<filter>` for text from the command line.
    pub name: String,
    pub text: Arc<str>,
    line_starts: Vec<u32>,
}

impl File {
    /// The line that holds this octet, from 0.
    fn line_of(&self, offset: u32) -> usize {
        self.line_starts.partition_point(|&start| start <= offset).saturating_sub(1)
    }
}

/// All texts of one load, in the order they were added.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<File>,
}

impl SourceMap {
    /// Longest text that can be held: offsets are 32 bits wide.
    pub fn add(&mut self, name: &str, text: &str) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        let newlines = text.bytes().enumerate().filter(|&(_, octet)| octet == b'\n');
        let starts = newlines.filter_map(|(at, _)| u32::try_from(at + 1).ok());
        let line_starts = std::iter::once(0).chain(starts).collect();
        self.files.push(File { name: name.to_owned(), text: text.into(), line_starts });
        id
    }

    pub fn file(&self, id: FileId) -> &File {
        &self.files[id.0 as usize]
    }

    /// The whole of a file.
    pub fn whole(&self, file: FileId) -> Span {
        let end = u32::try_from(self.file(file).text.len()).unwrap_or(u32::MAX);
        Span { file, start: 0, end }
    }

    /// What was written there.
    pub fn text(&self, span: Span) -> &str {
        let text = &self.file(span.file).text;
        text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// File, line and column; both count from 1, columns in characters.
    pub fn place(&self, span: Span) -> Place {
        let file = self.file(span.file);
        let line = file.line_of(span.start);
        let start = file.line_starts[line] as usize;
        let before = file.text.get(start..span.start as usize).unwrap_or("");
        let count = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
        Place { file: file.name.clone(), line: count(line), column: count(before.chars().count()) }
    }

    /// The octets of the whole lines from the one with `start` to the one with `end`, and the
    /// number of the first, from 1.
    pub fn lines(&self, file: FileId, start: u32, end: u32) -> (std::ops::Range<usize>, usize) {
        let source = self.file(file);
        let first = source.line_of(start);
        let last = source.line_of(end.max(start));
        let to = source.line_starts.get(last + 1).map_or(source.text.len(), |&next| next as usize);
        (source.line_starts[first] as usize..to, first + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let mut map = SourceMap::default();
        let file = map.add("a.yaml", "één: 1\ntwo: 2\n");
        let at = |text: &str| {
            let start = map.file(file).text.find(text).unwrap();
            map.place(Span { file, start: start as u32, end: start as u32 + 1 })
        };
        assert_eq!((at("1").line, at("1").column), (1, 6));
        assert_eq!((at("two").line, at("two").column), (2, 1));
        let end = map.whole(file).end;
        assert_eq!(map.place(Span { file, start: end, end }).line, 3);
    }
}
