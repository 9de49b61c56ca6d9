"""The values of a node's stand-in GPUs: a text file that the stand-in libnvidia-ml.so.1 reads whenever it changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from testbed.layout import Layout
from testbed.shell import TestbedError

Value = int | str


class Gpus:
    """Reads and writes one node's values. A reader on the node sees either the old file or the new one."""

    def __init__(self, layout: Layout, node: str) -> None:
        if node not in layout.node_names:
            raise TestbedError(f"no GPUs on {node!r}")
        self.layout, self.node = layout, node
        self.path: Path = layout.run / "gpus" / node / "gpus.conf"

    def set(self, gpu: int | str, **values: Value | None) -> None:
        """Set values of one GPU ("*" for all): util, mem_used_mib, temp, power_mw, clk_sm, throttle, lost, ...

        A double underscore stands for a dot (ecc__uncorrected__volatile=2); None takes a value back to its default.
        """
        changes = {f"{gpu}.{key.replace('__', '.')}": value for key, value in values.items()}
        self.change(changes)

    def set_host(self, **values: Value | None) -> None:
        """Set values of the whole node: count, driver, cuda, init_error."""
        self.change({key.replace("__", "."): value for key, value in values.items()})

    def set_processes(self, gpu: int, processes: Sequence[tuple[int, int]]) -> None:
        """Replace the compute processes of a GPU: (pid on the node, MiB used)."""
        key = f"{gpu}.proc"
        kept = [line for line in self.lines() if line.split(" ", 1)[0] != key]
        self._write([*kept, *(f"{key} {pid} {mib}" for pid, mib in processes)])

    def reset(self) -> None:
        """Every GPU idle and well again."""
        self._write([f"count {self.layout.gpus}"])

    def get(self, key: str) -> str | None:
        """The value set for a key ("3.util"), or None."""
        found = [line.split(" ", 1)[1] for line in self.lines() if line.split(" ", 1)[0] == key]
        return found[-1] if found else None

    def change(self, changes: dict[str, Value | None]) -> None:
        """Replace the lines of some keys."""
        kept = [line for line in self.lines() if line.split(" ", 1)[0] not in changes]
        added = [f"{key} {int(v) if isinstance(v, bool) else v}" for key, v in changes.items() if v is not None]
        self._write([*kept, *added])

    def lines(self) -> list[str]:
        """The file as it stands."""
        return self.path.read_text().splitlines()

    def _write(self, lines: list[str]) -> None:
        new = self.path.with_suffix(".new")
        new.write_text("\n".join(lines) + "\n")
        new.rename(self.path)
