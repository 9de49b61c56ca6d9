from mleconsole.api import Plugin

plugin = Plugin(id="network", title="network")
