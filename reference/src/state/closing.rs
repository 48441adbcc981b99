//! The arrows of the closing states (RFC 9293 3.3.2 figure 5, 3.6, 3.10.4, 3.10.7.4 fifth and eighth).

use super::State;
use crate::config::Config;
use crate::mutant::Mutant;

/// The application has said that it sends no more (RFC 9293 3.10.4).
pub(crate) fn on_close(state: State) -> State {
    match state {
        State::SynReceived(_) | State::Established => State::FinWait1,
        // CLOSE-WAIT is left when the FIN goes out.
        other => other,
    }
}

/// Our FIN has gone out.
pub(crate) fn on_fin_sent(state: State, config: &Config) -> State {
    match state {
        State::CloseWait if config.is(Mutant::CloseWaitToFinWait1) => State::FinWait1,
        State::CloseWait => State::LastAck,
        other => other,
    }
}

/// Our FIN is acknowledged (fifth check).
pub(crate) fn on_fin_acked(state: State, config: &Config) -> State {
    match state {
        State::FinWait1 => match config.mutant {
            Some(Mutant::FinWait1ToClosed) => State::Closed,
            Some(Mutant::FinWait1ToTimeWait) => State::TimeWait,
            Some(Mutant::FinWait1Stuck) => State::FinWait1,
            _ => State::FinWait2,
        },
        State::Closing => match config.mutant {
            Some(Mutant::ClosingToClosed) => State::Closed,
            Some(Mutant::ClosingStuck) => State::Closing,
            _ => State::TimeWait,
        },
        State::LastAck => match config.mutant {
            Some(Mutant::LastAckToTimeWait) => State::TimeWait,
            Some(Mutant::LastAckStuck) => State::LastAck,
            _ => State::Closed,
        },
        other => other,
    }
}

/// The peer's FIN has been reached in order (eighth check).
pub(crate) fn on_fin(state: State, config: &Config) -> State {
    match state {
        State::SynReceived(_) | State::Established => match config.mutant {
            Some(Mutant::FinClosesBothSides) => State::LastAck,
            Some(Mutant::EstablishedToFinWait1OnFin) => State::FinWait1,
            _ => State::CloseWait,
        },
        // If our FIN were acknowledged by this segment we would be in FIN-WAIT-2 by now.
        State::FinWait1 => match config.mutant {
            Some(Mutant::NoClosingState) => State::TimeWait,
            Some(Mutant::SimultaneousCloseToLastAck) => State::LastAck,
            _ => State::Closing,
        },
        State::FinWait2 => match config.mutant {
            Some(Mutant::FinWait2ToClosed) => State::Closed,
            Some(Mutant::FinWait2IgnoresFin) => State::FinWait2,
            _ => State::TimeWait,
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrows_of_figure_5() {
        let config = Config::default();
        assert_eq!(on_close(State::Established), State::FinWait1);
        assert_eq!(on_close(State::CloseWait), State::CloseWait);
        assert_eq!(on_fin_sent(State::CloseWait, &config), State::LastAck);
        assert_eq!(on_fin_acked(State::FinWait1, &config), State::FinWait2);
        assert_eq!(on_fin_acked(State::Closing, &config), State::TimeWait);
        assert_eq!(on_fin_acked(State::LastAck, &config), State::Closed);
        assert_eq!(on_fin(State::Established, &config), State::CloseWait);
        assert_eq!(on_fin(State::FinWait1, &config), State::Closing);
        assert_eq!(on_fin(State::FinWait2, &config), State::TimeWait);
        for state in [State::CloseWait, State::Closing, State::LastAck, State::TimeWait] {
            assert_eq!(on_fin(state, &config), state);
        }
    }
}
