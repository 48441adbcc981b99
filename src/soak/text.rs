//! An episode as a suite in the case language.

use super::{Conn, End, Episode};
use std::fmt::Write;

/// What a lossy wire may need: many losses of the same segment double the timeout again and again.
const PATIENCE: &str = "170s";

impl Episode {
    pub fn text(&self) -> String {
        let mut out = String::from("title: What soak found\nlevel: must\nmode: live\ntags: [soak]\ncases:\n");
        let octets: u64 = self.conns.iter().map(|c| u64::from(c.gives) + u64::from(c.takes)).sum();
        let _ = writeln!(out, "  - id: episode-{}", self.number);
        let _ = writeln!(
            out,
            "    title: Connections {} with {octets} octets survive impairments {}",
            self.conns.len(),
            self.impairments.len()
        );
        out.push_str("    refs: [RFC9293-U-20]\n    family: [4, 6]\n    steps:\n");
        self.steps(&mut out);
        out
    }

    fn steps(&self, out: &mut String) {
        let mut step = |text: &str| {
            let _ = writeln!(out, "      - {text}");
        };
        if !self.settings.is_empty() {
            let all: Vec<_> = self.settings.iter().map(|(key, value)| format!("{key}: {value}")).collect();
            step(&format!("live: {{reboot: {{{}}}}}", all.join(", ")));
        }
        if self.conns.iter().any(|conn| !conn.active) {
            step("app: listen");
        }
        for rule in &self.impairments {
            let data = if rule.data { ", len: \"> 0\"" } else { "" };
            let how = if rule.how.is_empty() { String::new() } else { format!(", {}", rule.how) };
            step(&format!("{}: {{from: {}{data}, nth: {}{how}}}", rule.verb, rule.from, rule.nth));
        }
        let mut on = |number: usize, text: &str| {
            let _ = write!(out, "      - {text}\n        on: {number}\n        within: {PATIENCE}\n");
        };
        for (number, conn) in self.conns.iter().enumerate() {
            open(conn, number, &mut on);
        }
        // Whoever waits to be accepted is waited for at the end, in whatever order they come.
        for (number, conn) in self.conns.iter().enumerate() {
            if conn.gives > 0 {
                on(number, &format!("app: {{send: {}}}", conn.gives));
            }
            if conn.takes > 0 {
                on(number, &format!("live: {{send: {}}}", conn.takes));
            }
        }
        for (number, conn) in self.conns.iter().enumerate() {
            if conn.takes > 0 {
                on(number, &format!("app: {{recv: {}}}", conn.takes));
            }
            if conn.gives > 0 {
                on(number, &format!("live: {{recv: {}}}", conn.gives));
            }
        }
        for (number, conn) in self.conns.iter().enumerate() {
            close(conn, number, &mut on);
        }
        // What the end still makes pass is watched too.
        let _ = writeln!(out, "      - wait: 20ms");
    }
}

fn open(conn: &Conn, number: usize, on: &mut impl FnMut(usize, &str)) {
    if conn.active {
        on(number, "live: listen");
        on(number, "app: connect");
        on(number, "app: {expect: connected}");
        on(number, "live: accept");
    } else {
        on(number, "live: connect");
        on(number, "app: accept");
        on(number, "live: {expect: connected}");
    }
}

fn close(conn: &Conn, number: usize, on: &mut impl FnMut(usize, &str)) {
    match conn.end {
        End::PeerFirst => {
            on(number, "live: {shutdown: write}");
            on(number, "app: {expect: eof}");
            on(number, "app: close");
            on(number, "live: {expect: eof}");
        }
        End::TargetFirst => {
            on(number, "app: close");
            on(number, "live: {expect: eof}");
            on(number, "live: close");
        }
        // The RST may get lost: nobody need learn of it.
        End::PeerAborts => on(number, "live: abort"),
        End::TargetAborts => on(number, "app: abort"),
    }
}
