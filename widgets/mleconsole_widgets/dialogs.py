"""Dialogs: questions over the screen. Esc always means no; nothing that was typed elsewhere decides one."""

from __future__ import annotations

from mleconsole_widgets.ask import AcceptKey, Ask, Message
from mleconsole_widgets.confirm import ConfirmPlan
from mleconsole_widgets.form import FormDialog
from mleconsole_widgets.pick import Pick

__all__ = ["AcceptKey", "Ask", "ConfirmPlan", "FormDialog", "Message", "Pick"]
