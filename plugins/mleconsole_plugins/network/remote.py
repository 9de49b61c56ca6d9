"""Sampler of network and InfiniBand ports from /sys. Runs inside the agent: stdlib only, Python 3.6."""

import os
import re
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

ERRORS_EVERY = 10.0  # seconds: each InfiniBand counter read is a query to the adapter
#: Interfaces of containers, virtual machines and tunnels.
VIRTUAL = re.compile(
    r"(lo$|veth|docker|br-|virbr|cni|cali|flannel|cilium|lxc|lxdbr|vnet|tap|tun|tunl|gre|erspan|sit|ip6tnl|ip_vti|"
    r"vxlan|dummy|ifb|kube|nodelocaldns|ovs|vmnet|wg|bonding_masters$)"
)
UP_FLAG = 0x1
INFINIBAND = 32  # ARPHRD_INFINIBAND
ETHERNET_ERRORS = ("rx_errors", "tx_errors", "rx_dropped", "tx_dropped")
#: Those of the port counters that mean trouble; VL15_dropped, port_xmit_wait and switch relay errors do not.
INFINIBAND_ERRORS = (
    "symbol_error",
    "link_error_recovery",
    "link_downed",
    "port_rcv_errors",
    "port_rcv_remote_physical_errors",
    "port_rcv_constraint_errors",
    "port_xmit_constraint_errors",
    "port_xmit_discards",
    "local_link_integrity_errors",
    "excessive_buffer_overrun_errors",
)


class Missing(Exception):
    """What is asked for is not there; the text says why."""


def absent(reason: str) -> "Dict[str, str]":
    return {"absent": reason}


def read(path: str) -> "Any":
    """The stripped text of a file in /sys, or its absence."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError as error:
        return absent("not told by the driver" if error.errno != 13 else "permission denied")


def number(path: str, base: int = 10) -> "Any":
    value = read(path)
    if isinstance(value, dict):
        return value
    try:
        return int(value, base)
    except ValueError:
        return absent("not told by the driver")


def added(paths: "List[str]") -> "Any":
    """The sum of those counters that are there; absent when none is."""
    values = [number(path) for path in paths]
    known = [value for value in values if not isinstance(value, dict)]
    return sum(known) if known else values[0]


def listed(path: str) -> "List[str]":
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def rate(words: "Any") -> "Any":
    """10^9 bits/s out of InfiniBand's "400 Gb/sec (4X NDR)"."""
    if isinstance(words, dict):
        return words
    match = re.match(r"([0-9.]+)\s*Gb/sec", words)
    return float(match.group(1)) if match else absent("not told by the driver")


def word(state: "Any") -> "Any":
    """ "active" out of InfiniBand's "4: ACTIVE"."""
    return state if isinstance(state, dict) else state.partition(":")[2].strip().lower() or state.lower()


def interface(root: str, name: str, seen: "Any") -> "Any":
    """One network interface: (name, layer, state, rate, rx, tx, errors), or None when it is not in use."""
    base = "%s/class/net/%s/" % (root, name)
    kind = number(base + "type")
    if isinstance(kind, dict):
        return None
    flags = number(base + "flags", 16)
    up = not isinstance(flags, dict) and bool(flags & UP_FLAG)
    if not up and name not in seen and kind != INFINIBAND and not name.startswith("ib"):
        return None  # a socket nobody plugged anything into and nobody set up
    seen.add(name)
    state = read(base + "operstate")
    if state == "unknown":  # drivers that do not keep it
        state = "up" if number(base + "carrier") == 1 else "down"
    speed = number(base + "speed")
    gbps = speed / 1000.0 if not isinstance(speed, dict) and speed > 0 else absent("not told by the driver")  # type: Any
    counters = base + "statistics/"
    return [
        name,
        "infiniband" if kind == INFINIBAND else "ethernet",
        state,
        gbps,
        number(counters + "rx_bytes"),
        number(counters + "tx_bytes"),
        added([counters + error for error in ETHERNET_ERRORS]),
    ]


def infiniband(root: str, state: "Dict[str, Any]", now: float) -> "List[List[Any]]":
    """All ports of all InfiniBand (and RoCE) adapters."""
    errors = state.setdefault("errors", {})
    rows = []
    for device in listed(root + "/class/infiniband"):
        ports = listed("%s/class/infiniband/%s/ports" % (root, device))
        for port in ports:
            base = "%s/class/infiniband/%s/ports/%s/" % (root, device, port)
            counters = base + "counters/"
            name = device if ports == ["1"] else "%s:%s" % (device, port)  # as NCCL_IB_HCA wants it
            if name not in errors or now - errors[name][0] >= ERRORS_EVERY:
                errors[name] = (now, added([counters + error for error in INFINIBAND_ERRORS]))
            # Data counters are in units of four octets.
            data = [number(counters + counter) for counter in ("port_rcv_data", "port_xmit_data")]
            received, sent = [value if isinstance(value, dict) else value * 4 for value in data]
            layer = "infiniband" if read(base + "link_layer") == "InfiniBand" else "ethernet"
            gbps = rate(read(base + "rate"))
            rows.append([name, layer, word(read(base + "state")), gbps, received, sent, errors[name][1]])
    return rows


def gbps_between(before: "Any", after: "Any", seconds: float) -> "Any":
    if isinstance(before, dict) or isinstance(after, dict):
        return absent("no byte counter")
    if after < before:
        return absent("its counter began anew")
    return round((after - before) * 8 / seconds / 1e9, 3)


def sample_ports(state: "Dict[str, Any]") -> "List[List[Any]]":
    """Rows of Port."""
    root = state.get("sys", "/sys")
    now = state.get("clock", time.monotonic)()
    rows = infiniband(root, state, now)
    have_ports = bool(rows)
    seen = state.setdefault("seen", set())
    for name in listed(root + "/class/net"):
        row = None if VIRTUAL.match(name) else interface(root, name, seen)
        # IP over InfiniBand is traffic of a port that is in the list already.
        if row is not None and not (have_ports and row[1] == "infiniband"):
            rows.append(row)
    before = state.get("before", {})
    state["before"] = {row[0]: (now, row[4], row[5]) for row in rows}
    for row in rows:
        then = before.get(row[0])
        if then is None or now <= then[0]:
            row += [absent("needs two samples")] * 2
        else:
            row += [gbps_between(then[side], row[3 + side], now - then[0]) for side in (1, 2)]
    return rows


SAMPLERS = {"ports": sample_ports}
