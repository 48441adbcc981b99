//! The lab and the packet-socket wire on a real kernel.
//!
//! Without privilege each test runs itself again in a user namespace. Where that is forbidden it is skipped loudly,
//! unless `CI` is set: there it must run.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests against the real world"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tcpspec::lab::namespace::Namespace;
use tcpspec::lab::sysctl::Sysctls;
use tcpspec::lab::{Lab, Neighbours, Options, Pair, TARGET_DEVICE, facts, offload, steering, user};
use tcpspec::packet::{Body, Flags, Ip, Mac, Packet, SeqNum, Tcp};
use tcpspec::target::profile::Net;
use tcpspec::wire::Wire;
use tcpspec::wire::af_packet::{AfPacketWire, Carries, Socket};
use tcpspec::wire::link::TargetMac;

#[path = "common/host.rs"]
mod host;

use host::{
    NOBODY, drop_capabilities, handles, host_devices, is_root, namespaces_in_use, this_test, with_privilege,
};

const PATIENCE: Duration = Duration::from_secs(5);

/// Tests that need privilege.
macro_rules! lab_tests {
    ($($(#[$attribute:meta])* async fn $name:ident() $body:block)*) => {
        $(#[test] $(#[$attribute])* fn $name() { with_privilege(stringify!($name), async $body); })*
    };
}

fn ends(net: &Net, is_v6: bool) -> (IpAddr, IpAddr) {
    if is_v6 {
        (net.peer_v6.into(), net.target_v6.into())
    } else {
        (net.peer_v4.into(), net.target_v4.into())
    }
}

fn syn(net: &Net, is_v6: bool, sport: u16) -> Vec<u8> {
    let (peer, target) = ends(net, is_v6);
    let tcp =
        Tcp { sport: Some(sport), dport: Some(net.port), seq: Some(SeqNum(1000)), ..Tcp::with(Flags::SYN) };
    Packet::of(Ip::between(peer, target).unwrap(), Body::Tcp(tcp)).build()
}

async fn listen(pair: &Pair, at: SocketAddr) -> TcpListener {
    pair.target().run(move || TcpListener::bind(at)).await.unwrap()
}

async fn recv(wire: &mut AfPacketWire) -> (Instant, Packet) {
    let received = tokio::time::timeout(PATIENCE, wire.recv()).await.expect("an answer").unwrap();
    (received.at, Packet::parse_ip(&received.packet))
}

async fn syn_ack(wire: &mut AfPacketWire, net: &Net, is_v6: bool, sport: u16) -> Packet {
    let sent = wire.send(&syn(net, is_v6, sport)).await.unwrap();
    let (at, packet) = recv(wire).await;
    assert_eq!(packet.defects, [], "{packet:?}");
    let tcp = packet.tcp().unwrap();
    assert_eq!((tcp.flags(), tcp.ack()), (Flags::SYN | Flags::ACK, SeqNum(1001)));
    assert!(at >= sent, "stamped before it was asked for");
    assert!(at <= Instant::now());
    assert!(at - sent < Duration::from_millis(500), "{:?}", at - sent);
    packet
}

async fn syn_is_answered(neighbours: Neighbours) {
    let net = Net::default();
    let options = Options { neighbours, ..Options::default() };
    let (pair, mut wire) = Pair::new(&net, &options).await.unwrap();
    for is_v6 in [false, true] {
        let _listener = listen(&pair, SocketAddr::new(ends(&net, is_v6).1, net.port)).await;
        syn_ack(&mut wire, &net, is_v6, 4000).await;
    }
    assert_eq!(wire.lost(), 0);
}

/// Acknowledges a SYN-ACK.
async fn establish(wire: &mut AfPacketWire, syn_ack: &Packet) {
    let (target, peer) = syn_ack.ends().unwrap();
    let got = syn_ack.tcp().unwrap();
    let tcp = Tcp {
        sport: got.dport,
        dport: got.sport,
        seq: got.ack,
        ack: Some(got.seq_end()),
        ..Tcp::with(Flags::ACK)
    };
    wire.send(&Packet::of(Ip::between(peer, target).unwrap(), Body::Tcp(tcp)).build()).await.unwrap();
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

lab_tests! {
    async fn a_kernel_answers_a_syn() {
        syn_is_answered(Neighbours::Pinned).await;
    }

    async fn a_kernel_that_asks_who_the_injector_is_gets_an_answer() {
        syn_is_answered(Neighbours::Answered).await;
    }

    async fn pairs_do_not_hear_each_other() {
        let net = Net::default();
        let lab = Lab::new().await.unwrap();
        let (_one, mut wire_one) = lab.pair(&net, &Options::default()).await.unwrap();
        let (_two, mut wire_two) = lab.pair(&net, &Options::default()).await.unwrap();
        wire_one.send(&syn(&net, false, 4000)).await.unwrap();
        let (_, packet) = recv(&mut wire_one).await;
        assert!(packet.tcp().unwrap().has(Flags::RST));
        let other = tokio::time::timeout(Duration::from_millis(50), wire_two.recv()).await;
        assert!(other.is_err(), "{other:?}");
    }

    /// Not one frame of noise, filtered or not, and none of the tester's kernel.
    async fn a_new_wire_is_silent() {
        let lab = Lab::new().await.unwrap();
        let _pair = lab.pair(&Net::default(), &Options::default()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let counters = lab.tester().run(|| fs::read_to_string("/proc/thread-self/net/dev").unwrap()).await;
        let line = counters.lines().find_map(|line| line.trim().strip_prefix("w0:")).unwrap();
        let numbers: Vec<_> = line.split_whitespace().collect();
        // Listener reports of IPv6 cannot be had without: one group a device, told twice.
        let (received, sent) = (numbers[1].parse::<u32>().unwrap(), numbers[9]);
        assert!(received <= 4, "{received} frames unasked");
        assert_eq!(sent, "0");
    }

    /// Whoever sends: else what two processors send may change places.
    async fn all_frames_of_a_wire_go_through_the_queue_of_one_processor() {
        if !steering::is_known() {
            eprintln!("SKIPPED: this kernel steers no frames");
            return;
        }
        let lab = Lab::new().await.unwrap();
        let mut pairs = Vec::new();
        for _ in 0..4 {
            pairs.push(lab.pair(&Net::default(), &Options::default()).await.unwrap());
        }
        let Some(masks) = lab.tester().run(|| masks_of(&["w0", "w1", "w2", "w3"])).await else {
            eprintln!("SKIPPED: no view of the devices of a namespace");
            return;
        };
        let processors = std::thread::available_parallelism().unwrap().get();
        for queues in &masks {
            let ones: u32 = queues[0].chars().filter_map(|digit| digit.to_digit(16)).map(u32::count_ones).sum();
            assert_eq!(ones, 1, "{queues:?}");
            assert!(queues.iter().all(|mask| *mask == queues[0]), "{queues:?}");
        }
        let different: BTreeSet<_> = masks.iter().map(|queues| &queues[0]).collect();
        assert_eq!(different.len(), processors.min(4), "wires take turns: {masks:?}");
    }

    async fn segments_are_whole_and_have_checksums() {
        let net = Net::default();
        let (pair, mut wire) = Pair::new(&net, &Options::default()).await.unwrap();
        assert!(!pair.target().run(|| offload::leaves_checksums(TARGET_DEVICE)).await.unwrap());
        let listener = listen(&pair, SocketAddr::new(net.target_v4.into(), net.port)).await;
        let answer = syn_ack(&mut wire, &net, false, 4000).await;
        establish(&mut wire, &answer).await;
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&[7; 20_000]).unwrap();
        let mut octets = 0;
        while octets < 5_000 {
            let (_, packet) = recv(&mut wire).await;
            assert_eq!(packet.defects, [], "{packet:?}");
            let payload = packet.tcp().unwrap().payload.len();
            // No MSS option was sent: RFC 9293 MUST-15.
            assert!(payload <= 536, "{payload} octets in a segment");
            octets += payload;
        }
    }

    /// A peer of any address can be played, and its answers come by.
    async fn answers_to_strangers_come_by_the_wire() {
        let net = Net::default();
        let (pair, mut wire) = Pair::new(&net, &Options::default()).await.unwrap();
        let strangers = Net {
            peer_v4: [198, 51, 100, 7].into(),
            peer_v6: "2001:db8:ffff::7".parse().unwrap(),
            ..net.clone()
        };
        for is_v6 in [false, true] {
            let _listener = listen(&pair, SocketAddr::new(ends(&net, is_v6).1, net.port)).await;
            syn_ack(&mut wire, &strangers, is_v6, 4000).await;
        }
    }

    async fn settings_are_made_and_put_back() {
        let (pair, _wire) = Pair::new(&Net::default(), &Options::default()).await.unwrap();
        let mut sysctls = Sysctls::new(pair.target().clone());
        assert_eq!(sysctls.read("net.ipv4.tcp_no_metrics_save").await.unwrap(), "1");
        assert_eq!(sysctls.read("net.ipv4.tcp_rmem").await.unwrap(), "4096 131072 6291456");
        let host = fs::read_to_string("/proc/sys/net/ipv4/tcp_sack").unwrap();
        for value in ["0", "1", "0"] {
            sysctls.write("net.ipv4.tcp_sack", value).await.unwrap();
            assert_eq!(sysctls.read("net.ipv4.tcp_sack").await.unwrap(), value);
        }
        assert_eq!(fs::read_to_string("/proc/sys/net/ipv4/tcp_sack").unwrap(), host);
        sysctls.write("net.ipv4.tcp_rmem", "4096 8192 16384").await.unwrap();
        sysctls.restore().await.unwrap();
        assert_eq!(sysctls.read("net.ipv4.tcp_sack").await.unwrap(), "1");
        assert_eq!(sysctls.read("net.ipv4.tcp_rmem").await.unwrap(), "4096 131072 6291456");
        let e = sysctls.write("net.ipv4.tcp_sakc", "1").await.unwrap_err();
        assert!(e.to_string().contains("net.ipv4.tcp_sakc"), "{e}");
        let e = sysctls.write("net.ipv4.tcp_congestion_control", "tahoe").await.unwrap_err();
        assert_eq!(e.cause, "it does not take `tahoe`");
        // A setting of the whole machine is not in reach.
        sysctls.write("net.ipv4.tcp_mem", "1 2 3").await.unwrap_err();
    }

    async fn a_setting_that_does_not_exist_makes_no_pair() {
        let sysctls = vec![("net.ipv4.no_such_thing".to_owned(), "1".to_owned())];
        let options = Options { sysctls, ..Options::default() };
        let e = Pair::new(&Net::default(), &options).await.unwrap_err();
        assert_eq!(e.operation, "set sysctl net.ipv4.no_such_thing");
    }

    async fn an_unplugged_wire_says_so_and_can_be_plugged_in_again() {
        let net = Net::default();
        let (pair, mut wire) = Pair::new(&net, &Options::default()).await.unwrap();
        let _listener = listen(&pair, SocketAddr::new(net.target_v4.into(), net.port)).await;
        pair.unplug().await.unwrap();
        let e = tokio::time::timeout(PATIENCE, wire.recv()).await.unwrap().unwrap_err();
        assert_eq!(e.cause, "the network device is down");
        let e = wire.send(&syn(&net, false, 4000)).await.unwrap_err();
        assert_eq!(e.cause, "the network device is down");
        pair.plug_in().await.unwrap();
        syn_ack(&mut wire, &net, false, 4001).await;
    }

    async fn a_cut_wire_says_so_every_time() {
        let net = Net::default();
        let (pair, mut wire) = Pair::new(&net, &Options::default()).await.unwrap();
        pair.cut().await.unwrap();
        for _ in 0..2 {
            let e = tokio::time::timeout(PATIENCE, wire.recv()).await.unwrap().unwrap_err();
            assert_eq!(e.cause, "the network device is gone");
            let e = wire.send(&syn(&net, false, 4000)).await.unwrap_err();
            assert_eq!(e.cause, "the network device is gone");
        }
    }

    async fn a_packet_larger_than_the_mtu_is_our_fault() {
        let net = Net::default();
        let (_pair, mut wire) = Pair::new(&net, &Options::default()).await.unwrap();
        let packet = [syn(&net, false, 4000), vec![0; 1500]].concat();
        assert_eq!(wire.send(&packet).await.unwrap_err().cause, "the packet is larger than the device's MTU");
        let options = Options { mtu: 9000, ..Options::default() };
        let (_pair, mut wire) = Pair::new(&net, &options).await.unwrap();
        wire.send(&packet).await.unwrap();
    }

    async fn frames_that_did_not_fit_are_counted() {
        let net = Net::default();
        let (pair, mut wire) = Pair::new(&net, &Options::default()).await.unwrap();
        let _listener = listen(&pair, SocketAddr::new(net.target_v4.into(), net.port)).await;
        let to = (net.peer_v4, 9);
        pair.target()
            .run(move || {
                let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
                (0..20_000).for_each(|_| drop(socket.send_to(&[0; 1000], to)));
            })
            .await;
        assert!(wire.lost() > 0);
        assert_eq!(wire.lost(), 0);
        // What did fit is read, and is noise.
        let noise = tokio::time::timeout(Duration::from_millis(500), wire.recv()).await;
        assert!(noise.is_err(), "{noise:?}");
        syn_ack(&mut wire, &net, false, 4000).await;
    }

    async fn a_wire_may_be_a_tap_device() {
        tunnel(Carries::Frames).await;
    }

    async fn a_wire_may_be_a_tun_device() {
        tunnel(Carries::Packets).await;
    }

    async fn work_in_a_namespace_may_panic_and_the_next_is_done() {
        let lab = Lab::new().await.unwrap();
        let tester = lab.tester().clone();
        let result = tokio::spawn(async move { tester.run(|| panic!("on purpose")).await }).await;
        assert!(result.unwrap_err().is_panic());
        assert_eq!(lab.tester().run(|| 7).await, 7);
    }

    async fn sixty_four_pairs_come_and_go() {
        let net = Net::default();
        let host = host_devices();
        let start = Instant::now();
        let lab = Lab::new().await.unwrap();
        let mut pairs = Vec::new();
        for _ in 0..64 {
            pairs.push(lab.pair(&net, &Options::default()).await.unwrap());
        }
        let made = start.elapsed();
        for (_pair, wire) in &mut pairs {
            wire.send(&syn(&net, false, 4000)).await.unwrap();
            assert!(recv(wire).await.1.tcp().unwrap().has(Flags::RST));
        }
        assert_eq!(host_devices(), host);
        let start = Instant::now();
        drop(pairs);
        let dropped = start.elapsed();
        until("the devices are gone", async || lab.devices().await.unwrap() == ["lo"]).await;
        println!("64 pairs: made in {made:?}, dropped in {dropped:?}, gone after {:?}", start.elapsed());
    }

    async fn nothing_is_left_after_sigkill() {
        let host = host_devices();
        let mut child = this_test("hold_pairs").stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let held = lines.filter_map(|line| line.strip_prefix("HELD ").map(str::to_owned)).next().unwrap();
        let held: BTreeSet<_> = held.split(' ').map(str::to_owned).collect();
        assert_eq!(held.len(), 17);
        assert!(namespaces_in_use().is_superset(&held));
        let handles = handles::of(child.id());
        assert_eq!(host_devices(), host);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(host_devices(), host);
        // The kernel itself no longer knows them. Their numbers say nothing now: the namespaces of a test that runs beside
        // this one may have them already.
        match handles {
            None => eprintln!("SKIPPED: this kernel has no handles of namespaces"),
            Some(handles) => {
                assert!(handles.len() >= 17);
                until("the namespaces are gone", async || handles.iter().all(|(_, handle)| handle.is_stale())).await;
            }
        }
    }

    #[ignore = "holds pairs until it is killed, for `nothing_is_left_after_sigkill`"]
    async fn hold_pairs() {
        let lab = Lab::new().await.unwrap();
        let mut pairs = Vec::new();
        for _ in 0..16 {
            pairs.push(lab.pair(&Net::default(), &Options::default()).await.unwrap());
        }
        let held = pairs.iter().map(|(pair, _)| pair.target()).chain([lab.tester()]);
        let held: Vec<_> = held.map(|namespace| format!("net:[{}]", namespace.inode())).collect();
        println!("HELD {}", held.join(" "));
        tokio::time::sleep(Duration::from_secs(600)).await;
    }

    async fn a_lab_works_where_settings_are_mounted_read_only() {
        let mut child = this_test("a_kernel_answers_a_syn");
        let confine = || {
            use nix::mount::{MsFlags, mount};
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS)?;
            let (none, path) = (None::<&str>, "/proc/sys");
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
            mount(Some(path), path, none, MsFlags::MS_BIND, none)?;
            mount(none, path, none, MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, none)?;
            Ok(())
        };
        // SAFETY: the closure makes system calls and nothing else.
        unsafe { child.pre_exec(confine) };
        assert!(child.status().unwrap().success());
    }

    #[ignore = "forbids user namespaces to itself, for `without_any_privilege_there_is_one_clear_error`"]
    async fn forbid_user_namespaces() {
        fs::write("/proc/sys/user/max_user_namespaces", "0").unwrap();
        let refusal = user::try_user_namespace().unwrap_err();
        assert_eq!((refusal.step, refusal.errno), (user::Step::UserNamespace, libc::ENOSPC));
        drop_capabilities();
        assert_eq!(user::missing_capabilities().len(), 3);
        let e = user::obtain_privilege().unwrap_err();
        assert!(e.hint.unwrap().contains("`sim` wire"));
        let e = Lab::new().await.unwrap_err();
        assert_eq!(e.operation, "make a network namespace");
        assert!(e.hint.unwrap().contains("tcpspec doctor"));
        let facts = facts::gather();
        let fact = facts.iter().find(|fact| fact.id == "user-namespaces").unwrap();
        assert_eq!(fact.standing, facts::Standing::Prevents);
        assert!(fact.advice.as_ref().unwrap().contains("user.max_user_namespaces"));
    }
}

/// Where the queues of devices of the calling thread's namespace are steered to. `None` where sysfs cannot be mounted.
fn masks_of(devices: &[&str]) -> Option<Vec<Vec<String>>> {
    use nix::mount::{MsFlags, mount};
    let (none, path) = (None::<&str>, "/sys");
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).ok()?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).ok()?;
    mount(Some("sysfs"), path, Some("sysfs"), MsFlags::empty(), none).ok()?;
    let masks_of = |device: &&str| {
        let queues = fs::read_dir(format!("/sys/class/net/{device}/queues"))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let masks = queues.filter_map(|queue| fs::read_to_string(queue.join("rps_cpus")).ok());
        masks.map(|mask| mask.trim().to_owned()).collect::<Vec<_>>()
    };
    Some(devices.iter().map(masks_of).collect())
}

/// A target on a TAP or TUN device: the wire is the device, the target reads and writes the other side of it.
async fn tunnel(carries: Carries) {
    if !is_root() && fs::File::options().read(true).write(true).open("/dev/net/tun").is_err() {
        eprintln!("SKIPPED: no TUN and TAP devices");
        return;
    }
    let net = Net::default();
    let namespace = Namespace::new().await.unwrap();
    let open = move || (tun::make("t0", carries), Socket::open("t0", carries).unwrap());
    let (mut device, socket) = namespace.run(open).await;
    let mut wire = AfPacketWire::new(socket, &net, TargetMac::Unknown).unwrap();
    let (packet, header_len) = (syn(&net, false, 4000), if carries == Carries::Frames { 14 } else { 0 });
    if carries == Carries::Frames {
        assert!(wire.send(&packet).await.unwrap_err().cause.contains("not known yet"));
        assert!(!wire.find_target(Duration::from_millis(120)).await.unwrap());
        // The target answers a question. What the kernel says of itself on a device that is new may come before.
        let question = loop {
            let mut frame = [0; 1600];
            let len = device.read(&mut frame).unwrap();
            let frame = Packet::parse_ethernet(&frame[..len]);
            if frame.asks_for() == Some(net.target_v4.into()) {
                break frame;
            }
        };
        device.write_all(&question.answer_with(Mac([2, 0, 0, 0, 0, 9])).unwrap().build()).unwrap();
        assert!(wire.find_target(PATIENCE).await.unwrap());
        assert_eq!(wire.target_mac(), TargetMac::Learned(Mac([2, 0, 0, 0, 0, 9])));
    } else {
        assert!(wire.find_target(Duration::ZERO).await.unwrap());
    }
    wire.send(&packet).await.unwrap();
    // Questions that nobody answered may come first.
    let seen = loop {
        let mut octets = [0; 1600];
        let len = device.read(&mut octets).unwrap();
        if octets[header_len..].starts_with(&packet) {
            break octets[..len].to_vec();
        }
    };
    device.write_all(&seen).unwrap();
    let received = tokio::time::timeout(PATIENCE, wire.recv()).await.unwrap().unwrap();
    assert_eq!(received.packet, packet);
}

/// Lanes are made on any thread.
#[test]
fn what_a_lane_is_made_of_may_be_sent() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&Pair::new(&Net::default(), &Options::default()));
    is_send(&async {
        let (_pair, mut wire) = Pair::new(&Net::default(), &Options::default()).await.unwrap();
        wire.find_target(PATIENCE).await.unwrap();
        wire.send(&[]).await.unwrap();
        wire.recv().await.unwrap();
    });
}

#[test]
fn without_any_privilege_there_is_one_clear_error() {
    if let Err(refusal) = user::try_user_namespace() {
        eprintln!("SKIPPED: {refusal}");
        return;
    }
    // The limit is that of the new user namespace: nobody else is forbidden anything.
    let mut child = this_test("forbid_user_namespaces");
    assert!(user::enter_on_exec(&mut child).status().unwrap().success());
}

/// As root the other tests run as root; these run as nobody.
#[test]
fn an_ordinary_user_needs_no_root() {
    if !is_root() {
        return;
    }
    let tests = [
        "a_kernel_answers_a_syn",
        "a_kernel_that_asks_who_the_injector_is_gets_an_answer",
        "segments_are_whole_and_have_checksums",
        "settings_are_made_and_put_back",
        "frames_that_did_not_fit_are_counted",
        "nothing_is_left_after_sigkill",
    ];
    for test in tests {
        let status = this_test(test).uid(NOBODY).gid(NOBODY).status().unwrap();
        assert!(status.success(), "{test} as nobody");
    }
}

#[test]
fn threads_cannot_follow_into_a_user_namespace() {
    if is_root() && user::try_user_namespace().is_ok() {
        assert!(this_test("enter_with_threads").uid(NOBODY).gid(NOBODY).status().unwrap().success());
    }
}

#[test]
#[ignore = "without privilege, for `threads_cannot_follow_into_a_user_namespace`"]
fn enter_with_threads() {
    assert_eq!(user::obtain_privilege().unwrap_err().cause, "other threads are running already");
}

/// TAP and TUN devices (Documentation/networking/tuntap.rst).
mod tun {
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use tcpspec::wire::af_packet::Carries;

    /// A device of the calling thread's namespace, up; the file is its far side.
    pub(super) fn make(name: &str, carries: Carries) -> File {
        let file = File::options().read(true).write(true).open("/dev/net/tun").unwrap();
        let kind = if carries == Carries::Frames { libc::IFF_TAP } else { libc::IFF_TUN };
        // SAFETY: plain numbers, for which zero is a value.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = (kind | libc::IFF_NO_PI) as libc::c_short;
        // SAFETY: each request takes an `ifreq`, which outlives the call.
        unsafe {
            assert_eq!(libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request), 0);
            let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
            request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
            assert_eq!(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw mut request), 0);
        }
        file
    }
}
