"""Overview: the whole cluster on one page, and all alerts."""

from mleconsole.api import Plugin
from mleconsole_plugins.overview.panes import PANES

plugin = Plugin(id="overview", title="Overview and alerts", panes=PANES, proven={"overview": "live"})
