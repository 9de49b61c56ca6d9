"""NVIDIA GPUs by NVML: every GPU live, its facts and error counters, and what is wrong with it."""

from mleconsole.api import Plugin
from mleconsole_plugins.nvidia.panes import PANES
from mleconsole_plugins.nvidia.probes import KEEPS, PROBES
from mleconsole_plugins.nvidia.rules import RULES

plugin = Plugin(
    id="nvidia",
    title="NVIDIA GPUs by NVML",
    probes=PROBES,
    keeps=KEEPS,
    rules=RULES,
    panes=PANES,
    remote="mleconsole_plugins.nvidia.remote",
    modules=("pynvml",),
    proven={"NVML by the real pynvml over a stand-in library": "live", "NVML on a real GPU": "none"},
)
