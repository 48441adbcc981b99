//! Everything about an endpoint that can be chosen. [`Config::default`] is what the RFCs say.

use core::net::IpAddr;
use core::time::Duration;

use crate::mutant::Mutant;

/// Which congestion control a new connection uses (RFC 9293 3.8.2, MAY-18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CongestionAlgorithm {
    /// RFC 5681 and 6582.
    #[default]
    NewReno,
    /// RFC 9438.
    Cubic,
}

/// The settings of one endpoint.
#[derive(Clone, Debug)]
pub struct Config {
    /// The addresses of this host. Packets to any other address are not for us.
    pub addresses: Vec<IpAddr>,
    /// Where every unpredictable number comes from. The same seed and inputs give the same octets.
    pub seed: u64,
    /// The initial sequence number of every connection, for tests of what happens at the wrap. `None` is what
    /// RFC 9293 3.4.1 asks for: a clock and a keyed hash (MUST-8, SHLD-1).
    pub isn: Option<u32>,
    /// One deliberate bug, or none.
    pub mutant: Option<Mutant>,

    /// Largest packet the interface takes, and what the announced MSS is computed from (MUST-67).
    pub mtu: u16,
    /// TTL or hop limit of new connections (MUST-49).
    pub hop_limit: u8,
    /// Receive buffer of new connections, in octets.
    pub recv_buffer: u32,
    /// Send buffer of new connections, in octets.
    pub send_buffer: u32,

    /// Maximum segment lifetime (RFC 9293 3.4.2). TIME-WAIT lasts twice this.
    pub msl: Duration,
    /// RFC 6298 2.1.
    pub rto_initial: Duration,
    /// RFC 6298 2.4.
    pub rto_min: Duration,
    /// RFC 6298 2.5, at least 60 seconds.
    pub rto_max: Duration,
    /// RFC 6298 5.7: the RTO for data after the SYN had to be repeated.
    pub rto_after_syn_loss: Duration,
    /// G of RFC 6298.
    pub clock_granularity: Duration,
    /// How long an acknowledgement may wait, below 0.5 s (MUST-40); `None` acknowledges at once.
    pub delayed_ack: Option<Duration>,
    /// The override timer of the sender's silly window avoidance, 0.1 to 1 s (RFC 9293 3.8.6.2.1).
    pub override_timeout: Duration,
    /// Longest interval between window probes.
    pub persist_max: Duration,
    /// R1: retransmissions of one segment before the application is advised (SHLD-9, SHLD-10).
    pub r1: u32,
    /// R2: how long data may go unacknowledged before the connection is given up (MUST-20, SHLD-11). RFC 9293
    /// 3.9.1.1 has five minutes as the default user timeout.
    pub r2: Duration,
    /// R2 for a SYN, at least three minutes (MUST-23).
    pub syn_r2: Duration,
    /// Idle time before a keep-alive, at least two hours (MUST-28). Keep-alives are off until asked for (MUST-25).
    pub keepalive_idle: Duration,
    /// Time between unanswered keep-alives.
    pub keepalive_interval: Duration,
    /// Unanswered keep-alives before the connection is given up (MUST-29: more than one).
    pub keepalive_count: u32,
    /// Send one garbage octet in a keep-alive (MAY-6).
    pub keepalive_garbage: bool,
    /// Give up an orphaned FIN-WAIT-2 after this time. No RFC has such a timer.
    pub fin_wait_2: Option<Duration>,

    /// Offer and accept window scaling (RFC 7323 section 2).
    pub window_scale: bool,
    /// Offer and accept timestamps (RFC 7323 section 3).
    pub timestamps: bool,
    /// Offer and accept selective acknowledgements (RFC 2018).
    pub sack: bool,
    /// Offer and accept ECN (RFC 3168).
    pub ecn: bool,
    /// Fast Open, both sides (RFC 7413).
    pub fast_open: bool,
    /// The applications of this host ask for Fast Open (RFC 7413 section 2).
    pub fast_open_wanted: bool,
    /// Fast Open requests that may be half open, for each listener (RFC 7413 4.2): above it the text of a SYN waits
    /// for the handshake.
    pub fast_open_backlog: usize,
    /// How long a server that did not take Fast Open is not asked again (RFC 7413 4.1.3.1).
    pub fast_open_retry: Duration,
    /// Send and honour the user timeout option (RFC 5482).
    pub user_timeout_option: bool,
    /// The applications of this host ask for that option (RFC 5482 section 3).
    pub user_timeout_option_wanted: bool,
    /// L_LIMIT and U_LIMIT: how far the peer's advice may move R2 (RFC 5482 3.1).
    pub user_timeout_limits: (Duration, Duration),
    /// Take the short ways, in and out, for the segment that comes most often. They change no octet that is sent; this
    /// is here to prove it.
    pub header_prediction: bool,
    /// Detect losses by time (RFC 8985). Needs SACK.
    pub rack: bool,
    /// Which congestion control to use.
    pub congestion: CongestionAlgorithm,
    /// Initial window in segments (RFC 6928).
    pub initial_window: u32,

    /// Challenge ACKs in place of resets (RFC 5961); without it the rules of RFC 793.
    pub rfc5961: bool,
    /// Challenge ACKs allowed in each second, over all connections (RFC 5961 section 7).
    pub challenge_acks_per_second: u32,
    /// Ignore resets in TIME-WAIT (RFC 1337).
    pub rfc1337: bool,
    /// Accept a new SYN in TIME-WAIT (RFC 9293 3.6.1, MAY-2; RFC 6191 with timestamps).
    pub time_wait_reuse: bool,
    /// Abort on a hard ICMP error in a synchronized state (SHLD-26). RFC 5927 5.2 advises against it.
    pub icmp_hard_aborts: bool,

    /// Connections that wait for `accept`, for each listener.
    pub backlog: usize,
    /// Connections in SYN-RECEIVED, for each listener.
    pub syn_backlog: usize,
    /// Answer with SYN cookies when the half-open queue is full (RFC 4987 3.6); otherwise drop the SYN.
    pub syn_cookies: bool,
    /// The most connections of all kinds.
    pub max_connections: usize,
}

impl Config {
    pub(crate) const fn uses_fast_open(&self) -> bool {
        self.fast_open && self.fast_open_wanted
    }

    pub(crate) const fn uses_user_timeout_option(&self) -> bool {
        self.user_timeout_option && self.user_timeout_option_wanted
    }

    /// Whether the endpoint is to show the given bug.
    #[inline]
    #[must_use]
    pub fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            seed: 0,
            isn: None,
            mutant: None,
            mtu: 1500,
            hop_limit: 64,
            recv_buffer: 65535,
            send_buffer: 65536,
            msl: Duration::from_secs(120),
            rto_initial: Duration::from_secs(1),
            rto_min: Duration::from_secs(1),
            rto_max: Duration::from_secs(60),
            rto_after_syn_loss: Duration::from_secs(3),
            clock_granularity: Duration::from_millis(1),
            delayed_ack: Some(Duration::from_millis(200)),
            override_timeout: Duration::from_millis(200),
            persist_max: Duration::from_secs(60),
            r1: 3,
            r2: Duration::from_secs(300),
            syn_r2: Duration::from_secs(180),
            keepalive_idle: Duration::from_secs(7200),
            keepalive_interval: Duration::from_secs(75),
            keepalive_count: 9,
            keepalive_garbage: false,
            fin_wait_2: None,
            window_scale: true,
            timestamps: true,
            sack: true,
            ecn: false,
            fast_open: false,
            fast_open_wanted: true,
            fast_open_backlog: 16,
            fast_open_retry: Duration::from_secs(3600),
            user_timeout_option: false,
            user_timeout_option_wanted: true,
            user_timeout_limits: (Duration::from_secs(100), Duration::from_secs(7200)),
            header_prediction: true,
            rack: false,
            congestion: CongestionAlgorithm::NewReno,
            initial_window: 10,
            rfc5961: true,
            challenge_acks_per_second: 100,
            rfc1337: false,
            time_wait_reuse: true,
            icmp_hard_aborts: false,
            backlog: 128,
            syn_backlog: 128,
            syn_cookies: true,
            max_connections: 1 << 20,
        }
    }
}
