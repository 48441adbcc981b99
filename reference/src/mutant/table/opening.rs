//! Bugs of opening a connection and of what is agreed on then.

macro_rules! opening {
    ([$($later:ident)*] $($before:tt)*) => {
        gather! { [$($later)*] $($before)*

Opening "Opening: OPEN, LISTEN, SYN-SENT, SYN-RECEIVED, and the ISN." {
    SynNotCounted "syn-not-counted" "RFC9293-U-4" "student catalogue"
        "The peer's SYN is not counted, so the SYN,ACK acknowledges its ISN instead of the number after it.";
    SynNotRetransmitted "syn-not-retransmitted" "RFC9293-MUST-22" "timers"
        "A lost SYN is never sent again.";
    SynAckNotRetransmitted "syn-ack-not-retransmitted" "RFC9293-MUST-22" "timers"
        "A lost SYN,ACK is never sent again.";
    SynR2TooShort "syn-r2-too-short" "RFC9293-MUST-23" "MUST list"
        "A connection attempt is given up after a tenth of the time a SYN must be tried for.";
    SynWindowScaled "syn-window-scaled" "RFC7323-2.2-3" "MUST list"
        "The window field of a SYN is scaled already.";
    SynSentBadAckIgnored "syn-sent-bad-ack-ignored" "RFC9293-U-5" "model learning"
        "In SYN-SENT an unacceptable ACK is ignored instead of reset.";
    SynSentBadAckAccepted "syn-sent-bad-ack-accepted" "RFC9293-U-5" "student catalogue"
        "In SYN-SENT a SYN,ACK that acknowledges something else is accepted.";
    SynSentRstIgnored "syn-sent-rst-ignored" "RFC9293-U-8" "state diagram"
        "In SYN-SENT a valid reset is ignored, so a refused connection hangs.";
    SynSentRstUnchecked "syn-sent-rst-unchecked" "RFC9293-U-8" "student catalogue"
        "In SYN-SENT any reset refuses the connection, whatever it acknowledges.";
    SynSentAckEstablishes "syn-sent-ack-establishes" "RFC9293-MUST-10" "state diagram"
        "In SYN-SENT an ACK without SYN establishes the connection.";
    SynAckTextLost "syn-ack-text-lost" "RFC9293-U-17" "TCP-Fuzz (FreeBSD)"
        "Text on a SYN,ACK is acknowledged and never delivered.";
    NoSimultaneousOpen "no-simultaneous-open" "RFC9293-MUST-10" "MUST list"
        "In SYN-SENT a bare SYN is ignored.";
    OriginForgotten "origin-forgotten" "RFC9293-MUST-11" "MUST list"
        "A reset in SYN-RECEIVED is silent even when the application had asked for the connection.";
    SynReceivedAnyAckEstablishes "syn-received-any-ack-establishes" "RFC9293-U-5" "student catalogue"
        "In SYN-RECEIVED any ACK completes the handshake.";
    SynReceivedBadAckIgnored "syn-received-bad-ack-ignored" "RFC9293-U-5" "model learning"
        "In SYN-RECEIVED an unacceptable ACK is ignored instead of reset.";
    ConnectToNobody "connect-to-nobody" "SEM-CLO-12" "state/event matrix"
        "An OPEN that names no peer sends a SYN to the address of all zeros.";
    SecondOpenReplaces "second-open-replaces" "SEM-EST-38" "state/event matrix"
        "An OPEN of a connection that exists makes a new one in its place.";
    ListenBlocksOpen "listen-blocks-open" "SEM-LIS-14" "state/event matrix"
        "No connection can be opened from a port that listens.";
    EarlyReadRefused "early-read-refused" "SEM-SSE-17" "state/event matrix"
        "A RECEIVE before the connection is open is refused instead of queued.";
    ReadBehindTheEndWaits "read-behind-the-end-waits" "SEM-CLG-30" "state/event matrix"
        "A RECEIVE behind the peer's FIN waits for data that cannot come.";
    SecondCloseSendsFin "second-close-sends-fin" "SEM-FW1-44" "state/event matrix"
        "A second CLOSE sends a second FIN, behind the first.";
    SynReceivedCloseSendsRst "syn-received-close-sends-rst" "RFC9293-U-9" "model learning (Windows)"
        "CLOSE in SYN-RECEIVED sends a reset instead of a FIN.";
    ListenIgnoresAck "listen-ignores-ack" "RFC9293-U-5" "model learning (Windows)"
        "A listener stays silent on an ACK that belongs to no connection.";
    ListenResetsOther "listen-resets-other" "RFC9293-U-7" "state diagram"
        "A listener answers a segment without SYN, ACK and RST with a reset.";
    ListenTakesSynAck "listen-takes-syn-ack" "RFC9293-U-5" "state diagram"
        "A listener treats SYN,ACK as a SYN.";
    SynInWindowIgnored "syn-in-window-ignored" "RFC5961-4.2-1" "model learning (Linux)"
        "A SYN inside the window of a synchronized connection is dropped in silence.";
    SynInWindowResets "syn-in-window-resets" "RFC5961-4.2-1" "model learning (FreeBSD)"
        "A SYN inside the window of a synchronized connection resets it.";
    IsnConstant "isn-constant" "RFC9293-MUST-8" "student catalogue"
        "Every connection starts with the same sequence number.";
    IsnClockOnly "isn-clock-only" "RFC9293-MUST-9" "MUST list"
        "The initial sequence number is the clock, without the keyed hash.";
    IsnNoClock "isn-no-clock" "RFC9293-MUST-8" "MUST list"
        "The initial sequence number is the keyed hash, without the clock.";
    DataBeforeEstablished "data-before-established" "RFC9293-U-5" "student catalogue"
        "Text goes out in SYN-RECEIVED.";
    EphemeralPortFixed "ephemeral-port-fixed" "RFC9293-MUST-44" "student catalogue"
        "Every active OPEN begins with the same port.";
}

Options "Options of the SYN and of every segment: MSS, window scale, timestamps, SACK, user timeout." {
    MssNotSent "mss-not-sent" "RFC9293-MUST-14" "MUST list"
        "SYNs carry no MSS option.";
    MssIgnored "mss-ignored" "RFC9293-MUST-14" "student catalogue"
        "Segments are as large as the interface takes, whatever the peer announced.";
    DefaultMssTooLarge "default-mss-too-large" "RFC9293-MUST-15" "MUST list"
        "Without an MSS option from the peer 1460 octets are assumed.";
    OptionsNotCounted "options-not-counted" "RFC9293-MUST-16" "RFC 2525 2.18"
        "The length of options is not taken off the segment size.";
    PathMtuIgnored "path-mtu-ignored" "RFC9293-MUST-16" "MUST list"
        "The segment size follows the peer's MSS even where the interface takes less.";
    WindowScaleIgnored "window-scale-ignored" "RFC7323-2.3-2" "MUST list"
        "The peer's window scale is negotiated and then not applied.";
    WindowScaleZero "window-scale-zero" "RFC7323-2.2-5" "cargo-mutants"
        "The shift that is offered is zero however large the buffer is.";
    WindowScaleUnbounded "window-scale-unbounded" "RFC7323-2.3-4" "TCP-Fuzz (TLDK)"
        "A window scale above 14 is used as it is.";
    WindowScaleNotNegotiated "window-scale-not-negotiated" "RFC7323-2.2-4" "MUST list"
        "A SYN,ACK carries window scale although the SYN did not.";
    SackNotNegotiated "sack-not-negotiated" "RFC2018-4-1" "MUST list"
        "SACK is used although the peer did not permit it.";
    TimestampsNotNegotiated "timestamps-not-negotiated" "RFC7323-3.2-1" "TCP-Fuzz (mTCP)"
        "Timestamps are sent although the peer did not offer them.";
    TimestampFrozen "timestamp-frozen" "RFC7323-4.1-1" "TCP-Fuzz (TLDK)"
        "The timestamp clock stands still.";
    TimestampBackwards "timestamp-backwards" "RFC7323-4.1-1" "MUST list"
        "The timestamp clock runs backwards.";
    TimestampEchoZero "timestamp-echo-zero" "RFC7323-4.3-4" "TCP-Fuzz (TLDK)"
        "The echoed timestamp is always zero.";
    TsRecentFromAnySegment "ts-recent-from-any-segment" "RFC7323-4.3-2" "MUST list"
        "The echo follows segments above a hole too.";
    EqualTimestampRejected "equal-timestamp-rejected" "RFC7323-5.3-1" "off by one"
        "Text whose timestamp equals the last one is taken for old.";
    NoPaws "no-paws" "RFC7323-5.3-1" "MUST list"
        "Segments with an old timestamp are accepted.";
    PawsSilent "paws-silent" "RFC7323-5.3-1" "MUST list"
        "Segments with an old timestamp are dropped without an ACK.";
    PawsDropsRst "paws-drops-rst" "RFC7323-5.2-2" "MUST list"
        "A reset with an old timestamp is dropped.";
    MissingTimestampAccepted "missing-timestamp-accepted" "RFC7323-3.2-3" "MUST list"
        "A segment without the negotiated timestamp is accepted.";
    SackNotSent "sack-not-sent" "RFC2018-4-2" "MUST list"
        "SACK is negotiated and never sent.";
    NoDsack "no-dsack" "RFC2883-4-1" "MUST list"
        "Duplicates are not reported.";
    DsackOfHeldMissing "dsack-of-held-missing" "RFC2883-4-1" "MUST list"
        "Octets that fill a hole and were held already are not reported as duplicates.";
    DsackBeforeTheFirst "dsack-before-the-first" "RFC2883-4-1" "cargo-mutants"
        "Numbers from before the first octet are reported as duplicates.";
    SackIgnored "sack-ignored" "RFC2018-5-1" "MUST list"
        "Received SACK blocks are not used.";
    SynEchoBelieved "syn-echo-believed" "RFC7323-3.2-7" "student catalogue"
        "A SYN whose timestamp echoes something is dropped.";
    RstWithoutTimestamps "rst-without-timestamps" "RFC7323-3.2-8" "MUST list"
        "A reset never carries timestamps.";
    TimestampTooFast "timestamp-too-fast" "RFC7323-5.4-1" "student catalogue"
        "The timestamp clock ticks every microsecond.";
    RstTimestampKept "rst-timestamp-kept" "RFC7323-5.2-3" "MUST list"
        "The timestamp of a reset that is challenged is remembered.";
    PawsOnDequeue "paws-on-dequeue" "RFC7323-5.3-4" "MUST list"
        "What waits above a hole is tested again when the hole is filled.";
    PawsNeverOutdated "paws-never-outdated" "RFC7323-5.5-1" "MUST list"
        "The last timestamp counts for ever, however long the connection was idle.";
    WindowKeptIn16Bits "window-kept-in-16-bits" "RFC9293-REC-1" "student catalogue"
        "The scaled window of the peer is kept in 16 bits.";
    WindowFieldNotShifted "window-field-not-shifted" "RFC7323-2.3-3" "student catalogue"
        "The own window goes out as it is, though the peer will scale it.";
    UserTimeoutOptionOnlyOnSyn "user-timeout-option-only-on-syn" "RFC5482-3-2" "MUST list"
        "The user timeout option is not said again after the SYN.";
    UserTimeoutOptionChangeUnsaid "user-timeout-option-change-unsaid" "RFC5482-3-3" "MUST list"
        "The peer does not hear that the user timeout has changed.";
    UserTimeoutOptionUnbounded "user-timeout-option-unbounded" "RFC5482-3-4" "MUST list"
        "The peer's user timeout is adopted whatever it is.";
    UserTimeoutOptionOverrides "user-timeout-option-overrides" "RFC5482-3.1-1" "MUST list"
        "The peer's user timeout replaces the one that the application has set.";
    UserTimeoutOptionIgnored "user-timeout-option-ignored" "RFC5482-3.1-2" "MUST list"
        "The peer's user timeout has no effect.";
    UserTimeoutOptionInSeconds "user-timeout-option-in-seconds" "RFC5482-3.3-1" "wrong numbers"
        "The bit that says minutes is not looked at.";
    UserTimeoutOptionZeroTaken "user-timeout-option-zero-taken" "RFC5482-3.4-1" "MUST list"
        "A user timeout of zero, which is reserved, ends the connection at once.";
    KeepAliveBeforeUserTimeout "keep-alive-before-user-timeout" "RFC5482-4.2-1" "MUST list"
        "Keep-alives end a connection before the user timeout that both sides have agreed on.";
}

FastOpen "Listeners under pressure, and Fast Open." {
    HalfOpenUnbounded "half-open-unbounded" "RFC9293-MUST-42" "student catalogue"
        "Half-open connections are not limited in number.";
    SynCookieUnchecked "syn-cookie-unchecked" "RFC9293-U-5" "MUST list"
        "While cookies are in use any ACK opens a connection.";
    FastOpenCookieUnchecked "fast-open-cookie-unchecked" "RFC7413-4.2.2-2" "MUST list"
        "Text on a SYN is taken whatever cookie it shows.";
    FastOpenUnasked "fast-open-unasked" "RFC7413-2-1" "MUST list"
        "Fast Open is used although the application has not asked for it.";
    FastOpenCookieForgotten "fast-open-cookie-forgotten" "RFC7413-4.1.3-1" "MUST list"
        "A client asks for a cookie each time.";
    FastOpenCookieCut "fast-open-cookie-cut" "RFC7413-4.1.1-1" "cargo-mutants"
        "Of a cookie that is longer than its own a client keeps eight octets.";
    FastOpenRefusalForgotten "fast-open-refusal-forgotten" "RFC7413-4.1.3-2" "MUST list"
        "A client tries again and again with a server that did not take its text.";
    FastOpenSynRepeated "fast-open-syn-repeated" "RFC7413-4.2.2-3" "MUST list"
        "A SYN that comes again still carries cookie and text.";
    FastOpenSynAckRepeated "fast-open-syn-ack-repeated" "RFC7413-4.2.2-4" "MUST list"
        "A SYN,ACK that comes again still carries the cookie.";
    FastOpenTextWaits "fast-open-text-waits" "RFC7413-4.2.2-5" "MUST list"
        "Text of the SYN that was not taken waits for the timer.";
    FastOpenUnbounded "fast-open-unbounded" "RFC7413-4.2-2" "MUST list"
        "There is no limit to the connections that Fast Open holds before their handshakes are done.";
}
        }
    };
}
