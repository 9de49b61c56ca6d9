"""python -m testbed up|down|status|in HOST CMD...|rootfs SUITE: the command line behind make cluster."""

from __future__ import annotations

import argparse
import os
import sys
import time

from testbed import registry, rootfs
from testbed.cluster import Cluster, down, need_root
from testbed.layout import DEFAULT_NAME, FOLDER
from testbed.shell import TestbedError


def parser() -> argparse.ArgumentParser:
    """The options."""
    top = argparse.ArgumentParser(prog="testbed", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    name = argparse.ArgumentParser(add_help=False)
    name.add_argument("--name", default=DEFAULT_NAME, help="several clusters can run side by side under their names")

    start = commands.add_parser("up", parents=[name], help="stand a cluster up")
    start.add_argument("--nodes", type=int, default=4)
    start.add_argument("--gpus", type=int, default=8, help="stand-in GPUs a node")
    start.add_argument("--suite", default="bookworm", choices=rootfs.SUITES)
    start.add_argument("--no-db", action="store_true", help="no MariaDB and slurmdbd: quicker, no accounting")
    start.add_argument("--torch", action="store_true", help="torch in /opt/venv of the hosts")
    start.add_argument("--max-startups", default="default", help="MaxStartups of the login host's sshd")

    commands.add_parser("down", parents=[name], help="take it down; nothing stays")
    commands.add_parser("status", help="what is up on this machine")
    inside = commands.add_parser("in", parents=[name], help="run a command as root in a host")
    inside.add_argument("host")
    inside.add_argument("argv", nargs=argparse.REMAINDER)
    build = commands.add_parser("rootfs", help="build a root file system into the cache")
    build.add_argument("suite", choices=rootfs.SUITES)
    build.add_argument("--torch", action="store_true")
    return top


def start(options: argparse.Namespace) -> int:
    """up: also when it is already up."""
    rootfs.ensure(options.suite, options.torch)
    began = time.monotonic()
    before = registry.read(options.name)
    limit = None if options.max_startups == "default" else options.max_startups
    cluster = Cluster.up(
        nodes=options.nodes, suite=options.suite, name=options.name, gpus=options.gpus, db=not options.no_db,
        torch=options.torch, login_max_startups=limit,
    )  # fmt: skip
    took = time.monotonic() - began
    after = registry.read(options.name)
    print(f"cluster {options.name} was already up" if before and before == after else f"up in {took:.1f} s")
    layout, config = cluster.layout, _relative(cluster.config_path())
    print(f"1 login host and {layout.nodes} nodes with {layout.gpus} GPUs each, Debian {layout.suite}")
    print(f"\n  mleconsole connect {config}")
    print(f"  ssh -F {config.rsplit('/', 1)[0]}/ssh_config login      (or node01 ..., through login)")
    print(f"  users alice, bob, oper: {config.removesuffix('.yaml')}-bob.yaml, -oper.yaml")
    return 0


def _relative(path: object) -> str:
    return os.path.relpath(str(path), FOLDER.parent.parent) if os.getcwd() == str(FOLDER.parent.parent) else str(path)


def status() -> int:
    """One line for each cluster; 1 when one is not well."""
    code = 0
    for name in registry.names():
        cluster = Cluster.attach(name)
        well = cluster.healthy()
        code = code if well else 1
        layout, word = cluster.layout, "healthy" if well else "not well"
        print(f"{name}: {word}, {layout.nodes} nodes, {layout.suite}, {cluster.config_path()}")
    if not registry.names():
        print("no cluster is up")
    return code


def main() -> int:
    """Run one command."""
    options = parser().parse_args()
    try:
        if options.command == "up":
            return start(options)
        if options.command == "down":
            print(f"cluster {options.name} is down" if down(options.name) else f"cluster {options.name} was not up")
            return 0
        if options.command == "status":
            return status()
        if options.command == "rootfs":
            need_root()
            print(rootfs.ensure(options.suite, options.torch))
            return 0
        argv = Cluster.attach(options.name).host(options.host).argv(options.argv or ["bash"], timeout=86400)
        os.execvp(argv[0], [*argv[: argv.index("timeout")], *argv[argv.index("timeout") + 4 :]])
    except TestbedError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
