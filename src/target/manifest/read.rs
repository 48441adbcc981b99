//! From the tree of a manifest to what it says.

use super::grammar::{MANIFEST, WIRES};
use super::model::{
    App, Creator, InSoak, Lifetime, Link, LinkKind, Manifest, PLACEHOLDERS, Program, Ready, Stdin, Waiver,
};
use super::value::{duration, neighbour_v4, neighbour_v6, network};
use crate::engine::Outcome;
use crate::suite::check;
use crate::suite::diagnostic::{Code, Diagnostic, Severity, Sink};
use crate::suite::grammar::Shape;
use crate::suite::model::Family;
use crate::suite::names::ABILITIES;
use crate::suite::select::Selection;
use crate::suite::source::SourceMap;
use crate::suite::yaml::{self, Node};
use crate::target::deviation::Deviation;
use crate::target::profile::{Limits, Net, Profile, Timing};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// Reads a manifest. Everything that is wrong with it is told at once; without an error there is a manifest.
///
/// `directory` is where its program is started.
pub fn read(
    name: &str,
    octets: &[u8],
    directory: &Path,
    sources: &mut SourceMap,
) -> (Option<Manifest>, Vec<Diagnostic>) {
    let text = match yaml::decode(name, octets, sources) {
        Ok(text) => text,
        Err(found) => return (None, vec![*found]),
    };
    let file = sources.add(name, text);
    let mut sink = Sink::default();
    let root = yaml::parse(file, sources, &mut sink);
    let manifest = match &root {
        Some(root) => {
            check::check(root, &Shape::Map(&MANIFEST), "a manifest", &mut sink);
            let mut reader = Reader { root, sink: &mut sink };
            Some(reader.manifest(directory))
        }
        None => {
            if sink.errors() == 0 {
                sink.push(Diagnostic::new(Code::Empty, sources.whole(file), "the manifest is empty"));
            }
            None
        }
    };
    let found = sink.finish();
    let is_wrong = found.iter().any(|found| found.severity() == Severity::Error);
    (manifest.filter(|_| !is_wrong), found)
}

struct Reader<'a> {
    root: &'a Node,
    sink: &'a mut Sink,
}

impl<'a> Reader<'a> {
    fn at(&self, path: &[&str]) -> Option<&'a Node> {
        path.iter().try_fold(self.root, |node, key| node.get(key))
    }

    fn text(&self, path: &[&str]) -> Option<&'a str> {
        self.at(path)?.scalar()
    }

    fn wrong(&mut self, node: &Node, message: String, help: &str) {
        self.sink.push(Diagnostic::new(Code::WrongShape, node.span, message).help(help));
    }

    /// A value of a type that reads itself, or `default`.
    fn value<T: FromStr>(&mut self, path: &[&str], default: T) -> T {
        let Some(node) = self.at(path) else { return default };
        match node.scalar().and_then(|text| text.parse().ok()) {
            Some(value) => value,
            None => {
                // Where it is no number at all, the grammar has said so.
                if let Some(text) = node.scalar() {
                    let key = path.last().copied().unwrap_or_default();
                    let message = format!("`{key}` cannot be `{text}`");
                    self.sink.push(Diagnostic::new(Code::OutOfRange, node.span, message));
                }
                default
            }
        }
    }

    fn span(&mut self, path: &[&str], default: Duration) -> Duration {
        let Some(node) = self.at(path) else { return default };
        let Some(text) = node.scalar() else { return default };
        duration(text).unwrap_or_else(|| {
            let message = format!("`{text}` is not a duration");
            self.wrong(node, message, "a number with its unit: 200ms, 1.5s, 2min");
            default
        })
    }

    fn texts(&self, node: Option<&Node>) -> Vec<String> {
        let items = node.and_then(Node::items).unwrap_or_default();
        items.iter().filter_map(|item| item.scalar().map(str::to_owned)).collect()
    }

    fn manifest(&mut self, directory: &Path) -> Manifest {
        let connects = self.at(&["connect"]).is_some();
        let app = match self.text(&["app"]) {
            // What is started to connect serves nobody.
            None if connects && self.at(&["run"]).is_none() => App::None,
            Some("sink") => App::Sink,
            Some("none") => App::None,
            Some("control") => App::Control,
            Some("kernel") => App::Kernel,
            Some("reference") => App::Reference,
            _ => App::Echo,
        };
        let (net, families, prefix_v4, prefix_v6) = self.net();
        let program = self.program(directory, app);
        let lacks = self.ability_list("lacks");
        let limits = self.limits();
        let abilities = self.abilities(app, &families, &limits, &lacks);
        let profile = Profile {
            name: self.text(&["name"]).unwrap_or_default().to_owned(),
            about: self.text(&["about"]).unwrap_or_default().to_owned(),
            abilities,
            families,
            net,
            mss_v4: self.value(&["mss", "ipv4"], 1460),
            mss_v6: self.value(&["mss", "ipv6"], 1440),
            timing: self.timing(),
            limits,
            reading: self.text(&["profile"]).unwrap_or("rfc9293").to_owned(),
        };
        let profile = if app == App::Reference { self.variant(profile) } else { profile };
        let sysctls = self.dict("sysctls").into_iter().collect();
        let links = self.links();
        let (deviations, in_soak) = self.deviations(app, &links);
        Manifest {
            profile,
            states_abilities: self.at(&["abilities"]).is_some(),
            lacks,
            links,
            prefix_v4,
            prefix_v6,
            program,
            sysctls,
            waivers: self.waivers(),
            deviations,
            in_soak,
        }
    }

    fn net(&mut self) -> (Net, Vec<Family>, u8, u8) {
        let known = Net::default();
        let mut families = Vec::new();
        let v4 = self.network(&["target", "ipv4"], (known.target_v4, 24), 32);
        let v6_default = self.at(&["target", "ipv6"]).is_some().then_some((known.target_v6, 64));
        let v6 = v6_default.and_then(|default| self.network(&["target", "ipv6"], default, 128));
        families.extend(v4.map(|_| Family::V4));
        families.extend(v6.map(|_| Family::V6));
        if families.is_empty()
            && let Some(node) = self.at(&["target"])
        {
            self.wrong(node, "the target speaks neither IPv4 nor IPv6".to_owned(), "give one address");
        }
        let (target_v4, prefix_v4) = v4.unwrap_or((known.target_v4, 24));
        let (target_v6, prefix_v6) = v6.unwrap_or((known.target_v6, 64));
        let peer_v4 = self.value(&["peer", "ipv4"], neighbour_v4(target_v4));
        let peer_v6 = self.value(&["peer", "ipv6"], neighbour_v6(target_v6));
        if let Some(node) = self.at(&["peer"])
            && (peer_v4 == target_v4 || peer_v6 == target_v6)
        {
            self.wrong(node, "the peer has the target's address".to_owned(), "give the peer another one");
        }
        let port = self.value(&["target", "port"], known.port);
        (Net { port, target_v4, peer_v4, target_v6, peer_v6 }, families, prefix_v4, prefix_v6)
    }

    /// `None` where it says `none`.
    fn network<A: FromStr>(&mut self, path: &[&str], default: (A, u8), longest: u8) -> Option<(A, u8)> {
        let Some(node) = self.at(path) else { return Some(default) };
        match node.scalar() {
            Some("none") => None,
            Some(text) => {
                let read = network(text, default.1, longest);
                if read.is_none() {
                    let message = format!("`{text}` is not an address with its prefix");
                    self.wrong(node, message, "10.0.0.2/24, \"2001:db8::2/64\", or none");
                }
                Some(read.unwrap_or(default))
            }
            None => Some(default),
        }
    }

    fn links(&mut self) -> Vec<Link> {
        let node = self.at(&["link"]);
        let nodes: Vec<&Node> = match node.map(|node| (node, node.items())) {
            None => Vec::new(),
            Some((_, Some(items))) => items.iter().collect(),
            Some((node, None)) => vec![node],
        };
        let mut links = Vec::new();
        for node in nodes {
            let kind = node.get("kind").and_then(Node::scalar).unwrap_or("fd");
            let kind = LinkKind::of(kind);
            let create = match node.get("create").and_then(Node::scalar) {
                Some("target") => Creator::Target,
                _ => Creator::Harness,
            };
            let default = match kind {
                LinkKind::Veth => "veth0",
                LinkKind::Tap => "tap0",
                LinkKind::Tun => "tun0",
                LinkKind::Fd | LinkKind::Udp => "",
            };
            let device = node.get("device");
            let name = device.and_then(Node::scalar).unwrap_or(default);
            if let Some(device) = device {
                self.device(device, name, kind);
            }
            links.push(Link { kind, device: name.to_owned(), create });
        }
        if links.is_empty() {
            links.push(Link { kind: LinkKind::Fd, device: String::new(), create: Creator::Harness });
        }
        links
    }

    fn device(&mut self, node: &Node, name: &str, kind: LinkKind) {
        match kind {
            LinkKind::Fd | LinkKind::Udp => {
                let message = format!("a link of kind {} has no device", kind.word());
                self.wrong(node, message, "leave `device` out");
            }
            LinkKind::Veth if name != "veth0" => {
                let message = "the target's end of a veth is called veth0".to_owned();
                self.wrong(node, message, "take the name from {link.device} in `run`");
            }
            LinkKind::Tap | LinkKind::Tun | LinkKind::Veth => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                if name.is_empty() || name.len() > 15 || !name.chars().all(is_name) {
                    let message = format!("`{name}` cannot be the name of a device");
                    self.wrong(node, message, "1 to 15 letters, digits, `-`, `_` and `.`");
                }
            }
        }
    }

    fn program(&mut self, directory: &Path, app: App) -> Program {
        for key in ["run", "build"] {
            self.placeholders(self.at(&[key]), &[]);
        }
        self.placeholders(self.at(&["connect"]), &["peer.ip", "peer.port"]);
        for node in self.at(&["also"]).and_then(Node::items).unwrap_or_default() {
            self.placeholders(Some(node), &[]);
        }
        let run = self.texts(self.at(&["run"]));
        let connect = self.texts(self.at(&["connect"]));
        if run.is_empty() && connect.is_empty() && !matches!(app, App::Kernel | App::Reference) {
            let found = Diagnostic::new(Code::MissingKey, self.root.span, "a manifest needs `run:`");
            self.sink.push(found.help("what starts the program: `run: [./my-tcp, \"{link.device}\"]`"));
        }
        let stdin = match self.at(&["stdin"]) {
            Some(node) if node.items().is_some() => Stdin::Lines(self.texts(Some(node))),
            Some(node) if node.scalar() == Some("relay") => Stdin::Relay,
            _ => Stdin::Hold,
        };
        if let Some(node) = self.at(&["stdin"]).filter(|_| app == App::Control && stdin != Stdin::Hold) {
            let message = "stdin belongs to the control protocol".to_owned();
            self.wrong(node, message, "leave `stdin` out, or choose another `app`");
        }
        let also = self.at(&["also"]).and_then(Node::items).unwrap_or_default();
        Program {
            directory: directory.to_path_buf(),
            build: self.texts(self.at(&["build"])),
            run,
            connect,
            also: also.iter().map(|one| self.texts(Some(one))).collect(),
            env: self.dict("env"),
            stdin,
            ready: self.ready(app),
            within: self.span(&["ready", "within"], Duration::from_secs(5)),
            lifetime: if self.text(&["lifetime"]) == Some("run") { Lifetime::Run } else { Lifetime::Case },
            app,
        }
    }

    fn ready(&mut self, app: App) -> Ready {
        match self.text(&["ready", "by"]) {
            Some("control") => {
                if app != App::Control
                    && let Some(node) = self.at(&["ready", "by"])
                {
                    let message = "there is no control channel to be ready by".to_owned();
                    self.wrong(node, message, "`app: control` has one; otherwise `by: syn`");
                }
                Ready::Control
            }
            Some("syn") => Ready::Syn,
            Some("arp") => Ready::Arp,
            Some("delay") => Ready::Delay,
            Some("text") => match self.text(&["ready", "text"]) {
                Some(text) => Ready::Text(text.to_owned()),
                None => {
                    if let Some(node) = self.at(&["ready"]) {
                        let found = Diagnostic::new(Code::MissingKey, node.span, "`by: text` needs `text:`");
                        self.sink.push(found.help("what a line of its output contains once it is ready"));
                    }
                    Ready::Delay
                }
            },
            _ if app == App::Control => Ready::Control,
            _ => Ready::Syn,
        }
    }

    fn placeholders(&mut self, node: Option<&Node>, more: &[&str]) {
        for item in node.and_then(Node::items).unwrap_or_default() {
            let Some(text) = item.scalar() else { continue };
            for part in text.split('{').skip(1) {
                let Some((name, _)) = part.split_once('}') else { continue };
                if !PLACEHOLDERS.contains(&name) && !more.contains(&name) {
                    let message = format!("`{{{name}}}` stands for nothing here");
                    let found = Diagnostic::new(Code::UnknownPlaceholder, item.span, message);
                    self.sink
                        .push(found.help(format!("known are {}", [PLACEHOLDERS, more].concat().join(", "))));
                }
            }
        }
    }

    fn dict(&self, key: &str) -> BTreeMap<String, String> {
        let entries = self.at(&[key]).and_then(Node::entries).unwrap_or_default();
        let pair = |(key, value): (&str, &Node)| Some((key.to_owned(), value.scalar()?.to_owned()));
        entries.iter().filter_map(|entry| pair((&entry.key.value, &entry.value))).collect()
    }

    fn ability_list(&mut self, key: &str) -> Vec<String> {
        let known: Vec<&'static str> = ABILITIES.iter().map(|ability| ability.id).collect();
        let mut list = Vec::new();
        for item in self.at(&[key]).and_then(Node::items).unwrap_or_default() {
            let Some(text) = item.scalar() else { continue };
            if !known.contains(&text) {
                let found = check::unknown_word(item, text, &known, "an ability");
                self.sink.push(Diagnostic { code: Code::UnknownAbility, ..found });
            }
            list.push(text.to_owned());
        }
        list
    }

    /// What it says, or what the kind of application brings.
    fn abilities(
        &mut self,
        app: App,
        families: &[Family],
        limits: &Limits,
        lacks: &[String],
    ) -> BTreeSet<String> {
        let stated = self.ability_list("abilities");
        let is_stated = self.at(&["abilities"]).is_some();
        let mut all: Vec<&str> = match app {
            App::Echo => vec!["echo", "accept", "out-of-order"],
            App::Sink => vec!["sink", "accept", "out-of-order"],
            App::None => vec![],
            App::Control if is_stated => vec!["control"],
            App::Control => {
                vec![
                    "control",
                    "listen",
                    "accept",
                    "active-open",
                    "abort",
                    "half-close",
                    "status",
                    "nodelay",
                    "out-of-order",
                ]
            }
            App::Kernel => vec![],
            App::Reference if is_stated => vec![],
            App::Reference => return self.of_the_reference(lacks),
        };
        all.extend(self.at(&["connect"]).map(|_| "active-open"));
        all.extend(families.iter().map(|family| if *family == Family::V4 { "ipv4" } else { "ipv6" }));
        if !is_stated {
            all.extend(Some("many-connections").filter(|_| limits.connections > 1));
            let resets =
                self.text(&["limits", "closed-port-rst"]).is_none_or(|word| ["true", "yes"].contains(&word));
            all.extend(Some("closed-port-rst").filter(|_| resets));
        }
        // By default what RFC 9293 demands; `rfc5961` adds the answers to blind attacks, `rfc793` has nothing newer.
        all.extend(
            Some("rfc5961").filter(|_| self.text(&["profile"]) == Some("rfc5961") && app != App::Kernel),
        );
        let all = all.into_iter().map(str::to_owned).chain(stated);
        all.filter(|ability| !lacks.contains(ability)).collect()
    }

    /// What the built-in TCP can do, less what it is to lack.
    fn of_the_reference(&self, lacks: &[String]) -> BTreeSet<String> {
        let all = crate::target::reference::profile().abilities;
        all.into_iter().filter(|ability| !lacks.contains(ability)).collect()
    }

    /// The built-in TCP is what it is, but for what can be switched.
    fn variant(&mut self, profile: Profile) -> Profile {
        for key in [
            "link", "target", "peer", "build", "run", "also", "env", "stdin", "ready", "sysctls", "mss",
            "limits", "timing",
        ] {
            if let Some(node) = self.at(&[key]) {
                let message = format!("`{key}` means nothing for the built-in TCP");
                self.wrong(node, message, "a manifest of the reference says what it can do, and no more");
            }
        }
        match crate::target::reference::variant(&profile.abilities) {
            Ok(variant) => {
                Profile { name: profile.name, about: profile.about, reading: profile.reading, ..variant }
            }
            Err(why) => {
                let node = self.at(&["abilities"]).or_else(|| self.at(&["lacks"])).unwrap_or(self.root);
                self.wrong(node, why, "see `tcpspec run -t reference` for what it has");
                profile
            }
        }
    }

    fn limits(&mut self) -> Limits {
        Limits {
            buffer: self.value(&["limits", "buffer"], 65_535),
            backlog: self.value(&["limits", "backlog"], 5),
            connections: self.value(&["limits", "connections"], 16),
            syn_retries: self.value(&["limits", "syn-retries"], 3),
        }
    }

    fn timing(&mut self) -> Timing {
        let s = Duration::from_secs;
        let scale: f64 = self.value(&["timing", "scale"], 1.0);
        if let Some(node) = self.at(&["timing", "scale"])
            && !(0.01..=1000.0).contains(&scale)
        {
            self.wrong(node, "`scale` is between 0.01 and 1000".to_owned(), "1 leaves every wait as it is");
        }
        if let Some(node) = self.at(&["timing", "delayed-ack"])
            && node.scalar().and_then(duration).is_some_and(|longest| longest.is_zero())
        {
            let message = "an ACK that waits for no time is not delayed".to_owned();
            self.wrong(node, message, "leave it out, and write `lacks: [delays-acks]`");
        }
        let mut span = |key: &str, default: Duration| self.span(&["timing", key], default);
        let rto_min = span("rto-min", Duration::from_millis(200));
        let rto_max = span("rto-max", s(60));
        Timing {
            scale,
            msl: span("msl", s(30)),
            rto_initial: span("rto-initial", s(1)),
            rto_min,
            rto_max,
            delayed_ack: span("delayed-ack", Duration::from_millis(500)),
            persist_min: span("persist-min", rto_min),
            persist_max: span("persist-max", rto_max),
            keepalive_idle: span("keepalive-idle", s(7200)),
            keepalive_interval: span("keepalive-interval", s(75)),
            user_timeout: span("user-timeout", s(100)),
            fin_wait_2: span("fin-wait-2", s(60)),
            reply: span("reply", s(1)),
            settle: span("settle", Duration::from_millis(10)),
            keepalive_count: self.value(&["timing", "keepalive-count"], 9),
        }
    }

    /// The patterns of cases that a rule names: one, or a list of them.
    fn cases(&mut self, rule: &Node) -> Vec<String> {
        let Some(node) = rule.get("cases") else { return Vec::new() };
        let nodes = node.items().unwrap_or_else(|| std::slice::from_ref(node));
        let mut patterns = Vec::new();
        for node in nodes {
            let Some(text) = node.scalar().map(str::to_owned) else { continue };
            if let Err(rejected) = Selection::parse(std::slice::from_ref(&text), None) {
                for found in rejected.diagnostics {
                    self.sink.push(Diagnostic { span: Some(node.span), ..found });
                }
            }
            patterns.push(text);
        }
        patterns
    }

    /// The wires that a rule names: one, or a list of them; each must be one of the target's.
    fn wires(&mut self, rule: &Node, app: App, links: &[Link]) -> Vec<String> {
        let Some(node) = rule.get("wire") else { return Vec::new() };
        let has: Vec<&str> = match app {
            App::Kernel => vec!["veth"],
            App::Reference => vec!["sim", "veth"],
            App::Echo | App::Sink | App::None | App::Control => {
                links.iter().map(|link| link.kind.word()).collect()
            }
        };
        let nodes = node.items().unwrap_or_else(|| std::slice::from_ref(node));
        let mut wires = Vec::new();
        for node in nodes {
            let Some(word) = node.scalar() else { continue };
            // What is no wire at all the grammar has told.
            if WIRES.contains(&word) && !has.contains(&word) {
                let message = format!("the target has no wire `{word}`");
                self.wrong(node, message, &format!("its wires are {}", has.join(", ")));
            }
            wires.push(word.to_owned());
        }
        wires
    }

    fn waivers(&mut self) -> Vec<Waiver> {
        let rules = self.at(&["waive"]).and_then(Node::items).unwrap_or_default();
        let mut waivers = Vec::new();
        for rule in rules {
            let because = rule.get("because").and_then(Node::scalar).unwrap_or_default().to_owned();
            let waiver = |cases| Waiver { cases, because: because.clone() };
            waivers.extend(self.cases(rule).into_iter().map(waiver));
        }
        waivers
    }

    fn deviations(&mut self, app: App, links: &[Link]) -> (Vec<Deviation>, Vec<InSoak>) {
        let rules = self.at(&["deviations"]).and_then(Node::items).unwrap_or_default();
        let (mut deviations, mut in_soak) = (Vec::new(), Vec::new());
        for rule in rules {
            let text = |key: &str| rule.get(key).and_then(Node::scalar).map(str::to_owned);
            let outcome = match text("outcome").as_deref() {
                Some("pass") => Outcome::Pass,
                Some("warn") => Outcome::Warn,
                Some("blocked") => Outcome::Blocked,
                Some("unsupported") => Outcome::Unsupported,
                Some("inconclusive") => Outcome::Inconclusive,
                _ => Outcome::Fail,
            };
            let (because, link) = (text("because").unwrap_or_default(), text("link"));
            let wires = self.wires(rule, app, links);
            let sometimes = text("sometimes").is_some_and(|word| ["true", "yes"].contains(&word.as_str()));
            let deviation = |cases| Deviation {
                cases,
                outcome,
                because: because.clone(),
                link: link.clone(),
                wires: wires.clone(),
                sometimes,
            };
            deviations.extend(self.cases(rule).into_iter().map(deviation));
            for word in self.soak_words(rule) {
                in_soak.push(InSoak { word, because: because.clone(), wires: wires.clone() });
            }
        }
        (deviations, in_soak)
    }

    /// How `soak` names what the entry is about.
    fn soak_words(&mut self, rule: &Node) -> Vec<String> {
        let known = crate::soak::words();
        let Some(node) = rule.get("soak") else { return Vec::new() };
        let items = node.items().unwrap_or_else(|| std::slice::from_ref(node));
        let mut words = Vec::new();
        for (item, word) in items.iter().filter_map(|item| Some((item, item.scalar()?))) {
            if known.contains(&word) {
                words.push(word.to_owned());
            } else {
                self.sink.push(check::unknown_word(item, word, &known, "what `soak` finds"));
            }
        }
        words
    }
}
