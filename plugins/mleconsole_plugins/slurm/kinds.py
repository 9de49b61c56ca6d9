"""Kinds that only a Slurm cluster has: its clock and the account we ask as, and the steps of jobs."""

from __future__ import annotations

from typing import Any, ClassVar

from mleconsole.api import CLUSTER, Absent, Key, Record

Float = float | Absent
Str = str | Absent
Int = int | Absent


class SlurmClock(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """The login host's clock when it was asked, and the account it was asked as. One record."""

    kind_name: ClassVar[str] = "slurm_clock"

    epoch: float
    user: str
    host: str = CLUSTER
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return ("clock",)


class SlurmAccess(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """What an account may do: its AdminLevel (None, Operator, Administrator)."""

    kind_name: ClassVar[str] = "slurm_access"

    user: str
    admin_level: str
    host: str = CLUSTER
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.user,)


class SlurmStep(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """One running step of a job. `job_id` is the Job's own."""

    kind_name: ClassVar[str] = "step"

    step_id: str  # 48213.0, 48213.batch, 48401_7.0
    job_id: str
    name: str
    user: str
    node_list: str
    tasks: Int = Absent("not told")
    start_time: Float = Absent("not told")
    host: str = CLUSTER
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.step_id,)
