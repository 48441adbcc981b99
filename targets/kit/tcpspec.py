"""The Python side of tcpspec: the wire without privilege, the control protocol, and the pattern of streams.

Copy this file beside your program. It needs nothing but Python's standard library (3.8 or newer).

    wire = tcpspec.Wire()              # packets: wire.recv() -> bytes, wire.send(bytes); has fileno() for select
    control = tcpspec.Control()        # commands: control.lines() -> [Command], control.ok(..), control.event(..)
"""

import os
import socket
import sys


def octet(offset):
    """Octet `offset` of every stream, counted from 0."""
    return (offset % 251 + 7 * (offset // 251)) % 256


def octets(offset, count):
    """`count` octets of the pattern from `offset` on."""
    return bytes(octet(i) for i in range(offset, offset + count))


def mismatch(offset, data):
    """The stream offset of the first octet of `data` that is not the pattern's, or None."""
    for i, seen in enumerate(data):
        if seen != octet(offset + i):
            return offset + i
    return None


class Tun:
    """A TUN device with the methods of a socket."""

    def __init__(self, device):
        import fcntl
        import struct

        self.fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.fd, 0x400454CA, struct.pack("16sH14x", device.encode(), 0x0001 | 0x1000))  # IFF_TUN, no PI

    def fileno(self):
        return self.fd

    def setblocking(self, blocking):
        os.set_blocking(self.fd, blocking)

    def recv(self, size):
        return os.read(self.fd, size)

    def send(self, packet):
        os.write(self.fd, packet)


class Wire:
    """IP packets to and from the harness: over the descriptor in TCPSPEC_FD, datagrams to TCPSPEC_UDP, or a TUN."""

    def __init__(self):
        if "TCPSPEC_FD" in os.environ:
            self.socket = socket.socket(fileno=int(os.environ["TCPSPEC_FD"]))
        elif "TCPSPEC_UDP" in os.environ:
            host, port = os.environ["TCPSPEC_UDP"].rsplit(":", 1)
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.connect((host, int(port)))
            self.socket.send(b"")  # says where we are
        elif os.environ.get("TCPSPEC_LINK") == "tun":
            self.socket = Tun(os.environ["TCPSPEC_DEVICE"])
        else:
            sys.exit("none of TCPSPEC_FD, TCPSPEC_UDP and a TUN device is set: start me by `tcpspec run -t MANIFEST`")
        self.socket.setblocking(False)

    def fileno(self):
        return self.socket.fileno()

    def recv(self):
        """The next packet, or None where there is none. Ends the program with the wire."""
        try:
            packet = self.socket.recv(65536)
        except BlockingIOError:
            return None
        if not packet and "TCPSPEC_FD" in os.environ:
            sys.exit(0)
        return packet

    def send(self, packet):
        try:
            self.socket.send(packet)
        except BlockingIOError:
            pass  # lost, as on a full queue


class Command:
    def __init__(self, number, word, arguments):
        self.number, self.word, self.arguments = number, word, arguments

    def int(self, index):
        return int(self.arguments[index])


class Control:
    """The control protocol on stdin and stdout. What is meant for people goes to stderr."""

    def __init__(self):
        os.set_blocking(0, False)
        self.rest = b""

    def fileno(self):
        return 0

    def commands(self):
        """The commands that have come. Ends the program with its stdin."""
        try:
            data = os.read(0, 65536)
        except BlockingIOError:
            return []
        if not data:
            sys.exit(0)
        *lines, self.rest = (self.rest + data).split(b"\n")
        words = [line.decode().split() for line in lines if line.strip()]
        return [Command(int(line[0]), line[1], line[2:]) for line in words]

    def say(self, *words):
        sys.stdout.write(" ".join(str(word) for word in words) + "\n")
        sys.stdout.flush()

    def ok(self, command, *words):
        self.say(command.number, "ok", *words)

    def mismatch(self, command, offset):
        self.say(command.number, "mismatch", offset)

    def unsupported(self, command):
        self.say(command.number, "unsupported")

    def error(self, command, why):
        self.say(command.number, "error", why)

    def accepted(self, conn, address, port):
        self.say("*", "accepted", conn, address, port)

    def event(self, word, conn):
        """connected, refused, reset, timed-out, eof, closed, urgent"""
        self.say("*", word, conn)
