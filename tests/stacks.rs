//! Stacks of others as controls: smoltcp and lwIP, by their manifests, give the results that their manifests explain; and
//! the adapter kits work in each language, with an echo server and under full control.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test starts programs and says what it skips"
)]
#![cfg(target_os = "linux")]

use rstest::rstest;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

/// What every stack is asked in every test run; the rest takes minutes.
const SAMPLE: &[&str] = &[
    "handshake/passive/*",
    "close/**",
    "data/receive/*",
    "matrix/rst/*-in-established-*",
    "window/receiver/*",
];
/// Set to any value, the whole corpus is run.
const WHOLE: &str = "TCPSPEC_TEST_STACKS";

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("tcpspec-stacks-{}-{name}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The report of a run.
    fn run(&self, target: &str, more: &[&str]) -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_tcpspec"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["run", "-t", target, "--format", "json", "--out"])
            .arg(self.0.join("out"))
            .args(more)
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{target}: {e}\n{err}"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn in_checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Says what is missing, loudly, where it is.
fn is_missing(what: &str, argv: &[&str]) -> bool {
    let (program, arguments) = argv.split_first().unwrap();
    let works = Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success());
    if !works {
        eprintln!("SKIPPED: {what} is missing here (`{}` fails)", argv.join(" "));
    }
    !works
}

fn lwip_is_missing() -> bool {
    is_missing(
        "a C compiler with lwIP (apt-get install liblwip-dev)",
        &["make", "-C", "targets/examples/lwip", "--quiet"],
    )
}

fn wire_is_missing(wire: &str) -> bool {
    let is_device = matches!(wire, "tap" | "tun" | "veth");
    is_device
        && (is_missing("a device", &["test", "-c", "/dev/net/tun"])
            || is_missing("the privilege for namespaces", &["unshare", "--net", "true"]))
}

/// Every case did what it should, or what the manifest says that it does instead.
#[rstest]
#[case("smoltcp", "fd")]
#[case("smoltcp", "tap")]
#[case("lwip", "fd")]
#[case("lwip", "tap")]
fn nothing_is_unexpected(#[case] stack: &str, #[case] wire: &str) {
    if wire_is_missing(wire) || stack == "lwip" && lwip_is_missing() {
        return;
    }
    let scratch = Scratch::new(&format!("{stack}-{wire}"));
    let whole = env::var_os(WHOLE).is_some();
    let mut line = vec!["--wire", wire, "-j", "8"];
    if !whole {
        line.extend(["--family", "4"]);
        line.extend(SAMPLE);
    }
    let report = scratch.run(stack, &line);
    let cases = report["cases"].as_array().unwrap();
    assert!(cases.len() > 60, "{} cases", cases.len());
    let passed = cases.iter().filter(|case| case["outcome"] == "pass").count();
    assert!(passed * 2 > cases.len(), "{passed} of {} pass", cases.len());
    let suspects = unexpected(&report);
    if suspects.is_empty() {
        return;
    }
    // Real time on a busy machine: what is unexpected among many is tried again alone.
    let mut line = vec!["--wire", wire, "-j", "1"];
    line.extend(suspects.iter().map(|(id, _)| id.as_str()));
    let again = unexpected(&scratch.run(stack, &line));
    let told: Vec<&str> = again.iter().map(|(_, told)| told.as_str()).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// The cases that neither passed nor did what the manifest says, each with a line about it.
fn unexpected(report: &Value) -> Vec<(String, String)> {
    let told = |case: &Value| {
        let id = case["id"].as_str().unwrap().to_owned();
        (id, format!("{} v{} {}: {}", case["id"], case["family"], case["outcome"], case["reason"]))
    };
    report["cases"].as_array().unwrap().iter().filter(|case| case["expected"] == false).map(told).collect()
}

const HANDSHAKE: &str = "handshake/passive/syn-ack-counts-the-syn";

const C_ECHO: &str = "examples/lwip/echo";
const RUST_ECHO: &str = "../target/debug/smoltcp-echo";
const PYTHON_ECHO: &str = "examples/student/stack.py";

/// The echo servers of the kits, on wires of packets and of frames.
#[rstest]
#[case::c("lwip", C_ECHO, "fd")]
#[case::c_in_datagrams("lwip", C_ECHO, "udp")]
#[case::c_on_a_tap("lwip", C_ECHO, "tap")]
#[case::c_by_a_packet_socket("lwip", C_ECHO, "veth")]
#[case::rust("smoltcp", RUST_ECHO, "fd")]
#[case::rust_in_datagrams("smoltcp", RUST_ECHO, "udp")]
#[case::rust_on_a_tap("smoltcp", RUST_ECHO, "tap")]
#[case::python("student", PYTHON_ECHO, "fd")]
#[case::python_in_datagrams("student", PYTHON_ECHO, "udp")]
#[case::python_on_a_tap("student", PYTHON_ECHO, "tap")]
#[case::python_by_a_packet_socket("student", PYTHON_ECHO, "veth")]
fn echo_servers_answer(#[case] stack: &str, #[case] program: &str, #[case] wire: &str) {
    if wire_is_missing(wire) || stack == "lwip" && lwip_is_missing() {
        return;
    }
    let scratch = Scratch::new(&format!("echo-{stack}-{wire}"));
    let program = in_checkout("targets").join(program).display().to_string();
    let run = if stack == "student" { format!("python3, {program}, echo") } else { program };
    let device = if wire == "tap" { ", device: tap0" } else { "" };
    let build = build(stack);
    let text = format!("name: echo\nlink: {{kind: {wire}{device}}}\n{build}\nrun: [{run}]\napp: echo\n");
    let path = scratch.write("target.yaml", &text);
    let report = scratch.run(path.to_str().unwrap(), &["--family", "4", HANDSHAKE]);
    // The smoke check has had an octet echoed, or there would be no report.
    assert_eq!(report["cases"][0]["outcome"], "pass", "{report:#}");
}

/// How the manifest of a stack builds it, from anywhere.
fn build(stack: &str) -> String {
    let Ok(manifest) = fs::read_to_string(in_checkout(&format!("targets/{stack}.yaml"))) else {
        // Nothing is built of a script.
        return String::new();
    };
    let build = manifest.lines().find(|line| line.starts_with("build:")).unwrap();
    let build = build.replace("examples/", &in_checkout("targets/examples/").display().to_string());
    let build = build.replace("../target", &in_checkout("target").display().to_string());
    let cargo = format!("cargo, build, --manifest-path, {},", in_checkout("Cargo.toml").display());
    build.replace("cargo, build,", &cargo)
}

/// The C header alone: strict C99, the pattern, and a program that can do nothing and says so.
#[test]
fn the_c_header_is_c99_and_says_unsupported() {
    if is_missing("a C compiler", &["cc", "--version"]) {
        return;
    }
    let scratch = Scratch::new("header");
    let source = scratch.write(
        "nothing.c",
        r#"#include "tcpspec.h"
int main(int argc, char **argv) {
  struct tcpspec_command c;
  unsigned char octets[600];
  (void)argv;
  tcpspec_octets(500, octets, sizeof octets);
  if (octets[2] != 14 || tcpspec_mismatch(500, octets, 600) != -1)
    return 1;
  octets[77] ^= 1;
  if (tcpspec_mismatch(500, octets, 600) != 577)
    return 2;
  if (argc > 1)
    return 0;
  for (;;)
    while (tcpspec_command(&c))
      if (!strcmp(c.word, "hello"))
        tcpspec_ok(&c, NULL);
      else
        tcpspec_unsupported(&c);
}
"#,
    );
    let program = scratch.0.join("nothing");
    let compiled = Command::new("cc")
        .args(["-std=c99", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-pedantic", "-Werror", "-I"])
        .arg(in_checkout("targets/kit"))
        .arg("-o")
        .args([&program, &source])
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    assert!(Command::new(&program).arg("check").status().unwrap().success());
    let manifest = scratch.write("target.yaml", "name: nothing\nrun: [./nothing]\napp: control\n");
    let report = scratch.run(manifest.to_str().unwrap(), &["--family", "4", HANDSHAKE]);
    assert_eq!(report["cases"][0]["outcome"], "unsupported", "{report:#}");
}
