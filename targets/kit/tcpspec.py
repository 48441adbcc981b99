"""The Python side of tcpspec: the wire without privilege, the control protocol, and the pattern of streams.

Copy this file beside your program. It needs nothing but Python's standard library (3.8 or newer).

    wire = tcpspec.Wire()              # packets: wire.recv() -> bytes, wire.send(bytes); has fileno() for select
    control = tcpspec.Control()        # commands: control.lines() -> [Command], control.ok(..), control.event(..)
"""

import os
import socket
import struct
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


class Device:
    """A TUN (packets) or TAP (frames) device with the methods of a socket."""

    def __init__(self, device, kind):
        import fcntl

        flags = (0x0002 if kind == "tap" else 0x0001) | 0x1000  # IFF_TAP or IFF_TUN, without a header of its own
        self.fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.fd, 0x400454CA, struct.pack("16sH14x", device.encode(), flags))  # TUNSETIFF

    def fileno(self):
        return self.fd

    def setblocking(self, blocking):
        os.set_blocking(self.fd, blocking)

    def recv(self, size):
        return os.read(self.fd, size)

    def send(self, packet):
        os.write(self.fd, packet)


def make_room(sock):
    """For the packets of a burst, as much as the system gives: what finds no room is lost, and its sender hears nothing."""
    room = 4 << 20
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    try:
        sock.setsockopt(socket.SOL_SOCKET, 33, room)  # SO_RCVBUFFORCE of Linux, for the privileged
    except OSError:
        pass


def packet_socket(device):
    """The frames of a device, without those that this program sends itself."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
    sock.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING
    sock.bind((device, 0))
    make_room(sock)
    return sock


class Ethernet:
    """Takes IPv4 packets out of frames and puts them into frames, and answers ARP."""

    MAC = bytes([0x02, 0, 0, 0, 0, 0x02])

    def __init__(self, lower):
        self.lower, self.peer = lower, b"\xff" * 6
        self.address = socket.inet_aton(os.environ["TCPSPEC_IPV4"].split("/")[0])

    def fileno(self):
        return self.lower.fileno()

    def setblocking(self, blocking):
        self.lower.setblocking(blocking)

    def recv(self, size):
        while True:
            frame = self.lower.recv(size)
            kind, inner = frame[12:14], frame[14:]
            if kind == b"\x08\x00":
                self.peer = frame[6:12]
                return inner
            if kind == b"\x08\x06" and inner[6:8] == b"\x00\x01" and inner[24:28] == self.address:
                self.peer = inner[8:14]
                answer = inner[:6] + b"\x00\x02" + self.MAC + self.address + inner[8:18]
                self.lower.send(self.peer + self.MAC + kind + answer)

    def send(self, packet):
        self.lower.send(self.peer + self.MAC + b"\x08\x00" + packet)


def opened():
    """What the harness has made for this program."""
    if "TCPSPEC_FD" in os.environ:
        return socket.socket(fileno=int(os.environ["TCPSPEC_FD"]))
    if "TCPSPEC_UDP" in os.environ:
        host, port = os.environ["TCPSPEC_UDP"].rsplit(":", 1)
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        make_room(sock)
        sock.connect((host, int(port)))
        sock.send(b"")  # says where we are
        return sock
    kind, device = os.environ.get("TCPSPEC_LINK"), os.environ.get("TCPSPEC_DEVICE")
    if kind == "tun":
        return Device(device, kind)
    if kind == "tap":
        return Ethernet(Device(device, kind))
    if kind == "veth":
        return Ethernet(packet_socket(device))
    sys.exit("none of TCPSPEC_FD, TCPSPEC_UDP and TCPSPEC_DEVICE is set: start me by `tcpspec run -t MANIFEST`")


class Wire:
    """IP packets to and from the harness, whatever the link is; IPv4 only, where it has frames."""

    def __init__(self):
        self.socket = opened()
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
