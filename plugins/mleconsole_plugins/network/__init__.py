"""Network: Ethernet and InfiniBand ports, their rate, traffic and errors."""

from mleconsole.api import Keep, Plugin, Port
from mleconsole_plugins.network.panes import PANES
from mleconsole_plugins.network.probes import KEEPS, PROBES
from mleconsole_plugins.network.rules import RULES

plugin = Plugin(
    id="network",
    title="Network: Ethernet and InfiniBand ports",
    probes=PROBES,
    keeps=tuple(dict.fromkeys((*KEEPS, Keep(Port, "errors")))),
    rules=RULES,
    panes=PANES,
    remote="mleconsole_plugins.network.remote",
    proven={"Ethernet ports": "live", "InfiniBand ports": "none"},
)
