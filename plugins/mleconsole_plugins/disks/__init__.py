from mleconsole.api import Plugin

plugin = Plugin(id="disks", title="disks")
