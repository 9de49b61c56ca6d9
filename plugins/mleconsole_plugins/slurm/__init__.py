from mleconsole.api import Plugin

plugin = Plugin(id="slurm", title="slurm")
