"""The console without its screen, until the GPUs of every node are known. argv: CONFIG NODES; as bare.py."""

from __future__ import annotations

import json
import sys
import threading
import time

import mleconsole.collect.collector
import mleconsole.transport.ssh  # noqa: F401  (imports are not in the time; the other program has none left either)
from mleconsole.api import Gpu
from mleconsole.config.load import load_target
from mleconsole.plugin import Registry
from mleconsole.session import open_session

config, nodes = load_target(sys.argv[1]), int(sys.argv[2])
session = open_session(config, Registry.load(config.plugins), None)
complete = threading.Event()


def look() -> None:
    if len(session.store.fleet.hosts(Gpu)) >= nodes:
        complete.set()


session.store.subscribe(look)
began, cpu = time.monotonic(), time.process_time()
session.need(frozenset({"gpus"}))
session.start()
found = complete.wait(60)
told = {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}
told["nodes"] = len(session.store.fleet.hosts(Gpu))
print(json.dumps(told), flush=True)
session.stop()
sys.exit(not found)
