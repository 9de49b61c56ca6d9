"""ProgressScreen: a workflow while it runs, and its Report when it ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from rich.cells import cell_len

from mleconsole.api import Event, Log, Report, Section, Sections, Tone, View
from mleconsole.app.lines import Piece
from mleconsole.app.saving import save_report
from mleconsole.app.screens.framed import Hub
from mleconsole.app.screens.looking import ViewScreen
from mleconsole.app.screens.outcome import report_view
from mleconsole.app.words import ago
from mleconsole.model.format import escape

SENTENCES = 500
BAR_CELLS = 20


def progress_bar(done: int, total: int, cells: int = BAR_CELLS) -> str:
    """`━━━━────── 3 of 8`; only the count when the total is unknown."""
    if total <= 0:
        return f"{done} done" if done else ""
    full = min(cells, max(0, round(cells * done / total)))
    return f"{'━' * full}{'─' * (cells - full)} {done} of {total}"


class ProgressScreen(ViewScreen):
    """Esc once asks, Esc again stops the workflow; what it saved stays. After the end Esc goes back."""

    def __init__(self, hub: Hub, title: str, clock: Callable[[], float]) -> None:
        super().__init__(hub, title, Log((), empty="Started; nothing told yet."))
        self._clock = clock
        self._began = clock()
        self._sentences: deque[str] = deque(maxlen=SENTENCES)
        self._latest: View | None = None
        self._done = 0
        self._total = 0
        self._asked = False
        self._future: Future[Report] | None = None
        self._report: Report | None = None
        self.ended = False

    def follow(self, future: Future[Report]) -> None:
        """The running workflow; cancelling its Future stops it."""
        self._future = future

    def tell(self, event: Event) -> None:
        """One event of the workflow (on the app's loop)."""
        if self.ended:
            return
        if event.sentence:
            self._sentences.append(escape(event.sentence))
        if event.total or event.done:
            self._done, self._total = event.done, event.total
        if event.view is not None:
            self._latest = event.view
        if self.is_mounted:
            self.show(self._running_view())
            self.paint_frame()

    def end(self, report: Report) -> None:
        self.ended = True
        self._report = report
        self._note = "ended; ^S saves it"
        if report.files:
            self.do_save()
        self.show(report_view(report))
        self.paint_frame()
        self.call_after_refresh(self._enter)

    def stopped(self, why: str, tone: Tone = Tone.WARN) -> None:
        """It ended without a report."""
        self.ended = True
        self._sentences.append(escape(why))
        self.show(self._running_view())
        self.say(why, tone)
        self.paint_frame()

    def beat(self) -> None:
        if not self.ended:
            self.paint_frame()

    def _running_view(self) -> View:
        log = Log(tuple(self._sentences), title="What it does", empty="Started; nothing told yet.")
        if self._latest is None:
            return log
        return Sections(
            (Section("view", self._latest, weight=3, priority=0), Section("log", log, weight=1, min_height=4))
        )

    def saving(self) -> Callable[[], str] | None:
        return partial(save_report, self._title, self._report) if self._report is not None else None

    def crumbs(self) -> list[Piece]:
        pieces = [Piece(escape(self._title), 0, Tone.STRONG)]
        if not self.ended:
            bar = progress_bar(self._done, self._total)
            pieces.append(Piece(bar, 1 if cell_len(bar) < 30 else 2))
            pieces.append(Piece(ago(self._clock() - self._began), 2, Tone.QUIET))
        return pieces

    def bottom(self) -> list[Piece]:
        pieces = super().bottom()
        if not self.ended:
            pieces[0] = pieces[0]._replace(text="stop")
        return pieces

    def do_back(self) -> None:
        if self.ended:
            super().do_back()
        elif self._asked:
            self.say("stopping ...")
            if self._future is not None:
                self._future.cancel()
        else:
            self._asked = True
            self.say("Esc again stops it; what it saved stays", Tone.WARN)
            self.set_timer(5.0, self._forget_asked)

    def _forget_asked(self) -> None:
        self._asked = False
