"""FormDialog: the inputs of an action or a workflow, each with its type; wrong ones say what is expected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual import on
from textual.widget import Widget
from textual.widgets import Input, Select, Static

from mleconsole.model.view import Field, Form
from mleconsole_widgets.cells import escape
from mleconsole_widgets.choice import Choice, Toggle
from mleconsole_widgets.dialog import Dialog, words


def read(field: Field, text: str) -> Any:
    """The typed value of a text field. Raises ValueError with a sentence."""
    told = text.strip()
    try:
        if field.type == "int":
            return int(told.replace(",", "").replace("_", ""))
        if field.type == "float":
            return float(told.replace(",", ""))
    except ValueError:
        kind = "a whole number" if field.type == "int" else "a number"
        shown = f"“{escape(told)}”" if told else "nothing"
        raise ValueError(f"{escape(field.title)} wants {kind}, not {shown}") from None
    return text if field.type == "secret" else told


class FormDialog(Dialog[dict[str, Any]]):
    """{field id: value} of the right types; None when given up."""

    DEFAULT_CSS = """
    FormDialog Select { height: auto; width: 1fr; }
    FormDialog #trouble { height: auto; color: $warning; }
    """

    def __init__(self, form: Form) -> None:
        super().__init__(form.title)
        self._form = form

    def body(self) -> Iterable[Widget]:
        for index, field in enumerate(self._form.fields):
            help = f"  {field.help}" if field.help else ""
            if field.type != "bool":
                yield self.said(f"{field.title}{help}", "quiet gap" if index else "quiet")
            yield self._field(index, field)
            if field.type == "bool" and field.help:
                yield self.said(f"    {field.help}", "quiet")
        yield Static("", id="trouble", markup=False)

    def _field(self, index: int, field: Field) -> Widget:
        id = f"field{index}"
        if field.type == "bool":
            return Toggle(field.title, bool(field.default), id=id, classes="gap")
        if field.type == "choice" and field.choices:
            options = [(words(choice), choice) for choice in field.choices]
            chosen = field.default if field.default in field.choices else field.choices[0]
            return Select(options, value=chosen, allow_blank=False, id=id, compact=True)
        default = "" if field.default is None else str(field.default)
        return Input(default, password=field.type == "secret", id=id, compact=True)

    def buttons(self) -> Iterable[Widget]:
        yield Choice("Leave it", id="leave")
        yield Choice("Go on", id="go_on")

    def on_mount(self) -> None:
        first = self.query("Input, Toggle, Select")
        (first.first() if first else self.query_one("#go_on", Choice)).focus()

    def values(self) -> dict[str, Any]:
        """What stands in the fields. Raises ValueError with a sentence about the first wrong one."""
        given: dict[str, Any] = {}
        for index, field in enumerate(self._form.fields):
            widget = self.query_one(f"#field{index}")
            if isinstance(widget, Toggle | Select):
                given[field.id] = widget.value
            elif isinstance(widget, Input):
                given[field.id] = read(field, widget.value)
        return given

    def _go_on(self) -> None:
        try:
            self.dismiss(self.values())
        except ValueError as error:
            self.query_one("#trouble", Static).update(words(str(error)))

    @on(Input.Submitted)
    def _submitted(self, message: Input.Submitted) -> None:
        message.stop()
        fields = list(self.query("Input, Toggle, Select"))
        at = fields.index(message.input)
        if at + 1 < len(fields):
            fields[at + 1].focus()
        else:
            self._go_on()

    @on(Choice.Pressed)
    def _pressed(self, message: Choice.Pressed) -> None:
        message.stop()
        if message.choice.id == "go_on":
            self._go_on()
        else:
            self.dismiss(None)
