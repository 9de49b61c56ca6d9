"""Slurm: the queue, the nodes and partitions, the hosts to ask and the way to them, and what can be done to jobs."""

from mleconsole.api import Plugin
from mleconsole_plugins.slurm import details, jobs, nodes
from mleconsole_plugins.slurm.actions import CANCEL, SHOW
from mleconsole_plugins.slurm.derive import DERIVE
from mleconsole_plugins.slurm.discovery import DISCOVERY
from mleconsole_plugins.slurm.kinds import SlurmAccess, SlurmClock, SlurmStep
from mleconsole_plugins.slurm.probes import PROBES
from mleconsole_plugins.slurm.reach import REACH
from mleconsole_plugins.slurm.rules import RULES

plugin = Plugin(
    id="slurm",
    title="Slurm",
    probes=PROBES,
    kinds=(SlurmClock, SlurmAccess, SlurmStep),
    discoveries=(DISCOVERY,),
    reaches=(REACH,),
    derives=(DERIVE,),
    rules=RULES,
    panes=(jobs.PANE, nodes.PANE, nodes.PARTITIONS_PANE, details.JOB_PANE, details.NODE_PANE),
    actions=(CANCEL, SHOW),
    proven={
        "queue, nodes, partitions, steps": "live",
        "cancel": "live",
        "srun --overlap": "live",
        "cloud nodes": "none",
        "federations": "none",
    },
)
