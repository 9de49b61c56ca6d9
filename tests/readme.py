"""The tables of the README that follow from the code: panes, actions and workflows, and what is proven.

`python tests/readme.py` writes them between their markers; with `--check` it only says whether they are up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from mleconsole.app.keys import harmless_key, shown
from mleconsole.plugin import Registry

README = Path(__file__).parent.parent / "README.md"
OURS = "mleconsole_plugins."


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def code(words: Iterable[str]) -> str:
    return " ".join(f"`{word}`" for word in words)


def panes(registry: Registry) -> str:
    """Id, key, title, and the switches with their values."""
    rows = []
    for pane in registry.panes.values():
        about = f", the page of one {' or '.join(pane.detail_of).replace('_', ' ')}" if pane.detail_of else ""
        switches = "; ".join(
            f"`{shown(switch.key)}` {switch.id}: {', '.join(switch.values)}" for switch in pane.switches
        )
        rows.append((f"`{pane.id}`", code([pane.key] if pane.key else []), f"{pane.title}{about}", switches))
    return table(("pane", "key", "shows", "switches"), rows)


def actions(registry: Registry) -> str:
    """Id, keys, how dangerous, title, and the inputs for --set."""
    rows = []
    for what, things in (("action", registry.actions), ("workflow", registry.workflows)):
        for thing in things.values():
            keys = [shown(key) for key in thing.keys if harmless_key(key, thing.danger)]
            of = ", ".join(kind.replace("_", " ") for kind in thing.kinds)
            inputs = code(field.id for field in thing.inputs)
            rows.append((f"`{thing.id}`", what, code(keys), thing.danger.name.lower(), of, thing.title, inputs))
    return table(("id", "", "key", "danger", "of a", "does", "`--set`"), rows)


def proven(registry: Registry) -> str:
    """Every capability that a plugin owns up to."""
    rows = [
        (plugin.title.partition(":")[0], what, how)
        for plugin in registry.plugins.values()
        for what, how in plugin.proven.items()
    ]
    return table(("plugin", "capability", "proven"), rows)


def ours() -> Registry:
    """The plugins of this repository, whatever else is installed."""
    import importlib.metadata

    from mleconsole.plugin import GROUP

    entries = importlib.metadata.entry_points(group=GROUP)
    registry = Registry.load({entry.name: False for entry in entries if not entry.value.startswith(OURS)})
    if registry.disabled:
        raise SystemExit("\n".join(registry.disabled.values()))
    return registry


def written(text: str, registry: Registry) -> str:
    """The README with its tables written anew."""
    for name, make in (("panes", panes), ("actions", actions), ("proven", proven)):
        begin, end = f"<!-- {name}: made by make readme -->\n", f"<!-- {name} end -->"
        before, found, rest = text.partition(begin)
        _, also, after = rest.partition(end)
        if not found or not also:
            raise SystemExit(f"README.md has no place for {name}: {begin.strip()} ... {end}")
        text = f"{before}{begin}\n{make(registry)}\n\n{end}{after}"
    return text


def main() -> int:
    """Write or check; 1 when the README is out of date."""
    old = README.read_text(encoding="utf-8")
    new = written(old, ours())
    if "--check" in sys.argv:
        if new != old:
            print("the tables of README.md do not follow the code: make readme", file=sys.stderr)
        return int(new != old)
    README.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
