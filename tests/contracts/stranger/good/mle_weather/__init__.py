"""A plugin of somebody else: a sampler, a kind, a pane, an action and a workflow; it imports `mleconsole.api` alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mleconsole.api import (
    LOGIN,
    Absent,
    Action,
    AgentProbe,
    Column,
    Danger,
    Event,
    Evidence,
    Field,
    Fleet,
    Focus,
    History,
    Key,
    Observation,
    Pane,
    Plan,
    Plugin,
    Record,
    Report,
    Situation,
    Step,
    Style,
    Subject,
    Table,
    View,
    Work,
    Workflow,
)


class Sensor(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """One thermal zone of a host."""

    kind_name: ClassVar[str] = "sensor"

    name: str
    celsius: float | Absent
    host: str = ""
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.host, self.name)


def parse(raw: bytes, host: str) -> Observation:
    """{"zones": {name: degrees or null}} -> Sensors."""
    sensors = [
        Sensor(name=name, celsius=Absent("the zone gives no number") if value is None else float(value), host=host)
        for name, value in json.loads(raw)["zones"].items()
    ]
    return Observation({Sensor: {sensor.key: sensor for sensor in sensors}})


def view(fleet: Fleet, history: History, focus: Focus) -> View:
    return Table(
        columns=(
            Column("node", "NODE", lambda sensor: sensor.host, priority=0),
            Column("zone", "ZONE", lambda sensor: sensor.name, priority=0),
            Column("celsius", "TEMP", lambda sensor: sensor.celsius, Style.NUMBER, unit="°C"),
        ),
        rows=list(fleet.of(Sensor)),
        subject=lambda sensor: sensor.subject,
        age=fleet.age,
        empty="No thermal zones: none of the hosts shows one in /sys/class/thermal.",
    )


def plan(fleet: Fleet, targets: Sequence[Subject], inputs: Mapping[str, Any], situation: Situation) -> Plan:
    """Say a word on every host that has the chosen sensors."""
    hosts = sorted({target.key[0] for target in targets}) or [LOGIN]
    steps = tuple(Step(host, ("echo", str(inputs["word"]))) for host in hosts)
    return Plan(f"Say {inputs['word']}", steps, Danger.READS)


async def run(work: Work) -> Report:
    """Ask the login host for its name: the smallest verdict there is."""
    work.emit(Event("asking the login host"))
    completed = await work.run(LOGIN, ("uname", "-n"))
    if not completed.ok:
        return Report("undetermined", f"The login host did not tell its name: {completed.words()}.", exit_status=3)
    name = completed.text.strip()
    return Report("known", f"The login host is {name}.", evidence=(Evidence("uname", name, completed.seconds),))


plugin = Plugin(
    id="weather",
    title="Machine room weather",
    kinds=(Sensor,),
    probes=(AgentProbe("weather", "weather", 10.0, parse),),
    panes=(Pane("weather", "Weather", view, needs=("weather",)),),
    actions=(
        Action(
            "weather.say",
            "Say a word",
            Danger.READS,
            (),
            plan,
            inputs=(Field("word", "Word", default="hello"),),
        ),
    ),
    workflows=(Workflow("weather.name", "Name the login host", Danger.READS, run),),
    remote="mle_weather.remote",
    proven={"thermal zones": "none"},
)
