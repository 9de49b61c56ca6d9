"""A real training cluster on one machine, for tests: Slurm, sshd and stand-in GPUs in network-namespace hosts."""

from .cluster import PASSPHRASE, Cluster, down
from .host import Process
from .polling import WaitTimeout, wait_until
from .shell import TestbedError

__all__ = ["PASSPHRASE", "Cluster", "Process", "TestbedError", "WaitTimeout", "down", "wait_until"]
