//! `TCP_INFO` by the names of its fields.

use super::socket;
use super::state::State;
use nix::errno::Errno;
use nix::libc;
use std::os::fd::BorrowedFd;

/// More than any kernel gives.
const ROOM: usize = 512;

/// What the kernel knows of one connection, as it answered.
#[derive(Debug, Clone)]
pub struct TcpInfo {
    octets: Vec<u8>,
}

/// Where a field is, and how long it is. The structure only ever grows at its end.
struct Field {
    name: &'static str,
    at: usize,
    octets: usize,
}

const fn field(name: &'static str, at: usize, octets: usize) -> Field {
    Field { name, at, octets }
}

/// `struct tcp_info` of `linux/tcp.h`, without the `tcpi_`.
const FIELDS: &[Field] = &[
    field("ca_state", 1, 1),
    field("retransmits", 2, 1),
    field("probes", 3, 1),
    field("backoff", 4, 1),
    field("options", 5, 1),
    field("rto", 8, 4),
    field("ato", 12, 4),
    field("snd_mss", 16, 4),
    field("rcv_mss", 20, 4),
    field("unacked", 24, 4),
    field("sacked", 28, 4),
    field("lost", 32, 4),
    field("retrans", 36, 4),
    field("fackets", 40, 4),
    field("last_data_sent", 44, 4),
    field("last_ack_sent", 48, 4),
    field("last_data_recv", 52, 4),
    field("last_ack_recv", 56, 4),
    field("pmtu", 60, 4),
    field("rcv_ssthresh", 64, 4),
    field("rtt", 68, 4),
    field("rttvar", 72, 4),
    field("snd_ssthresh", 76, 4),
    field("snd_cwnd", 80, 4),
    field("advmss", 84, 4),
    field("reordering", 88, 4),
    field("rcv_rtt", 92, 4),
    field("rcv_space", 96, 4),
    field("total_retrans", 100, 4),
    field("pacing_rate", 104, 8),
    field("max_pacing_rate", 112, 8),
    field("bytes_acked", 120, 8),
    field("bytes_received", 128, 8),
    field("segs_out", 136, 4),
    field("segs_in", 140, 4),
    field("notsent_bytes", 144, 4),
    field("min_rtt", 148, 4),
    field("data_segs_in", 152, 4),
    field("data_segs_out", 156, 4),
    field("delivery_rate", 160, 8),
    field("busy_time", 168, 8),
    field("rwnd_limited", 176, 8),
    field("sndbuf_limited", 184, 8),
    field("delivered", 192, 4),
    field("delivered_ce", 196, 4),
    field("bytes_sent", 200, 8),
    field("bytes_retrans", 208, 8),
    field("dsack_dups", 216, 4),
    field("reord_seen", 220, 4),
    field("rcv_ooopack", 224, 4),
    field("snd_wnd", 228, 4),
    field("rcv_wnd", 232, 4),
    field("rehash", 236, 4),
    field("total_rto", 240, 2),
    field("total_rto_recoveries", 242, 2),
    field("total_rto_time", 244, 4),
    field("received_ce", 248, 4),
    field("delivered_e1_bytes", 252, 4),
    field("delivered_e0_bytes", 256, 4),
    field("delivered_ce_bytes", 260, 4),
    field("received_e1_bytes", 264, 4),
    field("received_e0_bytes", 268, 4),
    field("received_ce_bytes", 272, 4),
];

impl TcpInfo {
    pub(super) fn of(fd: BorrowedFd<'_>) -> Result<Self, Errno> {
        let octets = socket::bytes(fd, libc::IPPROTO_TCP, libc::TCP_INFO, ROOM)?;
        Ok(Self { octets })
    }

    pub fn state(&self) -> State {
        State::from_kernel(self.octets.first().copied().unwrap_or_default())
    }

    /// A field by its name without the `tcpi_`; `None` if this kernel does not have it. Times are in
    /// microseconds (`rto`, `rtt`) or milliseconds (`last_data_sent`), as the kernel gives them.
    pub fn field(&self, name: &str) -> Option<u64> {
        let octet = |at: usize| self.octets.get(at).copied().map(u64::from);
        match name {
            "state" => return octet(0),
            "snd_wscale" => return octet(6).map(|both| both & 0xf),
            "rcv_wscale" => return octet(6).map(|both| both >> 4),
            "delivery_rate_app_limited" => return octet(7).map(|bits| bits & 1),
            "fastopen_client_fail" => return octet(7).map(|bits| bits >> 1 & 3),
            _ => {}
        }
        let field = FIELDS.iter().find(|field| field.name == name)?;
        let octets = self.octets.get(field.at..)?.get(..field.octets)?;
        let mut value = [0; 8];
        if cfg!(target_endian = "little") {
            value[..octets.len()].copy_from_slice(octets);
        } else {
            value[8 - octets.len()..].copy_from_slice(octets);
        }
        Some(u64::from_ne_bytes(value))
    }

    /// The names that `field` knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let bits = ["state", "snd_wscale", "rcv_wscale", "delivery_rate_app_limited", "fastopen_client_fail"];
        bits.into_iter().chain(FIELDS.iter().map(|field| field.name))
    }
}
