//! TCP Fast Open (RFC 7413): text on the SYN, for a client that shows a cookie.

use super::{Connection, Env};
use crate::cookie;
use crate::isn::Secret;
use crate::mutant::Mutant;
use crate::send::{Fin, Piece};
use crate::state::State;
use crate::wire::{FastOpen, Segment};

/// What one connection does of Fast Open.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FastOpenState {
    /// What our SYN or SYN,ACK carries.
    pub(super) option: Option<FastOpen>,
    /// How much text our SYN may carry: what the server last announced.
    limit: u16,
    /// The server's side accepted the text, so the application may have the connection at once (4.2.2).
    pub(super) early: bool,
}

impl Connection {
    /// A client's SYN asks for a cookie, or shows the one it has (4.2.1).
    pub(crate) fn offer_fast_open(&mut self, env: &Env<'_>) {
        let wanted = env.config.uses_fast_open() || env.config.is(Mutant::FastOpenUnasked);
        if !wanted || env.cookies.is_refused(self.remote().ip(), env.now) {
            return;
        }
        match env.cookies.get(self.remote().ip()) {
            Some((cookie, mss)) => {
                self.fast_open.option = Some(cookie);
                self.fast_open.limit = mss;
            }
            None => self.fast_open.option = Some(FastOpen::Request),
        }
    }

    /// With a cookie the SYN waits for the text that it is to carry, which is what the application has asked for.
    pub(super) fn waits_for_text(&self) -> bool {
        let cookie = matches!(self.fast_open.option, Some(FastOpen::Cookie { .. }));
        cookie && self.state == State::SynSent && self.snd.unsent() == 0 && self.snd.fin == Fin::Open
    }

    /// The first SYN of all, with text if a cookie allows it. Repetitions carry neither (4.1.3).
    pub(super) fn first_syn(&self) -> Piece {
        let room = match self.fast_open.option {
            // What a SYN carries besides: 12 for timestamps, 4 for scale, 4 for MSS, 12 for the cookie.
            Some(FastOpen::Cookie { .. }) => u32::from(self.fast_open.limit).min(self.snd.path_mss),
            Some(FastOpen::Request) | None => 0,
        };
        let len = self.snd.unsent().min(room.saturating_sub(40));
        Piece { seq: self.snd.iss, len, syn: true, fin: false, again: false }
    }

    /// A server's answer to a SYN with the option (4.2.2).
    pub(super) fn take_fast_open(&mut self, syn: &Segment<'_>, secret: &Secret, env: &Env<'_>) {
        let wanted = env.config.uses_fast_open() || env.config.is(Mutant::FastOpenUnasked);
        let Some(option) = syn.options.fast_open.filter(|_| wanted) else { return };
        let cookie = cookie::fast_open_cookie(secret, self.local().ip(), self.remote().ip());
        if option != cookie && !env.config.is(Mutant::FastOpenCookieUnchecked) {
            // A request, or a cookie that is not ours: the text is dropped and a good cookie returned.
            self.fast_open.option = Some(cookie);
            return;
        }
        if !syn.payload.is_empty() {
            let _ = self.rcv.take_text(syn, env.config);
            self.fast_open.early = true;
            self.snd.open(false, env.config);
        }
    }

    /// A client reads the SYN,ACK: a new cookie, and whether the text was taken (4.2.1).
    pub(super) fn after_fast_open(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) {
        if !env.config.uses_fast_open() {
            return;
        }
        if let Some(FastOpen::Cookie { octets, len }) = segment.options.fast_open
            && !env.config.is(Mutant::FastOpenCookieForgotten)
        {
            let len = if env.config.is(Mutant::FastOpenCookieCut) { len.min(8) } else { len };
            let mss = segment.options.mss.unwrap_or(536);
            env.cookies.remember(self.remote().ip(), FastOpen::Cookie { octets, len }, mss);
        }
        if self.snd.board.is_empty() {
            return;
        }
        self.fast_open_failed(env);
        if !env.config.is(Mutant::FastOpenTextWaits) {
            // Only the SYN was acknowledged: the text goes again as any other.
            self.snd.repeat_all();
        }
    }

    /// No answer, an ICMP error, or text that was not taken: the next connections do without (4.1.3.1).
    pub(super) fn fast_open_failed(&self, env: &mut Env<'_>) {
        if self.fast_open.option.is_some() && !env.config.is(Mutant::FastOpenRefusalForgotten) {
            env.cookies.refuse(self.remote().ip(), env.now + env.config.fast_open_retry);
        }
    }

    pub(crate) fn is_early(&self) -> bool {
        self.fast_open.early
    }
}
