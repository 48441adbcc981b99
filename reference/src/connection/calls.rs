//! What the application may ask of a connection (RFC 9293 3.9.1, 3.10.2 to 3.10.5).

use core::time::Duration;

use super::{Connection, Env};
use crate::event::{ConnOption, Error, Recv};
use crate::mutant::Mutant;
use crate::recv::RecvHalf;
use crate::send::Fin;
use crate::state::{State, closing};
use crate::timer::Timer;

impl Connection {
    /// SEND (RFC 9293 3.10.2). Before ESTABLISHED the octets are queued.
    pub(crate) fn send(&mut self, octets: &[u8], env: &mut Env<'_>) -> Result<usize, Error> {
        self.writable()?;
        self.snd.buffer.lend(env.spare);
        Ok(self.snd.write(octets))
    }

    /// SEND of octets that are made where they will lie.
    pub(crate) fn send_with(
        &mut self,
        most: usize,
        fill: impl FnOnce(&mut [u8]) -> usize,
    ) -> Result<usize, Error> {
        self.writable()?;
        Ok(self.snd.write_with(most, fill))
    }

    /// SEND with the URGENT flag (RFC 9293 3.8.5, MUST-30).
    pub(crate) fn send_urgent(&mut self, octets: &[u8], env: &Env<'_>) -> Result<usize, Error> {
        self.writable()?;
        let len = self.snd.write(octets);
        if len > 0 && !env.config.is(Mutant::UrgentNotSent) {
            self.snd.mark_urgent(env.config);
        }
        Ok(len)
    }

    fn writable(&self) -> Result<(), Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.released || self.snd.fin != Fin::Open {
            return Err(Error::Closing);
        }
        match self.state {
            State::SynSent | State::SynReceived(_) | State::Established | State::CloseWait => Ok(()),
            State::Closed => Err(Error::NotFound),
            State::FinWait1 | State::FinWait2 | State::Closing | State::LastAck | State::TimeWait => {
                Err(Error::Closing)
            }
        }
    }

    /// RECEIVE (RFC 9293 3.10.3). After a FIN what is left is returned first, then the end (MUST-12).
    pub(crate) fn recv(&mut self, out: &mut [u8], env: &Env<'_>) -> Result<Recv, Error> {
        let none_wanted = out.is_empty();
        let read = |rcv: &mut RecvHalf| {
            let len = rcv.read(out);
            if len > 2041 && env.config.is(Mutant::LargeReadCorrupts) {
                out[2041] ^= 0x55;
            }
            len
        };
        match self.recv_by(read, env) {
            Ok(Recv::WouldBlock) if none_wanted => Ok(Recv::Octets(0)),
            answer => answer,
        }
    }

    /// The same by whatever takes octets off the buffer, and says how many.
    pub(crate) fn recv_by(
        &mut self,
        read: impl FnOnce(&mut RecvHalf) -> usize,
        env: &Env<'_>,
    ) -> Result<Recv, Error> {
        if self.released {
            return Err(Error::Closing);
        }
        self.readable_told = false;
        if self.rcv.readable() > 0 {
            let len = read(&mut self.rcv);
            if self.state.takes_text() && self.rcv.wants_update(self.mss(env.config), env.config) {
                self.owed.ack = true;
            }
            return Ok(Recv::Octets(len));
        }
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.rcv.fin_taken() && !env.config.is(Mutant::ReadBehindTheEndWaits) {
            return Ok(Recv::Eof);
        }
        match self.state {
            State::Closed => Err(Error::NotFound),
            State::SynSent | State::SynReceived(_) if env.config.is(Mutant::EarlyReadRefused) => {
                Err(Error::NotFound)
            }
            _ => Ok(Recv::WouldBlock),
        }
    }

    /// Closes the write side only (RFC 9293 3.6, 3.10.4): the application may still read (U-10).
    pub(crate) fn shutdown(&mut self, env: &mut Env<'_>) -> Result<(), Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.released || self.snd.fin != Fin::Open {
            if env.config.is(Mutant::SecondCloseSendsFin) {
                self.snd.fin = Fin::Queued;
                return Ok(());
            }
            return Err(Error::Closing);
        }
        match self.state {
            State::Closed => Err(Error::NotFound),
            State::SynSent => {
                // 3.10.4: delete the TCB.
                self.error = Some(Error::Closing);
                self.transition(State::Closed, env);
                Ok(())
            }
            State::SynReceived(_) if self.snd.unsent() > 0 => {
                // Queued until the connection is established.
                self.snd.queue_fin(env.config);
                Ok(())
            }
            State::SynReceived(_) if env.config.is(Mutant::SynReceivedCloseSendsRst) => {
                self.abort(env);
                Ok(())
            }
            _ => {
                self.snd.queue_fin(env.config);
                self.transition(closing::on_close(self.state), env);
                Ok(())
            }
        }
    }

    /// Closes both directions (RFC 9293 3.6.1, MAY-1): what arrives from now on has no reader.
    pub(crate) fn close(&mut self, env: &mut Env<'_>) -> Result<(), Error> {
        if self.released {
            return Err(Error::Closing);
        }
        // SHLD-3, RFC 2525 2.17: unread data is lost, and the peer has to hear of it.
        let unread = self.rcv.readable() > 0 && !env.config.is(Mutant::CloseWithUnreadSendsFin);
        if self.state.is_synchronized()
            && self.state != State::TimeWait
            && (unread || self.settings.linger == Some(Duration::ZERO))
        {
            self.abort(env);
            return Ok(());
        }
        if self.state != State::Closed && self.snd.fin == Fin::Open {
            self.shutdown(env)?;
        }
        self.released = true;
        self.rcv.discard();
        if let Some(span) = self.settings.linger.filter(|_| !self.snd.fin_acked()) {
            self.timers.set(Timer::Linger, env.now + span);
        }
        if let (State::FinWait2, Some(span)) = (self.state, env.config.fin_wait_2) {
            self.timers.set(Timer::FinWait2, env.now + span);
        }
        Ok(())
    }

    /// ABORT (RFC 9293 3.10.5).
    pub(crate) fn abort(&mut self, env: &mut Env<'_>) {
        match self.state {
            State::SynReceived(_)
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait => self.send_abort(env),
            State::Closed | State::SynSent | State::Closing | State::LastAck | State::TimeWait => {}
        }
        self.released = true;
        self.rcv.discard();
        self.error.get_or_insert(Error::Reset);
        self.transition(State::Closed, env);
    }

    pub(crate) fn set_option(&mut self, option: ConnOption, env: &Env<'_>) {
        let settings = &mut self.settings;
        match option {
            ConnOption::NoDelay(on) => self.snd.nodelay = on,
            ConnOption::KeepAlive(on) => {
                settings.keepalive = on && !env.config.is(Mutant::KeepAliveNever);
                self.restart_keepalive(env);
            }
            ConnOption::KeepAliveIdle(_) if env.config.is(Mutant::KeepAliveIdleIgnored) => {}
            ConnOption::KeepAliveIdle(span) => {
                settings.keepalive_idle = span;
                self.restart_keepalive(env);
            }
            ConnOption::KeepAliveInterval(span) => settings.keepalive_interval = span,
            ConnOption::KeepAliveCount(count) => settings.keepalive_count = count,
            ConnOption::UserTimeout(span) => {
                settings.user_timeout = Some(span);
                let said = !env.config.is(Mutant::UserTimeoutOptionChangeUnsaid);
                if env.config.uses_user_timeout_option() && said && self.state.is_synchronized() {
                    self.announce_timeout = true;
                    self.owed.ack = true;
                }
                if self.timers.is_running(Timer::UserTimeout) {
                    let r2 = self.r2(env.config);
                    self.timers.set(Timer::UserTimeout, env.now + r2);
                }
            }
            ConnOption::Linger(span) => settings.linger = span,
            ConnOption::Dscp(dscp) => settings.dscp = dscp & 0x3f,
            ConnOption::HopLimit(hops) => settings.hop_limit = hops,
            ConnOption::SoftErrors(on) => settings.soft_errors = on,
        }
    }
}
