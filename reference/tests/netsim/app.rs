//! The application at one end of a connection: writes a stream, reads the other, ends as its script says, and
//! holds what it is told against what it may be told.

use std::time::Duration;

use tcpspec_reference::{ConnId, ConnOption, Endpoint, Error, EventKind, Instant, Recv, SeqNum};

use crate::dice::{Dice, is_stream, octet};
use crate::monitor::Broken;
use crate::scenario::{Finale, Script, Whim};

/// How long an application waits for anything to happen. If both ends live this is the limit of patience with the
/// endpoints: rare losses of rare retransmissions make waits of minutes.
const PATIENCE: Duration = Duration::from_secs(2 * 3600);

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) conn: ConnId,
    /// ISS and IRS name the incarnation; IRS is known once the connection is open.
    pub(crate) iss: SeqNum,
    script: Script,
    dice: Dice,
    /// Names what this end writes, and what it reads.
    key: u64,
    peer_key: u64,
    pub(crate) wrote: u64,
    pub(crate) read: u64,
    /// The write side was closed, in whatever way.
    pub(crate) ended: bool,
    pub(crate) eof: bool,
    pub(crate) error: Option<Error>,
    /// It asked for the end before it knew the peer's.
    pub(crate) left: bool,
    pub(crate) aborted: bool,
    pub(crate) released: bool,
    pub(crate) gave_up: bool,
    told: Vec<EventKind>,
    connected: bool,
    next_write: Option<Instant>,
    next_read: Option<Instant>,
    whim_at: Option<(Instant, Whim)>,
    progress: Instant,
}

impl End {
    pub(crate) fn new(
        tcp: &mut Endpoint,
        now: Instant,
        conn: ConnId,
        script: Script,
        keys: [u64; 2],
        accepted: bool,
    ) -> Self {
        let at = |micros| now + Duration::from_micros(micros);
        let end = Self {
            conn,
            iss: tcp.status(conn).iss,
            dice: Dice::new(keys[0]),
            key: keys[0],
            peer_key: keys[1],
            wrote: 0,
            read: 0,
            ended: false,
            eof: false,
            error: None,
            left: false,
            aborted: false,
            released: false,
            gave_up: false,
            told: Vec::new(),
            connected: accepted,
            // Writing before the connection is open is allowed: the octets are queued.
            next_write: Some(now),
            next_read: Some(at(script.read_start_us)),
            whim_at: script.whim.map(|(micros, whim)| (at(micros), whim)),
            progress: now,
            script,
        };
        let set = |tcp: &mut Endpoint, option| _ = tcp.set_option(now, conn, option);
        if end.script.nodelay {
            set(tcp, ConnOption::NoDelay(true));
        }
        if end.script.keepalive {
            set(tcp, ConnOption::KeepAlive(true));
        }
        if end.script.linger_zero {
            set(tcp, ConnOption::Linger(Some(Duration::ZERO)));
        }
        end
    }

    /// Whether this end may be the reason for a connection that ends with an error.
    pub(crate) fn is_rough(&self, peer_wrote: u64) -> bool {
        self.aborted || self.script.keepalive || (self.left && self.read < peer_wrote)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.released
    }

    /// When it wants to act next.
    pub(crate) fn wake(&self) -> Option<Instant> {
        if self.released {
            return None;
        }
        let whim = self.whim_at.map(|(at, _)| at);
        [self.next_write, self.next_read, whim, Some(self.progress + PATIENCE)].into_iter().flatten().min()
    }

    /// The endpoint has something to say about this connection.
    pub(crate) fn on_event(&mut self, now: Instant, kind: EventKind) -> Result<(), Broken> {
        let once = !matches!(
            kind,
            EventKind::Readable | EventKind::Writable | EventKind::SoftError | EventKind::Urgent
        );
        if once && self.told.contains(&kind) {
            return Err(format!("{kind:?} is told twice"));
        }
        if let Some(last) = self.told.iter().find(|told| is_last(**told)) {
            return Err(format!("{kind:?} is told after {last:?}"));
        }
        if once {
            self.told.push(kind);
        }
        self.progress = now;
        match kind {
            EventKind::Connected | EventKind::Accepted { .. } => {
                self.connected = true;
                self.next_write.get_or_insert(now);
            }
            EventKind::Readable | EventKind::Eof => _ = self.next_read.get_or_insert(now),
            EventKind::Writable => _ = self.next_write.get_or_insert(now),
            EventKind::Refused | EventKind::Reset | EventKind::TimedOut | EventKind::HardError => {
                // What is left may be read, and then the error.
                self.next_read = Some(now);
            }
            EventKind::Closed | EventKind::SoftError | EventKind::Urgent => {}
        }
        Ok(())
    }

    /// Does whatever is due.
    pub(crate) fn act(&mut self, now: Instant, tcp: &mut Endpoint) -> Result<(), Broken> {
        if let Some((_, whim)) = self.whim_at.take_if(|(at, _)| *at <= now) {
            self.indulge(now, tcp, whim);
            self.end_if_over(now, tcp);
        }
        if !self.released && self.next_write.is_some_and(|at| at <= now) {
            self.write(now, tcp);
        }
        if !self.released && self.next_read.is_some_and(|at| at <= now) {
            self.read(now, tcp)?;
        }
        if !self.released && now.since(self.progress) >= PATIENCE {
            self.gave_up = true;
            self.abort(now, tcp);
        }
        Ok(())
    }

    fn indulge(&mut self, now: Instant, tcp: &mut Endpoint, whim: Whim) {
        match whim {
            Whim::Shutdown => self.shutdown(now, tcp),
            Whim::Close => self.close(now, tcp),
            Whim::Abort => self.abort(now, tcp),
        }
    }

    fn abort(&mut self, now: Instant, tcp: &mut Endpoint) {
        tcp.abort(now, self.conn).ok();
        self.aborted = true;
        self.left = true;
        self.ended = true;
        self.released = true;
    }

    fn shutdown(&mut self, now: Instant, tcp: &mut Endpoint) {
        if self.ended {
            return;
        }
        // Before the peer has answered, CLOSE deletes the connection (RFC 9293 3.10.4).
        if !self.connected {
            self.aborted = true;
            self.next_read = Some(now);
        }
        self.ended = true;
        self.next_write = None;
        self.progress = now;
        if let Err(error) = tcp.shutdown(now, self.conn) {
            self.fail(now, tcp, error);
        }
    }

    /// CLOSE of one's own will.
    fn close(&mut self, now: Instant, tcp: &mut Endpoint) {
        self.left |= !self.eof;
        self.aborted |= !self.connected || self.script.linger_zero;
        self.release(now, tcp);
    }

    fn release(&mut self, now: Instant, tcp: &mut Endpoint) {
        self.ended = true;
        self.released = true;
        if tcp.close(now, self.conn).is_err() {
            // Whatever it says, it is over.
            tcp.abort(now, self.conn).ok();
        }
    }

    fn fail(&mut self, now: Instant, tcp: &mut Endpoint, error: Error) {
        self.error.get_or_insert(error);
        self.release(now, tcp);
    }

    fn write(&mut self, now: Instant, tcp: &mut Endpoint) {
        self.next_write = None;
        if self.ended {
            return;
        }
        let left = self.script.total - self.wrote;
        if left > 0 {
            let size = 1 + self.dice.below(left.min(self.script.write_max));
            let text: Vec<u8> = (self.wrote..self.wrote + size).map(|at| octet(self.key, at)).collect();
            let result = if self.dice.chance(self.script.urgent) {
                tcp.send_urgent(now, self.conn, &text)
            } else {
                tcp.send(now, self.conn, &text)
            };
            match result {
                Ok(taken) => {
                    self.wrote += taken as u64;
                    self.progress = if taken > 0 { now } else { self.progress };
                    let wait = Duration::from_micros(self.script.write_wait_us);
                    if taken as u64 == size {
                        self.next_write = Some(now + wait);
                    } else if self.script.polled {
                        self.next_write = Some(now + wait + Duration::from_millis(50));
                    }
                }
                // An error has been or will be found by reading, with what is left to read.
                Err(_) => self.next_read = Some(now),
            }
            return;
        }
        self.finish(now, tcp);
    }

    /// All is written.
    fn finish(&mut self, now: Instant, tcp: &mut Endpoint) {
        if !self.connected {
            // CLOSE would delete the connection; `Connected` comes, or an error.
            return;
        }
        match self.script.finale {
            Finale::Patient => self.shutdown(now, tcp),
            Finale::Careless => self.close(now, tcp),
            Finale::Responder if self.eof => self.shutdown(now, tcp),
            Finale::Responder => {}
        }
        self.end_if_over(now, tcp);
    }

    fn read(&mut self, now: Instant, tcp: &mut Endpoint) -> Result<(), Broken> {
        let wait = Duration::from_micros(self.script.read_wait_us);
        let size = 1 + self.dice.below(self.script.read_max);
        let mut buffer = vec![0; size.min(16_384) as usize];
        self.next_read = None;
        match tcp.recv(now, self.conn, &mut buffer) {
            Ok(Recv::Octets(len)) => {
                if !is_stream(self.peer_key, self.read, &buffer[..len]) {
                    return Err(format!("octets {}.. of the stream were changed", self.read));
                }
                if self.eof {
                    return Err("octets after the end".to_owned());
                }
                self.read += len as u64;
                self.progress = now;
                self.next_read = Some(now + wait);
            }
            Ok(Recv::WouldBlock) if self.script.polled => {
                self.next_read = Some(now + wait + Duration::from_millis(50));
            }
            Ok(Recv::WouldBlock) => {}
            Ok(Recv::Eof) => {
                self.eof = true;
                self.progress = now;
                if self.script.finale == Finale::Responder && !self.ended {
                    self.next_write = Some(now);
                }
            }
            Err(error) => self.fail(now, tcp, error),
        }
        self.end_if_over(now, tcp);
        Ok(())
    }

    fn end_if_over(&mut self, now: Instant, tcp: &mut Endpoint) {
        if self.ended && self.eof && !self.released {
            self.close(now, tcp);
        }
    }

    /// What every end has to have at the end: the peer's whole stream, or a reason.
    pub(crate) fn judge(&self, peer: Option<&Self>) -> Result<(), Broken> {
        let Some(peer) = peer else { return Ok(()) };
        if self.eof && !(peer.ended && self.read == peer.wrote) {
            return Err(format!("the end after {} octets of {}", self.read, peer.wrote));
        }
        if !self.eof && self.error.is_none() && !self.left {
            return Err("neither the end nor an error was told".to_owned());
        }
        Ok(())
    }
}

/// Nothing may be told after this.
const fn is_last(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Closed
            | EventKind::Refused
            | EventKind::Reset
            | EventKind::TimedOut
            | EventKind::HardError
    )
}
