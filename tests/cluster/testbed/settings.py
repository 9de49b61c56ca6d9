"""The texts of a cluster's configuration files, and what is written into the run folder before its hosts start."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from testbed.layout import LOGIN, USERS, Layout
from testbed.shell import sh


def prepare(layout: Layout) -> None:
    """Write keys, home folders and every configuration file below the run folder."""
    run = layout.run
    for folder in ("pids", "keys", "etc", "log", "home", *(f"gpus/{node}" for node in layout.node_names)):
        (run / folder).mkdir(parents=True, exist_ok=True)
    for host in layout.hosts:
        for folder in ("upper", "work", "root"):
            (run / "hosts" / host / folder).mkdir(parents=True)
    for node in layout.node_names:
        (run / "gpus" / node / "gpus.conf").write_text(f"count {layout.gpus}\n")
    _keys(layout)
    etc = run / "etc"
    (etc / "hosts").write_text(_hosts(layout))
    (etc / "known_hosts").write_text(_known_hosts(layout))
    (etc / "users").write_text("".join(f"{user} {uid}\n" for user, uid in USERS.items()))
    (etc / "sshd_config.login").write_text(_sshd_config(layout.login_max_startups))
    (etc / "sshd_config.node").write_text(_sshd_config(None))
    (etc / "slurm.conf").write_text(_slurm_conf(layout))
    (etc / "gres.conf").write_text(_gres_conf(layout))
    plugin = "cgroup/v1" if layout.suite == "bookworm" else "disabled"
    (etc / "cgroup.conf").write_text(f"CgroupPlugin={plugin}\n")
    (etc / "slurmdbd.conf").write_text(SLURMDBD_CONF)
    shutil.copy(etc / "known_hosts", run / "known_hosts")
    sh("mount", "-t", "tmpfs", "-o", "size=256m,mode=755", "home", str(run / "home"))
    for user in USERS:
        _home(layout, user)
        write_config(layout, user)
    shutil.copy(run / "cluster-alice.yaml", run / "cluster.yaml")
    shutil.copy(run / "ssh_config-alice", run / "ssh_config")
    (run / "cluster.yaml").write_text(_cluster_yaml(layout, "alice", run / "ssh_config"))


def write_config(layout: Layout, user: str, variant: str = "", identity: Path | str | None = "own") -> Path:
    """Write cluster-USER[-VARIANT].yaml and its ssh_config; identity is a key file, "own", or None for no key."""
    suffix = f"{user}-{variant}" if variant else user
    key = layout.run / "keys" / user if identity == "own" else identity
    ssh_config = layout.run / f"ssh_config-{suffix}"
    ssh_config.write_text(_ssh_config(layout, user, key))
    config = layout.run / f"cluster-{suffix}.yaml"
    config.write_text(_cluster_yaml(layout, user, ssh_config))
    return config


def _cluster_yaml(layout: Layout, user: str, ssh_config: Path) -> str:
    return f"name: testbed\nlogin: {user}@{layout.login_address}\nssh_config: {ssh_config}\n"


def _ssh_config(layout: Layout, user: str, key: Path | str | None) -> str:
    credentials = f"IdentityFile {key}" if key else "PubkeyAuthentication no"
    return f"""Host login {layout.login_address}
  HostName {layout.login_address}
  HostKeyAlias login
Host node*
  ProxyJump login
Host *
  User {user}
  {credentials}
  IdentitiesOnly yes
  UserKnownHostsFile {layout.run}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
"""


def keygen(path: Path, comment: str, passphrase: str = "") -> None:
    """One ed25519 key pair."""
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", comment, "-f", str(path))


def _keys(layout: Layout) -> None:
    keys = layout.run / "keys"
    for user in USERS:
        keygen(keys / user, f"{user}@testbed")
        keygen(keys / f"cluster_{user}", f"{user}@inside")
    for host in layout.hosts:
        keygen(keys / f"host_{host}", host)


def _home(layout: Layout, user: str) -> None:
    """A home folder with the user's key authorised, and a key for going from the login host to the nodes."""
    keys, home, uid = layout.run / "keys", layout.run / "home" / user, USERS[user]
    ssh = home / ".ssh"
    ssh.mkdir(parents=True)
    authorized = "".join((keys / f"{name}.pub").read_text() for name in (user, f"cluster_{user}"))
    (ssh / "authorized_keys").write_text(authorized)
    shutil.copy(keys / f"cluster_{user}", ssh / "id_ed25519")
    for folder in (home, ssh):
        folder.chmod(0o700)
    for path in (home, ssh, *ssh.iterdir()):
        os.chown(path, uid, uid)
        if path.is_file():
            path.chmod(0o600)


def _hosts(layout: Layout) -> str:
    lines = ["127.0.0.1 localhost"]
    for host in layout.hosts:
        lines.append(f"{layout.address(host)} {host}")
        if host != LOGIN:
            lines.append(f"{layout.fabric_address(host)} {host}-ib")
    return "\n".join(lines) + "\n"


def _known_hosts(layout: Layout) -> str:
    lines = []
    for host in layout.hosts:
        kind, key, *_ = (layout.run / "keys" / f"host_{host}.pub").read_text().split()
        names = f"{host},{layout.address(host)}" + (f",{layout.login_address}" if host == LOGIN else "")
        lines.append(f"{names} {kind} {key}")
    return "\n".join(lines) + "\n"


def _sshd_config(max_startups: str | None) -> str:
    """What sshd does by default, with a folder whose files come first: faults and sign-in modes write there."""
    return f"""Include /etc/ssh/testbed.d/*.conf
Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM yes
PrintMotd no
UseDNS no
AllowTcpForwarding yes
PidFile /run/sshd.pid
Subsystem sftp /usr/lib/openssh/sftp-server
{f"MaxStartups {max_startups}" if max_startups else ""}
"""


def _slurm_conf(layout: Layout) -> str:
    accounting = "AccountingStorageType=accounting_storage/none\n"
    if layout.db:
        accounting = """AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=login
AccountingStorageEnforce=associations,limits,qos
AccountingStorageTRES=gres/gpu
"""
    gres = f"Gres=gpu:h100:{layout.gpus}" if layout.gpus else ""
    return f"""ClusterName={layout.name}
SlurmctldHost=login
SlurmUser=slurm
AuthType=auth/munge
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2
PriorityType=priority/multifactor
GresTypes=gpu
ReturnToService=2
SlurmdTimeout=10
SlurmctldTimeout=20
InactiveLimit=0
KillWait=2
UnkillableStepTimeout=10
MinJobAge=600
MessageTimeout=5
MpiDefault=none
DefMemPerCPU=1000
JobRequeue=1
{accounting}NodeName=DEFAULT Sockets=2 CoresPerSocket=32 ThreadsPerCore=1 RealMemory=512000 State=UNKNOWN
NodeName={layout.node_range} {gres}
PartitionName=gpu Nodes={layout.node_range} Default=YES MaxTime=7-0 DefaultTime=01:00:00 State=UP
PartitionName=short Nodes={layout.node_range} MaxTime=00:10:00 PriorityTier=10 State=UP
"""


def _gres_conf(layout: Layout) -> str:
    if not layout.gpus:
        return ""
    devices = f"/dev/nvidia[0-{layout.gpus - 1}]" if layout.gpus > 1 else "/dev/nvidia0"
    return f"NodeName={layout.node_range} Name=gpu Type=h100 File={devices}\n"


SLURMDBD_CONF = """AuthType=auth/munge
DbdHost=login
SlurmUser=slurm
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
LogFile=/var/log/slurm/slurmdbd.log
PidFile=/run/slurmdbd.pid
"""
