"""JSON: squeue, sinfo and scontrol --json of several versions to the same records as the text; for small answers.

22.05 tells plain numbers and words; from 23.x on a number is {"set", "infinite", "number"} and a state is a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mleconsole.api import CLUSTER, Absent, Job, Key, Node, ProbeTrouble
from mleconsole_plugins.slurm.gres import gpu_count, gpu_indices
from mleconsole_plugins.slurm.records import NO_GPUS_TOLD, NOT_STARTED, NOTHING_EXTRA, said
from mleconsole_plugins.slurm.states import PENDING_STATES, node_state_of
from mleconsole_plugins.slurm.times import NO_LIMIT, NOT_TOLD, PARTITION_LIMIT

Told = Mapping[str, Any]


def number(value: Any) -> float | None:
    """A number in either form; None when it is not set; infinity as such."""
    if isinstance(value, Mapping):
        if value.get("infinite"):
            return float("inf")
        value = value.get("number") if value.get("set") else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value)


def _int(value: Any) -> int | None:
    found = number(value)
    return None if found is None or found == float("inf") else int(found)


def _time(value: Any, unknown: Absent = NOT_TOLD) -> float | Absent:
    found = number(value)
    return unknown if not found or found == float("inf") else found


def _state(value: Any) -> str:
    """The base state; in a list it comes first."""
    if isinstance(value, (list, tuple)):
        return str(value[0]) if value else "UNKNOWN"
    return str(value)


def job_from_json(told: Told) -> Job:
    """One element of `.jobs`. Raises KeyError or TypeError for what is no job."""
    raw = str(told["job_id"])
    array, task, tasks = _int(told["array_job_id"]), _int(told["array_task_id"]), str(told["array_task_string"] or "")
    het = _int(told.get("het_job_id"))
    id, array_id, array_task = raw, "", ""
    if array and (tasks or task is not None):
        limit = _int(told.get("array_max_tasks"))
        array_task = tasks or str(task)
        if tasks and limit and "%" not in tasks:
            array_task = f"{tasks}%{limit}"
        array_id, id = str(array), f"{array}_[{array_task}]" if tasks else f"{array}_{task}"
    elif het:
        id = f"{het}+{_int(told.get('het_job_offset')) or 0}"
    state = _state(told["job_state"])
    waits = state in PENDING_STATES
    start = number(told["start_time"])
    extra: dict[str, Any] = {}
    if raw != id:
        extra["raw_id"] = raw
    if waits and start:
        extra["start_estimate"] = start
    minutes = number(told["time_limit"])
    gpus = gpu_count(told.get("tres_alloc_str") or told.get("tres_req_str") or "")
    cpus, priority = _int(told["cpus"]), _int(told["priority"])
    return Job(
        job_id=id,
        array_id=array_id,
        array_task=array_task,
        user=str(told["user_name"]),
        name=str(told["name"]),
        state=state,
        partition=str(told["partition"]),
        account=said(str(told.get("account") or "")),
        qos=said(str(told.get("qos") or "")),
        submit_time=_time(told["submit_time"]),
        start_time=NOT_STARTED if waits else _time(told["start_time"], NOT_STARTED),
        limit_seconds=PARTITION_LIMIT if minutes is None else NO_LIMIT if minutes == float("inf") else minutes * 60.0,
        nodes=_int(told["node_count"]) or 0,
        node_list=str(told["nodes"] or ""),
        cpus=NOT_TOLD if cpus is None else cpus,
        gpus=NO_GPUS_TOLD if gpus is None else gpus,
        reason=said(str(told.get("state_description") or told["state_reason"] or "")),
        priority=NOT_TOLD if priority is None else priority,
        dependency=said(str(told.get("dependency") or "")),
        work_dir=str(told.get("current_working_directory") or ""),
        extra=extra,
    )


def node_from_json(told: Told) -> Node:
    """One element of `.nodes` of `scontrol show nodes --json`, or of `sinfo --json` of 22.05."""
    name = str(told.get("hostname") or told["name"])
    state = told["state"]
    words = state if isinstance(state, list) else [state, *told.get("state_flags", ())]
    base, flags = node_state_of(words)
    reason = str(told.get("reason") or "")
    used = str(told.get("gres_used") or "")
    indices = gpu_indices(used)
    extra: dict[str, Any] = {}
    address = str(told.get("address") or "")
    if address and address != name:
        extra["address"] = address
    if indices is not None:
        extra["gpu_indices_used"] = indices
    cpus, allocated, memory = _int(told["cpus"]), _int(told["alloc_cpus"]), _int(told["real_memory"])
    by = told.get("reason_set_by_user")
    return Node(
        name=name,
        state=base,
        flags=flags,
        reason=reason if reason else Absent("no reason given"),
        reason_user=str(by) if reason and by else NOT_TOLD,
        reason_time=_time(told.get("reason_changed_at")) if reason else NOT_TOLD,
        partitions=tuple(sorted(str(partition) for partition in told.get("partitions", ()))),
        cpus_total=NOT_TOLD if cpus is None else cpus,
        cpus_alloc=NOT_TOLD if allocated is None else allocated,
        gpus_total=gpu_count(str(told.get("gres") or "")) or 0,
        gpus_alloc=gpu_count(used) or 0,
        memory_mib=NOT_TOLD if memory is None else memory,
        host=CLUSTER,
        extra=extra or NOTHING_EXTRA,
    )


def _elements(text: bytes, name: str) -> list[Any]:
    try:
        found = msgspec.json.decode(text)[name]
    except (msgspec.DecodeError, KeyError, TypeError):
        raise ProbeTrouble(f"Slurm's JSON has no {name}") from None
    if not isinstance(found, list):
        raise ProbeTrouble(f"Slurm's JSON has no list of {name}")
    return found


def jobs_from_json(text: bytes) -> dict[Key, Job]:
    """{key: Job} of `squeue --json` or `scontrol show job --json`. Raises ProbeTrouble for an unknown form."""
    try:
        jobs = [job_from_json(told) for told in _elements(text, "jobs")]
    except (KeyError, TypeError, AttributeError) as error:
        raise ProbeTrouble(f"Slurm's JSON of a job is in a form that this console does not know ({error})") from None
    return {job.key: job for job in jobs}


def nodes_from_json(text: bytes) -> dict[Key, Node]:
    """{key: Node} of `scontrol show nodes --json` (or sinfo's of 22.05). Raises ProbeTrouble for an unknown form."""
    try:
        nodes = [node_from_json(told) for told in _elements(text, "nodes")]
    except (KeyError, TypeError, AttributeError) as error:
        raise ProbeTrouble(f"Slurm's JSON of a node is in a form that this console does not know ({error})") from None
    return {node.key: node for node in nodes}
