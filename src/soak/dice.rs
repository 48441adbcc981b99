//! Chance: where an episode comes from.

use super::{Conn, End, Episode, Impairment, Lie, Phase, Question, Reads, What};
use crate::target::profile::Profile;

/// Chance from a seed: splitmix64.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut n = self.0;
        n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    /// From `low` to `high`, both included.
    fn between(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high.saturating_sub(low)) + 1;
        low + u32::try_from(self.roll() % span).unwrap_or_default()
    }

    fn percent(&mut self, share: u32) -> bool {
        self.between(1, 100) <= share
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let at = self.between(0, u32::try_from(of.len()).unwrap_or(1).saturating_sub(1));
        of[at as usize]
    }
}

/// Sizes of data: a few octets, around a segment, several windows.
const SIZES: &[(u32, u32)] = &[(0, 0), (1, 20), (1400, 3000), (10_000, 60_000), (100_000, 400_000)];

/// Largest segments that the peer may ask for.
const SIZES_OF_SEGMENTS: &[u32] = &[100, 300, 536, 1000];

/// A segment that a peer sends whatever it was told: what a copy of the first flight may reach to is counted in these.
const SEGMENT: u32 = 536;

impl Episode {
    /// The next episode that the dice give for a target of this profile.
    pub fn next(number: u64, dice: &mut Dice, profile: &Profile) -> Self {
        let can = |ability: &str| profile.abilities.contains(ability);
        if can("virtual-time") && dice.percent(50) {
            return Self::interview(number, dice, profile);
        }
        let many = if can("many-connections") && dice.percent(30) { dice.between(2, 5) } else { 1 };
        let pauses = dice.percent(35);
        let mut conns: Vec<Conn> = (0..many).map(|_| Conn::any(dice, profile, pauses)).collect();
        for conn in conns.iter_mut().filter(|conn| many > 1 && conn.end.is_alone()) {
            conn.end = End::TargetFirst;
        }
        let mut settings = settings(dice, pauses);
        let mut impairments = Vec::new();
        let lone = conns.len() == 1;
        let room = can("virtual-time") && dice.percent(10);
        let room = room.then(|| dice.between(500, 6_000));
        if room.is_some() {
            conns.iter_mut().for_each(|conn| conn.takes %= 30_000);
        }
        if settings.iter().any(|(key, value)| *key == "buffer" && value.len() < 4) {
            conns.iter_mut().for_each(|conn| conn.gives %= 20_000);
        }
        if lone && room.is_none() && can("rfc5961") && dice.percent(20) {
            in_flight(dice, profile, &mut conns[0], &mut impairments);
            settings.retain(|(key, _)| *key != "mss");
        } else if dice.percent(70) {
            anywhere(dice, &conns, &mut impairments);
        }
        if pauses {
            for _ in 0..dice.between(0, 2) {
                impairments.push(Impairment::near(dice, Phase::Pause));
            }
        }
        if dice.percent(50) && !conns[0].end.is_alone() {
            for _ in 0..dice.between(1, 4) {
                impairments.push(Impairment::near(dice, Phase::Close));
            }
        }
        crossing(dice, &conns, &mut impairments);
        if pauses && dice.percent(30) {
            fill(dice, &mut conns, &settings);
        }
        if dice.percent(35) {
            when_quiet(dice, profile, &conns, &mut impairments);
        }
        let mut episode = Self { number, settings, room, conns, impairments };
        if lone && dice.percent(50) {
            episode.ask(dice, profile);
        }
        if lone && can("virtual-time") && dice.percent(20) {
            episode.in_time_wait(dice, profile);
        }
        episode
    }

    /// Little is said, on a good wire. Most of what is asked needs nothing before it, and every end is as good as any.
    fn interview(number: u64, dice: &mut Dice, profile: &Profile) -> Self {
        let mut conn = Conn::any(dice, profile, false);
        (conn.gives, conn.takes) = (dice.between(0, 3_000), dice.between(0, 3_000));
        let mut episode = Self {
            number,
            settings: settings(dice, false),
            room: None,
            conns: vec![conn],
            impairments: Vec::new(),
        };
        crossing(dice, &episode.conns, &mut episode.impairments);
        if dice.percent(75) {
            episode.ask(dice, profile);
        }
        if dice.percent(50) {
            episode.in_time_wait(dice, profile);
        }
        episode
    }
}

impl Episode {
    /// A question, if its end leaves room for one. What got lost before, or came so late that it was thought lost,
    /// would be an explanation of its own: a peer with a small congestion window, a timer that runs.
    fn ask(&mut self, dice: &mut Dice, profile: &Profile) {
        let conn = self.conns[0];
        if self.room.is_some() || !conn.end.comes_last() {
            return;
        }
        let suits = |question: &Question| question.suits(profile, &self.settings, conn.chops.is_some());
        let all: Vec<Question> = Question::ALL.iter().copied().filter(suits).collect();
        if all.is_empty() {
            return;
        }
        let question = dice.pick(&all);
        self.impairments.retain(|each| match each.phase {
            Phase::Open | Phase::Flight => !each.is_loss() && !each.is_overtaken() && !question.is_first(),
            Phase::Fin | Phase::Pause => !each.is_loss() && !each.is_overtaken(),
            Phase::Quiet | Phase::Asked | Phase::Close | Phase::TimeWait => !question.is_last(),
        });
        self.impairments.push(Impairment { phase: Phase::Asked, what: What::Asked(question) });
    }
}

impl Episode {
    /// What comes while the target waits for old segments.
    fn in_time_wait(&mut self, dice: &mut Dice, profile: &Profile) {
        let can = |ability: &str| profile.abilities.contains(ability);
        let mut lies = vec![Lie::FinAgain, Lie::OldSyn];
        // Somebody has to listen.
        if can("rfc6191") && can("reuse") && !self.conns[0].active {
            lies.push(Lie::NewSyn);
        }
        let what = What::Forged(dice.pick(&lies));
        self.impairments.push(Impairment { phase: Phase::TimeWait, what });
    }
}

impl Conn {
    fn any(dice: &mut Dice, profile: &Profile, pauses: bool) -> Self {
        let can = |ability: &str| profile.abilities.contains(ability);
        let size = |dice: &mut Dice| {
            let (low, high) = dice.pick(SIZES);
            dice.between(low, high)
        };
        let (gives, takes) = (size(dice), size(dice));
        let reads = match dice.between(1, 3) {
            1 if pauses => Reads::Crumbs { octets: dice.between(1, 2000), every: dice.between(1, 20) },
            _ if pauses => Reads::Nothing,
            _ => Reads::All,
        };
        let mut end = End::any(dice, profile);
        // Who closes while data for it is under way says with a RST that it did not want it.
        if end == End::TargetEarly && takes > 0 && !can("half-close") {
            end = End::TargetFirst;
        }
        Self {
            active: can("active-open") && dice.percent(30),
            gives,
            takes,
            chops: (can("nodelay") && dice.percent(20)).then(|| dice.between(1, 400)),
            reads,
            pause: if pauses { dice.between(20, 400) } else { 0 },
            late: dice.percent(25),
            end,
        }
    }
}

impl End {
    fn any(dice: &mut Dice, profile: &Profile) -> Self {
        let can = |ability: &str| profile.abilities.contains(ability);
        match dice.between(1, 24) {
            1 => Self::PeerAborts,
            2 if can("abort") => Self::TargetAborts,
            21 if can("control") => Self::TargetUnread,
            22 if can("control") => Self::TargetLate,
            23 if can("control") => Self::TargetAtOnce,
            24 if can("virtual-time") => dice.pick(&[Self::TargetSqueezed, Self::TargetProbes]),
            24 if can("control") => Self::TargetProbes,
            3..=6 => Self::TargetFirst,
            7..=9 => Self::TargetEarly,
            10..=12 => Self::PeerEarly,
            13 | 14 if can("half-close") => Self::TargetHalf,
            15 | 16 => Self::PeerHalf,
            17 | 18 => Self::Together,
            _ => Self::PeerFirst,
        }
    }
}

fn settings(dice: &mut Dice, pauses: bool) -> Vec<(&'static str, String)> {
    let mut settings = Vec::new();
    for (key, share) in [("sack", 50), ("timestamps", 30), ("wscale", 30)] {
        if dice.percent(share) {
            settings.push((key, "no".to_owned()));
        }
    }
    if dice.percent(20) {
        settings.push(("mss", dice.pick(SIZES_OF_SEGMENTS).to_string()));
    }
    if dice.percent(if pauses { 80 } else { 30 }) {
        // Now and then no segment fits.
        let low = if dice.percent(15) { 200 } else { 2_000 };
        let high = if low < 1_000 {
            999
        } else if pauses {
            20_000
        } else {
            60_000
        };
        settings.push(("buffer", dice.between(low, high).to_string()));
    }
    if dice.percent(20) {
        settings.push(("delayed_ack", "0ms".to_owned()));
    }
    if dice.percent(30) {
        // Before the numbers wrap, or change their sign.
        let edge = dice.pick(&[0, 1 << 31]);
        settings.push(("isn", edge_before(edge, dice.between(1, 100_000)).to_string()));
    }
    settings
}

/// What takes its time on the wire meets what the other side says.
fn crossing(dice: &mut Dice, conns: &[Conn], impairments: &mut Vec<Impairment>) {
    if !conns.iter().any(|conn| conn.end == End::Together) {
        return;
    }
    let by = format!("by: {}ms", dice.between(5, 30));
    for from in ["peer", "target"] {
        let what = What::Rule { verb: "delay", from, data: false, nth: None, how: by.clone() };
        impairments.push(Impairment { phase: Phase::Close, what });
    }
}

/// The last octet before the FIN fills the window to the brim.
fn fill(dice: &mut Dice, conns: &mut [Conn], settings: &[(&'static str, String)]) {
    let buffer = settings.iter().find(|(key, _)| *key == "buffer").and_then(|(_, value)| value.parse().ok());
    let Some(buffer) = buffer else { return };
    let conn = &mut conns[0];
    (conn.gives, conn.takes, conn.end) = (buffer, 0, End::TargetEarly);
    (conn.reads, conn.chops) = (Reads::Nothing, None);
    conn.pause = conn.pause.max(dice.between(20, 400));
}

fn edge_before(edge: u32, octets: u32) -> u32 {
    edge.wrapping_sub(octets)
}

/// Rules about segments anywhere in the exchange.
fn anywhere(dice: &mut Dice, conns: &[Conn], impairments: &mut Vec<Impairment>) {
    let many = u32::try_from(conns.len()).unwrap_or(1);
    for from in ["peer", "target"] {
        let data: u32 = conns.iter().map(|c| if from == "peer" { c.takes } else { c.gives }).sum();
        let other: u32 = conns.iter().map(|c| if from == "peer" { c.gives } else { c.takes }).sum();
        // So many segments at least: some data, an ACK for every second segment of the other side, and the ends.
        let segments = data / 1460 + other / 2920 + 3 * many;
        for _ in 0..dice.between(0, (segments / 4).clamp(1, 20)) {
            let what = What::rule(dice, from, segments.clamp(1, 200));
            impairments.push(Impairment { phase: Phase::Open, what });
        }
    }
}

/// What the peer sends first arrives cut otherwise than it sent it, out of order, before it; or with text that belongs
/// behind its end.
fn in_flight(dice: &mut Dice, profile: &Profile, conn: &mut Conn, impairments: &mut Vec<Impairment>) {
    conn.takes = dice.between(10 * SEGMENT, profile.limits.buffer.min(40_000) / 2).max(10 * SEGMENT);
    let flight = |what| Impairment { phase: Phase::Flight, what };
    let rule = |what| Impairment { phase: Phase::Open, what };
    let behind = dice.percent(20);
    if !behind && dice.percent(80) {
        let by = format!("by: {}ms", dice.between(5, 50));
        impairments.push(rule(What::Rule { verb: "delay", from: "peer", data: true, nth: None, how: by }));
    }
    if behind {
        // The FIN arrives, and waits.
        impairments.push(rule(What::lost("peer", 1)));
    } else if dice.percent(60) {
        impairments.push(rule(What::lost("peer", dice.between(1, 3))));
    }
    if behind || dice.percent(20) {
        conn.end = End::PeerEarly;
    }
    if behind {
        impairments.push(Impairment { phase: Phase::Fin, what: What::Forged(Lie::BehindTheEnd) });
    }
    // A real wire carries no more than its MTU.
    let longest = if profile.abilities.contains("virtual-time") { 4 * SEGMENT } else { 2 * SEGMENT };
    let mut at = dice.between(0, 3 * SEGMENT);
    for _ in 0..dice.between(0, 3) {
        impairments.push(flight(What::Copy { at, len: dice.between(1, longest) }));
        if dice.percent(50) {
            at = dice.between(0, 3 * SEGMENT);
        }
    }
}

/// Segments that say what is not so, while nothing else is under way.
fn when_quiet(dice: &mut Dice, profile: &Profile, conns: &[Conn], impairments: &mut Vec<Impairment>) {
    let lies: Vec<Lie> = Lie::ALL.iter().copied().filter(|lie| lie.suits(profile)).collect();
    let quiet = conns.iter().any(|conn| conn.end.comes_last());
    if lies.is_empty() || !quiet {
        return;
    }
    for _ in 0..dice.between(1, 3) {
        let lie = dice.pick(&lies);
        impairments.push(Impairment { phase: Phase::Quiet, what: What::Forged(lie) });
    }
}

impl Impairment {
    /// A rule about one of the next few segments.
    fn near(dice: &mut Dice, phase: Phase) -> Self {
        let from = dice.pick(&["peer", "target"]);
        Self { phase, what: What::rule(dice, from, 4) }
    }
}

impl What {
    fn rule(dice: &mut Dice, from: &'static str, segments: u32) -> Self {
        let verb = dice.pick(&["drop", "drop", "drop", "duplicate", "reorder", "corrupt", "delay"]);
        let how = match verb {
            "duplicate" => format!("times: {}", dice.between(1, 3)),
            "reorder" => format!("behind: {}", dice.between(1, 6)),
            "delay" => format!("by: {}ms", dice.between(1, 300)),
            _ => String::new(),
        };
        Self::Rule { verb, from, data: dice.percent(40), nth: Some(dice.between(1, segments)), how }
    }

    fn lost(from: &'static str, nth: u32) -> Self {
        Self::Rule { verb: "drop", from, data: true, nth: Some(nth), how: String::new() }
    }
}
