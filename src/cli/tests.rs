//! What the parser takes and refuses. The commands themselves are tested through the binary.

use super::*;
use clap::CommandFactory;
use rstest::rstest;

#[test]
fn the_arguments_are_consistent() {
    Arguments::command().debug_assert();
}

#[rstest]
#[case("run -E level(must) close/** a/b --suites x --suites y --family 6 --level should --slow --seed 7")]
#[case("run -t reference --wire sim -j 4 --timeout-scale 2.5 --mutant syn-not-counted")]
#[case("run --repeat 3 --partition hash:1/4 --fail-fast --deny should --deny inconclusive --require-all")]
#[case("run --retries 2 --partition auto --report junit --report json=out.json --report human=- --out d")]
#[case("run -j auto --timeout 90s --case-timeout 5min")]
#[case("run --format json --color never")]
#[case("list --format json -E tag(course)")]
#[case("check")]
#[case("check suites a.yaml")]
#[case("explain E031")]
#[case("schema")]
#[case("report run.jsonl --report junit=x.xml --color=always")]
fn what_the_contract_promises_is_taken(#[case] line: &str) {
    let words = std::iter::once("tcpspec").chain(line.split(' '));
    Arguments::try_parse_from(words).unwrap_or_else(|e| panic!("{line}: {e}"));
}

#[rstest]
#[case("run -j 0", "invalid value '0' for '--jobs <N>': a number from 1, or `auto`")]
#[case("run -j many", "a number from 1, or `auto`")]
#[case("run --timeout 5", "a span is a number and a unit")]
#[case("run --timeout 0s", "a span is a number and a unit")]
#[case("run --case-timeout 1s+1s", "a span is a number and a unit")]
#[case("run --repeat 0", "invalid value '0' for '--repeat <N>'")]
#[case("run --retries 1 --repeat 2", "cannot be used with")]
#[case("run --timeout-scale nan", "must be between 0.01 and 1000")]
#[case("run --timeout-scale -1", "unexpected argument '-1'")]
#[case("run --partition hash:3/2", "share 3 of 2: shares count from 1 to 2")]
#[case("run --mutant syn-not-countd", "did you mean `syn-not-counted`?")]
#[case("run --report html", "there is no report `html`; there are: junit, json, human")]
#[case("run --report junit=", "the path behind `=` is missing")]
#[case("run --family 5", "[possible values: 4, 6, both]")]
#[case("run --wire ether", "[possible values: veth, tap, tun, fd, udp, sim]")]
#[case("run --seed -1", "unexpected argument '-1'")]
#[case("report", "required arguments were not provided")]
#[case("", "Usage: tcpspec")]
fn what_cannot_be_is_refused_with_exit_2(#[case] line: &str, #[case] message: &str) {
    let words = std::iter::once("tcpspec").chain(line.split(' ').filter(|word| !word.is_empty()));
    let error = Arguments::try_parse_from(words).unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
    assert_eq!(error.exit_code(), Exit::Usage as i32);
}

#[rstest]
#[case(Exit::Success, 0)]
#[case(Exit::Violated, 1)]
#[case(Exit::Usage, 2)]
#[case(Exit::Harness, 3)]
#[case(Exit::NothingSelected, 4)]
#[case(Exit::Interrupted, 130)]
fn the_exit_codes_are_those_of_the_contract(#[case] exit: Exit, #[case] code: u8) {
    assert_eq!(exit as u8, code);
}

#[rstest]
#[case(crate::report::summary::Conclusion::Conformant, 0)]
#[case(crate::report::summary::Conclusion::Violated, 1)]
#[case(crate::report::summary::Conclusion::HarnessFailed, 3)]
#[case(crate::report::summary::Conclusion::Interrupted, 130)]
fn every_conclusion_has_its_code(#[case] conclusion: crate::report::summary::Conclusion, #[case] code: u8) {
    assert_eq!(run::exit_of(conclusion) as u8, code);
}
