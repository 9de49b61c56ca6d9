from mleconsole.api import Plugin

plugin = Plugin(id="nvidia", title="nvidia")
