"""Hosts: their own load, how they stand, what we cost them, and a shell on them."""

from mleconsole.api import Plugin
from mleconsole_plugins.host.actions import ACTIONS
from mleconsole_plugins.host.panes import PANES
from mleconsole_plugins.host.probes import KEEPS, PROBES
from mleconsole_plugins.host.rules import RULES

plugin = Plugin(
    id="host",
    title="Hosts: load, reach, and what we cost",
    probes=PROBES,
    keeps=KEEPS,
    rules=RULES,
    panes=PANES,
    actions=ACTIONS,
    remote="mleconsole_plugins.host.remote",
    proven={"load and memory": "live"},
)
