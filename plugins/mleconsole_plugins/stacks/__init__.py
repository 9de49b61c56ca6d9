from mleconsole.api import Plugin

plugin = Plugin(id="stacks", title="stacks")
