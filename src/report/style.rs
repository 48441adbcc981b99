//! Colours and the shape of the page. A plain palette writes no escape sequence at all, so the same
//! code makes the text for a terminal, a file and a JUnit element.

use crate::engine::Outcome;
use anstyle::{AnsiColor, Style};
use std::fmt::Display;

/// How wide text is where nobody says otherwise: files, pipes, JUnit.
pub const PAGE_WIDTH: usize = 100;
/// Wider lines are hard to read, however wide the terminal is.
pub const WIDTH_MAX: usize = 120;
/// Narrower terminals get this and wrap by themselves.
pub const WIDTH_MIN: usize = 60;

/// What text looks like.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub width: usize,
    pub palette: Palette,
}

impl Look {
    pub const PLAIN: Self = Self { width: PAGE_WIDTH, palette: Palette::PLAIN };

    pub fn new(width: usize, color: bool) -> Self {
        let palette = if color { Palette::COLOR } else { Palette::PLAIN };
        Self { width: width.clamp(WIDTH_MIN, WIDTH_MAX), palette }
    }

    pub fn is_color(&self) -> bool {
        self.palette.fail != Palette::PLAIN.fail
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Palette {
    pub pass: Style,
    pub fail: Style,
    pub warn: Style,
    /// What was not judged: unsupported, blocked, inconclusive.
    pub skip: Style,
    pub dim: Style,
    pub strong: Style,
    pub name: Style,
}

impl Palette {
    pub const PLAIN: Self = Self {
        pass: Style::new(),
        fail: Style::new(),
        warn: Style::new(),
        skip: Style::new(),
        dim: Style::new(),
        strong: Style::new(),
        name: Style::new(),
    };

    pub const COLOR: Self = Self {
        pass: AnsiColor::Green.on_default().bold(),
        fail: AnsiColor::Red.on_default().bold(),
        warn: AnsiColor::Yellow.on_default().bold(),
        skip: AnsiColor::Cyan.on_default().bold(),
        dim: Style::new().dimmed(),
        strong: Style::new().bold(),
        name: AnsiColor::Magenta.on_default(),
    };

    pub fn of(&self, outcome: Outcome) -> Style {
        match outcome {
            Outcome::Pass => self.pass,
            Outcome::Fail | Outcome::Error => self.fail,
            Outcome::Warn => self.warn,
            Outcome::Unsupported | Outcome::Blocked | Outcome::Inconclusive => self.skip,
        }
    }
}

/// The text in a style; padding belongs inside or outside of `text`, never in the format width.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_writes_no_escapes() {
        assert_eq!(paint(Palette::PLAIN.fail, "x"), "x");
        assert_eq!(paint(Palette::COLOR.fail, "x"), "\u{1b}[1m\u{1b}[31mx\u{1b}[0m");
    }
}
