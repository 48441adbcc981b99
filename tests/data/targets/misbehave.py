"""An echo server on the student's TCP, over a TAP or a descriptor, that goes wrong as its argument says.

    misbehave.py MODE [DEVICE]

`ok` does not. What a mode does it does when more than one octet of data comes, so that the smoke check passes.
"""

import fcntl
import os
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "targets", "examples", "student"))
import stack  # noqa: E402
import tcpspec  # noqa: E402

MODE = sys.argv[1]
MAC = bytes([2, 0, 0, 0, 0, 2])
ADDRESS = stack.packed(stack.ADDRESS)


class Tap:
    """A TAP device with the methods of a socket: Ethernet off and on, ARP answered."""

    def __init__(self, device):
        self.fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.fd, 0x400454CA, struct.pack("16sH14x", device.encode(), 0x0002 | 0x1000))
        self.peer = b"\xff" * 6

    def fileno(self):
        return self.fd

    def setblocking(self, blocking):
        os.set_blocking(self.fd, blocking)

    def recv(self, size):
        frame = os.read(self.fd, size)
        kind = frame[12:14]
        if kind == b"\x08\x06" and frame[38:42] == ADDRESS and MODE != "no-arp":
            answer = frame[6:12] + MAC + frame[12:20] + b"\0\2" + MAC + ADDRESS + frame[22:32]
            os.write(self.fd, answer.ljust(60, b"\0"))
        if kind != b"\x08\x00":
            return b""
        self.peer = frame[6:12]
        return frame[14:]

    def send(self, packet):
        os.write(self.fd, (self.peer + MAC + b"\x08\x00" + packet).ljust(60, b"\0"))


class Wire(tcpspec.Wire):
    def __init__(self):
        if os.environ["TCPSPEC_LINK"] == "tap":
            self.socket = Tap(sys.argv[2] if len(sys.argv) > 2 else os.environ["TCPSPEC_DEVICE"])
            self.socket.setblocking(False)
        else:
            super().__init__()

    def send(self, packet):
        if MODE == "garbage" and isinstance(self.socket, Tap):
            for frame in (os.urandom(60), os.urandom(9000), self.socket.peer + MAC + b"\x08\x00" + b"\x45" * 60000):
                try:
                    os.write(self.socket.fd, frame)
                except OSError:
                    pass  # what the device does not take
        super().send(packet)


class Stack(stack.Stack):
    def packet(self, packet):
        if len(packet) > 60:
            self.misbehave()
        super().packet(packet)

    def misbehave(self):
        if MODE == "crash":
            print("about to abort", file=sys.stderr, flush=True)
            os.abort()
        elif MODE == "hang":
            time.sleep(1000)
        elif MODE == "leave":
            open(os.path.join(sys.argv[3], "gone"), "w").close()  # what runs beside it sees that
            time.sleep(1000)
        elif MODE == "close-device":
            os.close(self.wire.socket.fd)
            time.sleep(1000)
        elif MODE == "flood":
            for port in range(1_000_000):
                self.emit(bytes([10, 0, 0, 77]), 7, port % 60000, port, 0, stack.ACK)


def spin():
    while True:
        pass


def shout():
    for _ in range(1024):
        sys.stdout.write("x" * (1 << 20))
        sys.stdout.flush()


if __name__ == "__main__":
    tcpspec.Wire = Wire
    for mode, work in (("spin", spin), ("shout", shout)):
        if MODE == mode:
            threading.Thread(target=work, daemon=True).start()
    Stack("echo").run()
