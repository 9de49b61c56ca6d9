"""Stacks: where every rank of a job is in its Python code, equal stacks as one."""

from mleconsole.api import Plugin
from mleconsole_plugins.stacks.actions import STACKS

plugin = Plugin(id="stacks", title="Python stacks", actions=(STACKS,), proven={"py-spy dump": "live"})
