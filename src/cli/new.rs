//! `tcpspec new`: a manifest for a target of one's own, or a case to begin with.

use super::Exit;
use super::error::Failure;
use super::stream::Streams;
use crate::target::manifest::write::Draft;
use clap::{Args, Subcommand, ValueEnum};
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Begin a manifest or a case
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Target(Target),
    Case(Case),
}

/// Write the manifest of a target; what is not said is asked for on a terminal
#[derive(Debug, Args)]
struct Target {
    /// What `-t` calls it; the file is NAME.yaml
    name: String,
    /// What carries its packets [default: fd]
    #[arg(long, value_name = "LINK", value_enum)]
    link: Option<LinkWord>,
    /// The device that it opens, where that is not tap0 or tun0
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// The program makes the device itself
    #[arg(long)]
    makes_device: bool,
    /// Its address and prefix [default: 10.0.0.2/24]
    #[arg(long, value_name = "ADDRESS/PREFIX")]
    ipv4: Option<String>,
    /// Where its application listens [default: 7]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// What its application does [default: echo]
    #[arg(long, value_name = "APP", value_enum)]
    app: Option<AppWord>,
    /// What starts it, as one line: words are split at blanks
    #[arg(long, value_name = "COMMAND")]
    run: Option<String>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

/// Write a suite with one case that passes, to be changed
#[derive(Debug, Args)]
struct Case {
    /// The file: my-suites/topic.yaml
    path: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

// No doc comments: clap would make the help long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LinkWord {
    Fd,
    Udp,
    Tap,
    Tun,
    Veth,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AppWord {
    Echo,
    Sink,
    None,
    Control,
}

const CASE: &str = r#"title: What this file is about
level: must

cases:
  - id: syn-ack-counts-the-syn
    title: The SYN-ACK acknowledges isn+1
    refs: [SEM-LIS-06]
    lesson: A SYN consumes one sequence number, so the next octet expected is isn+1.
    kills: [syn-not-counted]
    given: listening
    steps:
      - send:   {flags: SYN, mss: 1460}
      - expect: {flags: SYN|ACK, ack: isn + 1}
        within: 1s
        otherwise:
          - seen: {flags: SYN|ACK, ack: isn}
            means: The SYN was not counted. Acknowledge isn+1.
"#;

pub(super) fn main(arguments: &Arguments, streams: &Streams) -> Result<Exit, Failure> {
    match &arguments.what {
        What::Target(target) => {
            let path = PathBuf::from(format!("{}.yaml", target.name));
            write(&path, &draft(target)?.text(), target.force)?;
            streams.note(&format!(
                "written to {}; next: tcpspec doctor ./{0}, then tcpspec run -t ./{0}\n",
                path.display()
            ));
        }
        What::Case(case) => {
            write(&case.path, CASE, case.force)?;
            let path = case.path.display();
            streams.note(&format!(
                "written to {path}; next: tcpspec check {path}, tcpspec run --suites {path}\n"
            ));
        }
    }
    Ok(Exit::Success)
}

fn draft(target: &Target) -> Result<Draft, Failure> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if target.name.is_empty() || !target.name.chars().all(is_name) {
        let failure = Failure::usage(format!("`{}` cannot be the name of a target", target.name));
        return Err(failure.hint("lower-case letters, digits and hyphens: my-tcp"));
    }
    let ask = Asks { is_terminal: io::stdin().is_terminal() };
    let link = match target.link {
        Some(link) => word(&link),
        None => ask.one("What carries its packets: fd, udp, tap, tun or veth?", "fd")?,
    };
    LinkWord::from_str(&link, false).map_err(|_| Failure::usage(format!("there is no link `{link}`")))?;
    let device = match link.as_str() {
        "tap" | "tun" => {
            let usual = format!("{link}0");
            Some(match &target.device {
                Some(device) => device.clone(),
                None => ask.one("Which device does it open?", &usual)?,
            })
        }
        _ => None,
    };
    let ipv4 = match &target.ipv4 {
        Some(ipv4) => ipv4.clone(),
        None => ask.one("What is its address?", "10.0.0.2/24")?,
    };
    let port = match target.port {
        Some(port) => port,
        None => {
            let port = ask.one("On which port does it listen?", "7")?;
            port.parse().map_err(|_| Failure::usage(format!("`{port}` is no port")))?
        }
    };
    let app = match target.app {
        Some(app) => word(&app),
        None => ask.one("What does its application do: echo, sink, none or control?", "echo")?,
    };
    AppWord::from_str(&app, false).map_err(|_| Failure::usage(format!("there is no application `{app}`")))?;
    let run = match &target.run {
        Some(run) => run.clone(),
        None => ask.one("What starts it?", &format!("./{}", target.name))?,
    };
    let run = run.split_whitespace().map(str::to_owned).collect();
    let (name, makes_device) = (target.name.clone(), target.makes_device);
    Ok(Draft { name, link, device, makes_device, ipv4, port, run, app })
}

fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Where answers come from: a person, or the usual ones.
struct Asks {
    is_terminal: bool,
}

impl Asks {
    fn one(&self, question: &str, usual: &str) -> Result<String, Failure> {
        if !self.is_terminal {
            return Ok(usual.to_owned());
        }
        let failed = |e: io::Error| Failure::write("the question", &e);
        let mut err = io::stderr();
        write!(err, "{question} [{usual}] ").and_then(|()| err.flush()).map_err(failed)?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(failed)?;
        let answer = line.trim();
        Ok(if answer.is_empty() { usual.to_owned() } else { answer.to_owned() })
    }
}

#[allow(clippy::disallowed_methods, reason = "the command line writes what was asked for")]
fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    if path.exists() && !force {
        let failure = Failure::usage(format!("{} is there already", path.display()));
        return Err(failure.hint("--force writes over it"));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|e| Failure::write(folder.display(), &e))?;
    }
    std::fs::write(path, text).map_err(|e| Failure::write(path.display(), &e))
}
