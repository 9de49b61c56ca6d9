"""FormDialog: the inputs of an action or a workflow, each with its type; wrong ones say what is expected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual import on
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, Select, Static

from mleconsole.model.view import Field, Form
from mleconsole_widgets.cells import escape
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
    FormDialog Checkbox { border: none; height: 1; padding: 0; background: $surface; }
    FormDialog Checkbox:focus { border: none; text-style: reverse; }
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
            return Checkbox(words(field.title), bool(field.default), id=id, compact=True)
        if field.type == "choice" and field.choices:
            options = [(words(choice), choice) for choice in field.choices]
            chosen = field.default if field.default in field.choices else field.choices[0]
            return Select(options, value=chosen, allow_blank=False, id=id, compact=True)
        default = "" if field.default is None else str(field.default)
        return Input(default, password=field.type == "secret", id=id, compact=True)

    def buttons(self) -> Iterable[Button]:
        yield Button("Leave it", id="leave", compact=True)
        yield Button("Go on", id="go_on", compact=True)

    def on_mount(self) -> None:
        first = self.query("Input, Checkbox, Select")
        (first.first() if first else self.query_one("#go_on", Button)).focus()

    def values(self) -> dict[str, Any]:
        """What stands in the fields. Raises ValueError with a sentence about the first wrong one."""
        given: dict[str, Any] = {}
        for index, field in enumerate(self._form.fields):
            widget = self.query_one(f"#field{index}")
            if isinstance(widget, Checkbox | Select):
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
        fields = list(self.query("Input, Checkbox, Select"))
        at = fields.index(message.input)
        if at + 1 < len(fields):
            fields[at + 1].focus()
        else:
            self._go_on()

    @on(Button.Pressed)
    def _pressed(self, message: Button.Pressed) -> None:
        message.stop()
        if message.button.id == "go_on":
            self._go_on()
        else:
            self.dismiss(None)
