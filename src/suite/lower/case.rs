//! Whole cases and fixtures.

use super::Lower;
use super::steps::Call;
use super::values::Open;
use crate::suite::decl::{self, CaseDecl, FixtureDecl, Suite};
use crate::suite::diagnostic::{Code, Diagnostic};
use crate::suite::grammar;
use crate::suite::model::{Case, Family, Fixture, Level, Mode, Way, for_kernel};
use crate::suite::scope::{Binding, Env, Labels};
use crate::suite::source::{Loc, Span};
use crate::suite::text::placeholders;
use crate::suite::yaml::Node;

impl<'a> Lower<'a> {
    /// The parameters of one instance: `choice[i]` is the value of the i-th axis.
    fn choose(case: &'a CaseDecl, choice: &[usize]) -> Env<'a> {
        let values = case.axes.iter().zip(choice).map(|(axis, &at)| &axis.values[at]);
        let binding = |(name, node): &'a (Loc<String>, Node)| Binding {
            name: &name.value,
            declared: name.span,
            node,
            env: Env::default(),
        };
        Env::new(values.flat_map(|value| value.bindings.iter().map(binding)).collect())
    }

    /// The full id of an instance. Parameters that the id does not name are appended.
    pub(in crate::suite) fn full_id(
        &mut self,
        suite: &Suite,
        case: &'a CaseDecl,
        choice: &[usize],
    ) -> Option<String> {
        let env = Self::choose(case, choice);
        let node = case.node.get("id")?;
        let id = self.text(node, &env, Open::Refuse)?;
        if !decl::is_word_name(&id.text) {
            let message = format!("`{}` cannot name a case", id.text);
            let found =
                Diagnostic::new(Code::BadId, id.span, message).suggest(decl::slug(&id.text).as_deref());
            let found = found.help("ids are lower-case words, digits and single hyphens");
            self.push(found);
        }
        let named: Vec<_> =
            placeholders(&case.id.value).iter().map(|placeholder| placeholder.name.to_owned()).collect();
        let rest = case.axes.iter().zip(choice).filter(|(axis, _)| !named.contains(&axis.name.value));
        let rest: Vec<_> =
            rest.map(|(axis, &at)| format!("{}={}", axis.name.value, tame(&axis.values[at].text))).collect();
        let suffix = if rest.is_empty() { String::new() } else { format!("[{}]", rest.join(",")) };
        Some(format!("{}/{}{suffix}", suite.id, id.text))
    }

    /// One instance. `None` only where the id cannot be made out.
    pub(in crate::suite) fn case(
        &mut self,
        suite: &'a Suite,
        case: &'a CaseDecl,
        choice: &[usize],
    ) -> Option<Case> {
        self.restart();
        let id = self.full_id(suite, case, choice)?;
        let env = Self::choose(case, choice);
        let node = &case.node;
        let title = node.get("title").and_then(|title| self.text(title, &env, Open::Keep));
        let refs = self.refs(node, &env);
        let (tags, needs) = (self.both(suite, node, "tags", &env), self.both(suite, node, "needs", &env));
        self.mode = self.mode_of(suite, node, &env);
        let mode = self.mode;
        let given = node.get("given").map(|given| self.given(given, &env)).unwrap_or_default();
        let strict = self.flag(suite, node, "strict", &env);
        let mut tolerate = self.tolerate(&suite.root, &Env::default());
        tolerate.extend(self.tolerate(node, &env));
        (self.silences, self.proofs) = (Vec::new(), 0);
        let steps = node.get("steps").map(|steps| self.steps(steps, &env)).unwrap_or_default();
        if steps.is_empty() && node.get("steps").is_some() {
            self.push(Diagnostic::new(Code::Empty, case.id.span, "a case without steps tests nothing"));
        }
        let level = self.level(suite, case, &env);
        let needs = self.needs(needs);
        let kernel = for_kernel(&needs, &steps);
        let lowered = Case {
            id,
            title: title.map(|filled| filled.text).unwrap_or_default(),
            mode,
            level,
            lesson: node
                .get("lesson")
                .and_then(|lesson| self.text(lesson, &env, Open::Keep))
                .map(|filled| filled.text),
            refs: refs.iter().map(|name| name.value.clone()).collect(),
            tags: values(tags),
            needs,
            families: self.families(suite, node, &env),
            kills: self.kills(case, level, kernel, &env),
            points: self.points(suite, node, &env),
            slow: self.flag(suite, node, "slow", &env),
            fresh: self.inherited(suite, node, "isolation", &env).is_some_and(|word| word.value == "fresh"),
            strict,
            tolerate,
            place: self.place(case.id.span),
            given,
            steps,
        };
        self.stronger_than_cited(lowered.level, &refs, case.id.span);
        self.vacuous(case);
        self.settle();
        Some(lowered)
    }

    /// Every parameter of `for:` had an effect in one of the instances that were looked at.
    pub(in crate::suite) fn unused_axes(&mut self, case: &'a CaseDecl) {
        for axis in &case.axes {
            let mut names: Vec<&Loc<String>> = Vec::new();
            for (name, _) in axis.values.iter().flat_map(|value| &value.bindings) {
                if !names.iter().any(|other| other.value == name.value) {
                    names.push(name);
                }
            }
            let used = |name: &str| {
                let mut all = axis.values.iter().flat_map(|value| &value.bindings);
                all.any(|(other, _)| other.value == name && self.used.contains(&other.span))
            };
            // A named value has its effect through the names inside it.
            let inner_used = names.iter().any(|name| name.value != axis.name.value && used(&name.value));
            let unused = names.iter().filter(|name| !used(&name.value));
            let unused: Vec<_> = unused.filter(|name| name.value != axis.name.value || !inner_used).collect();
            for name in unused {
                let found = Diagnostic::new(
                    Code::UnusedParameter,
                    name.span,
                    format!("unused parameter `{}`", name.value),
                );
                self.sink.push(
                    found.help(format!("use it in an expression, or as `{{{}}}` in a text", name.value)),
                );
            }
        }
    }

    fn refs(&mut self, node: &'a Node, env: &Env<'a>) -> Vec<Loc<String>> {
        let refs = self.words(node.get("refs"), env);
        if let (Some(refs), true) = (node.get("refs"), refs.is_empty()) {
            let found = Diagnostic::new(Code::MissingKey, refs.span, "a case cites at least one requirement");
            self.push(found.help("`refs: [RFC9293-MUST-12]`: rows of the catalogue"));
        }
        let Some(known) = self.known else { return refs };
        for name in refs.iter().filter(|name| known.catalogue.get(&name.value).is_none()) {
            let near = self.nearest(&name.value, known.catalogue.ids());
            let found = Diagnostic::new(
                Code::UnknownRequirement,
                name.span,
                format!("unknown requirement `{}`", name.value),
            );
            self.push(
                found.suggest(near).help("the catalogue is in suites/catalog/; `tcpspec coverage` lists it"),
            );
        }
        refs
    }

    fn words(&mut self, list: Option<&'a Node>, env: &Env<'a>) -> Vec<Loc<String>> {
        let Some(list) = list else { return Vec::new() };
        let (list, env) = self.resolve(list, env, &grammar::Shape::List(&grammar::Shape::Text));
        let items = list.items().unwrap_or_default();
        let words = items.iter().filter_map(|item| self.text(item, &env, Open::Refuse));
        words.map(|filled| Loc::new(filled.text, filled.span)).collect()
    }

    /// What the file and the case say together.
    fn both(&mut self, suite: &'a Suite, node: &'a Node, key: &str, env: &Env<'a>) -> Vec<Loc<String>> {
        let mut all = self.words(suite.root.get(key), &Env::default());
        for word in self.words(node.get(key), env) {
            if !all.iter().any(|other| other.value == word.value) {
                all.push(word);
            }
        }
        all
    }

    fn needs(&mut self, needs: Vec<Loc<String>>) -> Vec<String> {
        decl::abilities(&needs, &mut self.sink);
        values(needs)
    }

    /// A single value that the case says, or else the file.
    fn inherited(
        &mut self,
        suite: &'a Suite,
        node: &'a Node,
        key: &str,
        env: &Env<'a>,
    ) -> Option<Loc<String>> {
        let filled = match (node.get(key), suite.root.get(key)) {
            (Some(own), _) => self.text(own, env, Open::Refuse)?,
            (None, Some(of_file)) => self.text(of_file, &Env::default(), Open::Refuse)?,
            (None, None) => return None,
        };
        Some(Loc::new(filled.text, filled.span))
    }

    fn flag(&mut self, suite: &'a Suite, node: &'a Node, key: &str, env: &Env<'a>) -> bool {
        match (node.get(key), suite.root.get(key)) {
            (Some(own), _) => self.yes(own, env).unwrap_or_default(),
            (None, Some(of_file)) => self.yes(of_file, &Env::default()).unwrap_or_default(),
            (None, None) => false,
        }
    }

    fn points(&mut self, suite: &'a Suite, node: &'a Node, env: &Env<'a>) -> u32 {
        let Some(points) = self.inherited(suite, node, "points", env) else { return 1 };
        points.value.parse().unwrap_or_else(|_| {
            let message = format!("`points` takes a whole number, not `{}`", points.value);
            self.push(Diagnostic::new(Code::WrongShape, points.span, message));
            1
        })
    }

    fn level(&mut self, suite: &'a Suite, case: &'a CaseDecl, env: &Env<'a>) -> Level {
        let Some(level) = self.inherited(suite, &case.node, "level", env) else {
            let found = Diagnostic::new(
                Code::MissingKey,
                case.id.span,
                "a case needs `level:`, its own or the file's",
            );
            self.push(found.help("must, should or may: what RFC 2119 word the requirement uses"));
            return Level::Must;
        };
        match level.value.as_str() {
            "must" => Level::Must,
            "should" => Level::Should,
            "may" => Level::May,
            other => {
                self.unknown_word(Code::UnknownWord, level.span, "level", other, grammar::LEVELS);
                Level::Must
            }
        }
    }

    fn families(&mut self, suite: &'a Suite, node: &'a Node, env: &Env<'a>) -> Vec<Family> {
        let (list, env) = match (node.get("family"), suite.root.get("family")) {
            (Some(own), _) => (own, env.clone()),
            (None, Some(of_file)) => (of_file, Env::default()),
            (None, None) => return Family::BOTH.to_vec(),
        };
        let (list, env) = self.resolve(list, &env, &grammar::Shape::Any);
        let mut families = Vec::new();
        for item in list.items().unwrap_or_else(|| std::slice::from_ref(list)) {
            let Some(family) = self.text(item, &env, Open::Refuse) else { continue };
            match family.text.as_str() {
                "4" => families.push(Family::V4),
                "6" => families.push(Family::V6),
                other => {
                    self.unknown_word(Code::UnknownWord, family.span, "family", other, grammar::FAMILIES);
                }
            }
        }
        families.sort_unstable();
        families.dedup();
        families
    }

    /// `kernel`: the reference never runs it.
    fn kills(&mut self, case: &'a CaseDecl, level: Level, kernel: bool, env: &Env<'a>) -> Vec<String> {
        let kills = self.words(case.node.get("kills"), env);
        if let (Some(name), true) = (kills.first(), kernel) {
            let message = "a case that needs the Linux kernel meets no mutant";
            let found = Diagnostic::new(Code::KillsOutOfReach, name.span, message);
            self.push(
                found.help("mutants are of the reference, which does not run this case: leave `kills:` out"),
            );
        }
        if let Some(known) = self.known {
            for name in kills.iter().filter(|name| !known.mutants.contains(&name.value.as_str())) {
                self.unknown_word(Code::UnknownMutant, name.span, "mutant", &name.value, known.mutants);
            }
            // A `may` case records and never fails, so it kills nothing; nor does one that never meets a mutant.
            if kills.is_empty() && level != Level::May && !kernel {
                let found = Diagnostic::new(Code::KillsNothing, case.id.span, "this case kills no mutant");
                self.push(found.help("name one in `kills:`; `tcpspec mutants` lists them"));
            }
        }
        values(kills)
    }

    fn mode_of(&mut self, suite: &'a Suite, node: &'a Node, env: &Env<'a>) -> Mode {
        let Some(mode) = self.inherited(suite, node, "mode", env) else { return Mode::Scripted };
        match mode.value.as_str() {
            "scripted" => Mode::Scripted,
            "live" => Mode::Live,
            other => {
                self.unknown_word(Code::UnknownWord, mode.span, "mode", other, grammar::MODES);
                Mode::Scripted
            }
        }
    }

    /// The fixtures that bring the target into the state to start from, outermost first.
    fn given(&mut self, node: &'a Node, env: &Env<'a>) -> Vec<Fixture> {
        let Some(call) = self.call(node, env) else { return Vec::new() };
        let library = self.library;
        let Some(fixture) = library.fixtures.get(&call.name) else {
            let known: Vec<_> = library.fixtures.keys().map(String::as_str).collect();
            self.unknown_word(Code::UnknownFixture, call.span, "fixture", &call.name, &known);
            return Vec::new();
        };
        self.fixture(fixture, call.span, Some(&call), env)
    }

    pub(super) fn fixture(
        &mut self,
        fixture: &'a FixtureDecl,
        span: Span,
        call: Option<&Call<'a>>,
        env: &Env<'a>,
    ) -> Vec<Fixture> {
        if !self.enter(&fixture.id.value, span) {
            return Vec::new();
        }
        let bare = Call { name: fixture.id.value.clone(), span, args: None, env: env.clone(), alone: true };
        let env = self.arguments(&fixture.params, &fixture.id.value, call.unwrap_or(&bare));
        let mut all = fixture.given.as_ref().map(|given| self.given(given, &env)).unwrap_or_default();
        let before = self.labels.clone();
        let mut after: Option<Labels> = None;
        let mut ways = Vec::new();
        for way in fixture.ways_of(self.mode) {
            self.labels = before.clone();
            let steps = self.steps(&way.steps, &env);
            if way.mode.is_none() {
                self.playable(&fixture.id.value, &steps, span);
            }
            ways.push(Way { needs: way.needs.iter().map(|need| need.value.clone()).collect(), steps });
            // Behind the fixture only those labels exist that every way gives.
            let labels = std::mem::take(&mut self.labels);
            after = Some(match after {
                None => labels,
                Some(mut common) => {
                    common.known.retain(|name, _| labels.known.contains_key(name));
                    common
                }
            });
        }
        self.labels = after.unwrap_or(before);
        self.inside.pop();
        all.push(Fixture {
            id: fixture.id.value.clone(),
            state: fixture.state.clone(),
            tested_by: fixture.tested_by.value.clone(),
            ways,
        });
        all
    }

    fn stronger_than_cited(&mut self, level: Level, refs: &[Loc<String>], span: Span) {
        let Some(known) = self.known else { return };
        let mut strongest = None;
        for name in refs {
            match known.catalogue.get(&name.value).map(|row| row.level) {
                // A row without a level of its own (a course item, a known problem) allows any.
                None | Some(None) => return,
                Some(cited) => strongest = strongest.max(cited),
            }
        }
        if let Some(strongest) = strongest.filter(|strongest| *strongest < level) {
            let message = format!("a {level} case that cites at most a {strongest}");
            let found = Diagnostic::new(Code::StrongerThanCited, span, message);
            self.push(found.help("cite the MUST behind it, or lower the level"));
        }
    }

    fn vacuous(&mut self, case: &CaseDecl) {
        if let (Some(silence), 0) = (self.silences.first().copied(), self.proofs) {
            // The silence may stand in a list that many cases use; each of them is told.
            let found =
                Diagnostic::new(Code::VacuousSilence, case.id.span, "silence is all that this case checks");
            let help =
                "end the case with a probe: send what a living target must answer, and expect the answer";
            self.push(found.context(silence, "a target that crashed would pass").help(help));
        }
    }
}

fn values(words: Vec<Loc<String>>) -> Vec<String> {
    words.into_iter().map(|word| word.value).collect()
}

/// A value as it may stand in an id.
fn tame(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-|".contains(c);
    text.chars().map(|c| if plain(c) { c } else { '_' }).collect()
}
