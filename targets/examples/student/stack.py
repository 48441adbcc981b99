"""A TCP as a student might hand it in: it works with a browser, and it is wrong in a dozen ways. See README.md."""

import os
import select
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "kit"))
import tcpspec  # noqa: E402

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MSS, WINDOW, RTO, RETRIES = 1460, 65535, 1.0, 4
ADDRESS = os.environ.get("TCPSPEC_IPV4", "10.0.0.2/24").split("/")[0]


def packed(address):
    return bytes(int(part) for part in address.split("."))


def dotted(octets):
    return ".".join(str(octet) for octet in octets)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Conn:
    def __init__(self, stack, handle, peer, peer_port, port, state):
        self.stack, self.handle, self.state = stack, handle, state
        self.peer, self.peer_port, self.port = peer, peer_port, port
        self.iss = 1000  # bug 1: every connection starts at the same number
        self.snd_una, self.snd_nxt, self.snd_wnd = self.iss, self.iss, 0
        self.rcv_nxt = 0
        self.mss = MSS  # bug 2: the peer's MSS option is not read
        self.unsent, self.written = b"", 0
        self.unacked = []  # (seq, flags, data)
        self.timer, self.tries = None, 0
        self.inbox, self.read, self.eof = b"", 0, False
        self.reading = None
        self.fin_wanted = False

    # -- sending ------------------------------------------------------------------------------------------------

    def emit(self, flags, seq=None, data=b"", options=b""):
        self.stack.emit(self.peer, self.port, self.peer_port, seq if seq is not None else self.snd_nxt,
                        self.rcv_nxt if flags & ACK else 0, flags, data, options)

    def queue(self, flags, data=b"", options=b""):
        self.emit(flags, data=data, options=options)
        self.unacked.append((self.snd_nxt, flags, data))
        self.snd_nxt = (self.snd_nxt + len(data) + (1 if flags & (SYN | FIN) else 0)) & 0xFFFFFFFF
        if self.timer is None:
            self.timer = time.monotonic() + RTO

    def push(self):
        while self.unsent:
            room = self.snd_wnd - (self.snd_nxt - self.snd_una)
            if room <= 0:
                return  # bug 3: a closed window is never probed
            chunk, self.unsent = self.unsent[:min(self.mss, room)], self.unsent[min(self.mss, room):]
            self.queue(ACK | PSH, chunk)
        if self.fin_wanted and self.state in ("ESTABLISHED", "CLOSE-WAIT"):
            self.state = "FIN-WAIT-1" if self.state == "ESTABLISHED" else "LAST-ACK"
            self.queue(FIN | ACK)

    def tick(self, now):
        if self.timer is None or now < self.timer:
            return
        if not self.unacked:
            self.timer = None
            return
        self.tries += 1
        if self.tries > RETRIES:
            self.gone("timed-out")
            return
        seq, flags, data = self.unacked[0]
        self.emit(flags, seq=seq, data=data)  # bug 4: a SYN goes again without its options
        self.timer = now + RTO  # bug 5: no back-off

    # -- receiving ----------------------------------------------------------------------------------------------

    def segment(self, seq, ack, flags, window, data):
        if flags & RST:
            self.gone("refused" if self.state == "SYN-SENT" else "reset")  # bug 6: the number of a RST is not looked at
            return
        if self.state == "SYN-SENT":
            if flags & SYN and flags & ACK and ack == self.snd_nxt:
                self.rcv_nxt, self.snd_una, self.snd_wnd = (seq + 1) & 0xFFFFFFFF, ack, window
                self.unacked, self.timer, self.state = [], None, "ESTABLISHED"
                self.emit(ACK)
                self.stack.control.event("connected", self.handle)
            return  # bug 7: no simultaneous open, and a bad SYN-ACK is not reset
        if flags & SYN:
            return  # bug 8: a SYN on a connection is ignored
        if not flags & ACK:
            return
        if seq != self.rcv_nxt:
            if self.state != "SYN-RECEIVED":
                self.emit(ACK)
            return  # bug 9: what is out of order is thrown away, and so is new data behind old
        self.acknowledge(ack, window)
        if self.state == "CLOSED":
            return
        if data and self.state in ("ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2"):
            self.inbox += data  # bug 10: the window is offered for ever, whatever is unread
            self.rcv_nxt = (self.rcv_nxt + len(data)) & 0xFFFFFFFF
            self.emit(ACK)
        if flags & FIN:
            self.fin()
        self.push()
        self.serve()

    def acknowledge(self, ack, window):
        # bug 11: what was never sent can be acknowledged
        self.snd_una, self.snd_wnd = ack, window
        before = len(self.unacked)
        size = lambda flags, data: len(data) + (1 if flags & (SYN | FIN) else 0)
        self.unacked = [(s, f, d) for s, f, d in self.unacked if (s + size(f, d) - ack) & 0xFFFFFFFF < 0x80000000
                        and (s + size(f, d)) & 0xFFFFFFFF != ack]
        if len(self.unacked) < before:
            self.tries, self.timer = 0, (time.monotonic() + RTO if self.unacked else None)
        if self.state == "SYN-RECEIVED":
            self.state = "ESTABLISHED"
            self.stack.control.accepted(self.handle, dotted(self.peer), self.peer_port)
        if self.unacked:
            return
        if self.state == "FIN-WAIT-1":
            self.state = "FIN-WAIT-2"
        elif self.state in ("LAST-ACK", "CLOSING"):
            self.gone("closed")  # bug 12: CLOSING does not go through TIME-WAIT

    def fin(self):
        self.rcv_nxt = (self.rcv_nxt + 1) & 0xFFFFFFFF
        self.emit(ACK)
        self.eof = True
        self.stack.control.event("eof", self.handle)
        if self.state == "ESTABLISHED":
            self.state = "CLOSE-WAIT"
        elif self.state == "FIN-WAIT-1":
            self.state = "CLOSING"
        elif self.state == "FIN-WAIT-2":
            self.gone("closed")  # bug 13: no TIME-WAIT at all

    def serve(self):
        """Answers a `recv` that waits, when enough has come."""
        if self.reading is None:
            return
        command, count = self.reading
        if len(self.inbox) < count and not self.eof:
            return
        data, self.inbox = self.inbox[:count], self.inbox[count:]
        wrong = tcpspec.mismatch(self.read, data)
        self.read += len(data)
        self.reading = None
        if wrong is not None:
            self.stack.control.mismatch(command, wrong)
        else:
            self.stack.control.ok(command, len(data), *(["eof"] if len(data) < count else []))

    def gone(self, event):
        self.state, self.timer = "CLOSED", None
        self.stack.forget(self)
        self.stack.control.event(event, self.handle)


class Stack:
    def __init__(self):
        self.wire, self.control = tcpspec.Wire(), tcpspec.Control()
        self.reset()

    def reset(self):
        self.conns, self.handles, self.listening, self.next_port = {}, {}, set(), 49152

    def forget(self, conn):
        self.conns.pop((conn.peer, conn.peer_port, conn.port), None)

    def emit(self, peer, port, peer_port, seq, ack, flags, data=b"", options=b""):
        offset = (20 + len(options)) // 4
        header = struct.pack("!HHIIBBHHH", port, peer_port, seq & 0xFFFFFFFF, ack, offset << 4, flags, WINDOW, 0, 0)
        segment = header + options + data
        pseudo = packed(ADDRESS) + peer + struct.pack("!BBH", 0, 6, len(segment))
        segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, 6, 0, packed(ADDRESS), peer)
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        self.wire.send(ip + segment)

    def packet(self, packet):
        if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != 6 or packet[16:20] != packed(ADDRESS):
            return
        head = (packet[0] & 15) * 4
        peer, segment = packet[12:16], packet[head:struct.unpack("!H", packet[2:4])[0]]
        if len(segment) < 20:
            return
        # bug 14: the checksum is not looked at
        peer_port, port, seq, ack, offset, flags, window = struct.unpack("!HHIIBBH", segment[:16])
        data = segment[(offset >> 4) * 4:]
        conn = self.conns.get((peer, peer_port, port))
        if conn:
            conn.segment(seq, ack, flags, window, data)
        elif flags & SYN and not flags & ACK and port in self.listening:
            conn = self.open(peer, peer_port, port, "SYN-RECEIVED")
            conn.rcv_nxt, conn.snd_wnd = (seq + 1) & 0xFFFFFFFF, window
            conn.queue(SYN | ACK, options=struct.pack("!BBH", 2, 4, MSS))
        elif not flags & RST:
            # bug 15: always RST-ACK, also for a segment with an ACK, and data is not counted
            self.emit(peer, port, peer_port, 0, (seq + 1) & 0xFFFFFFFF, RST | ACK)

    def open(self, peer, peer_port, port, state):
        handle = len(self.handles) + 1
        conn = Conn(self, handle, peer, peer_port, port, state)
        self.conns[(peer, peer_port, port)] = self.handles[handle] = conn
        return conn

    def command(self, command):
        word, control = command.word, self.control
        conn = self.handles.get(command.int(0)) if word in ("send", "recv", "shutdown", "close") else None
        if word in ("send", "recv", "shutdown", "close") and (conn is None):
            control.error(command, "no such connection")
        elif word == "hello":
            control.ok(command)
        elif word == "reset":
            self.reset()
            control.ok(command)
        elif word == "listen":
            self.listening.add(command.int(0))
            control.ok(command)
        elif word == "unlisten":
            self.listening.discard(command.int(0))
            control.ok(command)
        elif word == "connect":
            conn = self.open(packed(command.arguments[0]), command.int(1), self.next_port, "SYN-SENT")
            self.next_port += 1
            conn.queue(SYN, options=struct.pack("!BBH", 2, 4, MSS))
            control.ok(command, conn.handle)
        elif word == "send":
            if conn.state not in ("ESTABLISHED", "CLOSE-WAIT") or conn.fin_wanted:
                return control.error(command, "connection closing")
            conn.unsent += tcpspec.octets(conn.written, command.int(1))
            conn.written += command.int(1)
            control.ok(command)
            conn.push()
        elif word == "recv":
            if conn.state == "CLOSED" and not conn.inbox:
                return control.error(command, "no connection")
            conn.reading = (command, command.int(1))
            conn.serve()
        elif word in ("shutdown", "close"):
            conn.fin_wanted = True
            control.ok(command)
            conn.push()
        else:
            control.unsupported(command)

    def run(self):
        while True:
            timers = [conn.timer for conn in self.conns.values() if conn.timer is not None]
            wait = max(0, min(timers) - time.monotonic()) if timers else None
            select.select([self.wire, self.control], [], [], wait)
            commands = self.control.commands()
            while packet := self.wire.recv():  # what was sent before a command comes before it
                self.packet(packet)
            for command in commands:
                self.command(command)
            for conn in list(self.conns.values()):
                conn.tick(time.monotonic())


if __name__ == "__main__":
    Stack().run()
