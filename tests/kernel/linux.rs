//! What only this target can be asked.

use crate::support::{Lab, PORT, deafen};
use std::collections::BTreeSet;
use std::io::Write;
use std::os::fd::AsFd;
use std::time::Duration;
use tcpspec::engine::io::linux::{LinuxCall, LinuxReply, LinuxSocket, OptionValue};
use tcpspec::engine::{AppCall, AppEvent, AppOutcome};
use tcpspec::suite::linux as names;
use tcpspec::target::Target;
use tcpspec::target::kernel::{Refusal, State, TcpInfo, profile};
use tcpspec::target::profile::Net;

#[tokio::test]
async fn socket_options_by_name() {
    let mut lab = Lab::new(false);
    let (conn, _peer) = lab.accepted().await;
    let target = &lab.target;
    assert_eq!(target.set_option(conn, "SOL_TCP", "TCP_USER_TIMEOUT", 5000), Ok(()));
    assert_eq!(target.get_option(conn, "IPPROTO_TCP", "TCP_USER_TIMEOUT"), Ok(5000));
    assert_eq!(target.get_option(conn, "6", "18"), Ok(5000));
    assert_eq!(target.set_option_octets(conn, "SOL_TCP", "TCP_CONGESTION", b"reno"), Ok(()));
    let name = target.get_option_octets(conn, "SOL_TCP", "TCP_CONGESTION", 16).unwrap();
    assert!(name.starts_with(b"reno\0"));
    let unknown = target.get_option(conn, "SOL_TCP", "TCP_NOTHING");
    assert_eq!(unknown, Err(Refusal::Unknown("TCP_NOTHING".to_owned())));
    assert_eq!(target.get_option(9, "SOL_TCP", "TCP_INFO"), Err(Refusal::NoSocket(9)));
    assert!(matches!(target.set_option(conn, "SOL_TCP", "TCP_MAXSEG", -1), Err(Refusal::Errno(_))));
}

#[tokio::test]
async fn info_by_field() {
    let mut lab = Lab::new(false);
    let (conn, peer) = lab.accepted().await;
    deafen(&peer);
    lab.send(conn, 0, 100).await;
    let info = lab.target.info(conn).unwrap();
    assert_eq!(info.state(), State::Established);
    assert_eq!(info.field("state"), Some(1));
    assert_eq!(info.field("unacked"), Some(1));
    assert_eq!(info.field("snd_cwnd"), Some(10));
    assert_eq!(info.field("bytes_sent"), Some(100));
    assert!(info.field("rto").unwrap() >= 200_000);
    assert_eq!(info.field("pmtu"), Some(65535));
    assert_eq!(info.field("nothing"), None);
    assert!(TcpInfo::names().filter(|name| info.field(name).is_some()).count() >= 55);
    assert_eq!(lab.target.unacknowledged(conn), Ok(100));
}

#[tokio::test]
async fn poll_and_queues() {
    let mut lab = Lab::new(false);
    let (conn, mut peer) = lab.accepted().await;
    assert_eq!(lab.target.poll(conn).unwrap(), ["POLLOUT"]);
    peer.write_all(&[0; 7]).unwrap();
    assert_eq!(lab.target.poll(conn).unwrap(), ["POLLIN", "POLLOUT"]);
    assert_eq!(lab.target.unread(conn), Ok(7));
    drop(peer);
    assert_eq!(lab.target.poll(conn).unwrap(), ["POLLIN", "POLLOUT", "POLLRDHUP"]);
    assert_eq!(lab.target.queued_error(conn), Ok(None));
}

#[tokio::test]
async fn the_error_queue_has_transmit_stamps() {
    let mut lab = Lab::new(false);
    let (conn, _peer) = lab.accepted().await;
    // SOF_TIMESTAMPING_TX_ACK, SOFTWARE, OPT_ID, OPT_TSONLY
    let flags = 1 << 9 | 1 << 4 | 1 << 7 | 1 << 11;
    lab.target.set_option(conn, "SOL_SOCKET", "SO_TIMESTAMPING", flags).unwrap();
    lab.send(conn, 0, 10).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    let error = lab.target.queued_error(conn).unwrap().unwrap();
    // SO_EE_ORIGIN_TIMESTAMPING, SCM_TSTAMP_ACK, and the last octet's number.
    assert_eq!((error.origin, error.info, error.data), (4, 2, 9));
    lab.nothing().await;
}

#[tokio::test]
async fn sysctls_are_of_the_namespace_and_put_back() {
    let mut lab = Lab::new(false);
    let other = Lab::new(false);
    let name = "net.ipv4.tcp_fin_timeout";
    let before = lab.target.sysctl(name).unwrap();
    lab.target.set_sysctl(name, "17").unwrap();
    lab.target.set_sysctl(name, "18").unwrap();
    assert_eq!(lab.target.sysctl(name).unwrap(), "18");
    assert_eq!(other.target.sysctl(name).unwrap(), before);
    lab.target.reset().await;
    assert_eq!(lab.target.sysctl(name).unwrap(), before);
    for wrong in ["kernel.hostname", "net.../etc/passwd", "net.ipv4.no_such_thing"] {
        assert!(lab.target.sysctl(wrong).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn time_wait_ends_when_the_kernel_says() {
    let mut lab = Lab::new(false);
    // An orphan waits in FIN-WAIT-2 for as long as this, and the end of that is known.
    lab.target.set_sysctl("net.ipv4.tcp_fin_timeout", "1").unwrap();
    let (conn, peer) = lab.accepted().await;
    lab.ok(AppCall::Close { conn }).await;
    lab.reaches(conn, "FIN-WAIT-2").await;
    let (local, remote) = lab.target.addresses(conn).unwrap();
    let entry = lab.target.connection(local, remote).unwrap().unwrap();
    assert_eq!((entry.state, entry.waits), (State::FinWait2, true));
    assert_eq!(lab.event().await, (conn, AppEvent::Closed));
    assert_eq!(lab.target.connection(local, remote).unwrap(), None);
    drop(peer);
}

#[tokio::test]
async fn half_open_connections_are_found_by_their_addresses() {
    let mut lab = Lab::new(true);
    lab.ok(AppCall::Listen { port: PORT }).await;
    let local = lab.socket(PORT);
    let peer = lab.half_open(local);
    let entries = lab.target.sockets().unwrap();
    let entry = entries.iter().find(|entry| entry.state == State::SynReceived).unwrap();
    assert_eq!(lab.target.connection(local, entry.remote).unwrap().unwrap().state, State::SynReceived);
    drop(peer);
}

#[tokio::test]
async fn the_profile_says_what_the_sysctls_say() {
    let mut lab = Lab::new(false);
    let net = Net::default();
    let of = |lab: &Lab| profile(lab.file.as_fd(), &net).unwrap();
    let before = of(&lab);
    assert!(before.abilities.contains("sack") && !before.abilities.contains("rfc1337"));
    lab.target.set_sysctl("net.ipv4.tcp_sack", "0").unwrap();
    lab.target.set_sysctl("net.ipv4.tcp_rfc1337", "1").unwrap();
    lab.target.set_sysctl("net.ipv4.tcp_keepalive_time", "11").unwrap();
    let after = of(&lab);
    assert!(!after.abilities.contains("sack") && after.abilities.contains("rfc1337"));
    assert_eq!(after.timing.keepalive_idle.as_secs(), 11);
    assert!(
        before.abilities.iter().all(|id| tcpspec::suite::names::is_ability(id)),
        "{:?}",
        before.abilities
    );
    assert_eq!(before.timing.user_timeout.as_millis(), 924_600);
}

/// A span as a manifest writes it.
fn span(text: &str) -> Duration {
    let number = text.trim_end_matches(char::is_alphabetic);
    let unit = if text.ends_with("ms") { 1 } else { 1000 };
    Duration::from_millis(number.parse::<u64>().unwrap() * unit)
}

#[tokio::test]
async fn the_manifest_says_what_the_kernel_does() {
    let mut lab = Lab::new(false);
    let manifest: serde_json::Value = serde_yaml::from_str(include_str!("../../targets/linux.yaml")).unwrap();
    // Every sysctl it wants is there to be set; what it says of the kernel is true with them.
    for (name, value) in manifest["sysctls"].as_object().unwrap() {
        lab.target.set_sysctl(name, &value.to_string()).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    let profile = profile(lab.file.as_fd(), &Net::default()).unwrap();
    let abilities = manifest["abilities"].as_array().unwrap();
    let abilities: Vec<&str> = abilities.iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(abilities, profile.abilities.iter().map(String::as_str).collect::<Vec<_>>());
    let timing = &profile.timing;
    for (name, value) in [
        ("msl", timing.msl),
        ("rto-initial", timing.rto_initial),
        ("rto-min", timing.rto_min),
        ("rto-max", timing.rto_max),
        ("delayed-ack", timing.delayed_ack),
        ("persist-min", timing.persist_min),
        ("persist-max", timing.persist_max),
        ("keepalive-idle", timing.keepalive_idle),
        ("keepalive-interval", timing.keepalive_interval),
        ("user-timeout", timing.user_timeout),
        ("fin-wait-2", timing.fin_wait_2),
        ("reply", timing.reply),
        ("settle", timing.settle),
    ] {
        assert_eq!(span(manifest["timing"][name].as_str().unwrap()), value, "{name}");
    }
    assert_eq!(manifest["timing"]["keepalive-count"], timing.keepalive_count);
    assert_eq!(manifest["mss"], serde_json::json!({"ipv4": profile.mss_v4, "ipv6": profile.mss_v6}));
    assert_eq!(manifest["limits"]["buffer"], profile.limits.buffer);
    assert_eq!(manifest["limits"]["backlog"], profile.limits.backlog);
    assert_eq!(manifest["limits"]["syn-retries"], profile.limits.syn_retries);
    assert_eq!(manifest["profile"], profile.reading);
}

impl Lab {
    async fn system_call(&mut self, conn: u32, what: LinuxCall) -> LinuxReply {
        let socket = match conn {
            0 => LinuxSocket::Listener { port: PORT, v6: false },
            conn => LinuxSocket::Conn(conn),
        };
        match self.call(AppCall::Linux { socket, what }).await {
            AppOutcome::Linux(reply) => reply,
            other => panic!("no reply of the kernel: {other:?}"),
        }
    }
}

fn done() -> LinuxReply {
    LinuxReply::Returned { value: 0 }
}

fn refused(errno: &str) -> LinuxReply {
    LinuxReply::Refused { errno: errno.to_owned(), what: None }
}

fn set(level: &str, name: &str, ints: &[i64]) -> LinuxCall {
    let (level, name) = (level.to_owned(), name.to_owned());
    LinuxCall::SetOption { level, name, value: OptionValue::Ints(ints.to_vec()) }
}

fn get(level: &str, name: &str) -> LinuxCall {
    LinuxCall::GetOption { level: level.to_owned(), name: name.to_owned() }
}

fn number(reply: &LinuxReply) -> Option<i64> {
    match reply {
        LinuxReply::Option { number, .. } => *number,
        _ => None,
    }
}

#[tokio::test]
async fn every_name_of_the_language_has_a_number() {
    let mut lab = Lab::new(false);
    let (conn, _peer) = lab.accepted().await;
    for name in names::OPTIONS {
        let level = names::levels_of(name)[0];
        let reply = lab.system_call(conn, get(level, name)).await;
        assert!(!matches!(reply, LinuxReply::Lacking { .. }), "{name}: {reply:?}");
    }
    for level in names::LEVELS {
        assert!(
            !matches!(lab.system_call(conn, get(level, "1")).await, LinuxReply::Lacking { .. }),
            "{level}"
        );
    }
    for flag in names::MESSAGE {
        let call = LinuxCall::Recv { offset: 0, count: 0, flags: vec![(*flag).to_owned()] };
        assert!(!matches!(lab.system_call(conn, call).await, LinuxReply::Lacking { .. }), "{flag}");
    }
    let requests: Vec<String> = names::IOCTLS.iter().map(|name| (*name).to_owned()).collect();
    let reply = lab.system_call(conn, LinuxCall::Ioctl { requests }).await;
    assert!(
        matches!(&reply, LinuxReply::Queues { lengths } if lengths.values().all(|n| *n == 0)),
        "{reply:?}"
    );
    let ours: BTreeSet<&str> = names::info_fields().map(|field| field.name).collect();
    assert_eq!(ours, TcpInfo::names().collect::<BTreeSet<_>>());
}

#[tokio::test]
async fn errors_have_the_names_of_the_language() {
    for name in names::ERRNOS {
        let number = (1..=133).find(|n| format!("{:?}", nix::errno::Errno::from_raw(*n)) == *name);
        assert!(number.is_some(), "{name}");
    }
}

#[tokio::test]
async fn options_for_the_listener_reach_it_before_and_after_it_listens() {
    let mut lab = Lab::new(false);
    assert_eq!(lab.system_call(0, set("SOL_TCP", "TCP_DEFER_ACCEPT", &[7])).await, done());
    assert_eq!(lab.system_call(0, set("SOL_TCP", "TCP_MAXSEG", &[5])).await, refused("EINVAL"));
    assert_eq!(lab.system_call(0, get("SOL_TCP", "TCP_DEFER_ACCEPT")).await, refused("EBADF"));
    assert_eq!(lab.system_call(0, LinuxCall::Listen { backlog: 3 }).await, done());
    assert!(number(&lab.system_call(0, get("SOL_TCP", "TCP_DEFER_ACCEPT")).await) >= Some(7));
    assert_eq!(lab.system_call(0, set("SOL_TCP", "TCP_DEFER_ACCEPT", &[0])).await, done());
    assert_eq!(lab.system_call(0, LinuxCall::Listen { backlog: 5 }).await, done());
    let LinuxReply::Info { fields } = lab.system_call(0, LinuxCall::Info).await else { panic!("no info") };
    assert_eq!((fields["state"], fields["sacked"]), (10, 5));
    assert_eq!(lab.system_call(0, LinuxCall::Accept).await, refused("EAGAIN"));
    let _peer = lab.peer_connects();
    let socket = LinuxSocket::Listener { port: PORT, v6: false };
    let accepted = lab.call(AppCall::Linux { socket, what: LinuxCall::Accept }).await;
    assert!(matches!(accepted, AppOutcome::Accepted { conn: 1, .. }), "{accepted:?}");
    // The next case finds none of it.
    lab.target.reset().await;
    lab.ok(AppCall::Listen { port: PORT }).await;
    assert_eq!(number(&lab.system_call(0, get("SOL_TCP", "TCP_DEFER_ACCEPT")).await), Some(0));
}

#[tokio::test]
async fn calls_give_what_the_kernel_gives() {
    let mut lab = Lab::new(false);
    let (conn, mut peer) = lab.accepted().await;
    let recv = |count, flag: &str| {
        let flags = if flag.is_empty() { Vec::new() } else { vec![flag.to_owned()] };
        LinuxCall::Recv { offset: 0, count, flags }
    };
    assert_eq!(lab.system_call(conn, recv(10, "")).await, refused("EAGAIN"));
    peer.write_all(&tcpspec::engine::pattern::octets(0, 9)).unwrap();
    peer.write_all(b"wrong").unwrap();
    while lab.target.unread(conn) != Ok(14) {
        tokio::task::yield_now().await;
    }
    let received = |count, mismatch| LinuxReply::Received { count, mismatch };
    assert_eq!(lab.system_call(conn, recv(9, "MSG_PEEK")).await, received(9, None));
    assert_eq!(lab.system_call(conn, recv(100, "")).await, received(14, Some(9)));
    let send = LinuxCall::Send { offset: 0, count: 100, flags: Vec::new() };
    assert_eq!(lab.system_call(conn, send.clone()).await, LinuxReply::Returned { value: 100 });
    let shutdown = |how: &str| LinuxCall::Shutdown { how: how.to_owned() };
    assert_eq!(lab.system_call(conn, shutdown("SHUT_WR")).await, done());
    assert_eq!(lab.system_call(conn, send).await, refused("EPIPE"));
    assert_eq!(lab.system_call(9, LinuxCall::Poll).await, refused("EBADF"));
    let linger = lab.system_call(conn, set("SOL_SOCKET", "SO_LINGER", &[1, 0])).await;
    assert_eq!(linger, done());
    let ints = match lab.system_call(conn, get("SOL_SOCKET", "SO_LINGER")).await {
        LinuxReply::Option { ints, .. } => ints,
        other => panic!("{other:?}"),
    };
    assert_eq!(ints, [1, 0]);
}

#[tokio::test]
async fn a_pending_error_is_told_once_though_the_watcher_has_seen_it() {
    let mut lab = Lab::new(false);
    let (conn, peer) = lab.accepted().await;
    crate::support::reset(peer);
    assert_eq!(lab.event().await, (conn, AppEvent::Reset));
    let LinuxReply::Poll { flags } = lab.system_call(conn, LinuxCall::Poll).await else { panic!("no flags") };
    assert!(flags.contains(&"POLLERR".to_owned()), "{flags:?}");
    let error = |reply: LinuxReply| match reply {
        LinuxReply::Option { errno, .. } => errno,
        other => panic!("{other:?}"),
    };
    let read = get("SOL_SOCKET", "SO_ERROR");
    assert_eq!(error(lab.system_call(conn, read.clone()).await).as_deref(), Some("ECONNRESET"));
    assert_eq!(error(lab.system_call(conn, read).await).as_deref(), Some("none"));
}

#[tokio::test]
async fn a_sysctl_that_cannot_be_set_is_named() {
    let mut lab = Lab::new(false);
    let sysctl = |name: &str, value: &str| LinuxCall::Sysctl {
        values: vec![("net.ipv4.tcp_sack".to_owned(), "0".to_owned()), (name.to_owned(), value.to_owned())],
    };
    let wrong = lab.system_call(0, sysctl("net.ipv4.no_such_thing", "1")).await;
    let named = |errno: &str, what: &str| LinuxReply::Refused {
        errno: errno.to_owned(),
        what: Some(what.to_owned()),
    };
    assert_eq!(wrong, named("ENOENT", "net.ipv4.no_such_thing"));
    let wrong = lab.system_call(0, sysctl("net.ipv4.tcp_fin_timeout", "word")).await;
    assert_eq!(wrong, named("EINVAL", "net.ipv4.tcp_fin_timeout"));
    assert_eq!(lab.target.sysctl("net.ipv4.tcp_sack").unwrap(), "0");
    lab.target.reset().await;
    assert_eq!(lab.target.sysctl("net.ipv4.tcp_sack").unwrap(), "1");
}
