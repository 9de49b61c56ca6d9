"""Processes: who holds which GPU, and GPU memory that no live job holds."""

from mleconsole.api import Plugin
from mleconsole_plugins.processes.derive import DERIVES, ORPHAN_KEEPS, GpuOrphan
from mleconsole_plugins.processes.panes import PANES
from mleconsole_plugins.processes.probes import KEEPS, PROBES
from mleconsole_plugins.processes.rules import RULES

plugin = Plugin(
    id="processes",
    title="Processes: who holds which GPU",
    probes=PROBES,
    kinds=(GpuOrphan,),
    keeps=(*KEEPS, *ORPHAN_KEEPS),
    derives=DERIVES,
    rules=RULES,
    panes=PANES,
    remote="mleconsole_plugins.processes.remote",
    modules=("pynvml",),
    proven={"processes of jobs": "live", "processes on GPUs, by a stand-in NVML": "live"},
)
