//! Steps of a live case, as sentences.

use super::sentence::{application, fields};
use crate::suite::expr::Expr;
use crate::suite::model::{Action, Delay, Impairment, Live, Pick, Reads};

pub(super) fn live(live: &Live) -> String {
    match live {
        Live::Call(app) => application(app)
            .replacen("The application", "The peer's application", 1)
            .replacen("The target must", "The peer must", 1)
            .replacen("connects to the peer", "connects to the target", 1),
        Live::Reboot(settings) if settings.is_empty() => {
            "The peer's host reboots and knows nothing".to_owned()
        }
        Live::Reboot(settings) => {
            let all: Vec<_> =
                settings.iter().map(|(setting, value)| format!("{} {value}", setting.word())).collect();
            format!("The peer's host starts again, with {}", all.join(", "))
        }
        Live::Reads(Reads::All) => "The peer's application reads all that comes".to_owned(),
        Live::Reads(Reads::Nothing) => "The peer's application stops reading".to_owned(),
        Live::Reads(Reads::Slowly { octets, every }) => {
            format!("The peer's application reads {octets} octets every {every}")
        }
    }
}

pub(super) fn impairment(rule: &Impairment) -> String {
    let Impairment { action, from, seen, pick } = rule;
    let segments = match seen {
        Some(seen) => format!("segments ({})", fields(seen)),
        None => "segments".to_owned(),
    };
    let whose = from.map_or(String::new(), |from| format!(" of the {from}"));
    let what = format!("{}{segments}{whose}", picked(pick));
    match action {
        Action::Drop => format!("From here on the wire loses {what}"),
        Action::Delay(delay) => format!("From here on the wire delays {what}{}", delayed(delay)),
        Action::Duplicate { times } => {
            let times = times.as_ref().map_or_else(|| "once".to_owned(), |times| format!("{times} times"));
            format!("From here on the wire repeats {what} {times}")
        }
        Action::Reorder { behind, hold: _ } => {
            let behind = behind.as_ref().map_or_else(|| "1".to_owned(), Expr::to_string);
            format!("From here on {what} are overtaken by {behind} others")
        }
        Action::Corrupt { octet: None } => format!("From here on {what} arrive with a flipped bit"),
        Action::Corrupt { octet: Some(octet) } => {
            format!("From here on {what} arrive with a flipped bit in octet {octet}")
        }
        Action::Rewrite { set } => format!("From here on {what} arrive changed: {}", fields(set)),
    }
}

fn picked(pick: &Pick) -> String {
    let Pick { count, every, nth, probability } = pick;
    let mut words = String::new();
    if let Some(n) = nth {
        words.push_str(&format!("number {n} of the "));
    }
    if let Some(n) = every {
        words.push_str(&format!("every {n}. of the "));
    }
    if let Some(share) = probability {
        words.push_str(&format!("{} % of the ", f64::from(*share) / 10_000.0));
    }
    if let Some(n) = count {
        words.push_str(&format!("at most {n} of the "));
    }
    words
}

fn delayed(delay: &Delay) -> String {
    let Delay { by, jitter, rate, queue } = delay;
    let mut words = String::new();
    let mut say = |lead: &str, value: &Option<Expr>, tail: &str| {
        if let Some(value) = value {
            words.push_str(&format!("{lead}{value}{tail}"));
        }
    };
    say(" by ", by, "");
    say(", and up to ", jitter, " more");
    say(", at ", rate, " octets a second");
    say(", with room for ", queue, " octets");
    words
}
