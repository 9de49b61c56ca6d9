"""The simulated login host's Slurm: a queue of as many jobs as asked, some of which change at every poll."""

from __future__ import annotations

import random

UNIT, GROUP, END = "\x1f", "\x1d", "\x1e\n"
STARTED = 1_750_000_000


class Slurm:
    """Answers squeue and sinfo as the real ones print them for the formats the console asks for."""

    def __init__(self, nodes: int, gpus: int, jobs: int) -> None:
        self.nodes, self.gpus, self.jobs = nodes, gpus, jobs
        self._random = random.Random(7)
        self._width = max(2, len(str(nodes)))
        self._lines = [self._job(1000 + index) for index in range(jobs)]

    def name(self, index: int) -> str:
        return f"node{index:0{self._width}}"

    def answer(self, command: str) -> str:
        if "squeue" in command and "--steps" not in command:
            self._change(len(self._lines) // 100)
            return "".join(self._lines)
        if "sinfo" in command and "--Node" in command:
            return "".join(self._node(index + 1) for index in range(self.nodes))
        if "sinfo" in command:
            return UNIT.join(("gpu", "gpu*", "up", "7-00:00:00", f"{self.nodes}/0/0/{self.nodes}")) + END
        if "date" in command:
            return f"{STARTED + 100_000} alice\n"
        return ""

    def _change(self, count: int) -> None:
        for _ in range(count):
            index = self._random.randrange(len(self._lines))
            self._lines[index] = self._job(1000 + index)

    def _job(self, number: int) -> str:
        running = self._random.random() < 0.4
        state, reason = ("RUNNING", "None") if running else ("PENDING", "Priority")
        start = str(STARTED + self._random.randrange(90_000)) if running else "N/A"
        node = self.name(1 + number % self.nodes) if running else ""
        user = f"user{number % 97}" if number % 50 else "alice"
        group = GROUP.join(
            (user, state, "gpu", "ml", "normal", "1-00:00:00", "1", "8", "cpu=8,mem=64G,node=1,gres/gpu=1", reason)
        )
        priority = str(self._random.randrange(10**6))
        head = (str(number), str(number), str(STARTED), start, node, priority, "(null)", group)
        return UNIT.join((*head, f"/home/{user}/runs/{number}", f"train-{number}")) + END

    def _node(self, index: int) -> str:
        name, gres = self.name(index), f"gpu:h100:{self.gpus}"
        used = f"gpu:h100:{self.gpus}(IDX:0-{self.gpus - 1})"
        fields = (name, name, "allocated", "64/0/0/64", "512000", gres, used, "Unknown", "Unknown", "gpu", "none")
        return UNIT.join(fields) + END
