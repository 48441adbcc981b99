//! Bugs of single segments: what is accepted, what goes out, and what carries them.

macro_rules! segments {
    ([$($later:ident)*] $($before:tt)*) => {
        gather! { [$($later)*] $($before)*

Acceptance "Sequence numbers, acknowledgments, and which segments are acceptable." {
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
    OneAckForEachCheck "one-ack-for-each-check" "RFC5681-4.2-6" "MUST list"
        "A segment that fails two checks draws two ACKs.";
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
}

Resets "Resets, and what RFC 5961 has to say of a SYN or an ACK that may be forged." {
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
    SynDataTaken "syn-data-taken" "RFC5961-4.2-2" "student catalogue"
        "The text of a SYN inside the window is taken.";
    OldestAckByNewestWindow "oldest-ack-by-newest-window" "RFC5961-5.2-2" "MUST list"
        "How old an ACK may be follows the newest window of the peer instead of the largest.";
}

Reading "Segments that come in, as packets and octets." {
    ReservedBitsRejected "reserved-bits-rejected" "RFC9293-U-1" "TCP-Fuzz (gVisor)"
        "A segment with a reserved bit set is dropped.";
    UnknownOptionRejected "unknown-option-rejected" "RFC9293-MUST-6" "MUST list"
        "A segment with an unknown option is dropped.";
    OptionsUnalignedIgnored "options-unaligned-ignored" "RFC9293-MUST-64" "MUST list"
        "Options that do not begin at a multiple of four are not seen.";
    OptionsRejected "options-rejected" "RFC9293-MUST-5" "MUST list"
        "A segment that carries any option is thrown away.";
    OptionEndIgnored "option-end-ignored" "RFC9293-MUST-4" "cargo-mutants"
        "The end of the option list is read as padding, and what stands behind it as options.";
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
}

Emitting "Wrong numbers in the segments that go out." {
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
    RstPortsNotSwapped "rst-ports-not-swapped" "RFC9293-U-4" "student catalogue"
        "The reset for a segment of no connection goes out with the ports as they came.";
    WindowScaleLengthWrong "window-scale-length-wrong" "RFC7323-2.2-1" "wrong numbers"
        "The window scale option counts an octet of padding in its length.";
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
}

BelowTcp "What lies below TCP." {
    FragmentsInOrderOnly "fragments-in-order-only" "RFC9293-U-17" "student catalogue"
        "Fragments are put together in the order in which they come, whatever their offsets say.";
    SourceQuenchSent "source-quench-sent" "RFC6633-3-2" "MUST list"
        "Text that finds the window closed is answered with a Source Quench.";
    ExtensionHeadersRefused "extension-headers-refused" "RFC9293-MUST-50" "student catalogue"
        "An IPv6 packet with extension headers is dropped.";
}
        }
    };
}
