from mleconsole.api import Plugin

plugin = Plugin(id="processes", title="processes")
