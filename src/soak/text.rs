//! An episode as a suite in the case language.

use super::{Conn, End, Episode, Impairment, Lie, Phase, Question, Reads, What};
use crate::report::text::count;
use crate::target::profile::Profile;
use std::fmt::Write;

/// Octets that go both ways behind a forged segment, to show that it has changed nothing.
const AFTERWARDS: u32 = 300;
/// Octets that follow the end of the other direction.
const MORE: u32 = 5_000;
/// Pieces that are written one by one, where they are; the rest follows as a whole.
const PIECES: u32 = 6;
/// Nothing is under way any more: longer than an ACK may wait.
const QUIET: &str = "600ms";
/// What nobody has written.
const GARBAGE: &str = "none-of-these-octets-was-written";

/// What the peer has room for unless it is told.
const BUFFER: u32 = 256 << 10;

/// The second small write waits for the ACK of the first (Nagle's algorithm), but not once the stream has ended.
const AT_ONCE: &str = "\
- delay: {from: peer, by: 200ms}
  as: slow
- app: {send: 10}
- app: {send: 10}
- app: close
- expect: {flags: FIN|ACK}
  within: 90ms
- heal: slow
";
/// Its last segment has text and FIN, is lost, and finds the window closed when it is sent again.
pub(super) const SQUEEZED: &str = "\
- send: {flags: ACK}
  as: mark
- drop: {from: target, seq: mark.ack + 10, count: 1}
- app: {send: 10}
- app: {send: 10}
- app: close
- expect: {from: peer, flags: ACK, ack: mark.ack + 10}
- send: {flags: ACK, window: 0}
";
/// Its FIN, which stands alone, is lost, and finds the window closed when it is sent again.
const PROBES: &str = "\
- drop: {from: target, flags: FIN|ACK, count: 1}
- app: close
- expect: {flags: FIN|ACK, len: 0}
- send: {flags: ACK, window: 0}
";

pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

impl Episode {
    pub fn text(&self, profile: &Profile) -> String {
        let level = if self.is_should() { "should" } else { "must" };
        let mut out = format!("title: What soak found\nlevel: {level}\nmode: live\ntags: [soak]\ncases:\n");
        let octets: u64 = self.conns.iter().map(|c| u64::from(c.gives) + u64::from(c.takes)).sum();
        let _ = writeln!(out, "  - id: episode-{}", self.number);
        let _ = writeln!(
            out,
            "    title: {} with {} in {}",
            count(self.conns.len(), "connection"),
            count(usize::try_from(octets).unwrap_or(usize::MAX), "octet"),
            count(self.impairments.len(), "impairment")
        );
        out.push_str("    refs: [RFC9293-U-20]\n    family: [4, 6]\n    steps:\n");
        let script = Script {
            patience: format!("{}s", self.patience(profile).as_secs() + 1),
            alone: self.conns.len() == 1,
            profile,
            out,
        };
        script.write(self)
    }

    fn in_phase(&self, phase: Phase) -> impl Iterator<Item = &What> {
        self.impairments.iter().filter(move |each| each.phase == phase).map(|Impairment { what, .. }| what)
    }
}

struct Script<'a> {
    patience: String,
    /// There is one connection, so none needs a number.
    alone: bool,
    profile: &'a Profile,
    out: String,
}

impl Script<'_> {
    fn write(mut self, episode: &Episode) -> String {
        self.open_all(episode);
        self.send_all(episode);
        let first = episode.conns.first().filter(|conn| conn.takes > 0);
        if let Some(conn) = first {
            self.in_flight(conn, episode);
        }
        self.pause(episode);
        for (number, conn) in episode.conns.iter().enumerate() {
            let mut reads = [("app", conn.takes), ("live", conn.gives)];
            if conn.late {
                reads.reverse();
            }
            for (who, octets) in reads.into_iter().filter(|(_, octets)| *octets > 0) {
                self.on(number, &format!("{who}: {{recv: {octets}}}"));
            }
        }
        self.lies(episode);
        self.ask(episode);
        if episode.questions().any(Question::is_last) {
            return self.out;
        }
        self.rules(episode, Phase::Close);
        let (aborts, ends): (Vec<_>, Vec<_>) =
            episode.conns.iter().enumerate().partition(|(_, conn)| conn.end.is_abort());
        for (number, conn) in ends {
            self.close(conn, number, episode);
        }
        if !aborts.is_empty() {
            // A RST is not sent again: on a good wire somebody learns of it.
            self.step("heal: all");
        }
        for (number, conn) in aborts {
            self.abort(conn, number);
        }
        // What the end still makes pass is watched too.
        self.step("wait: 20ms");
        self.out
    }

    fn step(&mut self, text: &str) {
        let _ = writeln!(self.out, "      - {text}");
    }

    fn on(&mut self, number: usize, text: &str) {
        let patience = self.patience.clone();
        self.within(number, text, &patience);
    }

    /// A step of one connection, and how long it may take.
    fn within(&mut self, number: usize, text: &str, limit: &str) {
        self.step(text);
        // A pause is no connection's.
        if !self.alone && !text.starts_with("wait:") {
            let _ = writeln!(self.out, "        on: {number}");
        }
        if takes_time(text) {
            let _ = writeln!(self.out, "        within: {limit}");
        }
    }

    fn send(&mut self, number: usize, fields: &str) {
        self.within(number, &format!("send: {{{fields}}}"), "");
    }

    fn can(&self, ability: &str) -> bool {
        self.profile.abilities.contains(ability)
    }

    fn rules(&mut self, episode: &Episode, phase: Phase) {
        for what in episode.in_phase(phase) {
            let What::Rule { verb, from, data, nth, how } = what else { continue };
            let mut words = vec![format!("from: {from}")];
            words.extend(data.then(|| "len: \"> 0\"".to_owned()));
            words.extend(nth.map(|nth| format!("nth: {nth}")));
            words.extend((!how.is_empty()).then(|| how.clone()));
            self.step(&format!("{verb}: {{{}}}", words.join(", ")));
        }
    }

    fn open_all(&mut self, episode: &Episode) {
        let asked: Vec<_> = episode.questions().flat_map(Question::settings).collect();
        let said = episode.settings.iter().filter(|(key, _)| !asked.iter().any(|(other, _)| other == key));
        let mut all: Vec<_> = said.map(|(key, value)| format!("{key}: {value}")).collect();
        all.extend(asked.iter().map(|(key, value)| format!("{key}: {value}")));
        if !all.is_empty() {
            self.step(&format!("live: {{reboot: {{{}}}}}", all.join(", ")));
        }
        if let Some(room) = episode.room {
            self.step(&format!("app: {{option: {{rcvbuf: {room}}}}}"));
        }
        let first = episode.questions().find(|question| question.is_first());
        if first.is_none() && episode.conns.iter().any(|conn| !conn.active) {
            self.step("app: listen");
        }
        if let (Some(first), Some(conn)) = (first, episode.conns.first()) {
            self.lines(first.steps(self.profile, 0, conn.active), "0");
        }
        self.rules(episode, Phase::Open);
        for (number, conn) in episode.conns.iter().enumerate() {
            let steps: &[&str] = match (first, conn.active) {
                (Some(_), _) => &[],
                (None, true) => &["live: listen", "app: connect", "app: {expect: connected}", "live: accept"],
                (None, false) => &["live: connect", "app: accept", "live: {expect: connected}"],
            };
            for step in steps {
                self.on(number, step);
            }
            if conn.chops.is_some() {
                self.on(number, "app: {option: {nodelay: true}}");
                self.on(number, "live: {option: {nodelay: true}}");
            }
            match conn.reads {
                Reads::All => {}
                Reads::Nothing => self.on(number, "live: {reads: none}"),
                Reads::Crumbs { octets, every } => {
                    self.on(number, &format!("live: {{reads: {{octets: {octets}, every: {every}ms}}}}"));
                }
            }
        }
    }

    fn send_all(&mut self, episode: &Episode) {
        for (number, conn) in episode.conns.iter().enumerate() {
            for (who, octets) in [("app", conn.gives), ("live", conn.takes)] {
                for piece in pieces(octets, conn.chops) {
                    self.on(number, &format!("{who}: {{send: {piece}}}"));
                }
            }
            match conn.end {
                End::PeerEarly => self.on(number, "live: {shutdown: write}"),
                // To close is to read no more.
                End::TargetEarly if conn.takes == 0 && conn.pause == 0 => self.on(number, "app: close"),
                End::TargetEarly => self.on(number, "app: {shutdown: write}"),
                _ => {}
            }
        }
    }

    /// What meets the peer's first data on its way.
    fn in_flight(&mut self, conn: &Conn, episode: &Episode) {
        if episode.in_phase(Phase::Flight).next().is_some() {
            self.on(0, "expect: {from: peer, len: \"> 0\"}");
        }
        for what in episode.in_phase(Phase::Flight) {
            let What::Copy { at, len } = what else { continue };
            self.send(0, &format!("flags: ACK, seq: isn + {}, len: {len}", at + 1));
        }
        if conn.end == End::PeerEarly && episode.in_phase(Phase::Fin).next().is_some() {
            self.on(0, "expect: {from: peer, flags: FIN|ACK}");
            self.forge(0, conn, Lie::BehindTheEnd);
        }
    }

    fn pause(&mut self, episode: &Episode) {
        let pause = episode.conns.iter().map(|conn| conn.pause).max().unwrap_or_default();
        if pause > 0 {
            self.step(&format!("wait: {pause}ms"));
        }
        self.rules(episode, Phase::Pause);
        for (number, conn) in episode.conns.iter().enumerate() {
            if conn.reads != Reads::All {
                self.on(number, "live: {reads: all}");
            }
        }
    }

    fn lies(&mut self, episode: &Episode) {
        if episode.in_phase(Phase::Quiet).next().is_none() {
            return;
        }
        self.step(&format!("wait: {QUIET}"));
        for (number, conn) in episode.conns.iter().enumerate().filter(|(_, conn)| conn.end.comes_last()) {
            for what in episode.in_phase(Phase::Quiet) {
                if let What::Forged(lie) = what {
                    self.forge(number, conn, *lie);
                }
            }
            for who in ["live", "app"] {
                self.on(number, &format!("{who}: {{send: {AFTERWARDS}}}"));
            }
            for who in ["live", "app"] {
                self.on(number, &format!("{who}: {{recv: {AFTERWARDS}}}"));
            }
        }
    }

    /// Questions need a wire that does nothing, and two sides that have nothing more to say.
    fn ask(&mut self, episode: &Episode) {
        let questions: Vec<Question> = episode.questions().filter(|question| !question.is_first()).collect();
        let Some(conn) = episode.conns.first().filter(|_| !questions.is_empty()) else { return };
        self.quiet(episode);
        let setting = episode.settings.iter().find(|(key, _)| *key == "buffer");
        let buffer = setting.and_then(|(_, value)| value.parse().ok()).unwrap_or(BUFFER);
        for (number, question) in questions.into_iter().enumerate() {
            self.lines(question.steps(self.profile, buffer, conn.active), &(number + 1).to_string());
        }
    }

    /// All that was to be sent again has been, and nothing gets lost any more.
    fn quiet(&mut self, episode: &Episode) {
        self.step("heal: all");
        let quiet = if episode.is_lossy_before_its_end() { self.patience.clone() } else { QUIET.to_owned() };
        self.step(&format!("wait: {quiet}"));
    }

    /// Steps whose labels get something of their own for `@`.
    fn lines(&mut self, lines: Vec<String>, own: &str) {
        for line in lines {
            let _ = writeln!(self.out, "      {}", line.replace('@', own));
        }
    }

    fn forge(&mut self, number: usize, conn: &Conn, lie: Lie) {
        let garbage = format!("data: {GARBAGE}, counts: false");
        // Of what came before it there may be little.
        let back = conn.takes.min(8);
        let fields = match lie {
            Lie::OldText if back > 0 => format!("flags: ACK, seq: target.rcv.nxt - {back}, len: {back}"),
            Lie::OldGarbage if back > 0 => {
                let few = &GARBAGE[..back as usize];
                format!("flags: ACK, seq: target.rcv.nxt - {back}, data: \"{few}\", counts: false")
            }
            Lie::OldFin => "flags: FIN|ACK, seq: target.rcv.nxt - 1, counts: false".to_owned(),
            Lie::BeyondTheWindow => {
                format!("flags: ACK, seq: target.rcv.nxt + target.rcv.wnd + 100000000, {garbage}")
            }
            // Where the FIN stands, so that nothing is between it and the stream.
            Lie::BehindTheEnd => format!("flags: ACK, seq: snd.nxt - 1, data: {GARBAGE}"),
            Lie::FutureAck => {
                format!("flags: ACK, seq: target.rcv.nxt, ack: target.snd.nxt + 100000000, {garbage}")
            }
            Lie::AncientAck => {
                format!("flags: ACK, seq: target.rcv.nxt, ack: target.snd.una - 100000000, {garbage}")
            }
            Lie::NoAck => format!("flags: none, seq: target.rcv.nxt, {garbage}"),
            Lie::BadChecksum => {
                format!("flags: ACK, seq: target.rcv.nxt, checksum: bad, data: {GARBAGE}")
            }
            Lie::RstInside => "flags: RST, seq: target.rcv.nxt + 1".to_owned(),
            Lie::RstBelow => "flags: RST, seq: target.rcv.nxt - 100000".to_owned(),
            Lie::SynInside => "flags: SYN, seq: target.rcv.nxt + 1, counts: false".to_owned(),
            Lie::FinAgain => "flags: FIN|ACK, seq: snd.nxt - 1, counts: false".to_owned(),
            Lie::OldSyn => "flags: SYN, seq: snd.nxt - 1000, timestamps: none, counts: false".to_owned(),
            Lie::NewSyn => "flags: SYN, seq: snd.nxt + 100000, timestamps: none, counts: false".to_owned(),
            Lie::OldText | Lie::OldGarbage => return,
        };
        self.send(number, &fields);
    }

    fn close(&mut self, conn: &Conn, number: usize, episode: &Episode) {
        let mut on = |text: &str| self.on(number, text);
        match conn.end {
            End::PeerFirst | End::PeerEarly | End::PeerHalf => {
                if conn.end != End::PeerEarly {
                    on("live: {shutdown: write}");
                }
                on("app: {expect: eof}");
                if conn.end == End::PeerFirst {
                    // The FIN is acknowledged by itself, not only by what the application does.
                    on("live: {status: FIN-WAIT-2}");
                }
                if conn.end == End::PeerHalf {
                    on(&format!("app: {{send: {MORE}}}"));
                    on(&format!("live: {{recv: {MORE}}}"));
                }
                on("app: close");
                on("live: {expect: eof}");
                on("app: {expect: closed}");
                // A segment that came late may have drawn a RST, and that ends TIME-WAIT (RFC 1337).
                on("live: {status: [TIME-WAIT, CLOSED]}");
            }
            End::TargetFirst | End::TargetHalf | End::TargetEarly => {
                let orphan = conn.end == End::TargetEarly && conn.takes == 0 && conn.pause == 0;
                match conn.end {
                    End::TargetFirst => on("app: close"),
                    End::TargetHalf => on("app: {shutdown: write}"),
                    _ => {}
                }
                on("live: {expect: eof}");
                if conn.end == End::TargetHalf {
                    on(&format!("live: {{send: {MORE}}}"));
                    on(&format!("app: {{recv: {MORE}}}"));
                }
                on("live: close");
                on("live: {expect: closed}");
                if !orphan && conn.end != End::TargetFirst {
                    on("app: {expect: eof}");
                    on("app: close");
                    // In TIME-WAIT it may be told that it is closing already (RFC 9293 3.10.4).
                    let _ = writeln!(self.out, "        or_error: true");
                }
                self.time_wait(number, episode, episode.keeps_order());
            }
            End::Together => {
                on("app: close");
                on("live: close");
                on("live: {status: [TIME-WAIT, CLOSED]}");
                self.time_wait(number, episode, episode.keeps_order() && episode.crosses());
            }
            End::TargetAtOnce => self.last_words(AT_ONCE, &["live: {recv: 20}"], number, episode),
            End::TargetSqueezed => self.last_words(SQUEEZED, &["live: {recv: 20}"], number, episode),
            End::TargetProbes => self.last_words(PROBES, &[], number, episode),
            End::PeerAborts | End::TargetAborts | End::TargetUnread | End::TargetLate => {}
        }
    }

    /// On a wire that is quiet the target says its last words, and the peer hears them.
    fn last_words(&mut self, words: &str, heard: &[&str], number: usize, episode: &Episode) {
        self.quiet(episode);
        self.lines(lines(words), "");
        for step in heard.iter().chain(&["live: {expect: eof}", "live: close", "live: {expect: closed}"]) {
            self.on(number, step);
        }
        self.time_wait(number, episode, false);
    }

    /// Whoever closed first waits, and not for ever; where time is virtual that can be waited for.
    fn time_wait(&mut self, number: usize, episode: &Episode, surely: bool) {
        // Two ACKs may be under way to a peer that forgets the connection with the first. It answers the other one with a RST.
        let settled = !episode.is_lossy() && episode.room.is_none() && self.alone;
        let surely = surely && settled && self.can("virtual-time");
        let reopens = |what: &What| *what == What::Forged(Lie::NewSyn);
        if surely && episode.in_phase(Phase::TimeWait).any(reopens) {
            return self.reopened(number, episode);
        }
        if self.can("status") {
            let states = if surely { "TIME-WAIT" } else { "[TIME-WAIT, CLOSED]" };
            self.on(number, &format!("app: {{status: {states}}}"));
        }
        if self.can("virtual-time") {
            if surely && self.can("status") {
                self.in_time_wait(number, episode);
            }
            let limit = format!("target.msl * 2 + {}", self.patience);
            self.within(number, "app: {expect: closed}", &limit);
        }
    }

    /// It is still there after most of two MSL, and what a third party sends ends it no sooner. The peer has forgotten the
    /// connection: it would answer the target with a RST (RFC 1337).
    fn in_time_wait(&mut self, number: usize, episode: &Episode) {
        let mut lies = episode.in_phase(Phase::TimeWait).peekable();
        if lies.peek().is_some() {
            self.step("drop: {from: target}");
        }
        self.step("wait: target.msl * 3 / 2");
        for what in lies {
            let What::Forged(lie) = what else { continue };
            self.forge(number, &episode.conns[number], *lie);
            if *lie == Lie::OldSyn {
                // It may be answered, and need not be; the FIN has to be.
                self.on(number, "app: {status: TIME-WAIT}");
                self.forge(number, &episode.conns[number], Lie::FinAgain);
            }
            self.step("wait: target.msl * 3 / 2");
        }
        self.on(number, "app: {status: TIME-WAIT}");
    }

    /// A SYN that cannot be of the old connection need not wait (RFC 6191). The peer knows of neither.
    fn reopened(&mut self, number: usize, episode: &Episode) {
        self.step("drop: {from: target}");
        self.step("wait: target.msl / 2");
        self.forge(number, &episode.conns[number], Lie::NewSyn);
        self.on(number, "expect: {flags: SYN|ACK}");
    }

    fn abort(&mut self, conn: &Conn, number: usize) {
        let text = format!("live: {{send: {MORE}}}");
        let steps: &[&str] = match conn.end {
            End::PeerAborts => &["live: abort", "app: {expect: reset}"],
            End::TargetUnread => &[&text, "wait: 300ms", "app: close", "live: {expect: reset}"],
            End::TargetLate => &["app: close", "live: {expect: eof}", &text, "live: {expect: reset}"],
            _ => &["app: abort", "live: {expect: reset}"],
        };
        for step in steps {
            self.on(number, step);
        }
    }
}

/// Whether a step waits for the other side.
fn takes_time(step: &str) -> bool {
    ["expect", "accept", "recv", "status"].iter().any(|word| step.contains(word))
}

/// How an application writes so many octets.
fn pieces(octets: u32, chops: Option<u32>) -> Vec<u32> {
    let Some(size) = chops.filter(|_| octets > 0) else {
        return Some(octets).into_iter().filter(|octets| *octets > 0).collect();
    };
    let few = (octets / size).min(PIECES);
    let mut pieces = vec![size; few as usize];
    pieces.extend(Some(octets - few * size).filter(|rest| *rest > 0));
    pieces
}
