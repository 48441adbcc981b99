//! Bugs of coping with the network: losses, congestion, and what it reports.

macro_rules! network {
    ([$($later:ident)*] $($before:tt)*) => {
        gather! { [$($later)*] $($before)*

Retransmission "Retransmission and its timer." {
    InitialRtoTooLow "initial-rto-too-low" "RFC6298-2.1" "RFC 2525 2.7"
        "The first timeout comes after a tenth of the initial RTO.";
    RtoFixed "rto-fixed" "RFC9293-U-12" "MUST list"
        "The timeout does not follow the round-trip time.";
    RtoWithoutVariance "rto-without-variance" "RFC6298-2.3" "MUST list"
        "The timeout is the smoothed round-trip time without its variance.";
    RtoMinimumIgnored "rto-minimum-ignored" "RFC6298-2.4" "MUST list"
        "The timeout may fall to a millisecond.";
    RtoMaxTooLow "rto-max-too-low" "RFC6298-2.5" "MUST list"
        "The timeout is capped at four times its minimum.";
    RtoNoBackoff "rto-no-backoff" "RFC6298-5.5" "RFC 2525 2.10"
        "The timeout is not doubled.";
    BackoffLinear "backoff-linear" "RFC6298-5.5" "timers"
        "The timeout grows by one step instead of doubling.";
    BackoffNeverReset "backoff-never-reset" "RFC6298-2.3" "student catalogue"
        "A timeout that was doubled stays so after new samples.";
    RtoKeptAfterSynLoss "rto-kept-after-syn-loss" "RFC6298-5.7" "MUST list"
        "After a lost SYN the timeout for data does not start at three seconds.";
    RtoNotRestartedOnAck "rto-not-restarted-on-ack" "RFC6298-5.3" "student catalogue"
        "An ACK of new data does not restart the timer.";
    PartialAckKeepsTimer "partial-ack-keeps-timer" "RFC6298-5.3" "timers"
        "With SACK, too, only the first partial acknowledgement of a recovery restarts the timer.";
    RtoRestartedByDuplicate "rto-restarted-by-duplicate" "RFC6298-5.3" "timers"
        "Every duplicate ACK restarts the timer.";
    RtoNotStopped "rto-not-stopped" "RFC6298-5.2" "student catalogue"
        "The timer runs on when everything is acknowledged, and its next use is early.";
    RetransmitNever "retransmit-never" "RFC9293-U-20" "timers"
        "Lost data is never sent again by the timer.";
    NewestRetransmittedFirst "newest-retransmitted-first" "RFC9293-U-20" "student catalogue"
        "A timeout sends the newest segment again instead of the oldest.";
    TimerResendsEverything "timer-resends-everything" "RFC6298-5.4" "RFC 2525 2.14"
        "A timeout sends everything in flight at once.";
    RetransmissionDiffers "retransmission-differs" "RFC9293-U-20" "RFC 2525 2.4"
        "A retransmission carries other octets than the first copy.";
    FinAckedWithItsText "fin-acked-with-its-text" "RFC9293-U-20" "cargo-mutants"
        "A FIN behind text is taken for acknowledged with the text before it.";
    FinNotRetransmitted "fin-not-retransmitted" "RFC9293-MUST-20" "student catalogue"
        "A lost FIN is never sent again.";
    R2TooShort "r2-too-short" "RFC9293-SHLD-11" "MUST list"
        "A connection is given up after ten seconds.";
    R2Never "r2-never" "RFC9293-MUST-20" "MUST list"
        "A connection is never given up.";
    UserTimeoutIgnored "user-timeout-ignored" "RFC9293-MUST-21" "MUST list"
        "The user timeout that the application sets has no effect.";
    TimeoutSendsRst "timeout-sends-rst" "RFC9293-U-19" "MUST list"
        "A connection that times out sends a reset.";
    SampleFromRetransmission "sample-from-retransmission" "RFC6298-3-1" "student catalogue"
        "The round trip of a segment that was sent twice is measured.";
    R1NotReported "r1-not-reported" "RFC9293-SHLD-9" "MUST list"
        "The application is not told of R1.";
    SampleFromAnyAck "sample-from-any-ack" "RFC7323-4.1-2" "student catalogue"
        "Every timestamp that comes back is a sample, even if nothing new is acknowledged.";
    RttWeightsWrong "rtt-weights-wrong" "RFC6298-2.3b" "student catalogue"
        "Each sample counts for half of the variation instead of a quarter.";
    RttMeasuredOnce "rtt-measured-once" "RFC6298-3-2" "student catalogue"
        "The round trip is measured once and never again.";
}

Congestion "Congestion control and fast recovery." {
    NoCongestionControl "no-congestion-control" "RFC9293-MUST-19" "MUST list"
        "Only the peer's window limits the sender.";
    NoInitialSlowStart "no-initial-slow-start" "RFC5681-3.1-1" "RFC 2525 2.1"
        "A new connection starts with an enormous window.";
    UninitializedCwnd "uninitialized-cwnd" "RFC5681-3.1-2" "RFC 2525 2.3"
        "Without an MSS option from the peer the congestion window is not initialised.";
    InitialWindowDoubled "initial-window-doubled" "RFC6928-2-1" "MUST list"
        "The initial window is twenty segments.";
    InitialWindowAfterSynLoss "initial-window-after-syn-loss" "RFC5681-3.1-4" "MUST list"
        "After a lost SYN the full initial window is used.";
    SlowStartPerAck "slow-start-per-ack" "RFC5681-3.1-6" "MUST list"
        "Slow start counts ACKs instead of octets, so split ACKs open the window faster.";
    SlowStartTooFast "slow-start-too-fast" "RFC5681-3.1-6" "MUST list"
        "Slow start adds two segments for each ACK.";
    NoSlowStartGrowth "no-slow-start-growth" "RFC5681-3.1-6" "MUST list"
        "The window does not grow in slow start.";
    AvoidanceIsSlowStart "avoidance-is-slow-start" "RFC5681-3.1-7" "MUST list"
        "Growth stays exponential above ssthresh.";
    ExtraAdditiveConstant "extra-additive-constant" "RFC5681-3.1-7" "RFC 2525 2.6"
        "Congestion avoidance adds an eighth of a segment besides.";
    SsthreshFromCwnd "ssthresh-from-cwnd" "RFC5681-3.2-3" "MUST list"
        "A loss sets ssthresh to the window instead of half the flight.";
    NoSlowStartAfterTimeout "no-slow-start-after-timeout" "RFC5681-3.1-9" "RFC 2525 2.2"
        "A timeout leaves the congestion window as it was.";
    NoRestartAfterIdle "no-restart-after-idle" "RFC5681-4.1-1" "MUST list"
        "After an idle period the old window is used in one burst.";
    NoWindowReduction "no-window-reduction" "RFC5681-3.2-3" "MUST list"
        "Fast retransmit does not reduce the window.";
    NoInflation "no-inflation" "RFC5681-3.2-5" "MUST list"
        "Further duplicates do not let new segments out.";
    NoDeflation "no-deflation" "RFC5681-3.2-6" "RFC 2525 2.8"
        "The window stays inflated after recovery.";
    NoLimitedTransmit "no-limited-transmit" "RFC3042-2-1" "MUST list"
        "The first two duplicates let nothing out.";
    LimitedTransmitCounted "limited-transmit-counted" "RFC5681-3.2-3" "MUST list"
        "What limited transmit has sent is part of the flight that is halved.";
    LimitedTransmitCountedWithSack "limited-transmit-counted-with-sack" "RFC5681-3.2-3" "MUST list"
        "With SACK what the first duplicates have let out is part of the flight that is halved.";
    SackBelievedUnasked "sack-believed-unasked" "RFC6582-3.2-4" "options"
        "SACK blocks are believed although SACK was not agreed on.";
    NoRescue "no-rescue" "RFC6675-4-4" "MUST list"
        "In recovery a lost tail is never sent again while nothing above it is reported.";
    RescueAgain "rescue-again" "RFC6675-4-4" "cargo-mutants"
        "In recovery the last segment is rescued each time there is nothing else to send.";
    FastRetransmitTooEarly "fast-retransmit-too-early" "RFC5681-3.2-1" "student catalogue"
        "One duplicate ACK is enough for a retransmission.";
    FastRetransmitTooLate "fast-retransmit-too-late" "RFC5681-3.2-1" "student catalogue"
        "Six duplicate ACKs are needed for a retransmission.";
    FastRetransmitNever "fast-retransmit-never" "RFC5681-3.2-1" "student catalogue"
        "Duplicate ACKs mean nothing.";
    FastRetransmitAfterTimeout "fast-retransmit-after-timeout" "RFC6582-3.2-2" "MUST list"
        "Duplicates of what a timeout has sent again start another fast retransmit.";
    FastRetransmitAfterRecovery "fast-retransmit-after-recovery" "RFC6582-3.2-2" "MUST list"
        "Duplicates of the ACK that ended recovery start another fast retransmit.";
    AnyAckIsDuplicate "any-ack-is-duplicate" "RFC5681-3.2-7" "student catalogue"
        "An ACK that moves the window or carries text counts as a duplicate.";
    RenoWithoutPartialAck "reno-without-partial-ack" "RFC6582-3.2-4" "MUST list"
        "A partial acknowledgement ends recovery, so each further loss needs three duplicates of its own.";
    HandshakeOpensCwnd "handshake-opens-cwnd" "RFC5681-3.1-3" "network simulator"
        "The ACK of the SYN opens the congestion window, by the one number that a SYN takes.";
    TimeoutKeepsSsthresh "timeout-keeps-ssthresh" "RFC5681-3.1-8" "cargo-mutants"
        "A time-out leaves ssthresh as it was, so slow start goes on to where the loss was, and beyond.";
    PathMtuKeepsOctets "path-mtu-keeps-octets" "RFC5681-3.1-10" "MUST list"
        "When the path takes smaller segments as many octets go out at once as before.";
    PartialAckNoDeflation "partial-ack-no-deflation" "RFC6582-3.2-5" "MUST list"
        "A partial acknowledgement leaves the window inflated.";
    LimitedTransmitWithoutSack "limited-transmit-without-sack" "RFC3042-2-3" "MUST list"
        "With SACK a duplicate ACK without a block lets a new segment out.";
}

Rack "Losses by time, and tail loss probes." {
    RackNoReorderingWindow "rack-no-reordering-window" "RFC8985-3.3.2-1" "MUST list"
        "The reordering window is always zero, so every reordering looks like a loss.";
    NoTailProbe "no-tail-probe" "RFC8985-7.2-1" "MUST list"
        "A lost tail waits for the retransmission timer.";
    TailProbeHidesLoss "tail-probe-hides-loss" "RFC8985-7.4.2-1" "MUST list"
        "A loss that the probe has repaired does not reduce the window.";
    RackWithoutSack "rack-without-sack" "RFC8985-4-1" "MUST list"
        "A tail is probed for on a connection without SACK.";
    RackNoReorderingTimer "rack-no-reordering-timer" "RFC8985-6.2-2" "MUST list"
        "What was overtaken is looked at with the next ACK only.";
    RackReorderingUnbounded "rack-reordering-unbounded" "RFC8985-3.3.2-3" "MUST list"
        "The reordering window is ten round trips.";
    RackIgnoresRetransmissions "rack-ignores-retransmissions" "RFC8985-6.2-1" "MUST list"
        "A retransmission that is lost is found by the timer only.";
    TimeoutTakesAllForLost "timeout-takes-all-for-lost" "RFC8985-6.2-1" "cargo-mutants"
        "A timeout takes for lost even what was sent a moment before.";
    RackIgnoresDsack "rack-ignores-dsack" "RFC8985-3.3.2-2" "MUST list"
        "A reported duplicate does not widen the reordering window.";
    RackTakesBlocksForDsack "rack-takes-blocks-for-dsack" "RFC8985-3.3.2-2" "cargo-mutants"
        "Wherever two blocks are reported the first is taken for a duplicate.";
    LostAllAtOnce "lost-all-at-once" "RFC8985-9.3-1" "student catalogue"
        "All that is marked as lost goes out at once.";
    TailProbeRepeated "tail-probe-repeated" "RFC8985-7.3-1" "MUST list"
        "A probe that is not answered is sent again.";
    TailProbeRepeatsOnly "tail-probe-repeats-only" "RFC8985-7.3-2" "MUST list"
        "The probe for a lost tail is a repetition where new data could be sent.";
    TailProbeInRecovery "tail-probe-in-recovery" "RFC8985-7.2-2" "MUST list"
        "A tail is probed for while a hole is known.";
}

Ecn "Explicit congestion notification." {
    EcnNotNegotiated "ecn-not-negotiated" "RFC3168-6.1.1-2" "MUST list"
        "ECN is used although the peer did not agree.";
    EcnSynAckBothBits "ecn-syn-ack-both-bits" "RFC3168-6.1.1-1" "wrong numbers"
        "The SYN,ACK that agrees to ECN carries CWR too.";
    EcnCeIgnored "ecn-ce-ignored" "RFC3168-6.1.1-5" "MUST list"
        "A CE mark is not echoed.";
    EcnEchoedOnce "ecn-echoed-once" "RFC3168-6.1.3-1" "MUST list"
        "A CE mark is echoed on one ACK only.";
    EcnEchoNeverStops "ecn-echo-never-stops" "RFC3168-6.1.3-1" "MUST list"
        "The echo goes on after CWR.";
    EcnEchoIgnored "ecn-echo-ignored" "RFC3168-6.1.2-2" "MUST list"
        "An echo does not reduce the window.";
    EcnHalvesEveryAck "ecn-halves-every-ack" "RFC3168-6.1.2-2" "MUST list"
        "Every ACK with an echo halves the window again.";
    EcnNoCwr "ecn-no-cwr" "RFC3168-6.1.2-5" "MUST list"
        "A reduced window is not announced with CWR.";
    EcnRetransmissionCapable "ecn-retransmission-capable" "RFC3168-6.1.5-1" "MUST list"
        "Retransmissions are marked as ECN-capable.";
    EcnPureAckCapable "ecn-pure-ack-capable" "RFC3168-6.1.4-1" "MUST list"
        "Pure ACKs are marked as ECN-capable.";
    EcnEct1 "ecn-ect-1" "RFC3168-6.1.2-1" "wrong numbers"
        "Text is marked with ECT(1).";
    EcnEchoesAnything "ecn-echoes-anything" "RFC3168-6.1.5-2" "MUST list"
        "A CE mark counts on a segment outside the window too.";
    EcnEchoEnlarges "ecn-echo-enlarges" "RFC3168-6.1.2-4" "MUST list"
        "An echo leaves two segments, even if the window was one.";
}

Icmp "ICMP errors and the MTU of the path." {
    IcmpSeqUnchecked "icmp-seq-unchecked" "RFC9293-MUST-54" "MUST list"
        "An ICMP error is believed whatever sequence number it quotes.";
    IcmpSoftAborts "icmp-soft-aborts" "RFC9293-MUST-56" "MUST list"
        "A soft ICMP error ends the connection.";
    IcmpHardIgnored "icmp-hard-ignored" "RFC9293-SHLD-26" "MUST list"
        "A hard ICMP error does not end a connection attempt.";
    IcmpHardAbortsEstablished "icmp-hard-aborts-established" "RFC9293-SHLD-26" "MUST list"
        "A hard ICMP error ends an established connection, which anyone can forge.";
    SoftErrorsNotReported "soft-errors-not-reported" "RFC9293-MUST-47" "MUST list"
        "The application never hears of soft errors.";
    SourceQuenchObeyed "source-quench-obeyed" "RFC9293-MUST-55" "MUST list"
        "A Source Quench closes the congestion window.";
    PathMtuMessageIgnored "path-mtu-message-ignored" "RFC9293-MUST-16" "MUST list"
        "A message that a packet was too big changes nothing, so the connection hangs.";
    PathMtuBelowMinimum "path-mtu-below-minimum" "RFC9293-MUST-16" "MUST list"
        "A path MTU below the least that IP allows is believed.";
    PathMtuRepeatsAll "path-mtu-repeats-all" "RFC6298-5-1" "cargo-mutants"
        "When the path becomes narrower all in flight goes again, also what fits.";
    PathMtuCutsWindow "path-mtu-cuts-window" "RFC9293-MUST-19" "MUST list"
        "A message that a packet was too big is taken for congestion.";
    SoftErrorsNotSilenced "soft-errors-not-silenced" "RFC9293-SHLD-20" "MUST list"
        "Reports of soft errors cannot be turned off.";
}
        }
    };
}
