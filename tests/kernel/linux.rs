//! What only this target can be asked.

use crate::support::{Lab, PORT, deafen};
use std::io::Write;
use std::os::fd::AsFd;
use std::time::Duration;
use tcpspec::engine::AppCall;
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
    assert_eq!(lab.event().await, (conn, tcpspec::engine::AppEvent::Closed));
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
    let lab = Lab::new(false);
    let profile = profile(lab.file.as_fd(), &Net::default()).unwrap();
    let manifest: serde_json::Value = serde_yaml::from_str(include_str!("../../targets/linux.yaml")).unwrap();
    let abilities = manifest["abilities"].as_array().unwrap();
    assert!(abilities.iter().map(|id| id.as_str().unwrap()).eq(profile.abilities.iter().map(String::as_str)));
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
    // Every sysctl it wants is there to be set.
    let mut target = lab.target;
    for (name, value) in manifest["sysctls"].as_object().unwrap() {
        target.set_sysctl(name, &value.to_string()).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
