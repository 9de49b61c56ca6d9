"""Saving: what is on the screen, or a report with its raw files, into a folder of ours on this machine."""

from __future__ import annotations

from mleconsole.api import Report, View
from mleconsole.journal import save_files
from mleconsole.render.json import dumps, report_json, view_json


def save_view(name: str, view: View) -> str:
    """Save a view as JSON; the sentence about where."""
    return _told(name, {"view.json": dumps(view_json(view)).encode()})


def save_report(name: str, report: Report) -> str:
    """Save a report and its raw files; the sentence about where."""
    return _told(name, {**report.files, "report.json": dumps(report_json(report)).encode()})


def _told(name: str, files: dict[str, bytes]) -> str:
    folder = save_files(name, files)
    return f"saved to {folder}" if folder is not None else "it could not be saved: our state folder can't be written"
