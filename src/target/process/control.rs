//! The control protocol: lines between the harness and the application above a target. Pure.
//!
//! ```text
//! -> 1 listen 7                  <- 1 ok
//!                                <- * accepted 1 10.0.0.77 40001
//! -> 2 connect 10.0.0.77 5000    <- 2 ok 2       later:  <- * connected 2
//! -> 3 send 1 1000               <- 3 ok
//! -> 4 recv 1 1000               <- 4 ok 1000            or: 4 ok 300 eof, 4 mismatch 17
//! -> 5 status 1                  <- 5 ok ESTABLISHED
//! any command it cannot do:      <- N unsupported
//! any command that fails:        <- N error in a few words
//! ```

use crate::engine::{AppCall, AppEvent};
use std::net::{IpAddr, SocketAddr};

/// A line longer than this is none.
pub const LINE_LEN_MAX: usize = 1024;

/// The line that asks for a call, without its line break. `None` where the harness answers itself.
pub fn command(call: u32, what: &AppCall) -> Option<String> {
    Some(match what {
        // Another program makes no system calls for us; the plan says so before.
        AppCall::Accept { .. } | AppCall::Linux { .. } => return None,
        AppCall::Listen { port } => format!("{call} listen {port}"),
        AppCall::Unlisten { port } => format!("{call} unlisten {port}"),
        AppCall::Connect { to, from: None } => format!("{call} connect {} {}", to.ip(), to.port()),
        // A word of its own, so that an adapter which does not know of it says so.
        AppCall::Connect { to, from: Some(from) } => format!("{call} open {from} {} {}", to.ip(), to.port()),
        // The adapter knows where the last one ended.
        AppCall::Send { conn, count, urgent: false, .. } => format!("{call} send {conn} {count}"),
        AppCall::Send { conn, count, urgent: true, .. } => format!("{call} urgent {conn} {count}"),
        AppCall::Recv { conn, count, .. } => format!("{call} recv {conn} {count}"),
        AppCall::Shutdown { conn } => format!("{call} shutdown {conn}"),
        AppCall::Close { conn } => format!("{call} close {conn}"),
        AppCall::Abort { conn } => format!("{call} abort {conn}"),
        AppCall::Option { conn, name, value } => format!("{call} option {conn} {name} {value}"),
        AppCall::Status { conn } => format!("{call} status {conn}"),
        AppCall::UrgentLeft { conn } => format!("{call} urgent-left {conn}"),
    })
}

/// What an adapter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Answer { call: u32, answer: Answer },
    Accepted { conn: u32, from: SocketAddr },
    Event { conn: u32, event: AppEvent },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// With the words behind `ok`.
    Ok(Vec<String>),
    Mismatch(u64),
    Unsupported,
    Error(String),
}

/// Reads a line. The error is the line, and what is wrong with it.
pub fn parse(line: &str) -> Result<Said, String> {
    let wrong = |why: &str| Err(format!("`{}`: {why}", crate::report::text::clean(line)));
    let mut words = line.split_ascii_whitespace();
    let (Some(first), Some(second)) = (words.next(), words.next()) else {
        return wrong("a line begins with the number of a call or `*`, and says something");
    };
    let rest: Vec<&str> = words.collect();
    if first == "*" {
        return match event(second, &rest) {
            Some(said) => Ok(said),
            None => wrong("no such event: `* accepted CONN ADDRESS PORT`, or `* eof CONN` and the like"),
        };
    }
    let Ok(call) = first.parse() else {
        return wrong("a line begins with the number of a call or `*`; text for people goes to stderr");
    };
    let answer = match (second, rest.as_slice()) {
        ("ok", rest) => Answer::Ok(rest.iter().map(|word| (*word).to_owned()).collect()),
        ("unsupported", _) => Answer::Unsupported,
        ("mismatch", [offset]) if offset.parse::<u64>().is_ok() => {
            Answer::Mismatch(offset.parse().unwrap_or_default())
        }
        ("error", rest) => Answer::Error(rest.join(" ")),
        _ => return wrong("an answer is `ok`, `mismatch OFFSET`, `unsupported` or `error`"),
    };
    Ok(Said::Answer { call, answer })
}

fn event(word: &str, rest: &[&str]) -> Option<Said> {
    let conn = rest.first()?.parse().ok()?;
    if word == "accepted" {
        let [_, address, port] = rest else { return None };
        let from = SocketAddr::new(address.parse::<IpAddr>().ok()?, port.parse().ok()?);
        return Some(Said::Accepted { conn, from });
    }
    let event = match word {
        "connected" => AppEvent::Connected,
        "refused" => AppEvent::Refused,
        "reset" => AppEvent::Reset,
        "timed-out" => AppEvent::TimedOut,
        "eof" => AppEvent::Eof,
        "closed" => AppEvent::Closed,
        "urgent" => AppEvent::Urgent,
        _ => return None,
    };
    Some(Said::Event { conn, event })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(AppCall::Listen { port: 7 }, Some("1 listen 7"))]
    #[case(AppCall::Accept { port: 7 }, None)]
    #[case(AppCall::Connect { to: "10.0.0.77:5000".parse().unwrap(), from: None }, Some("1 connect 10.0.0.77 5000"))]
    #[case(AppCall::Connect { to: "10.0.0.77:5000".parse().unwrap(), from: Some(7) }, Some("1 open 7 10.0.0.77 5000"))]
    #[case(AppCall::Send { conn: 1, offset: 9, count: 1000, urgent: false }, Some("1 send 1 1000"))]
    #[case(AppCall::Option { conn: 1, name: "nodelay".into(), value: 1 }, Some("1 option 1 nodelay 1"))]
    #[case(AppCall::UrgentLeft { conn: 1 }, Some("1 urgent-left 1"))]
    fn calls_are_lines(#[case] call: AppCall, #[case] line: Option<&str>) {
        assert_eq!(command(1, &call).as_deref(), line);
    }

    #[rstest]
    #[case("3 ok", Said::Answer { call: 3, answer: Answer::Ok(vec![]) })]
    #[case("3 ok 300 eof", Said::Answer { call: 3, answer: Answer::Ok(vec!["300".into(), "eof".into()]) })]
    #[case("3 mismatch 17", Said::Answer { call: 3, answer: Answer::Mismatch(17) })]
    #[case("3 error no route", Said::Answer { call: 3, answer: Answer::Error("no route".into()) })]
    #[case("* eof 1", Said::Event { conn: 1, event: AppEvent::Eof })]
    #[case("* accepted 1 10.0.0.77 40001", Said::Accepted { conn: 1, from: "10.0.0.77:40001".parse().unwrap() })]
    fn lines_are_understood(#[case] line: &str, #[case] said: Said) {
        assert_eq!(parse(line), Ok(said));
    }

    #[rstest]
    #[case("")]
    #[case("hello")]
    #[case("listening on port 7")]
    #[case("1 yes")]
    #[case("1 mismatch here")]
    #[case("* eof")]
    #[case("* died 1")]
    #[case("* accepted 1 nowhere 1")]
    #[case("-1 ok")]
    fn nonsense_is_an_error_that_shows_the_line(#[case] line: &str) {
        assert!(parse(line).is_err_and(|why| why.starts_with(&format!("`{line}`"))));
    }
}
