//! What this machine allows: the facts behind `doctor`.
//!
//! Owns finding them out and saying what to do about each. Facts about the machine that a lab overrides in its own
//! namespaces are told all the same, because a target that runs elsewhere is not so protected. It must not print.
#![allow(clippy::disallowed_methods, reason = "the facts are in files of /proc and /dev")]

use super::sysctl;
use super::user::{self, Step};
use super::{Lab, Options};
use crate::target::profile::Net;
use nix::sys::utsname::uname;
use nix::unistd::geteuid;
use serde::Serialize;
use std::fs;
use std::path::Path;

/// What a fact means for running cases on real wires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// As it should be.
    Fine,
    /// Some things cannot be done, or not as well.
    Limits,
    /// No case can run on a veth pair.
    Prevents,
}

/// One thing about this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Never changes: `user-namespaces`.
    pub id: &'static str,
    /// For people: `user namespaces`.
    pub name: &'static str,
    pub value: String,
    pub standing: Standing,
    /// What to do about it, in a sentence; or why nothing needs to be done.
    pub advice: Option<String>,
}

impl Fact {
    fn fine(id: &'static str, name: &'static str, value: impl Into<String>) -> Self {
        Self { id, name, value: value.into(), standing: Standing::Fine, advice: None }
    }

    fn but(self, standing: Standing, advice: impl Into<String>) -> Self {
        Self { standing, advice: Some(advice.into()), ..self }
    }

    fn noting(self, advice: impl Into<String>) -> Self {
        self.but(Standing::Fine, advice)
    }
}

/// Everything that can be found out without doing it.
#[must_use]
pub fn gather() -> Vec<Fact> {
    let missing = user::missing_capabilities();
    let is_privileged = missing.is_empty();
    let mut facts = vec![kernel(), privilege(&missing), user_namespaces(is_privileged)];
    facts.extend(apparmor(is_privileged));
    facts.extend([
        namespace_limit(),
        open_files(),
        tun(),
        ipv6(),
        congestion_control(),
        forwarding(),
        receive_buffer(is_privileged),
        order(),
        clock(),
        processors(),
        priority(),
    ]);
    facts
}

/// Builds a whole lane and drops it. To be asked after [`user::obtain_privilege`].
pub async fn try_lab() -> Fact {
    let (id, name) = ("lab", "a namespace pair with a wire");
    let made = async { Lab::new().await?.pair(&Net::default(), &Options::default()).await }.await;
    match made {
        Ok(_) => Fact::fine(id, name, "works"),
        Err(e) => {
            let advice = e.hint.clone().unwrap_or_else(|| "the `sim` wire works without it".into());
            Fact::fine(id, name, e.to_string()).but(Standing::Prevents, advice)
        }
    }
}

fn kernel() -> Fact {
    let release =
        uname().map_or_else(|_| "unknown".into(), |name| name.release().to_string_lossy().into_owned());
    let fact = Fact::fine("kernel", "kernel", format!("Linux {release}"));
    match version(&release) {
        Some(version) if version < (4, 20) => fact.but(
            Standing::Prevents,
            "packet sockets that do not hear themselves came with Linux 4.20; use a newer kernel, or the `sim` wire",
        ),
        Some(_) | None => fact,
    }
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn privilege(missing: &[&str]) -> Fact {
    let uid = geteuid();
    let who = if uid.is_root() { "root".to_owned() } else { format!("user {uid}") };
    let (id, name) = ("privilege", "privilege");
    if missing.is_empty() {
        Fact::fine(id, name, format!("{who}, with all that is needed"))
    } else {
        let advice = if uid.is_root() {
            "this root is confined, as in a container: add the capabilities (`--cap-add NET_ADMIN --cap-add NET_RAW \
             --cap-add SYS_ADMIN`), or rely on user namespaces"
        } else {
            "user namespaces stand in for it where they are allowed; else run as root"
        };
        Fact::fine(id, name, format!("{who}, without {}", missing.join(", "))).noting(advice)
    }
}

fn user_namespaces(is_privileged: bool) -> Fact {
    let (id, name) = ("user-namespaces", "user namespaces");
    let Err(refusal) = user::try_user_namespace() else { return Fact::fine(id, name, "allowed") };
    let fact = Fact::fine(id, name, refusal.to_string());
    let is_zero = |name: &str| number(name) == Some(0);
    let advice = if is_zero("/proc/sys/user/max_user_namespaces") {
        "allow them: `sudo sysctl user.max_user_namespaces=10000`"
    } else if is_zero("/proc/sys/kernel/unprivileged_userns_clone") {
        "allow them: `sudo sysctl kernel.unprivileged_userns_clone=1`"
    } else if number(APPARMOR).is_some_and(|on| on != 0) && refusal.step != Step::UserNamespace {
        APPARMOR_ADVICE
    } else {
        "a container's seccomp profile or a security module may forbid them; run as root, or in the container with \
         `--cap-add NET_ADMIN --cap-add SYS_ADMIN --security-opt seccomp=unconfined`"
    };
    if is_privileged {
        return fact.noting("not needed with the privilege of this process");
    }
    fact.but(Standing::Prevents, format!("{advice}; or use the `sim` wire, which needs nothing"))
}

const APPARMOR: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
const APPARMOR_ADVICE: &str = "AppArmor confines them (Ubuntu 23.10 and later): run as root, give tcpspec a profile \
                               with `userns,`, or `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`";

/// Only where the kernel knows of it.
fn apparmor(is_privileged: bool) -> Option<Fact> {
    let is_on = number(APPARMOR)? != 0;
    let fact = Fact::fine(
        "apparmor",
        "AppArmor on user namespaces",
        if is_on { "confines" } else { "does not confine" },
    );
    Some(match (is_on, is_privileged) {
        (true, false) => fact.but(Standing::Limits, APPARMOR_ADVICE),
        (true, true) => fact.noting("does not matter with the privilege of this process"),
        (false, _) => fact,
    })
}

fn namespace_limit() -> Fact {
    let (id, name) = ("network-namespaces", "network namespaces");
    match number("/proc/sys/user/max_net_namespaces") {
        Some(most) if most < 128 => Fact::fine(id, name, format!("at most {most}")).but(
            Standing::Limits,
            "one is needed for each lane and two beside: `sudo sysctl user.max_net_namespaces=10000`, or fewer lanes",
        ),
        Some(most) => Fact::fine(id, name, format!("at most {most}")),
        None => Fact::fine(id, name, "the kernel has none")
            .but(Standing::Prevents, "use a kernel with CONFIG_NET_NS, or the `sim` wire"),
    }
}

fn open_files() -> Fact {
    let (id, name) = ("open-files", "open files");
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap_or_default();
    let [now, most, ..] = line.split_whitespace().collect::<Vec<_>>()[..] else {
        return Fact::fine(id, name, "unknown");
    };
    let fact = Fact::fine(id, name, format!("{now}, at most {most}"));
    match most.parse::<u64>() {
        Ok(most) if most < 1024 => {
            fact.but(Standing::Limits, "a lane needs a dozen: fewer lanes will run; raise `ulimit -Hn`")
        }
        // More, or `unlimited`.
        Ok(_) | Err(_) => fact,
    }
}

fn tun() -> Fact {
    let (id, name, device) = ("tun", "TUN and TAP devices", "/dev/net/tun");
    match fs::File::options().read(true).write(true).open(device) {
        Ok(_) => Fact::fine(id, name, "can be made"),
        Err(e) if Path::new(device).exists() => Fact::fine(id, name, format!("{device}: {e}")).but(
            Standing::Limits,
            "targets on a TAP or TUN device need it: `sudo chmod 0666 /dev/net/tun`, or run as root",
        ),
        Err(_) => Fact::fine(id, name, format!("there is no {device}")).but(
            Standing::Limits,
            "targets on a TAP or TUN device need it: `sudo modprobe tun`; in a container `--device /dev/net/tun`",
        ),
    }
}

fn ipv6() -> Fact {
    let (id, name) = ("ipv6", "IPv6");
    if super::settings::has_ipv6() {
        Fact::fine(id, name, "there")
    } else {
        Fact::fine(id, name, "not in this kernel").but(
            Standing::Limits,
            "only IPv4 can be tested: boot without `ipv6.disable=1` (`net.ipv6.conf.all.disable_ipv6` does not matter)",
        )
    }
}

fn congestion_control() -> Fact {
    let (id, name) = ("congestion-control", "congestion control");
    let read = |name: &str| sysctl::read(name).unwrap_or_else(|_| "unknown".into());
    let now = read("net.ipv4.tcp_congestion_control");
    let known = read("net.ipv4.tcp_available_congestion_control");
    let fact = Fact::fine(id, name, format!("{now} (there are: {known})"));
    if !known.split(' ').any(|name| name == "cubic") {
        fact.but(
            Standing::Limits,
            "the kernel is tested with reno: `sudo modprobe tcp_cubic` for Linux as it comes",
        )
    } else if now == "cubic" {
        fact
    } else {
        fact.noting("lanes use cubic all the same; a kernel tested elsewhere would use its own")
    }
}

fn forwarding() -> Fact {
    let (id, name) = ("ip-forward", "forwarding");
    let is_on = sysctl::read("net.ipv4.ip_forward").is_ok_and(|value| value != "0");
    let fact = Fact::fine(id, name, if is_on { "on" } else { "off" });
    if is_on { fact.noting("lanes have it off all the same") } else { fact }
}

fn receive_buffer(is_privileged: bool) -> Fact {
    const ENOUGH: u64 = 8 << 20;
    let (id, name) = ("receive-buffer", "receive buffer");
    let most = number("/proc/sys/net/core/rmem_max").unwrap_or(0);
    let is_initial = fs::read_to_string("/proc/self/uid_map")
        .is_ok_and(|map| map.split_whitespace().eq(["0", "0", "4294967295"]));
    if is_privileged && is_initial {
        return Fact::fine(id, name, "as large as wanted");
    }
    let fact = Fact::fine(id, name, format!("at most {} KiB", most >> 10));
    if most < ENOUGH {
        fact.but(
            Standing::Limits,
            format!(
                "a burst may not fit, and its case is inconclusive: `sudo sysctl net.core.rmem_max={ENOUGH}`"
            ),
        )
    } else {
        fact
    }
}

fn order() -> Fact {
    let fact = Fact::fine("order", "order of frames", "kept");
    if super::steering::is_known() || std::thread::available_parallelism().is_ok_and(|n| n.get() == 1) {
        return fact;
    }
    Fact { value: "kept on one processor".into(), ..fact }.but(
        Standing::Limits,
        "this kernel steers no frames of new devices (`net.core.rps_default_mask`, Linux 6.3), and what two processors \
         send may change places: lanes over veth run on one processor alone",
    )
}

fn clock() -> Fact {
    let (id, name) = ("clock", "clock");
    let source = fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    let source = source.map_or_else(|_| "unknown".into(), |text| text.trim().to_owned());
    let is_slow = matches!(&*source, "hpet" | "acpi_pm" | "jiffies");
    let fact = Fact::fine(id, name, source);
    if is_slow {
        fact.but(
            Standing::Limits,
            "reading it takes microseconds: times are less exact; prefer `clocksource=tsc`",
        )
    } else {
        fact
    }
}

fn processors() -> Fact {
    let (id, name) = ("processors", "processors");
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let fact = Fact::fine(id, name, format!("{count}, load {load}"));
    match load.parse::<f64>() {
        Ok(load) if load > count as f64 => fact.but(
            Standing::Limits,
            "others keep it busy: fewer lanes will run, and some cases more than once",
        ),
        Ok(_) | Err(_) => fact,
    }
}

fn priority() -> Fact {
    let (id, name) = ("priority", "priority of lanes");
    if super::priority::may_go_first() {
        return Fact::fine(id, name, "before other programs");
    }
    Fact::fine(id, name, "as any program")
        .noting("on a busy machine more cases are tried twice: root goes first, or whoever has `ulimit -r 1`")
}

fn number(file: &str) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::collections::BTreeSet;

    #[rstest]
    #[case("6.18.44-fc", Some((6, 18)))]
    #[case("4.19.0", Some((4, 19)))]
    #[case("5.4-rc1", Some((5, 4)))]
    #[case("plan9", None)]
    fn versions(#[case] release: &str, #[case] numbers: Option<(u32, u32)>) {
        assert_eq!(version(release), numbers);
    }

    #[test]
    fn what_is_not_fine_comes_with_advice() {
        let facts = gather();
        let ids: BTreeSet<_> = facts.iter().map(|fact| fact.id).collect();
        assert_eq!(ids.len(), facts.len());
        for fact in facts {
            assert!(fact.standing == Standing::Fine || fact.advice.is_some(), "{fact:?}");
            assert!(!fact.value.is_empty(), "{fact:?}");
        }
    }
}
