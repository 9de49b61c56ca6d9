from mleconsole.api import Plugin

plugin = Plugin(id="host", title="host")
