//! `repeat` written out: every round with its counter as a number.

mod linux;

use crate::suite::expr::{Bound, Expr};
use crate::suite::model::{
    Action, App, AppExpect, Delay, Expect, Fields, IcmpKind, Impairment, Live, OptionSpec, Pattern, Pick,
    Reads, Repeat, SackSpec, Send, Step, Verb,
};

/// More steps than this is a mistake in a case, not a test.
pub(super) const STEPS_MAX: usize = 20_000;

/// A name that stands for a number in some steps.
pub(super) struct Counter<'a> {
    pub(super) name: &'a str,
    pub(super) value: i64,
}

/// The steps of every round.
pub(super) fn rounds(repeat: &Repeat, times: i64) -> Vec<Step> {
    (0..times)
        .flat_map(|value| {
            repeat.steps.iter().cloned().map(move |mut step| {
                if let Some(name) = &repeat.counter {
                    let counter = Counter { name, value };
                    in_step(&mut step, &counter);
                }
                step
            })
        })
        .take(STEPS_MAX + 1)
        .collect()
}

fn in_step(step: &mut Step, counter: &Counter<'_>) {
    if let Some(within) = &mut step.within {
        within.from.iter_mut().chain([&mut within.to]).for_each(|e| in_expr(e, counter));
    }
    step.when.iter_mut().chain(&mut step.on).for_each(|e| in_expr(e, counter));
    for otherwise in &mut step.otherwise {
        otherwise.seen.iter_mut().for_each(|p| in_pattern(p, counter));
        in_text(&mut otherwise.means, counter);
    }
    step.tolerate.iter_mut().for_each(|t| in_pattern(&mut t.seen, counter));
    step.why.iter_mut().for_each(|text| in_text(text, counter));
    match &mut step.verb {
        Verb::Send(send) => match &mut **send {
            Send::Segment(fields) => in_fields(fields, counter),
            Send::Icmp(icmp) => {
                if let IcmpKind::Numbers { kind, code } = &mut icmp.kind {
                    in_expr(kind, counter);
                    in_expr(code, counter);
                }
                icmp.mtu.iter_mut().chain(&mut icmp.quote_len).for_each(|e| in_expr(e, counter));
                in_fields(&mut icmp.quote, counter);
            }
            Send::Raw(_) => {}
        },
        Verb::Expect(Expect::One(pattern)) => in_pattern(pattern, counter),
        Verb::Expect(Expect::OneOf(list)) => {
            list.iter_mut().filter_map(|(_, p)| p.as_mut()).for_each(|p| in_pattern(p, counter));
        }
        Verb::Expect(Expect::Nothing { span }) => in_expr(span, counter),
        Verb::App(app) => in_app(app, counter),
        Verb::Linux(linux) => linux::in_call(linux, counter),
        Verb::Wait(span) => in_expr(span, counter),
        Verb::Note(text) => in_text(text, counter),
        Verb::Live(live) => in_live(live, counter),
        Verb::Impair(rule) => in_impairment(rule, counter),
        Verb::Heal(_) => {}
        Verb::Repeat(inner) => {
            in_expr(&mut inner.times, counter);
            // An inner counter of the same name hides this one.
            if inner.counter.as_deref() != Some(counter.name) {
                inner.steps.iter_mut().for_each(|step| in_step(step, counter));
            }
        }
    }
}

fn in_app(app: &mut App, counter: &Counter<'_>) {
    match app {
        App::Send(e)
        | App::SendUrgent(e)
        | App::Recv(e)
        | App::BeginRecv(e)
        | App::ConnectFrom(e)
        | App::Option(_, e)
        | App::Expect(AppExpect::Data(e)) => in_expr(e, counter),
        App::Listen
        | App::Connect
        | App::ConnectTo(_)
        | App::Accept
        | App::Shutdown
        | App::Close
        | App::Abort
        | App::Status(_)
        | App::UrgentLeft(_)
        | App::Expect(_) => {}
    }
}

fn in_live(live: &mut Live, counter: &Counter<'_>) {
    match live {
        Live::Call(app) => in_app(app, counter),
        Live::Reboot(settings) => settings.iter_mut().for_each(|(_, e)| in_expr(e, counter)),
        Live::Reads(Reads::Slowly { octets, every }) => {
            in_expr(octets, counter);
            in_expr(every, counter);
        }
        Live::Reads(Reads::All | Reads::Nothing) => {}
    }
}

fn in_impairment(rule: &mut Impairment, counter: &Counter<'_>) {
    let Impairment { action, from: _, seen, pick } = rule;
    seen.iter_mut().for_each(|fields| in_fields(fields, counter));
    let Pick { count, every, nth, probability: _ } = pick;
    count.iter_mut().chain(every).chain(nth).for_each(|e| in_expr(e, counter));
    match action {
        Action::Drop => {}
        Action::Delay(Delay { by, jitter, rate, queue }) => {
            by.iter_mut().chain(jitter).chain(rate).chain(queue).for_each(|e| in_expr(e, counter));
        }
        Action::Duplicate { times: e } | Action::Corrupt { octet: e } => {
            e.iter_mut().for_each(|e| in_expr(e, counter));
        }
        Action::Reorder { behind, hold } => {
            behind.iter_mut().chain(hold).for_each(|e| in_expr(e, counter));
        }
        Action::Rewrite { set } => in_fields(set, counter),
    }
}

fn in_pattern(pattern: &mut Pattern, counter: &Counter<'_>) {
    match pattern {
        Pattern::Segment(fields) | Pattern::Icmp(fields) => in_fields(fields, counter),
        Pattern::Any => {}
    }
}

fn in_fields(fields: &mut Fields, counter: &Counter<'_>) {
    fields.values.iter_mut().for_each(|(_, bound)| in_bound(bound, counter));
    for option in fields.options.iter_mut().flatten() {
        match option {
            OptionSpec::Mss(e) | OptionSpec::Wscale(e) => in_expr(e, counter),
            OptionSpec::Timestamps(a, b) => {
                in_expr(a, counter);
                in_expr(b, counter);
            }
            OptionSpec::Sack(blocks) => in_blocks(blocks, counter),
            OptionSpec::Eol | OptionSpec::Nop | OptionSpec::SackPermitted | OptionSpec::Raw(_) => {}
        }
    }
    if let Some(SackSpec::Blocks(blocks)) = &mut fields.sack {
        in_blocks(blocks, counter);
    }
}

fn in_blocks(blocks: &mut [(Expr, Expr)], counter: &Counter<'_>) {
    for (left, right) in blocks {
        in_expr(left, counter);
        in_expr(right, counter);
    }
}

fn in_bound(bound: &mut Bound, counter: &Counter<'_>) {
    match bound {
        Bound::Any | Bound::Absent | Bound::Word(_) => {}
        Bound::Is(e) | Bound::Compare(_, e) => in_expr(e, counter),
        Bound::Range(a, b) => {
            in_expr(a, counter);
            in_expr(b, counter);
        }
        Bound::OneOf(list) => list.iter_mut().for_each(|bound| in_bound(bound, counter)),
    }
}

fn in_expr(expr: &mut Expr, counter: &Counter<'_>) {
    match expr {
        Expr::Name(name) if name == counter.name => *expr = Expr::Int(counter.value),
        Expr::Name(_) | Expr::Int(_) | Expr::Duration(_) | Expr::Bool(_) => {}
        Expr::Neg(inner) | Expr::Not(inner) => in_expr(inner, counter),
        Expr::Binary(_, a, b) => {
            in_expr(a, counter);
            in_expr(b, counter);
        }
    }
}

fn in_text(text: &mut String, counter: &Counter<'_>) {
    let placeholder = format!("{{{}}}", counter.name);
    if text.contains(&placeholder) {
        *text = text.replace(&placeholder, &counter.value.to_string());
    }
}
