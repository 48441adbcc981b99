//! Measures what lanes cost: making many pairs at once, holding them, dropping them.
//!
//! ```text
//! cargo run --release --example pairs [PAIRS] [AT ONCE]
//! ```
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement prints what it measured")]

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    // First of all: threads cannot follow into a user namespace.
    tcpspec::lab::user::obtain_privilege()?;
    tokio::runtime::Runtime::new()?.block_on(measure())
}

#[cfg(target_os = "linux")]
async fn measure() -> Result<(), Box<dyn std::error::Error>> {
    use futures_util::{StreamExt, TryStreamExt};
    use std::time::Instant;
    use tcpspec::lab::{Lab, Options};
    use tcpspec::target::profile::Net;

    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<usize>());
    let pairs = args.next().transpose()?.unwrap_or(64);
    let at_once = args.next().transpose()?.unwrap_or(8);
    let (net, options) = (Net::default(), Options::default());

    let (free_before, own_before) =
        (kib("/proc/meminfo", "MemAvailable")?, kib("/proc/self/status", "VmRSS")?);
    let start = Instant::now();
    let lab = Lab::new().await?;
    let lab_made = start.elapsed();
    let made: Vec<_> = futures_util::stream::iter(0..pairs)
        .map(|_| lab.pair(&net, &options))
        .buffer_unordered(at_once)
        .try_collect()
        .await?;
    let set_up = start.elapsed();
    let (free, own) = (kib("/proc/meminfo", "MemAvailable")?, kib("/proc/self/status", "VmRSS")?);
    let start = Instant::now();
    drop(made);
    let dropped = start.elapsed();
    // The kernel takes namespaces down in a queue of its own; the tester's devices go with them.
    while lab.devices().await?.len() > 1 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let torn_down = start.elapsed();
    println!("{pairs} pairs, {at_once} at once");
    println!("lab         {lab_made:>10.1?}");
    println!("set up      {set_up:>10.1?}   {:.1?} a pair", set_up / u32::try_from(pairs)?);
    println!("dropped     {dropped:>10.1?}   without waiting for the kernel");
    println!("torn down   {torn_down:>10.1?}   until the last device was gone");
    println!("memory      {:>7} KiB of the machine, {} KiB of it ours", free_before - free, own - own_before);
    Ok(())
}

/// One line of a file of /proc that counts in kB.
#[cfg(target_os = "linux")]
fn kib(file: &str, field: &str) -> Result<i64, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(file)?;
    let line = text.lines().find(|line| line.starts_with(field)).ok_or("no such field")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
}

#[cfg(not(target_os = "linux"))]
fn main() {}
