"""The ONE page that plugins import. A plugin is a module-level `plugin = Plugin(...)` behind an entry point in the
group `mleconsole.plugins`; it fills any of the roles below and is loaded, listed and disabled one by one."""

from mleconsole.api.roles import (
    Action,
    AgentProbe,
    Answer,
    CommandProbe,
    Derive,
    Discovery,
    Event,
    Focus,
    Found,
    Input,
    Pane,
    Plugin,
    ProbeTrouble,
    Reach,
    Rule,
    Situation,
    Switch,
    Work,
    Workflow,
)
from mleconsole.model.absent import Absent, known, number
from mleconsole.model.alert import Alert, Severity
from mleconsole.model.fleet import Fleet, Observation, Seen
from mleconsole.model.history import History, Keep, Series
from mleconsole.model.kinds import (
    CLUSTER,
    Gpu,
    GpuFacts,
    GpuUse,
    Host,
    Job,
    Machine,
    Mount,
    Node,
    Partition,
    Port,
    Process,
)
from mleconsole.model.plan import LOGIN, Completed, Danger, Outcome, Plan, Step
from mleconsole.model.record import Key, Kind, Record, Subject, with_host
from mleconsole.model.report import Evidence, Report, Unreadable
from mleconsole.model.view import (
    Chart,
    ChartLine,
    Column,
    Fact,
    Facts,
    Field,
    Form,
    Grid,
    GridGroup,
    Log,
    Matrix,
    Section,
    Sections,
    Style,
    Table,
    Text,
    Tone,
    Tree,
    TreeNode,
    View,
)

__all__ = [
    "CLUSTER", "LOGIN", "Absent", "Action", "AgentProbe", "Alert", "Answer", "Chart", "ChartLine", "Column",
    "CommandProbe", "Completed", "Danger", "Derive", "Discovery", "Event", "Evidence", "Fact", "Facts", "Field",
    "Fleet", "Focus", "Form", "Found", "Gpu", "GpuFacts", "GpuUse", "Grid", "GridGroup", "History", "Host", "Input",
    "Job", "Keep", "Key", "Kind", "Log", "Machine", "Matrix", "Mount", "Node", "Observation", "Outcome", "Pane",
    "Partition", "Plan", "Plugin", "Port", "ProbeTrouble", "Process", "Reach", "Record", "Report", "Rule", "Section",
    "Sections", "Seen", "Series", "Severity", "Situation", "Step", "Style", "Subject", "Switch", "Table", "Text",
    "Tone", "Tree", "TreeNode", "Unreadable", "View", "Work", "Workflow", "known", "number", "with_host",
]  # fmt: skip
