"""What can be done on any host: open a shell there. (Copying a row is the console's own command.)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mleconsole.api import Action, Danger, Fleet, Host, Node, Plan, Situation, Step, Subject
from mleconsole.api.tools import short_name

#: Kinds whose key begins with the name of a host.
ON_HOST = ("node", "host", "gpu")


def host_named(fleet: Fleet, name: str) -> str | None:
    """The host by its full or short name, or None."""
    names = [host.name for host in fleet.of(Host)] + [node.name for node in fleet.of(Node)]
    return next((full for full in names if name in (full, short_name(full))), None)


def shell_target(fleet: Fleet, word: str) -> Subject | None:
    found = host_named(fleet, word)
    return Subject("host", (found,)) if found is not None else None


def shell_guard(fleet: Fleet, targets: Sequence[Subject], situation: Situation) -> str | None:
    hosts = {target.key[0] for target in targets if target.key}
    if len(hosts) > 1:
        return "a shell opens on one host: unmark the others"
    for name in hosts:
        host = fleet.on(Host, name).get((name,))
        if host is not None and host.state in ("lost", "refused", "signed_out"):
            return f"{name} can't be reached: {host.reason or host.state}"
    return None


def shell_plan(fleet: Fleet, targets: Sequence[Subject], inputs: Mapping[str, Any], situation: Situation) -> Plan:
    """A local Plan whose single step has an empty argv: "a login shell on that host". Only who runs it knows the way
    there (login name, jump through the login host), builds the ssh argv of it and gives the terminal to it.

    Its danger is `loads`: what is typed there is the person's own doing and needs no question before, but a console
    that only reads must not open it."""
    hosts = list(dict.fromkeys(target.key[0] for target in targets if target.key))
    if len(hosts) != 1:
        raise ValueError("A shell opens on exactly one host.")
    return Plan(f"Shell on {hosts[0]}", (Step(hosts[0], ()),), Danger.LOADS, local=True)


ACTIONS = (
    Action(
        id="shell",
        title="Shell",
        danger=Danger.LOADS,
        kinds=ON_HOST,
        plan=shell_plan,
        guard=shell_guard,
        keys=("S",),
        help="Open your own login shell there; the console waits until it ends.",
        target=shell_target,
    ),
)
