use super::*;
use proptest::prelude::*;
use rstest::rstest;

#[rstest]
#[case("isn + 1", "isn + 1")]
#[case("isn-1", "isn - 1")]
#[case("2*(1+3)", "2 * (1 + 3)")]
#[case("(2*1)+3", "2 * 1 + 3")]
#[case("1 - (2 - 3)", "1 - (2 - 3)")]
#[case("target.rto.initial * 2", "target.rto.initial * 2")]
#[case("0x10", "16")]
#[case("4_294_967_295", "4294967295")]
#[case("64KiB", "65536")]
#[case("1.5s", "1500ms")]
#[case("2min", "120s")]
#[case("200ms", "200ms")]
#[case("not a and b or c", "not a and b or c")]
#[case("(a or b) and c", "(a or b) and c")]
#[case("a == 1 and b < 2", "a == 1 and b < 2")]
#[case("-x * 2", "-x * 2")]
#[case("yes", "true")]
fn an_expression_reads_back(#[case] text: &str, #[case] shown: &str) {
    assert_eq!(parse_expr(text).unwrap().to_string(), shown);
}

#[rstest]
#[case("any", Bound::Any)]
#[case("none", Bound::Absent)]
#[case("bad", Bound::Word("bad".into()))]
#[case("1..5", Bound::Range(Expr::Int(1), Expr::Int(5)))]
#[case("isn..irs", Bound::Range(Expr::Name("isn".into()), Expr::Name("irs".into())))]
#[case(">= 1460", Bound::Compare(BinaryOp::Ge, Expr::Int(1460)))]
#[case("[1, 3..4, none]", Bound::OneOf(vec![Bound::Is(Expr::Int(1)), Bound::Range(Expr::Int(3), Expr::Int(4)), Bound::Absent]))]
fn a_bound_reads(#[case] text: &str, #[case] bound: Bound) {
    assert_eq!(parse_bound(text).unwrap(), bound);
}

#[rstest]
#[case("isn +", "a value is missing", 5, 5)]
#[case("isn 1", "an operator is missing", 4, 5)]
#[case("(isn", "a `)` is missing", 4, 4)]
#[case("1 $ 2", "`$` means nothing in an expression", 2, 3)]
#[case("3 bananas", "`bananas` cannot stand here", 2, 9)]
#[case("1.5", "`1.5` is not a whole number", 0, 3)]
#[case("5days", "`days` is not a unit", 0, 5)]
#[case("99999999999999999999", "`99999999999999999999` is too large", 0, 20)]
#[case("", "a value is missing", 0, 0)]
#[case("é", "`é` means nothing", 0, 2)]
fn a_mistake_has_a_place(
    #[case] text: &str,
    #[case] message: &str,
    #[case] start: usize,
    #[case] end: usize,
) {
    let error = parse_expr(text).unwrap_err();
    assert!(error.message.starts_with(message), "{}", error.message);
    assert_eq!((error.start, error.end), (start, end));
}

#[test]
fn depth_and_length_have_limits() {
    let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(parse_expr(&deep).is_err());
    let brackets = format!("{}1{}", "(".repeat(100), ")".repeat(100));
    assert!(parse_expr(&brackets).unwrap_err().message.contains("levels"));
    assert!(parse_expr(&"-".repeat(200)).is_err());
    assert!(parse_bound(&"[".repeat(200)).is_err());
    assert!(parse_expr(&vec!["1"; 1000].join("+")).is_err());
}

fn scope(name: &str) -> Option<Type> {
    match name {
        "isn" | "irs" => Some(Type::Seq),
        "n" => Some(Type::Int),
        "rto" => Some(Type::Duration),
        "t" => Some(Type::Time),
        "ok" => Some(Type::Bool),
        _ => None,
    }
}

#[rstest]
#[case("isn + 1", Type::Seq)]
#[case("isn - irs", Type::Int)]
#[case("rto * 2 + 1s", Type::Duration)]
#[case("t - t", Type::Duration)]
#[case("t + rto", Type::Time)]
#[case("isn == 0 and not ok", Type::Bool)]
#[case("rto / rto", Type::Int)]
fn types_follow_the_arithmetic(#[case] text: &str, #[case] expected: Type) {
    assert_eq!(type_of(&parse_expr(text).unwrap(), &scope), Ok(expected));
}

#[rstest]
#[case("isn + irs", "a sequence number cannot be added to a sequence number")]
#[case("isn * 2", "a sequence number cannot be multiplied by a number")]
#[case("1 + 1s", "a duration cannot be added to a number")]
#[case("1s - 1", "a number cannot be subtracted from a duration")]
#[case("rto and ok", "`and` joins yes and no, not a duration and a yes or no")]
#[case("1s < 5", "a duration cannot be compared with a number")]
#[case("isnn", "unknown name `isnn`")]
fn types_that_do_not_fit_are_named(#[case] text: &str, #[case] message: &str) {
    let error = type_of(&parse_expr(text).unwrap(), &scope).unwrap_err();
    assert_eq!(error.to_string(), message);
}

fn any_expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        (0..i64::MAX).prop_map(Expr::Int),
        (0..10_000_000_000_u64).prop_map(|n| Expr::Duration(Duration::from_nanos(n))),
        any::<bool>().prop_map(Expr::Bool),
        "[a-z]{1,3}(\\.[a-z_]{1,3})?"
            .prop_filter("a keyword", |name| !["and", "or", "not", "yes", "no", "any"]
                .contains(&name.as_str()))
            .prop_map(Expr::Name),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        let op = prop::sample::select(vec![
            BinaryOp::Add,
            BinaryOp::Sub,
            BinaryOp::Mul,
            BinaryOp::Div,
            BinaryOp::Eq,
            BinaryOp::Ne,
            BinaryOp::Lt,
            BinaryOp::Le,
            BinaryOp::Gt,
            BinaryOp::Ge,
            BinaryOp::And,
            BinaryOp::Or,
        ]);
        prop_oneof![
            inner.clone().prop_map(|of| Expr::Neg(Box::new(of))),
            inner.clone().prop_map(|of| Expr::Not(Box::new(of))),
            (op, inner.clone(), inner).prop_map(|(op, a, b)| Expr::Binary(op, Box::new(a), Box::new(b))),
        ]
    })
}

fn any_bound() -> impl Strategy<Value = Bound> {
    let leaf = prop_oneof![
        Just(Bound::Any),
        Just(Bound::Absent),
        Just(Bound::Word("bad".into())),
        Just(Bound::Word("port-unreachable".into())),
        any_expr().prop_map(Bound::Is),
        (any_expr(), any_expr()).prop_map(|(a, b)| Bound::Range(a, b)),
        any_expr().prop_map(|a| Bound::Compare(BinaryOp::Ge, a)),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(Bound::OneOf))
}

proptest! {
    #[test]
    fn what_is_shown_reads_back_as_the_same(expr in any_expr()) {
        prop_assert_eq!(parse_expr(&expr.to_string()).unwrap(), expr);
    }

    #[test]
    fn a_bound_that_is_shown_reads_back_as_the_same(bound in any_bound()) {
        prop_assert_eq!(parse_bound(&bound.to_string()).unwrap(), bound);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
        let _ = parse_expr(&text);
        let _ = parse_bound(&text);
    }
}
