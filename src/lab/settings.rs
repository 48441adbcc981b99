//! The settings every lab makes, so that a verdict does not depend on the machine's own.
//!
//! Owns two tables. A new namespace takes some settings from the machine (forwarding, buffer sizes, congestion control),
//! others from the kernel's defaults; what is in no table is the kernel's default.

use super::sysctl;
use crate::lane::SetupError;

/// One setting: which, to what, and whether a kernel may lack it.
#[derive(Debug, Clone, Copy)]
struct Setting {
    name: &'static str,
    value: &'static str,
    presence: Presence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Always,
    /// Newer than some kernels in use, or of a part that can be left out.
    WhereKnown,
}

const fn always(name: &'static str, value: &'static str) -> Setting {
    Setting { name, value, presence: Presence::Always }
}

const fn where_known(name: &'static str, value: &'static str) -> Setting {
    Setting { name, value, presence: Presence::WhereKnown }
}

impl Setting {
    /// Makes the setting in the calling thread's namespace.
    fn apply(&self) -> Result<(), SetupError> {
        let Self { name, value, presence } = *self;
        if presence == Presence::WhereKnown && !sysctl::is_known(name) {
            return Ok(());
        }
        sysctl::write(name, value)
    }
}

/// Makes the target's settings in the calling thread's namespace.
pub(super) fn apply_to_target() -> Result<(), SetupError> {
    TARGET.iter().try_for_each(Setting::apply)?;
    // Linux as it comes uses CUBIC (RFC 9438); a machine may prefer another, which reads the RFCs otherwise. Every
    // kernel has Reno (RFC 5681).
    sysctl::write(CONGESTION_CONTROL, "cubic").or_else(|_| sysctl::write(CONGESTION_CONTROL, "reno"))
}

/// Makes the tester's settings in the calling thread's namespace.
pub(super) fn apply_to_tester() -> Result<(), SetupError> {
    TESTER.iter().try_for_each(Setting::apply)
}

/// False where the kernel was built or booted without IPv6.
pub(super) fn has_ipv6() -> bool {
    sysctl::is_known("net.ipv6.conf.default.disable_ipv6")
}

const CONGESTION_CONTROL: &str = "net.ipv4.tcp_congestion_control";

/// Of the tester's namespace: its kernel is to be silent and blind.
const TESTER: &[Setting] = &[
    always("net.ipv4.ip_forward", "0"),
    where_known("net.ipv6.conf.all.disable_ipv6", "1"),
    where_known("net.ipv6.conf.default.disable_ipv6", "1"),
];

/// Of a target's namespace. `default` is what its devices begin with.
const TARGET: &[Setting] = &[
    always("net.ipv4.ip_forward", "0"),
    // A scripted peer may have any source address.
    always("net.ipv4.conf.all.rp_filter", "0"),
    always("net.ipv4.conf.default.rp_filter", "0"),
    // What one connection learnt about a peer must not change the next.
    always("net.ipv4.tcp_no_metrics_save", "1"),
    // Fast Open for those who ask for it, at both ends, and no silence after a failure in another case.
    always("net.ipv4.tcp_fastopen", "3"),
    always("net.ipv4.tcp_fastopen_blackhole_timeout_sec", "0"),
    // Every wrong segment is answered, however fast they come (RFC 5961 section 7 allows to limit that).
    where_known("net.ipv4.tcp_invalid_ratelimit", "0"),
    where_known("net.ipv4.tcp_challenge_ack_limit", "2147483647"),
    where_known("net.ipv4.icmp_ratelimit", "0"),
    where_known("net.ipv6.icmp.ratelimit", "0"),
    // The kernel's defaults, which a machine may have tuned.
    where_known("net.ipv4.tcp_rmem", "4096 131072 6291456"),
    where_known("net.ipv4.tcp_wmem", "4096 16384 4194304"),
    // No word unasked: no link-local address, no duplicate detection, no search for routers.
    where_known("net.ipv6.conf.all.disable_ipv6", "0"),
    where_known("net.ipv6.conf.default.disable_ipv6", "0"),
    where_known("net.ipv6.conf.all.forwarding", "0"),
    where_known("net.ipv6.conf.default.addr_gen_mode", "1"),
    where_known("net.ipv6.conf.default.accept_dad", "0"),
    where_known("net.ipv6.conf.default.dad_transmits", "0"),
    where_known("net.ipv6.conf.default.router_solicitations", "0"),
    where_known("net.ipv6.conf.default.accept_ra", "0"),
    where_known("net.ipv6.conf.default.autoconf", "0"),
];
