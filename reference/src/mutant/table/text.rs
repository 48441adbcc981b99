//! Bugs of the two directions of text, from one application to the other, and of the end of it.

macro_rules! text {
    ([$($later:ident)*] $($before:tt)*) => {
        gather! { [$($later)*] $($before)*

Receiving "Text on its way to the application, and its acknowledgment." {
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
    TextOverFinResets "text-over-fin-resets" "RFC9293-U-17" "random traffic"
        "Text that begins at the number of the peer's FIN and goes on behind it resets the connection.";
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
}

ReceiveWindow "The window that is offered." {
    WindowConstant "window-constant" "RFC9293-MAY-8" "student catalogue"
        "The advertised window never changes.";
    WindowShrinks "window-shrinks" "RFC9293-SHLD-14" "MUST list"
        "Text that waits to be read is taken off the window twice, so its right edge moves left.";
    WindowCountsHeld "window-counts-held" "RFC9293-SHLD-14" "MUST list"
        "Text held above a hole is taken off the window a second time.";
    WindowGoneAfterFin "window-gone-after-fin" "RFC9293-SHLD-14" "random traffic"
        "When the peer's FIN has come the window is zero, so its right edge moves left.";
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
}

Sending "What may be sent into the peer's window, and probes of a closed one." {
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
    SmallerWindowIgnored "smaller-window-ignored" "RFC9293-MUST-34" "Linux"
        "A window that is smaller is believed only where something new is acknowledged.";
    StaleWindowAccepted "stale-window-accepted" "RFC9293-MUST-34" "MUST list"
        "The window of an old segment overwrites a newer one.";
    NoWindowProbe "no-window-probe" "RFC9293-MUST-36" "RFC 2525 2.12"
        "A closed window is never probed.";
    PersistNoBackoff "persist-no-backoff" "RFC9293-SHLD-30" "timers"
        "Window probes come at a constant interval.";
    ProbeCarriesFin "probe-carries-fin" "RFC9293-MUST-36" "off by one"
        "A window probe of text carries the FIN that belongs behind the rest of the text.";
    ProbeForgetsFin "probe-forgets-fin" "RFC9293-MUST-36" "cargo-mutants"
        "Where only the FIN is not acknowledged, the window probe is an empty segment, which the peer need not answer.";
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
    PersistTooEarly "persist-too-early" "RFC9293-SHLD-29" "timers"
        "The first window probe comes at once.";
    PersistTooLate "persist-too-late" "RFC9293-SHLD-29" "timers"
        "The first window probe comes after the longest interval.";
    OverrideTimerNever "override-timer-never" "RFC9293-MUST-38" "timers"
        "The override timer never fires.";
    ShrinkStopsRetransmission "shrink-stops-retransmission" "RFC9293-SHLD-16" "student catalogue"
        "When the window has shrunk below what is in flight nothing is sent again.";
    HalfSegments "half-segments" "RFC9293-SHLD-28" "student catalogue"
        "Segments are half as large as they may be.";
}

Urgent "Urgent data." {
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
    UrgentModeNeverEnds "urgent-mode-never-ends" "RFC9293-MUST-33" "MUST list"
        "When all urgent data has been read the application is still told that some is left.";
    UrgentBehindFin "urgent-behind-fin" "RFC9293-U-13" "cargo-mutants"
        "Urgent data is told behind the peer's FIN, where no data can come.";
}

KeepAlive "Keep-alives." {
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
    KeepAliveNever "keep-alive-never" "RFC9293-MUST-24" "MUST list"
        "Keep-alives cannot be turned on.";
    KeepAliveIdleIgnored "keep-alive-idle-ignored" "RFC9293-MUST-27" "MUST list"
        "The idle time that the application sets has no effect.";
    KeepAliveWithGarbage "keep-alive-with-garbage" "RFC9293-SHLD-12" "MUST list"
        "A keep-alive carries an octet.";
    KeepAliveInTimeWait "keep-alive-in-time-wait" "RFC9293-MUST-13" "cargo-mutants"
        "Keep-alives go on in TIME-WAIT; when nobody answers them the connection is gone too early.";
}

Closing "CLOSE, ABORT and TIME-WAIT." {
    CloseLosesUnsentData "close-loses-unsent-data" "RFC9293-U-9" "student catalogue"
        "What was written but not sent is lost when the application closes.";
    FinMovesWhenResent "fin-moves-when-resent" "RFC9293-U-20" "student catalogue"
        "A FIN that is sent again takes a number of its own.";
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
    TimeWaitNotReused "time-wait-not-reused" "RFC9293-SHLD-4" "MUST list"
        "No SYN opens a new connection out of TIME-WAIT, however clearly it is new.";
}
        }
    };
}
