"""Delays and loses frames of one host's interface, where the kernel has no netem.

delay.py PORT BRIDGE DELAY_MS LOSS_PERCENT JITTER_MS runs in the switch's namespace: it takes PORT off its BRIDGE, puts
a veth pair in between and copies the frames itself, late or not at all. SIGTERM puts everything back.
"""

import heapq
import random
import select
import signal
import socket
import subprocess
import sys
import time

OFFLOADS = ["tx", "off", "tso", "off", "gso", "off", "gro", "off"]  # a copied frame must be whole, checksum and all


def ip(*argv: str, check: bool = True) -> None:
    """Run one ip command."""
    subprocess.run(["ip", *argv], check=check, timeout=10, capture_output=True)


def frames(interface: str) -> socket.socket:
    """A socket that reads and writes whole frames of an interface."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    raw.bind((interface, 0))
    raw.setblocking(False)
    return raw


def forward(ends: "dict[socket.socket, socket.socket]", delay: float, loss: float, jitter: float) -> None:
    """Copy between the two ends until a signal ends the process."""
    waiting: list[tuple[float, int, socket.socket, bytes]] = []
    count = 0
    while True:
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for source in select.select(list(ends), [], [], pause)[0]:
            while True:
                try:
                    frame, address = source.recvfrom(65600)
                except BlockingIOError:
                    break
                if address[2] == socket.PACKET_OUTGOING or random.random() * 100 < loss:
                    continue
                count += 1
                due = time.monotonic() + delay + random.random() * jitter
                heapq.heappush(waiting, (due, count, ends[source], frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, target, frame = heapq.heappop(waiting)
            try:
                target.send(frame)
            except OSError:
                pass


def main() -> None:
    """Insert the forwarder, forward, and undo on the way out."""
    port, bridge = sys.argv[1:3]
    delay, loss, jitter = float(sys.argv[3]) / 1000, float(sys.argv[4]), float(sys.argv[5]) / 1000
    near, far = f"d-{port}"[:14] + "a", f"d-{port}"[:14] + "b"

    def stop(*_: object) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        ip("link", "add", near, "type", "veth", "peer", "name", far)
        for name, more in ((port, ["nomaster"]), (near, ["master", bridge]), (far, [])):
            ip("link", "set", name, *more, "up", *([] if name == near else ["promisc", "on"]))
            subprocess.run(["ethtool", "-K", name, *OFFLOADS], timeout=10, capture_output=True)
        port_end, far_end = frames(port), frames(far)
        print("forwarding", flush=True)
        forward({port_end: far_end, far_end: port_end}, delay, loss, jitter)
    finally:
        ip("link", "del", near, check=False)
        ip("link", "set", port, "master", bridge, "promisc", "off", check=False)


if __name__ == "__main__":
    main()
