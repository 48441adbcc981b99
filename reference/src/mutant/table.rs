//! The table of all mutants: variant, name, the requirement that it breaks, where such a bug was seen, and what it
//! does wrong. One list, because it is also the enum; it is as long as there are bugs.

mutants! {
    // Handshake
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
    // Options
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
    SackIgnored "sack-ignored" "RFC2018-5-1" "MUST list"
        "Received SACK blocks are not used.";
    // Sequence numbers and acceptance
    SequenceUnchecked "sequence-unchecked" "RFC9293-U-6" "student catalogue"
        "No segment is ever outside the window.";
    SequenceCheckStartOnly "sequence-check-start-only" "RFC9293-U-17" "student catalogue"
        "A segment that begins below the window is refused even if it reaches into it.";
    SequenceCheckOffByOne "sequence-check-off-by-one" "RFC9293-U-6" "student catalogue"
        "The octet before the window counts as inside it.";
    SequenceComparedUnwrapped "sequence-compared-unwrapped" "RFC9293-U-2" "student catalogue"
        "Sequence numbers are compared as plain integers, so the check fails at the wrap.";
    UnacceptableSilent "unacceptable-silent" "RFC9293-U-6" "student catalogue"
        "An unacceptable segment draws no ACK.";
    UnacceptableAnsweredWithRst "unacceptable-answered-with-rst" "RFC9293-U-7" "student catalogue"
        "An unacceptable segment draws a reset.";
    ZeroWindowDropsAll "zero-window-drops-all" "RFC9293-MUST-66" "RFC 2525 2.12"
        "With a closed window even ACK and URG of a segment at RCV.NXT are not looked at.";
    MissingAckAccepted "missing-ack-accepted" "RFC9293-U-18" "student catalogue"
        "A segment without the ACK bit is processed.";
    FutureAckAccepted "future-ack-accepted" "RFC9293-U-6" "student catalogue"
        "An ACK of what was not sent yet is taken as an ACK of everything.";
    FutureAckDataTaken "future-ack-data-taken" "RFC9293-U-6" "TCP-Fuzz (TLDK)"
        "The text of a segment with an ACK of what was not sent yet is taken.";
    FutureAckSilent "future-ack-silent" "RFC9293-U-6" "student catalogue"
        "An ACK of what was not sent yet draws no answer.";
    AncientAckAccepted "ancient-ack-accepted" "RFC5961-5.2-1" "TCP-Fuzz (FreeBSD)"
        "Text with an acknowledgment from far in the past is accepted.";
    BadChecksumAccepted "bad-checksum-accepted" "RFC9293-MUST-3" "student catalogue"
        "The checksum of what arrives is not verified.";
    ChecksumOddLengthWrong "checksum-odd-length-wrong" "RFC9293-MUST-2" "student catalogue"
        "The checksum of a segment with an odd length pads on the wrong side.";
    ChecksumZeroOnRst "checksum-zero-on-rst" "RFC9293-MUST-2" "wrong numbers"
        "Resets go out with no checksum.";
    // Resets
    ClosedPortSilent "closed-port-silent" "RFC9293-U-4" "student catalogue"
        "A closed port does not answer.";
    RstAnsweredWithRst "rst-answered-with-rst" "RFC9293-U-4" "student catalogue"
        "A closed port answers a reset with a reset.";
    RstFromClosedPortWithoutAck "rst-from-closed-port-without-ack" "RFC9293-U-4" "student catalogue"
        "The reset that answers a SYN for a closed port does not acknowledge it.";
    RstFromClosedPortWrongSeq "rst-from-closed-port-wrong-seq" "RFC9293-U-4" "wrong numbers"
        "The reset that answers an ACK has sequence number zero.";
    RstFromClosedPortAlwaysAck "rst-from-closed-port-always-ack" "RFC9293-U-4" "wrong numbers"
        "The reset that answers an ACK has the ACK bit set.";
    RstAckIgnoresLength "rst-ack-ignores-length" "RFC9293-U-4" "wrong numbers"
        "The reset for a segment without ACK acknowledges its first octet instead of its end.";
    RstAckCountsSynOnly "rst-ack-counts-syn-only" "RFC9293-U-4" "wrong numbers"
        "The reset for a segment without ACK acknowledges one octet, whatever its length.";
    RstWithoutSeqCheck "rst-without-seq-check" "RFC9293-U-8" "student catalogue"
        "Any reset for the four-tuple ends the connection.";
    RstInWindowAccepted "rst-in-window-accepted" "RFC5961-3.2-2" "TCP-Fuzz (TLDK)"
        "A reset anywhere in the window ends the connection.";
    RstInWindowSilentlyDropped "rst-in-window-silently-dropped" "RFC5961-3.2-3" "MUST list"
        "A reset in the window but not at RCV.NXT draws no challenge ACK.";
    RstExactChallenged "rst-exact-challenged" "RFC5961-3.2-2" "state diagram"
        "Even a reset exactly at RCV.NXT is only challenged.";
    RstIgnored "rst-ignored" "RFC9293-U-8" "state diagram"
        "A reset is ignored, whatever its number.";
    RstWithDataIgnored "rst-with-data-ignored" "RFC9293-SHLD-2" "MUST list"
        "A reset that carries text is ignored.";
    ResetInCloseWaitIgnored "reset-in-close-wait-ignored" "RFC9293-U-8" "state diagram"
        "A reset in CLOSE-WAIT is ignored.";
    NoChallengeAck "no-challenge-ack" "RFC5961-4.2-1" "MUST list"
        "No challenge ACK is ever sent.";
    ChallengeAcksUnlimited "challenge-acks-unlimited" "RFC5961-7-1" "MUST list"
        "Challenge ACKs are not limited in rate.";
    ErrorsNotReported "errors-not-reported" "RFC9293-MUST-12" "MUST list"
        "The application is not told that the connection was reset.";
    AbortSendsNoRst "abort-sends-no-rst" "RFC9293-U-7" "state diagram"
        "ABORT forgets the connection without a word to the peer.";
    AbortRstWrongSeq "abort-rst-wrong-seq" "RFC9293-U-8" "wrong numbers"
        "The reset of an ABORT is numbered SND.UNA instead of SND.NXT.";
    // Receiving
    AckBeyondOoo "ack-beyond-ooo" "RFC9293-SHLD-31" "student catalogue"
        "The cumulative ACK jumps over a hole to the end of what is held.";
    AckCountsSegments "ack-counts-segments" "RFC9293-U-17" "student catalogue"
        "RCV.NXT grows by one for each segment instead of by its length.";
    AckOffByOne "ack-off-by-one" "RFC9293-U-17" "wrong numbers"
        "The acknowledgment number is one too small.";
    AckOfPureAck "ack-of-pure-ack" "RFC9293-U-6" "student catalogue"
        "A pure ACK is acknowledged, which starts a storm.";
    AckNever "ack-never" "RFC9293-MUST-40" "timers"
        "In-order text is never acknowledged by itself.";
    AckEverySegment "ack-every-segment" "RFC9293-SHLD-18" "MUST list"
        "Every in-order segment is acknowledged at once.";
    NoDelayedAck "no-delayed-ack" "RFC9293-SHLD-18" "MUST list"
        "A single segment is acknowledged without any delay.";
    DelayedAckTooLong "delayed-ack-too-long" "RFC9293-MUST-40" "timers"
        "An acknowledgement may wait for 0.7 seconds.";
    DelayedAckTimerNotStopped "delayed-ack-timer-not-stopped" "RFC9293-MUST-58" "timers"
        "The delayed ACK goes out although another segment has acknowledged already.";
    StretchAck "stretch-ack" "RFC9293-SHLD-19" "RFC 2525 2.13"
        "Only every eighth segment is acknowledged.";
    DuplicateAckDelayed "duplicate-ack-delayed" "RFC5681-4.2-4" "student catalogue"
        "The ACK for a segment above a hole is delayed.";
    NoDuplicateAck "no-duplicate-ack" "RFC5681-4.2-4" "student catalogue"
        "A segment above a hole draws no ACK.";
    HoleFillAckDelayed "hole-fill-ack-delayed" "RFC5681-4.2-5" "MUST list"
        "The ACK for a segment that fills a hole is delayed.";
    OutOfOrderDropped "out-of-order-dropped" "RFC9293-SHLD-31" "RFC 2525 2.5"
        "Text above a hole is thrown away.";
    HoleIgnored "hole-ignored" "RFC9293-U-17" "student catalogue"
        "Text above a hole is delivered as if it were in order.";
    DataRedelivered "data-redelivered" "RFC9293-U-17" "student catalogue"
        "Octets that were delivered before are delivered again.";
    DataAfterFinAccepted "data-after-fin-accepted" "RFC9293-U-17" "TCP-Fuzz (FreeBSD)"
        "Text beyond the peer's FIN is delivered.";
    BeyondWindowAccepted "beyond-window-accepted" "RFC9293-U-17" "student catalogue"
        "Text beyond the right edge of the window is taken.";
    FinBeforeHoleProcessed "fin-before-hole-processed" "RFC9293-SHLD-31" "student catalogue"
        "A FIN above a hole ends the stream at once.";
    FinNotCounted "fin-not-counted" "RFC9293-U-4" "student catalogue"
        "The peer's FIN is not counted, so its ACK does not cover it.";
    FinNotAcked "fin-not-acked" "RFC9293-U-4" "student catalogue"
        "The peer's FIN is not acknowledged.";
    FinAckDelayed "fin-ack-delayed" "RFC9293-MUST-58" "student catalogue"
        "The ACK of a FIN waits for 0.45 seconds.";
    EofNotTold "eof-not-told" "RFC9293-MUST-12" "MUST list"
        "The application is not told that the peer has closed.";
    HalfCloseDropsInbound "half-close-drops-inbound" "RFC9293-U-10" "student catalogue"
        "After a half-close arriving text is dropped.";
    LateTextNotReset "late-text-not-reset" "RFC9293-SHLD-3" "RFC 2525 2.16"
        "Text for an application that has closed is acknowledged and thrown away.";
    CloseWithUnreadSendsFin "close-with-unread-sends-fin" "RFC9293-SHLD-3" "RFC 2525 2.17"
        "Closing with unread text sends a FIN instead of a reset.";
    // Receive window
    WindowConstant "window-constant" "RFC9293-MAY-8" "student catalogue"
        "The advertised window never changes.";
    WindowShrinks "window-shrinks" "RFC9293-SHLD-14" "MUST list"
        "The right edge of the window moves left.";
    WindowCountsHeld "window-counts-held" "RFC9293-SHLD-14" "MUST list"
        "Text held above a hole is taken off the window a second time.";
    WindowNeverReopens "window-never-reopens" "RFC9293-MUST-39" "student catalogue"
        "A window that has closed stays closed.";
    UpdateForEveryRead "update-for-every-read" "RFC9293-SHLD-18" "silly window"
        "Each segment that is read draws a window update, although the window is wide open.";
    HalfBufferStaysClosed "half-buffer-stays-closed" "RFC9293-MUST-39" "silly window"
        "A window opens by whole segments only, also where the buffer has no room for one.";
    WindowUpdateNeverSent "window-update-never-sent" "RFC9293-MUST-39" "student catalogue"
        "Reading does not send a window update.";
    ReceiverSillyWindow "receiver-silly-window" "RFC9293-MUST-39" "MUST list"
        "Every octet that is read is advertised at once.";
    EdgeRoundedDown "edge-rounded-down" "RFC9293-SHLD-14" "network simulator"
        "A window that is no multiple of the unit of its scale is rounded down, so its right edge goes back.";
    // Sending and the peer's window
    WindowIgnored "window-ignored" "RFC9293-MUST-38" "student catalogue"
        "The peer's window is not looked at.";
    ZeroWindowIgnored "zero-window-ignored" "RFC9293-MUST-36" "student catalogue"
        "A closed window does not stop the sender.";
    WindowOffByOne "window-off-by-one" "RFC9293-MUST-38" "student catalogue"
        "One octet more than the window is sent.";
    WindowNotReducedByFlight "window-not-reduced-by-flight" "RFC9293-MUST-38" "student catalogue"
        "The window is taken anew for each segment, as if nothing were in flight.";
    WindowSigned "window-signed" "RFC9293-MUST-1" "MUST list"
        "The top bit of the window field is lost.";
    WindowUpdateIgnored "window-update-ignored" "RFC9293-MUST-36" "student catalogue"
        "A segment that only opens the window is ignored.";
    StaleWindowAccepted "stale-window-accepted" "RFC9293-MUST-34" "MUST list"
        "The window of an old segment overwrites a newer one.";
    NoWindowProbe "no-window-probe" "RFC9293-MUST-36" "RFC 2525 2.12"
        "A closed window is never probed.";
    PersistNoBackoff "persist-no-backoff" "RFC9293-SHLD-30" "timers"
        "Window probes come at a constant interval.";
    ProbeCarriesFin "probe-carries-fin" "RFC9293-MUST-36" "off by one"
        "A window probe of text carries the FIN that belongs behind the rest of the text.";
    PersistGivesUp "persist-gives-up" "RFC9293-MUST-37" "MUST list"
        "A window that stays closed for R2 ends the connection although probes are answered.";
    NoNagle "no-nagle" "RFC9293-SHLD-7" "MUST list"
        "Small segments are sent whatever is in flight.";
    NoDelayIgnored "no-delay-ignored" "RFC9293-MUST-17" "MUST list"
        "Nagle's algorithm cannot be turned off.";
    NagleDeadlock "nagle-deadlock" "RFC9293-MUST-38" "MUST list"
        "With a window below the segment size the sender waits for ever.";
    NagleHoldsLastBeforeFin "nagle-holds-last-before-fin" "RFC9293-U-9" "RFC 2525 2.15"
        "The last small segment before a FIN waits for an acknowledgement.";
    SenderSillyWindow "sender-silly-window" "RFC9293-MUST-38" "MUST list"
        "Whatever small window opens is filled at once.";
    IdleWriteWaits "idle-write-waits" "RFC9293-SHLD-7" "off by one"
        "A small write waits for the override timer although nothing is on its way.";
    HalfWindowWaits "half-window-waits" "RFC9293-MUST-38" "MUST list"
        "Half of the largest window is not used before the override timer.";
    PushNeverSet "push-never-set" "RFC9293-MUST-61" "TCP-Fuzz (TLDK)"
        "No segment ever carries PSH.";
    // Urgent data
    UrgentNotSent "urgent-not-sent" "RFC9293-MUST-30" "TCP-Fuzz (TLDK)"
        "Urgent data is sent as ordinary data.";
    UrgentIgnored "urgent-ignored" "RFC9293-MUST-32" "MUST list"
        "The application is not told of urgent data.";
    UrgentPointsAtLastOctet "urgent-points-at-last-octet" "RFC9293-MUST-62" "MUST list"
        "The urgent pointer names the last urgent octet instead of the one after it.";
    UrgentRepeated "urgent-repeated" "RFC9293-MUST-32" "MUST list"
        "Each segment with URG signals again, though the mark has not moved.";
    UrgentWithoutFlag "urgent-without-flag" "RFC9293-U-13" "MUST list"
        "The urgent pointer is believed without the URG bit.";
    // Retransmission
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
    // Congestion
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
    SackBelievedUnasked "sack-believed-unasked" "RFC6582-3.2-4" "options"
        "SACK blocks are believed although SACK was not agreed on.";
    NoRescue "no-rescue" "RFC6675-4-4" "MUST list"
        "In recovery a lost tail is never sent again while nothing above it is reported.";
    FastRetransmitTooEarly "fast-retransmit-too-early" "RFC5681-3.2-1" "student catalogue"
        "One duplicate ACK is enough for a retransmission.";
    FastRetransmitTooLate "fast-retransmit-too-late" "RFC5681-3.2-1" "student catalogue"
        "Six duplicate ACKs are needed for a retransmission.";
    FastRetransmitNever "fast-retransmit-never" "RFC5681-3.2-1" "student catalogue"
        "Duplicate ACKs mean nothing.";
    FastRetransmitAfterTimeout "fast-retransmit-after-timeout" "RFC6582-3.2-2" "MUST list"
        "Duplicates of what a timeout has sent again start another fast retransmit.";
    AnyAckIsDuplicate "any-ack-is-duplicate" "RFC5681-3.2-7" "student catalogue"
        "An ACK that moves the window or carries text counts as a duplicate.";
    RenoWithoutPartialAck "reno-without-partial-ack" "RFC6582-3.2-4" "MUST list"
        "A partial acknowledgement ends recovery, so each further loss needs three duplicates of its own.";
    HandshakeOpensCwnd "handshake-opens-cwnd" "RFC5681-3.1-3" "network simulator"
        "The ACK of the SYN opens the congestion window, by the one number that a SYN takes.";
    TimeoutKeepsSsthresh "timeout-keeps-ssthresh" "RFC5681-3.1-8" "cargo-mutants"
        "A time-out leaves ssthresh as it was, so slow start goes on to where the loss was, and beyond.";
    // Keep-alive
    KeepAliveOnByDefault "keep-alive-on-by-default" "RFC9293-MUST-25" "MUST list"
        "Keep-alives are on without having been asked for.";
    KeepAliveDefaultTooShort "keep-alive-default-too-short" "RFC9293-MUST-28" "RFC 2525 2.11"
        "A connection counts as idle after one minute.";
    KeepAliveWhileBusy "keep-alive-while-busy" "RFC9293-MUST-26" "MUST list"
        "Keep-alives are sent although there was traffic.";
    KeepAliveOneLossFatal "keep-alive-one-loss-fatal" "RFC9293-MUST-29" "RFC 2525 2.9"
        "One unanswered keep-alive ends the connection.";
    KeepAliveIntervalTooShort "keep-alive-interval-too-short" "RFC9293-MUST-29" "RFC 2525 2.9"
        "Unanswered keep-alives follow each other ten times too fast.";
    KeepAliveAnswerIgnored "keep-alive-answer-ignored" "RFC9293-MUST-29" "timers"
        "Answers to keep-alives do not count.";
    KeepAliveWrongSeq "keep-alive-wrong-seq" "RFC9293-SHLD-12" "wrong numbers"
        "A keep-alive is numbered SND.NXT, so the peer need not answer.";
    // Closing
    CloseLosesUnsentData "close-loses-unsent-data" "RFC9293-U-9" "student catalogue"
        "What was written but not sent is lost when the application closes.";
    FinNeverSent "fin-never-sent" "RFC9293-U-9" "state diagram"
        "Closing sends no FIN.";
    FinWaitsForAck "fin-waits-for-ack" "RFC9293-U-9" "RFC 2525 2.15"
        "The FIN waits until all data is acknowledged.";
    FinIgnoresWindow "fin-ignores-window" "RFC9293-MUST-38" "student catalogue"
        "The FIN is sent beyond the right edge of the window.";
    FinWait1Stuck "fin-wait1-stuck" "RFC9293-U-10" "state diagram"
        "The ACK of our FIN does not lead to FIN-WAIT-2.";
    FinWait1ToClosed "fin-wait1-to-closed" "RFC9293-MUST-13" "state diagram"
        "The ACK of our FIN ends the connection.";
    FinWait1ToTimeWait "fin-wait1-to-time-wait" "RFC9293-U-10" "state diagram"
        "The ACK of our FIN leads to TIME-WAIT without a FIN from the peer.";
    FinWait2ToClosed "fin-wait2-to-closed" "RFC9293-MUST-13" "state diagram"
        "The peer's FIN in FIN-WAIT-2 ends the connection.";
    FinWait2IgnoresFin "fin-wait2-ignores-fin" "RFC9293-MUST-13" "state diagram"
        "The peer's FIN in FIN-WAIT-2 is acknowledged and changes nothing.";
    NoClosingState "no-closing-state" "RFC9293-MUST-13" "state diagram"
        "A FIN in FIN-WAIT-1 leads to TIME-WAIT although ours is not acknowledged.";
    SimultaneousCloseToLastAck "simultaneous-close-to-last-ack" "RFC9293-MUST-13" "state diagram"
        "A FIN in FIN-WAIT-1 leads to LAST-ACK.";
    ClosingToClosed "closing-to-closed" "RFC9293-MUST-13" "state diagram"
        "The ACK of our FIN in CLOSING ends the connection.";
    ClosingStuck "closing-stuck" "RFC9293-MUST-13" "state diagram"
        "The ACK of our FIN in CLOSING changes nothing.";
    CloseWaitToFinWait1 "close-wait-to-fin-wait1" "RFC9293-U-9" "state diagram"
        "CLOSE in CLOSE-WAIT leads to FIN-WAIT-1.";
    LastAckStuck "last-ack-stuck" "RFC9293-U-9" "state diagram"
        "The ACK of our FIN in LAST-ACK changes nothing.";
    LastAckToTimeWait "last-ack-to-time-wait" "RFC9293-MUST-13" "state diagram"
        "The side that closes second lingers in TIME-WAIT.";
    FinClosesBothSides "fin-closes-both-sides" "RFC9293-U-10" "state diagram"
        "The peer's FIN closes our side too, without a FIN of ours.";
    EstablishedToFinWait1OnFin "established-to-fin-wait1-on-fin" "RFC9293-U-10" "state diagram"
        "The peer's FIN in ESTABLISHED leads to FIN-WAIT-1.";
    TimeWaitSkipped "time-wait-skipped" "RFC9293-MUST-13" "student catalogue"
        "There is no TIME-WAIT.";
    TimeWaitTooShort "time-wait-too-short" "RFC9293-MUST-13" "timers"
        "TIME-WAIT lasts one MSL instead of two.";
    TimeWaitForever "time-wait-forever" "RFC9293-U-21" "timers"
        "TIME-WAIT never ends.";
    TimeWaitFinNotAcked "time-wait-fin-not-acked" "RFC9293-MUST-13" "MUST list"
        "In TIME-WAIT a FIN that comes again draws no ACK.";
    TimeWaitNotRestarted "time-wait-not-restarted" "RFC9293-MUST-13" "timers"
        "In TIME-WAIT a FIN that comes again does not restart the wait.";
    TimeWaitReuseUnchecked "time-wait-reuse-unchecked" "RFC9293-MAY-2" "MUST list"
        "Any SYN opens a new connection out of TIME-WAIT.";
    // ICMP and path MTU
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
    PathMtuCutsWindow "path-mtu-cuts-window" "RFC9293-MUST-19" "MUST list"
        "A message that a packet was too big is taken for congestion.";
    // ECN
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
    // RACK-TLP
    RackNoReorderingWindow "rack-no-reordering-window" "RFC8985-3.3.2-1" "MUST list"
        "The reordering window is always zero, so every reordering looks like a loss.";
    NoTailProbe "no-tail-probe" "RFC8985-7.2-1" "MUST list"
        "A lost tail waits for the retransmission timer.";
    TailProbeHidesLoss "tail-probe-hides-loss" "RFC8985-7.4.2-1" "MUST list"
        "A loss that the probe has repaired does not reduce the window.";
    // Listeners under pressure, Fast Open
    HalfOpenUnbounded "half-open-unbounded" "RFC9293-MUST-42" "student catalogue"
        "Half-open connections are not limited in number.";
    SynCookieUnchecked "syn-cookie-unchecked" "RFC9293-U-5" "MUST list"
        "While cookies are in use any ACK opens a connection.";
    FastOpenCookieUnchecked "fast-open-cookie-unchecked" "RFC7413-4.2.2-2" "MUST list"
        "Text on a SYN is taken whatever cookie it shows.";
    // Wrong numbers on the wire
    SynAckSeqWrong "syn-ack-seq-wrong" "RFC9293-U-4" "wrong numbers"
        "The SYN,ACK is numbered ISS+1.";
    DataSeqOffByOne "data-seq-off-by-one" "RFC9293-U-2" "wrong numbers"
        "Text is numbered one too high, as if the SYN counted twice.";
    FinSeqWrong "fin-seq-wrong" "RFC9293-U-9" "wrong numbers"
        "A FIN without text is numbered one too high.";
    PureAckSeqWrong "pure-ack-seq-wrong" "RFC9293-U-6" "wrong numbers"
        "A pure ACK is numbered SND.NXT-1.";
    AckZeroOnData "ack-zero-on-data" "RFC9293-U-18" "wrong numbers"
        "Segments with text carry an acknowledgment number of zero.";
    AckFieldHostOrder "ack-field-host-order" "RFC9293-U-2" "student catalogue"
        "The acknowledgment number goes out in the order of a little-endian host.";
    WindowHostOrder "window-host-order" "RFC9293-MUST-1" "student catalogue"
        "The window goes out in the order of a little-endian host.";
    WindowZeroOnSynAck "window-zero-on-syn-ack" "RFC9293-MUST-36" "wrong numbers"
        "The SYN,ACK advertises a closed window.";
    SynWithAck "syn-with-ack" "RFC9293-U-18" "wrong numbers"
        "The first SYN carries the ACK bit.";
    SynAckWithoutAck "syn-ack-without-ack" "RFC9293-U-4" "wrong numbers"
        "The SYN,ACK lacks the ACK bit.";
    DataWithoutAck "data-without-ack" "RFC9293-U-18" "wrong numbers"
        "Segments with text lack the ACK bit.";
    FinWithoutAck "fin-without-ack" "RFC9293-U-18" "student catalogue"
        "The FIN lacks the ACK bit.";
    PushOnPureAck "push-on-pure-ack" "RFC9293-MUST-61" "wrong numbers"
        "A segment without text carries PSH.";
    UrgentAlwaysSet "urgent-always-set" "RFC9293-U-13" "wrong numbers"
        "Every segment with text carries URG.";
    SynFlagOnFirstData "syn-flag-on-first-data" "RFC9293-U-18" "wrong numbers"
        "Segments with text carry SYN.";
    MssOnEverySegment "mss-on-every-segment" "RFC9293-MUST-65" "MUST list"
        "Segments without SYN carry the MSS option.";
    MssHostOrder "mss-host-order" "RFC9293-MUST-14" "student catalogue"
        "The MSS goes out in the order of a little-endian host.";
    MssIsMtu "mss-is-mtu" "RFC9293-MUST-67" "MUST list"
        "The announced MSS is the MTU, headers included.";
    MssLessOptions "mss-less-options" "RFC9293-MUST-67" "MUST list"
        "The announced MSS has options taken off it, which is the sender's business.";
    WindowScaleOnEverySegment "window-scale-on-every-segment" "RFC7323-2.2-1" "MUST list"
        "Segments without SYN carry the window scale option.";
    SackPermittedOnEverySegment "sack-permitted-on-every-segment" "RFC2018-2-1" "MUST list"
        "Segments without SYN carry SACK-permitted.";
    TimestampsSwapped "timestamps-swapped" "RFC7323-4.3-4" "wrong numbers"
        "TSval and TSecr change places.";
    TimestampOnlyOnSyn "timestamp-only-on-syn" "RFC7323-3.2-2" "MUST list"
        "Timestamps are negotiated and then missing.";
    SackBlockReversed "sack-block-reversed" "RFC2018-3-1" "wrong numbers"
        "The edges of a SACK block change places.";
    SackBlockEndsEarly "sack-block-ends-early" "RFC2018-3-1" "wrong numbers"
        "A SACK block ends one octet early.";
    SackBlockOrderOldest "sack-block-order-oldest" "RFC2018-4-4" "MUST list"
        "The latest segment is reported in the last SACK block.";
    HopLimitIgnored "hop-limit-ignored" "RFC9293-MUST-49" "MUST list"
        "The configured TTL has no effect.";
    DscpIgnored "dscp-ignored" "RFC9293-MUST-48" "MUST list"
        "The Diffserv field that the application sets has no effect.";
    ChecksumWithoutPseudoHeader "checksum-without-pseudo-header" "RFC9293-MUST-2" "student catalogue"
        "The checksum leaves out the pseudo-header.";
    ChecksumWithoutOptions "checksum-without-options" "RFC9293-MUST-2" "student catalogue"
        "The checksum leaves out the options.";
    ChecksumOnlyHeader "checksum-only-header" "RFC9293-MUST-2" "student catalogue"
        "The checksum leaves out the text.";
    ReservedBitsSet "reserved-bits-set" "RFC9293-U-1" "MUST list"
        "The reserved bits of the header are set.";
    // Reading packets
    ReservedBitsRejected "reserved-bits-rejected" "RFC9293-U-1" "TCP-Fuzz (gVisor)"
        "A segment with a reserved bit set is dropped.";
    UnknownOptionRejected "unknown-option-rejected" "RFC9293-MUST-6" "MUST list"
        "A segment with an unknown option is dropped.";
    OptionsUnalignedIgnored "options-unaligned-ignored" "RFC9293-MUST-64" "MUST list"
        "Options that do not begin at a multiple of four are not seen.";
    OptionsRejected "options-rejected" "RFC9293-MUST-5" "MUST list"
        "A segment that carries any option is thrown away.";
    OptionLengthFatal "option-length-fatal" "RFC9293-MUST-7" "TCP-Fuzz (TLDK)"
        "A known option of a wrong length makes the whole segment vanish.";
    OptionLengthUnchecked "option-length-unchecked" "RFC9293-MUST-7" "TCP-Fuzz (TLDK)"
        "An illegal option length makes the whole segment vanish, data included.";
    IpVersionUnchecked "ip-version-unchecked" "RFC9293-MUST-50" "TCP-Fuzz (TLDK)"
        "A packet of IP version 3 is taken for version 4.";
    BroadcastSynAnswered "broadcast-syn-answered" "RFC9293-MUST-57" "MUST list"
        "A SYN to a broadcast or multicast address is answered.";
    InvalidSourceAnswered "invalid-source-answered" "RFC9293-MUST-63" "MUST list"
        "A SYN from a multicast or broadcast address is answered.";
    DemuxByPortOnly "demux-by-port-only" "RFC9293-U-6" "student catalogue"
        "Segments find their connection by the ports alone.";
    SynDuplicateRestarts "syn-duplicate-restarts" "RFC9293-U-6" "student catalogue"
        "A second SYN in SYN-RECEIVED makes a second connection with another ISS.";
    AcceptBeforeAck "accept-before-ack" "RFC9293-U-5" "student catalogue"
        "The application is given a connection before the handshake is complete.";
    ConnectToMulticast "connect-to-multicast" "RFC9293-MUST-46" "MUST list"
        "An active OPEN to a multicast address is let through.";
    ThirdAckTimestampRejected "third-ack-timestamp-rejected" "RFC7323-3.2-5" "TCP-Fuzz (FreeBSD)"
        "Without timestamps negotiated, an ACK that carries one is dropped.";
    ZeroTimestampRejected "zero-timestamp-rejected" "RFC7323-5.2-4" "TCP-Fuzz (TLDK)"
        "A timestamp of zero is treated as none.";
    WrongEchoResets "wrong-echo-resets" "RFC7323-3.2-7" "TCP-Fuzz (Linux)"
        "An ACK in SYN-RECEIVED that echoes another timestamp is answered with a reset.";
    SynAckEchoRejected "syn-ack-echo-rejected" "RFC7323-3.2-4" "TCP-Fuzz (Linux)"
        "A SYN,ACK that echoes another timestamp than ours is ignored.";
    MissingMssStopsSending "missing-mss-stops-sending" "RFC9293-MUST-15" "TCP-Fuzz (TLDK)"
        "Without an MSS option from the peer next to nothing is sent in a segment.";
    LargeReadCorrupts "large-read-corrupts" "RFC9293-U-17" "TCP-Fuzz (mTCP)"
        "A read of more than 2041 octets returns wrong ones.";
    SameStartHeldDropped "same-start-held-dropped" "RFC9293-U-17" "TCP-Fuzz (F-Stack)"
        "Of two segments above a hole that begin alike only the first is kept, even if the second is longer.";
    // More of the sender
    DataBeforeEstablished "data-before-established" "RFC9293-U-5" "student catalogue"
        "Text goes out in SYN-RECEIVED.";
    SampleFromRetransmission "sample-from-retransmission" "RFC6298-3-1" "student catalogue"
        "The round trip of a segment that was sent twice is measured.";
    KeepAliveNever "keep-alive-never" "RFC9293-MUST-24" "MUST list"
        "Keep-alives cannot be turned on.";
    KeepAliveIdleIgnored "keep-alive-idle-ignored" "RFC9293-MUST-27" "MUST list"
        "The idle time that the application sets has no effect.";
    PersistTooEarly "persist-too-early" "RFC9293-SHLD-29" "timers"
        "The first window probe comes at once.";
    PersistTooLate "persist-too-late" "RFC9293-SHLD-29" "timers"
        "The first window probe comes after the longest interval.";
    OverrideTimerNever "override-timer-never" "RFC9293-MUST-38" "timers"
        "The override timer never fires.";
    R1NotReported "r1-not-reported" "RFC9293-SHLD-9" "MUST list"
        "The application is not told of R1.";
    SoftErrorsNotSilenced "soft-errors-not-silenced" "RFC9293-SHLD-20" "MUST list"
        "Reports of soft errors cannot be turned off.";
    EphemeralPortFixed "ephemeral-port-fixed" "RFC9293-MUST-44" "student catalogue"
        "Every active OPEN begins with the same port.";
    // More of the options
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
    // More of resets, closing and TIME-WAIT
    SynDataTaken "syn-data-taken" "RFC5961-4.2-2" "student catalogue"
        "The text of a SYN inside the window is taken.";
    OldestAckByNewestWindow "oldest-ack-by-newest-window" "RFC5961-5.2-2" "MUST list"
        "How old an ACK may be follows the newest window of the peer instead of the largest.";
    TimeWaitNotReused "time-wait-not-reused" "RFC9293-SHLD-4" "MUST list"
        "No SYN opens a new connection out of TIME-WAIT, however clearly it is new.";
    // More of the sender
    ShrinkStopsRetransmission "shrink-stops-retransmission" "RFC9293-SHLD-16" "student catalogue"
        "When the window has shrunk below what is in flight nothing is sent again.";
    HalfSegments "half-segments" "RFC9293-SHLD-28" "student catalogue"
        "Segments are half as large as they may be.";
    SampleFromAnyAck "sample-from-any-ack" "RFC7323-4.1-2" "student catalogue"
        "Every timestamp that comes back is a sample, even if nothing new is acknowledged.";
    RttWeightsWrong "rtt-weights-wrong" "RFC6298-2.3b" "student catalogue"
        "Each sample counts for half of the variation instead of a quarter.";
    RttMeasuredOnce "rtt-measured-once" "RFC6298-3-2" "student catalogue"
        "The round trip is measured once and never again.";
    PathMtuKeepsOctets "path-mtu-keeps-octets" "RFC5681-3.1-10" "MUST list"
        "When the path takes smaller segments as many octets go out at once as before.";
    PartialAckNoDeflation "partial-ack-no-deflation" "RFC6582-3.2-5" "MUST list"
        "A partial acknowledgement leaves the window inflated.";
    LimitedTransmitWithoutSack "limited-transmit-without-sack" "RFC3042-2-3" "MUST list"
        "With SACK a duplicate ACK without a block lets a new segment out.";
    KeepAliveWithGarbage "keep-alive-with-garbage" "RFC9293-SHLD-12" "MUST list"
        "A keep-alive carries an octet.";
    EcnEct1 "ecn-ect-1" "RFC3168-6.1.2-1" "wrong numbers"
        "Text is marked with ECT(1).";
    EcnEchoesAnything "ecn-echoes-anything" "RFC3168-6.1.5-2" "MUST list"
        "A CE mark counts on a segment outside the window too.";
    EcnEchoEnlarges "ecn-echo-enlarges" "RFC3168-6.1.2-4" "MUST list"
        "An echo leaves two segments, even if the window was one.";
    RackWithoutSack "rack-without-sack" "RFC8985-4-1" "MUST list"
        "A tail is probed for on a connection without SACK.";
    RackNoReorderingTimer "rack-no-reordering-timer" "RFC8985-6.2-2" "MUST list"
        "What was overtaken is looked at with the next ACK only.";
    RackReorderingUnbounded "rack-reordering-unbounded" "RFC8985-3.3.2-3" "MUST list"
        "The reordering window is ten round trips.";
    RackIgnoresRetransmissions "rack-ignores-retransmissions" "RFC8985-6.2-1" "MUST list"
        "A retransmission that is lost is found by the timer only.";
    RackIgnoresDsack "rack-ignores-dsack" "RFC8985-3.3.2-2" "MUST list"
        "A reported duplicate does not widen the reordering window.";
    LostAllAtOnce "lost-all-at-once" "RFC8985-9.3-1" "student catalogue"
        "All that is marked as lost goes out at once.";
    TailProbeRepeated "tail-probe-repeated" "RFC8985-7.3-1" "MUST list"
        "A probe that is not answered is sent again.";
    TailProbeRepeatsOnly "tail-probe-repeats-only" "RFC8985-7.3-2" "MUST list"
        "The probe for a lost tail is a repetition where new data could be sent.";
    TailProbeInRecovery "tail-probe-in-recovery" "RFC8985-7.2-2" "MUST list"
        "A tail is probed for while a hole is known.";
    // More of Fast Open
    FastOpenUnasked "fast-open-unasked" "RFC7413-2-1" "MUST list"
        "Fast Open is used although the application has not asked for it.";
    FastOpenCookieForgotten "fast-open-cookie-forgotten" "RFC7413-4.1.3-1" "MUST list"
        "A client asks for a cookie each time.";
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
    // Below TCP
    FragmentsInOrderOnly "fragments-in-order-only" "RFC9293-U-17" "student catalogue"
        "Fragments are put together in the order in which they come, whatever their offsets say.";
    SourceQuenchSent "source-quench-sent" "RFC6633-3-2" "MUST list"
        "Text that finds the window closed is answered with a Source Quench.";
    ExtensionHeadersRefused "extension-headers-refused" "RFC9293-MUST-50" "student catalogue"
        "An IPv6 packet with extension headers is dropped.";
}
