//! The counter of a round in a `linux` step.

use super::{Counter, in_bound, in_expr};
use crate::suite::model::{CallResult, InfoWant, Linux, LinuxCall, OptionValue, OptionWant};

pub(super) fn in_call(linux: &mut Linux, counter: &Counter<'_>) {
    if let CallResult::Returns(bound) = &mut linux.result {
        in_bound(bound, counter);
    }
    match &mut linux.call {
        LinuxCall::SetSockOpt { value, .. } => match value {
            OptionValue::Int(expr) => in_expr(expr, counter),
            OptionValue::Ints(all) => all.iter_mut().for_each(|expr| in_expr(expr, counter)),
            OptionValue::Text(_) | OptionValue::Octets(_) => {}
        },
        LinuxCall::GetSockOpt { want, .. } => match want {
            OptionWant::Int(bound) => in_bound(bound, counter),
            OptionWant::Ints(all) => all.iter_mut().for_each(|bound| in_bound(bound, counter)),
            OptionWant::Text(_) | OptionWant::Octets(_) | OptionWant::Errno(_) => {}
        },
        LinuxCall::Info(wants) => wants.iter_mut().for_each(|(_, want)| match want {
            InfoWant::Number(bound) => in_bound(bound, counter),
            InfoWant::Words(_) | InfoWant::Flags(_) => {}
        }),
        LinuxCall::ErrQueue(want) => {
            let numbers = want.iter_mut().flat_map(|want| &mut want.numbers);
            numbers.for_each(|(_, bound)| in_bound(bound, counter));
        }
        LinuxCall::Ioctl(queues) => queues.iter_mut().for_each(|(_, bound)| in_bound(bound, counter)),
        LinuxCall::Listen { backlog: expr }
        | LinuxCall::Send { count: expr, .. }
        | LinuxCall::Recv { count: expr, .. } => in_expr(expr, counter),
        LinuxCall::Sysctl(_) | LinuxCall::Poll(_) | LinuxCall::Accept | LinuxCall::Shutdown { .. } => {}
    }
}
