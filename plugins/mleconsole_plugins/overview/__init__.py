from mleconsole.api import Plugin

plugin = Plugin(id="overview", title="overview")
