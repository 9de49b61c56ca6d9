"""States: what Slurm calls the state of a node or a job, cut into a base word and its flags, all in lower case."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

#: One sign behind a node's state as sinfo and squeue print it.
SIGNS = {
    "*": "not_responding",
    "~": "powered_down",
    "#": "powering_up",
    "!": "power_down",
    "%": "powering_down",
    "$": "maint",
    "@": "reboot",
    "^": "reboot_issued",
    "-": "planned",
}
#: Short and joined words of sinfo -> base and flag.
JOINED = {
    "alloc": ("allocated", ()),
    "mix": ("mixed", ()),
    "resv": ("idle", ("reserved",)),
    "comp": ("idle", ("completing",)),
    "drain": ("idle", ("drain",)),
    "drained": ("idle", ("drain",)),
    "drng": ("allocated", ("drain",)),
    "draining": ("allocated", ("drain",)),
    "unk": ("unknown", ()),
    "futr": ("future", ()),
    "maint": ("idle", ("maint",)),
    "plnd": ("idle", ("planned",)),
    "planned": ("idle", ("planned",)),
    "reserved": ("idle", ("reserved",)),
    "completing": ("idle", ("completing",)),
    "fail": ("down", ("fail",)),
    "failg": ("allocated", ("fail",)),
    "failing": ("allocated", ("fail",)),
    "boot": ("idle", ("reboot_issued",)),
}
#: Flags by their other names.
SAME = {"noresp": "not_responding", "no_respond": "not_responding", "reboot_requested": "reboot"}
#: Flags of a node that is not there to be asked anything.
ABSENT_FLAGS = frozenset({"powered_down", "powering_down", "powering_up", "power_down"})

#: The codes of squeue for the states of a job.
CODES = {
    "BOOT_FAIL": "BF", "CANCELLED": "CA", "COMPLETED": "CD", "COMPLETING": "CG", "CONFIGURING": "CF",
    "DEADLINE": "DL", "FAILED": "F", "NODE_FAIL": "NF", "OUT_OF_MEMORY": "OOM", "PENDING": "PD", "PREEMPTED": "PR",
    "REQUEUED": "RQ", "REQUEUE_FED": "RF", "REQUEUE_HOLD": "RH", "RESIZING": "RS", "RESV_DEL_HOLD": "RD",
    "RUNNING": "R", "SIGNALING": "SI", "SPECIAL_EXIT": "SE", "STAGE_OUT": "SO", "STOPPED": "ST", "SUSPENDED": "S",
    "TIMEOUT": "TO",
}  # fmt: skip

_WORD = re.compile(r"^[a-z_0-9]+")

RUNNING_STATES = frozenset(
    {"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING", "CONFIGURING"}
)
PENDING_STATES = frozenset({"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD", "SPECIAL_EXIT"})


@lru_cache(maxsize=4096)
def node_state(text: str) -> tuple[str, tuple[str, ...]]:
    """`IDLE+DRAIN`, `down*`, `mixed-`, `drng` -> ("idle", ("drain",)) ... Never raises; "" is ("unknown", ())."""
    words = [word for word in text.strip().lower().split("+") if word]
    return _joined(words)


def node_state_of(words: Iterable[object]) -> tuple[str, tuple[str, ...]]:
    """The same from JSON: ["IDLE", "DRAIN"]."""
    return node_state("+".join(str(word) for word in words))


def _joined(words: list[str]) -> tuple[str, tuple[str, ...]]:
    if not words:
        return "unknown", ()
    flags: list[str] = []
    base = ""
    for word in words:
        found = _WORD.match(word)
        plain = found[0] if found else ""
        signs = [SIGNS[sign] for sign in word[len(plain) :] if sign in SIGNS]
        if not base and plain:
            base, more = JOINED.get(plain, (plain, ()))
            flags += more
        elif plain:
            flags.append(SAME.get(plain, plain))
        flags += signs
    return base or "unknown", tuple(dict.fromkeys(flags))


def state_text(state: str, flags: Iterable[str]) -> str:
    """Base and flags as one word: `idle+drain`."""
    return "+".join((state, *flags))


def is_down(state: str, flags: Iterable[str]) -> bool:
    """Nothing can run there: down, failed or not answering the controller."""
    return state in ("down", "error") or "not_responding" in flags or "fail" in flags


def is_drained(flags: Iterable[str]) -> bool:
    """No new job starts there."""
    return "drain" in flags or "undrain" in flags


def is_there(state: str, flags: Iterable[str]) -> bool:
    """A machine that exists and is powered: what is worth being connected to. Down nodes are."""
    return state != "future" and not ABSENT_FLAGS.intersection(flags)
