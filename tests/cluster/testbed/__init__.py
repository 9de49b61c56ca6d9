"""A real training cluster on one machine, for tests: Slurm, sshd and stand-in GPUs in network-namespace hosts."""

from testbed.cluster import PASSPHRASE, Cluster, down
from testbed.host import Process
from testbed.polling import WaitTimeout, wait_until
from testbed.shell import TestbedError

__all__ = ["PASSPHRASE", "Cluster", "Process", "TestbedError", "WaitTimeout", "down", "wait_until"]
