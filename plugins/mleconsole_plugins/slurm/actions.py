"""Actions: cancel jobs, arrays, tasks and steps; show what scontrol knows of a job."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mleconsole.api import (
    LOGIN,
    Action,
    Danger,
    Fact,
    Facts,
    Field,
    Fleet,
    Job,
    Outcome,
    Plan,
    Section,
    Sections,
    Situation,
    Step,
    Subject,
    Text,
    Tone,
    View,
    known,
)
from mleconsole_plugins.slurm.details import jobs_of
from mleconsole_plugins.slurm.jobs import task_count
from mleconsole_plugins.slurm.kinds import SlurmAccess, SlurmStep
from mleconsole_plugins.slurm.placement import raw_id
from mleconsole_plugins.slurm.states import RUNNING_STATES

OPERATORS = ("operator", "administrator", "admin")
SIGNALS = ("default", "INT", "TERM", "USR1", "USR2", "KILL")
#: 48213  48401_7  48401_[3-9%2]  48213+1  48213.0  48401_7.batch
TARGET = re.compile(
    r"^\d+(?:_(?:\d+|\[[\d,\-:%]+\]))?(?:\+\d+)?(?:\.(?:\d+(?:\+\d+)?|batch|extern|interactive))?$", re.ASCII
)


def target(fleet: Fleet, word: str) -> Subject | None:
    """A job, array, task or step as a word of the command line: 48213, 48401_7, 48213.0."""
    if not TARGET.match(word):
        return None
    if "." in word:
        return Subject(SlurmStep.kind_name, (word,))
    subject = Subject(Job.kind_name, (word,))
    found = jobs_of(fleet, subject)
    # the plain number of an array's task is known under its own name
    return found[0].subject if len(found) == 1 and found[0].array_id != word else subject


def job_of_step(fleet: Fleet, step: str) -> tuple[Job, ...]:
    """The job that a step belongs to."""
    return jobs_of(fleet, Subject(Job.kind_name, (step.partition(".")[0],)))


def jobs_behind(fleet: Fleet, subject: Subject) -> tuple[Job, ...]:
    return job_of_step(fleet, subject.key[0]) if subject.kind == SlurmStep.kind_name else jobs_of(fleet, subject)


def may_all(fleet: Fleet, user: str) -> bool | None:
    """Whether that account may cancel anybody's job; None while that is not known."""
    access = fleet.get(SlurmAccess, (user,))
    return None if access is None else access.admin_level.lower() in OPERATORS


def guard_cancel(fleet: Fleet, targets: Sequence[Subject], situation: Situation) -> str | None:
    """Why it can't be cancelled, when that is certain; else Slurm decides."""
    if not targets:
        return "select a job first"
    gone = [subject.key[0] for subject in targets if not jobs_behind(fleet, subject)]
    if fleet.count(Job) and len(gone) == len(targets):
        return (
            f"{', '.join(gone)} is not in the queue any more"
            if len(gone) == 1
            else "none of them is in the queue any more"
        )
    if not situation.user or situation.user == "root" or "scancel" in situation.sudo:
        return None
    others = {job.user for subject in targets for job in jobs_behind(fleet, subject)} - {situation.user}
    if others and may_all(fleet, situation.user) is False:
        whose = ", ".join(sorted(others))
        return f"it belongs to {whose}; as {situation.user} you may cancel your own jobs only"
    return None


def word_of(subject: Subject) -> str:
    """The subject as scancel takes it: an array's waiting tasks without their %N."""
    return re.sub(r"%\d+", "", subject.key[0])


def plan_cancel(fleet: Fleet, targets: Sequence[Subject], inputs: Mapping[str, Any], situation: Situation) -> Plan:
    """scancel with exactly these ids, on the login host."""
    words = list(dict.fromkeys(word_of(subject) for subject in targets))
    if not words:
        raise ValueError("name a job, an array, a task or a step")
    for word in words:
        if not TARGET.match(word):
            raise ValueError(f"{word} is no job, array, task or step of Slurm")
    signal = str(inputs.get("signal") or "default")
    if signal not in SIGNALS:
        raise ValueError(f"{signal} is none of {', '.join(SIGNALS)}")
    prefix = ("sudo", "-n") if "scancel" in situation.sudo else ()
    argv = (*prefix, "scancel", *(() if signal == "default" else (f"--signal={signal}",)), *words)
    return Plan(
        title=_title(fleet, targets, signal),
        steps=(Step(LOGIN, argv, label=" ".join(words), deadline=30.0),),
        danger=Danger.DESTROYS,
        consequences=_consequences(fleet, targets, situation, signal),
    )


def _title(fleet: Fleet, targets: Sequence[Subject], signal: str) -> str:
    verb = "Cancel" if signal == "default" else f"Send {signal} to"
    if len(targets) > 1:
        return f"{verb} {len(targets)} jobs?"
    subject = targets[0]
    if subject.kind == SlurmStep.kind_name:
        return f"{verb} step {subject.key[0]}?"
    jobs = jobs_of(fleet, subject)
    if not jobs:
        return f"{verb} job {subject.key[0]}?"
    what = "array" if len(jobs) > 1 or jobs[0].array_id == subject.key[0] else "job"
    return f"{verb} {what} {subject.key[0]} {jobs[0].name} of {jobs[0].user}?"


def _consequences(fleet: Fleet, targets: Sequence[Subject], situation: Situation, signal: str) -> tuple[str, ...]:
    """What it does, in sentences."""
    found: list[str] = []
    jobs = {job.key: job for s in targets if s.kind != SlurmStep.kind_name for job in jobs_of(fleet, s)}.values()
    running = [job for job in jobs if job.state in RUNNING_STATES]
    waiting = sum(task_count(job) for job in jobs if job.state not in RUNNING_STATES)
    if signal != "default" and signal != "KILL":
        found.append(f"the processes get {signal}; what they do then is up to them")
    elif running:
        nodes = sum(job.nodes for job in running)
        gpus = [job.gpus for job in running if known(job.gpus)]
        what = f"{nodes} node{'s' * (nodes != 1)}" + (f", {sum(gpus)} GPUs" if gpus and sum(gpus) else "")
        found.append(f"ends {len(running)} running job{'s' * (len(running) != 1)} and frees {what}")
        found.append("what was not checkpointed is lost")
    if waiting:
        found.append(f"takes {waiting} waiting job{'s' * (waiting != 1)} out of the queue")
    others = sorted({job.user for job in jobs} - {situation.user})
    if others and situation.user:
        found.append(f"these belong to {', '.join(others)}, not to you")
    for subject in targets:
        if subject.kind == SlurmStep.kind_name:
            found.append(f"ends step {subject.key[0]} alone; its job goes on")
    return tuple(found)


def present_cancel(outcome: Outcome) -> View:
    """What scancel said, in its own words."""
    lines = []
    tone = Tone.PLAIN
    for step, done in outcome.results:
        if done.ok:
            lines.append(f"{step.label}: Slurm took it")
        else:
            tone = Tone.BAD
            said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
            lines += [f"{step.label}: {line}" for line in said] or [f"{step.label}: {done.words()}"]
    return Text("\n".join(lines), tone=tone)


def plan_show(fleet: Fleet, targets: Sequence[Subject], inputs: Mapping[str, Any], situation: Situation) -> Plan:
    """scontrol show job, with details."""
    words = []
    for subject in targets:
        jobs = jobs_of(fleet, subject)
        words.append(raw_id(jobs[0]) if len(jobs) == 1 else word_of(subject))
    for word in words:
        if not TARGET.match(word):
            raise ValueError(f"{word} is no job of Slurm")
    return Plan(
        title="Show what Slurm knows of the job",
        steps=tuple(
            Step(LOGIN, ("scontrol", "show", "job", "--details", "--oneliner", word), label=word) for word in words
        ),
        danger=Danger.READS,
    )


#: `Key=value` where values may hold blanks: a key begins after a blank and looks like one.
_PAIR = re.compile(r"(?:^|\s)([A-Z][\w:/\-]*)=")


def pairs(line: str) -> list[tuple[str, str]]:
    """[(key, value)] of one line of `scontrol show ... --oneliner`, in its order."""
    found = list(_PAIR.finditer(line))
    ends = [match.start() for match in found[1:]] + [len(line)]
    return [(match[1], line[match.end() : end].strip()) for match, end in zip(found, ends, strict=True)]


def present_show(outcome: Outcome) -> View:
    """A job's lines as facts."""
    parts: list[View] = []
    for step, done in outcome.results:
        if not done.ok:
            parts.append(Text(f"job {step.label}: {done.words()}", tone=Tone.BAD))
            continue
        for line in done.text.splitlines():
            facts = tuple(Fact(key, value) for key, value in pairs(line) if value not in ("", "(null)", "N/A"))
            if facts:
                parts.append(Facts(facts, title=f"job {step.label}"))
    if len(parts) == 1:
        return parts[0]
    return Sections(tuple(Section(f"job{index}", part) for index, part in enumerate(parts)), title="jobs")


CANCEL = Action(
    id="cancel",
    title="Cancel the job",
    danger=Danger.DESTROYS,
    kinds=(Job.kind_name, SlurmStep.kind_name),
    plan=plan_cancel,
    guard=guard_cancel,
    keys=("ctrl+x",),
    inputs=(Field("signal", "Signal", "choice", "default", SIGNALS, help="default: the job ends; else only a signal"),),
    present=present_cancel,
    help="End jobs, a whole array, one task or one step, by scancel on the login host.",
    needs=("squeue", "slurm_access"),
    target=target,
)
SHOW = Action(
    id="job_details",
    title="All that Slurm knows of the job",
    danger=Danger.READS,
    kinds=(Job.kind_name,),
    plan=plan_show,
    guard=lambda fleet, targets, situation: None if targets else "select a job first",
    keys=("I",),
    present=present_show,
    help="scontrol show job --details.",
    needs=("squeue",),
    target=target,
)
