"""--set NAME=VALUE -> the typed inputs of an action or a workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from mleconsole.api import Field
from mleconsole.cli.options import chosen
from mleconsole.cli.stop import USAGE, Stop
from mleconsole.config.words import quoted

_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def typed(fields: Sequence[Field], given: Mapping[str, str]) -> dict[str, Any]:
    """{id: value}: what was given in the type of its field, the default elsewhere."""
    known = {field.id: field for field in fields}
    for name in given:
        chosen("input", name, known)
    return {id: value(field, given[id]) if id in given else field.default for id, field in known.items()}


def value(field: Field, word: str) -> Any:
    """One word in the type of its field, or a usage error."""
    wrong = Stop(USAGE, f"--set {field.id} wants {_wanted(field)}, not {quoted(word)}")
    try:
        match field.type:
            case "int":
                return int(word)
            case "float":
                number = float(word)
                if not isfinite(number):
                    raise wrong
                return number
            case "bool":
                return _TRUTH[word.lower()]
            case "choice":
                if word not in field.choices:
                    raise wrong
                return word
            case _:
                return word
    except (ValueError, KeyError):
        raise wrong from None


def secrets(fields: Sequence[Field], inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """The values that no journal may keep."""
    return tuple(str(inputs[field.id]) for field in fields if field.type == "secret" and inputs.get(field.id))


def _wanted(field: Field) -> str:
    words = {"int": "a whole number", "float": "a number", "bool": "true or false"}
    return "one of " + ", ".join(field.choices) if field.type == "choice" else words.get(field.type, "text")
