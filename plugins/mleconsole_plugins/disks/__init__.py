"""Disks: mounted file systems in bytes and inodes, runway, and mounts that do not answer."""

from mleconsole.api import Plugin
from mleconsole_plugins.disks.panes import PANES
from mleconsole_plugins.disks.probes import KEEPS, PROBES
from mleconsole_plugins.disks.rules import RULES

plugin = Plugin(
    id="disks",
    title="Disks: mounted file systems, in bytes and inodes",
    probes=PROBES,
    keeps=KEEPS,
    rules=RULES,
    panes=PANES,
    remote="mleconsole_plugins.disks.remote",
    proven={"mounts": "live", "hung mount": "live", "Lustre and other cluster file systems": "none"},
)
