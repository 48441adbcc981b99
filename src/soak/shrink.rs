//! Making an episode that shows a violation smaller, for as long as it shows it.

use super::{Conn, End, Episode, Reads};

/// Leaves out impairments (many at a time, then one by one), connections, settings and octets while `shows` says
/// that the violation is still there. At most `tries` questions are asked.
pub fn shrink(episode: &Episode, tries: usize, mut shows: impl FnMut(&Episode) -> bool) -> Episode {
    let mut best = episode.clone();
    let mut left = tries;
    let mut better = |best: &mut Episode, smaller: Episode| {
        if left == 0 || smaller == *best || !smaller.is_sound() {
            return false;
        }
        left -= 1;
        let still = shows(&smaller);
        if still {
            *best = smaller;
        }
        still
    };
    loop {
        let before = best.clone();
        rules(&mut best, &mut better);
        for at in (0..best.conns.len()).rev() {
            if best.conns.len() > 1 {
                let mut smaller = best.clone();
                smaller.conns.remove(at);
                better(&mut best, smaller);
            }
        }
        rules(&mut best, &mut better);
        for at in (0..best.settings.len()).rev() {
            let mut smaller = best.clone();
            smaller.settings.remove(at);
            better(&mut best, smaller);
        }
        let mut roomy = best.clone();
        roomy.room = None;
        better(&mut best, roomy);
        for at in 0..best.conns.len() {
            habits(&mut best, at, &mut better);
            octets(&mut best, at, &mut better);
        }
        if best == before {
            return best;
        }
    }
}

/// Halves, quarters ... of the impairments, then each.
fn rules(best: &mut Episode, better: &mut impl FnMut(&mut Episode, Episode) -> bool) {
    let mut chunk = best.impairments.len();
    while chunk > 0 {
        let mut at = 0;
        while at < best.impairments.len() {
            let mut smaller = best.clone();
            let end = (at + chunk).min(smaller.impairments.len());
            smaller.impairments.drain(at..end);
            if !better(best, smaller) {
                at += chunk;
            }
        }
        chunk /= 2;
    }
}

/// The plain way of opening, writing, reading and closing.
fn habits(best: &mut Episode, at: usize, better: &mut impl FnMut(&mut Episode, Episode) -> bool) {
    const PLAIN: [fn(&mut Conn); 6] = [
        |conn| conn.end = End::PLAIN,
        |conn| conn.active = false,
        |conn| conn.chops = None,
        |conn| conn.reads = Reads::All,
        |conn| conn.pause = 0,
        |conn| conn.late = false,
    ];
    for plain in PLAIN {
        let mut plainer = best.clone();
        plain(&mut plainer.conns[at]);
        better(best, plainer);
    }
}

fn octets(best: &mut Episode, at: usize, better: &mut impl FnMut(&mut Episode, Episode) -> bool) {
    for part in [0, 1] {
        let mut none = best.clone();
        *size(&mut none, at, part) = 0;
        if better(best, none) {
            continue;
        }
        loop {
            let mut half = best.clone();
            *size(&mut half, at, part) /= 2;
            if *size(&mut half, at, part) == 0 || !better(best, half) {
                break;
            }
        }
    }
}

fn size(episode: &mut Episode, at: usize, part: usize) -> &mut u32 {
    let conn = &mut episode.conns[at];
    if part == 0 { &mut conn.gives } else { &mut conn.takes }
}
