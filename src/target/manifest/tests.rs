use super::*;
use crate::suite::diagnostic::{Style, render_all};
use crate::suite::source::SourceMap;
use rstest::rstest;
use std::path::Path;

fn told(text: &str) -> (Option<Manifest>, String) {
    let mut sources = SourceMap::default();
    let (manifest, found) = read("t.yaml", text.as_bytes(), Path::new("/"), &mut sources);
    (manifest, render_all(&found, &sources, Style::Plain))
}

#[test]
fn four_lines_are_a_manifest() {
    let (manifest, told) = told("name: my-tcp\nrun: [./my-tcp, \"{target.ipv4}\", \"{target.port}\"]\n");
    let manifest = manifest.expect(&told);
    assert_eq!(manifest.links[0].kind, LinkKind::Fd);
    assert_eq!(manifest.program.ready, Ready::Syn);
    assert_eq!(manifest.program.lifetime, Lifetime::Case);
    assert!(manifest.profile.abilities.contains("echo"));
    assert_eq!(manifest.value("target.port", &manifest.links[0]).as_deref(), Some("7"));
}

#[test]
fn all_of_the_example_is_understood() {
    let (manifest, told) = told(
        "name: my-tcp\nabout: a student's stack\nlink: {kind: tap, device: tap0, create: harness}\n\
         target: {ipv4: 10.0.0.2/24, ipv6: none, port: 7, mac: auto}\npeer: {ipv4: 10.0.0.77}\nbuild: [make]\n\
         run: [./tcp-echo, tap0, \"{target.port}\"]\nstdin: hold\nready: {by: syn, within: 5s}\nlifetime: case\napp: echo\n\
         limits: {connections: 1, closed-port-rst: true}\ntiming: {scale: 2, msl: 1s, rto-initial: 1s, rto-min: 200ms}\n\
         profile: rfc9293\nwaive: [{cases: \"reset/blind/**\", because: week 4}]\n\
         deviations: [{cases: \"close/**\", outcome: warn, because: it does, link: \"x\", sometimes: true},\n\
         \x20 {cases: a/b, outcome: fail, because: it does, wire: tap, soak: right-edge},\n\
         \x20 {cases: a/c, outcome: fail, because: it does, wire: [tap], soak: [no-ack, copy]}]\n",
    );
    let manifest = manifest.expect(&told);
    assert_eq!(manifest.links[0].kind, LinkKind::Tap);
    assert_eq!(manifest.profile.families, [crate::suite::model::Family::V4]);
    assert!(!manifest.profile.abilities.contains("many-connections"));
    assert!(manifest.profile.abilities.contains("closed-port-rst"));
    assert_eq!(manifest.waivers[0].because, "week 4");
    assert_eq!(manifest.deviations[0].outcome, crate::engine::Outcome::Warn);
    assert_eq!(manifest.deviations[0].wires, [""; 0]);
    assert_eq!([0, 1].map(|at| manifest.deviations[at].sometimes), [true, false]);
    assert_eq!(manifest.deviations[1].wires, ["tap"]);
    assert_eq!(manifest.deviations[2].wires, ["tap"]);
    let in_soak: Vec<&str> = manifest.in_soak.iter().map(|known| known.word.as_str()).collect();
    assert_eq!(in_soak, ["right-edge", "no-ack", "copy"]);
    assert!(manifest.in_soak.iter().all(|known| known.is_on("tap") && !known.is_on("fd")));
}

#[rstest]
#[case("name: a\nrnu: [x]\n", "did you mean `run`?")]
#[case("name: a\n", "a manifest needs `run:`")]
#[case("run: [x]\n", "a manifest needs `name:`")]
#[case("name: a\nrun: x\n", "`run` takes a list, not a single value")]
#[case("name: a\nrun: [x]\nlink: {kind: tapp}\n", "did you mean `tap`?")]
#[case("name: a\nrun: [x, \"{target.prot}\"]\n", "`{target.prot}` stands for nothing here")]
#[case("name: a\nrun: [x]\ntarget: {ipv4: 10.0.0.300/24}\n", "is not an address with its prefix")]
#[case("name: a\nrun: [x]\ntarget: {ipv4: none}\n", "neither IPv4 nor IPv6")]
#[case("name: a\nrun: [x]\ntarget: {port: 70000}\n", "`port` cannot be `70000`")]
#[case("name: a\nrun: [x]\ntiming: {rto-min: 200}\n", "`200` is not a duration")]
#[case("name: a\nrun: [x]\nabilities: [sck]\n", "did you mean `sack`?")]
#[case("name: a\nrun: [x]\nwaive: [{cases: \"a[\", because: b}]\n", "this `[` is not closed")]
#[case("name: a\nrun: [x]\nwaive: [{cases: a}]\n", "a waiver needs `because:`")]
#[case(
    "name: a\nrun: [x]\nlink: [{kind: fd}, {kind: udp}]\ndeviations: [{cases: a, outcome: fail, because: b, wire: tap}]\n",
    "the target has no wire `tap`"
)]
#[case(
    "name: a\nrun: [x]\ndeviations: [{cases: a, outcome: fail, because: b, wire: [fd, veht]}]\n",
    "did you mean `veth`?"
)]
#[case(
    "name: a\nrun: [x]\ndeviations: [{cases: a, outcome: fail, because: b, soak: [copy, right-egde]}]\n",
    "did you mean `right-edge`?"
)]
#[case("name: a\nrun: [x]\nready: {by: text}\n", "`by: text` needs `text:`")]
#[case("name: a\nrun: [x]\nready: {by: control}\n", "no control channel")]
#[case("name: a\nrun: [x]\nlink: {kind: fd, device: tap0}\n", "has no device")]
#[case("name: a\nrun: [x]\nlink: {kind: tap, device: a/b}\n", "cannot be the name of a device")]
#[case("name: a\nrun: [x]\ntiming: {delayed-ack: 0s}\n", "an ACK that waits for no time is not delayed")]
#[case("name: a\napp: reference\nlacks: [urgent]\n", "the reference cannot do without `urgent`")]
#[case("name: a\napp: reference\nabilities: [echo]\n", "the reference cannot")]
#[case("name: a\napp: reference\nrun: [x]\n", "`run` means nothing for the built-in TCP")]
#[case("", "the manifest is empty")]
#[case("name: [\n", "this is not YAML")]
fn mistakes_are_shown_where_they_are(#[case] text: &str, #[case] message: &str) {
    let (manifest, told) = told(text);
    assert_eq!(manifest, None);
    assert!(told.contains(message), "{told}");
}

#[test]
fn a_variant_of_the_reference_needs_no_program() {
    let (manifest, told) = told("name: old\napp: reference\nlacks: [rfc5961]\nprofile: rfc793\n");
    let profile = manifest.expect(&told).profile;
    let whole = crate::target::reference::profile();
    assert_eq!((profile.name.as_str(), profile.reading.as_str()), ("old", "rfc793"));
    assert_eq!(profile.abilities.len() + 1, whole.abilities.len());
    assert!(!profile.abilities.contains("rfc5961"));
    assert_eq!(
        (profile.families, profile.timing, profile.limits),
        (whole.families, whole.timing, whole.limits)
    );
}

#[test]
fn shipped_manifests_have_no_mistakes() {
    for name in find::names() {
        let found = find::find(&name).unwrap();
        let mut sources = SourceMap::default();
        let (_, diagnostics) = read(&found.name, &found.text, Path::new("/"), &mut sources);
        assert_eq!(render_all(&diagnostics, &sources, Style::Plain), "", "{name}");
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads the checked-in file")]
fn the_schema_is_the_checked_in_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/schema.json");
    assert_eq!(
        schema(),
        std::fs::read_to_string(path).unwrap(),
        "tcpspec schema --targets > targets/schema.json"
    );
}
