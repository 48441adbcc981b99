//! What the application learns: the words of the catalogue as events, results and errors of this interface.

use tcpspec_reference::{Error, EventKind, StateName};

use crate::host::Answer;

/// An event, apart from what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    Open,
    Data,
    Urgent,
    Eof,
    Reset,
    Refused,
    TimedOut,
    /// No row has it.
    Other,
}

impl Told {
    /// `Closed` only says that the TCB is gone, which is the row's next state and not a signal; `Writable` is about
    /// buffers.
    pub(crate) fn from_event(kind: &EventKind) -> Option<Self> {
        match kind {
            EventKind::Accepted { .. } | EventKind::Connected => Some(Self::Open),
            EventKind::Readable => Some(Self::Data),
            EventKind::Urgent => Some(Self::Urgent),
            EventKind::Eof => Some(Self::Eof),
            EventKind::Reset => Some(Self::Reset),
            EventKind::Refused => Some(Self::Refused),
            EventKind::TimedOut => Some(Self::TimedOut),
            EventKind::SoftError | EventKind::HardError => Some(Self::Other),
            EventKind::Closed | EventKind::Writable => None,
        }
    }
}

/// One `app_signal`. That data is there and that it is urgent is said by the stimulus: a row has some that carry
/// data and some that do not.
pub(crate) struct Signal {
    pub(crate) told: &'static [Told],
    /// What the call of the row may return.
    pub(crate) answer: fn(&Answer) -> bool,
    /// What SEND and RECEIVE return from now on. They are polled here, so this is what outstanding calls get.
    pub(crate) error: Option<Error>,
    /// The connection is gone at the application's own wish, and calls on it fail.
    pub(crate) calls_fail: bool,
}

const QUIET: Signal = Signal { told: &[], answer: is_no_error, error: None, calls_fail: false };

fn is_no_error(answer: &Answer) -> bool {
    !matches!(answer, Answer::Failed(_))
}

fn tells(told: &'static [Told]) -> Signal {
    Signal { told, ..QUIET }
}

fn answers(answer: fn(&Answer) -> bool) -> Signal {
    Signal { answer, ..QUIET }
}

fn fails(told: &'static [Told], error: Error) -> Signal {
    Signal { told, error: Some(error), ..QUIET }
}

impl Signal {
    /// The meaning of an `app_signal`, or `None` if this table lacks it.
    pub(crate) fn of(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix("state = ") {
            return Self::status(name);
        }
        Some(match text {
            "none" | "none new" | "none needed" => QUIET,
            // A SEND is "returned" when its octets are out of the queue, which is checked with SND.UNA.
            "fully acknowledged SENDs return ok"
            | "acknowledged SENDs return ok"
            | "none yet (CLOSE gets ok in FIN-WAIT-2 when the queue is empty)"
            | "CLOSE may be acknowledged ok"
            | "CLOSE completes" => QUIET,
            // Whether there is data or urgent data is the stimulus's to say.
            "data delivered"
            | "data available (push indicated if PSH)"
            | "all contiguous data available"
            | "only new octets delivered"
            | "in-window octets delivered"
            | "urgent notification when RCV.UP advances"
            | "urgent signal once per continuous run; none when already signalled" => QUIET,
            "connection open"
            | "connection open; data delivered"
            | "connection open; data available"
            | "connection open; urgent data" => tells(&[Told::Open]),
            "connection open, then connection closing" => tells(&[Told::Open, Told::Eof]),
            "connection closing; pending RECEIVEs return it; FIN implies push"
            | "data available, then connection closing; pending RECEIVEs return it; FIN implies push" => {
                tells(&[Told::Eof])
            }
            // The handshake that follows tells it.
            "new connection for the listener" => QUIET,
            "connection reset"
            | "outstanding calls get reset; connection reset"
            | "outstanding SEND and RECEIVE get reset; general connection reset signal" => {
                fails(&[Told::Reset], Error::Reset)
            }
            "connection refused" | "error: connection reset (sockets: connection refused)" => {
                fails(&[Told::Refused], Error::Refused)
            }
            "error: connection aborted due to user timeout, also for outstanding calls" => {
                fails(&[Told::TimedOut], Error::TimedOut)
            }
            _ => return Self::of_call(text),
        })
    }

    /// The signals that only calls have.
    fn of_call(text: &str) -> Option<Self> {
        Some(match text {
            "queued SENDs and RECEIVEs get connection reset"
            | "queued SENDs and RECEIVEs get error: closing" => Self { calls_fail: true, ..QUIET },
            // A listener has no RECEIVEs; that it is gone is its next state.
            "outstanding RECEIVEs get error: closing"
            | "outstanding RECEIVEs get error: connection reset" => QUIET,
            "ok" => answers(|answer| matches!(answer, Answer::Done | Answer::Took(100))),
            "ok when acknowledged, or error: insufficient resources" => {
                answers(|answer| matches!(answer, Answer::Took(octets) if *octets > 0))
            }
            // A poll is answered at once: what is queued until ESTABLISHED is told to come again.
            "queued until ESTABLISHED, or error: insufficient resources" => {
                answers(|answer| matches!(answer, Answer::WouldBlock | Answer::Took(100)))
            }
            "request queued, or error: insufficient resources" => {
                answers(|answer| *answer == Answer::WouldBlock)
            }
            "data returned, push flag and urgent notice as due" | "remaining data returned" => {
                answers(|answer| matches!(answer, Answer::Data(data) if data.len() == 100))
            }
            "returns connection name" => answers(|answer| *answer == Answer::Opened),
            "new listener or error; existing record unaffected" => {
                answers(|answer| matches!(answer, Answer::Opened | Answer::Failed(Error::AddressInUse)))
            }
            "error: connection already exists" => answers(|answer| *answer == Answer::Failed(Error::Exists)),
            "error: connection does not exist" => answers(|answer| {
                matches!(answer, Answer::Failed(Error::NotFound) | Answer::Status(StateName::Closed))
            }),
            // After the peer's FIN, RECEIVE says so as the end of the stream.
            "error: connection closing" | "error: connection closing (sockets: end of file)" => {
                answers(|answer| matches!(answer, Answer::Failed(Error::Closing) | Answer::Eof))
            }
            "error: connection closing (or ok)" => {
                answers(|answer| matches!(answer, Answer::Failed(Error::Closing) | Answer::Done))
            }
            "error: remote socket unspecified" | "error" | "error: connection illegal for this process" => {
                answers(|answer| *answer == Answer::Failed(Error::AddressInvalid))
            }
            "error: insufficient resources" => answers(|answer| *answer == Answer::Failed(Error::NoRoom)),
            _ => return None,
        })
    }

    fn status(name: &str) -> Option<Self> {
        Some(match name {
            "SYN-SENT" => answers(|answer| *answer == Answer::Status(StateName::SynSent)),
            "SYN-RECEIVED" => answers(|answer| *answer == Answer::Status(StateName::SynReceived)),
            "ESTABLISHED" => answers(|answer| *answer == Answer::Status(StateName::Established)),
            "FIN-WAIT-1" => answers(|answer| *answer == Answer::Status(StateName::FinWait1)),
            "FIN-WAIT-2" => answers(|answer| *answer == Answer::Status(StateName::FinWait2)),
            "CLOSE-WAIT" => answers(|answer| *answer == Answer::Status(StateName::CloseWait)),
            "CLOSING" => answers(|answer| *answer == Answer::Status(StateName::Closing)),
            "LAST-ACK" => answers(|answer| *answer == Answer::Status(StateName::LastAck)),
            "TIME-WAIT" => answers(|answer| *answer == Answer::Status(StateName::TimeWait)),
            _ => return None,
        })
    }
}
