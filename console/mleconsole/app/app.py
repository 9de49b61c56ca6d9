"""ConsoleApp: holds what the screens share and routes between them; it draws nothing and knows no kind of thing."""

from __future__ import annotations

import asyncio
import importlib
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast

from textual import events
from textual.app import App, ScreenStackError
from textual.css.query import NoMatches

from mleconsole.api import Focus, Pane, Subject, Tone
from mleconsole.app.focus import Switches
from mleconsole.app.garbage import Garbage
from mleconsole.app.keys import Entry, KeyTable
from mleconsole.app.prompts import AppAsk
from mleconsole.app.screens.framed import FramedScreen
from mleconsole.app.screens.pane import PaneScreen
from mleconsole.app.signingin import SigningIn
from mleconsole.app.start import INTERRUPTED, TERMINATED
from mleconsole.app.ticker import Ticker
from mleconsole.journal import log_defect
from mleconsole.session import Session
from mleconsole_widgets import palette

if TYPE_CHECKING:
    from mleconsole.app.acting import Acting
    from mleconsole.app.palette import Choice
    from mleconsole.transport.interface import LogEntry

IDLE_SECONDS = 120.0
QUIET_SECONDS = 2.0
#: Imported when they are used first, or before that when nobody types: the first paint does not wait for them.
LATE = (
    *(f"mleconsole_widgets.{name}" for name in ("log", "matrix", "tree", "chart", "facts", "table")),
    *(f"mleconsole.app.{name}" for name in ("saving", "screens.help", "palette", "acting")),
)


class ConsoleApp(App[int]):
    """One session on one terminal. `epoch` and `monotonic` are its clocks."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS = []
    TITLE = "mleconsole"

    def __init__(
        self,
        session: Session,
        ask: AppAsk,
        *,
        title: str,
        pane: str,
        epoch: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        painted: Callable[[], None] = lambda: None,
    ) -> None:
        """`painted` is called once, when the first frame with widgets is on the screen."""
        super().__init__()
        palette.install(cast("App[object]", self))
        self.session = session
        self.store = session.store
        self.registry = session.registry
        self.cluster = session.config.name or title
        self.epoch = epoch
        self.monotonic = monotonic
        self.keys = KeyTable(session.config.keys)
        self.switches = Switches()
        self.broken: dict[str, str] = {}  # pane id -> why it is off
        self.defect = ""  # why the app ended, when it ended by itself
        self.works: dict[int, str] = {}  # what runs now, in words
        self.ticker = Ticker(self.store, partial(self._while_up, self._paint), partial(self._while_up, self._beat))
        self.signing_in = SigningIn(self, ask)
        self._spare = list(LATE)
        self.reached = False  # the login stood at least once
        self._garbage = Garbage(monotonic())
        self._last_key = monotonic()
        self._idle = False
        self._painted = painted
        self._unpainted = ExitStack()  # while it is open the skeleton stays on the screen
        self.panes_screen = PaneScreen(self, pane)

    @cached_property
    def acting(self) -> Acting:
        from mleconsole.app.acting import Acting

        return Acting(self)

    # ------------------------------------------------------------------ life

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        self._loop_now = loop
        try:
            loop.add_signal_handler(signal.SIGTERM, self.exit, TERMINATED)
            signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # a stopped console would leave the terminal painted
        except (ValueError, RuntimeError):  # not the main thread: a test's business
            pass
        self._unpainted.enter_context(self.batch_update())

    def composed(self) -> None:
        """The panes are there: what they say now is the first frame after the skeleton."""
        self.ticker.start()
        self.signing_in.start(self._loop_now)
        self._unpainted.close()
        self.panes_screen.call_after_refresh(self._begin)

    def get_default_screen(self) -> PaneScreen:
        """The panes lie at the bottom: an empty screen below them would cost a frame of its own."""
        return self.panes_screen

    def _begin(self) -> None:
        self._garbage.begin()
        self._painted()
        self.panes_screen.filter_line()

    def on_unmount(self) -> None:
        self.ticker.stop()
        self.signing_in.end()

    def leave_from_outside(self) -> None:
        """The terminal is gone (called on another thread)."""
        loop = getattr(self, "_loop_now", None)
        if loop is not None:
            loop.call_soon_threadsafe(self.exit, 0)

    @property
    def never_reached(self) -> bool:
        """The login failed and said why, and never stood."""
        return not self.reached and self.session.status.login in ("refused", "signed_out", "lost")

    # ------------------------------------------------------------------ defects: one sentence, never a traceback

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside everything else; what it raises is one sentence here and a traceback in the log."""
        self.run_worker(self._guarded(work), exit_on_error=False)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            if self.is_headless:
                self._handle_exception(error)
                return
            log_defect("something the person asked for failed", error)
            self.say(f"that failed by a defect of this console: {type(error).__name__}: {error}", Tone.BAD)

    def _fatal_error(self) -> None:
        """Textual's hook for an exception that nothing handled: the app ends."""
        if self.is_headless or self._exception is None:
            super()._fatal_error()
            return
        error = self._exception
        file = log_defect("the app ended", error)
        where = f"; the details are in {file}" if file is not None else ""
        self.defect = f"the console ended by a defect of its own: {type(error).__name__}: {error}{where}"
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """Textual's hook: tracebacks on the person's terminal. They are in the log."""
        if self.is_headless:
            super()._print_error_renderables()
        self._exit_renderables.clear()

    # ------------------------------------------------------------------ painting

    @staticmethod
    def _while_up(work: Callable[[], None]) -> None:
        """Timers may still fire while the screens are being taken down: then there is nothing to paint on."""
        with suppress(NoMatches, ScreenStackError):
            work()

    def _paint(self) -> None:
        self.reached = self.reached or self.session.status.login == "live"
        if not getattr(
            self.screen, "covers", False
        ):  # what lies behind a whole screen is painted when it is seen again
            self.panes_screen.paint()

    def _beat(self) -> None:
        """Once a second: clocks, ages, what we cost, idleness."""
        now = self.monotonic()
        if self.session.status.login == "live":
            self.reached = True
        screen = self.screen
        if isinstance(screen, FramedScreen):
            screen.beat()
        if self._spare and now - self._last_key > QUIET_SECONDS:
            importlib.import_module(self._spare.pop())  # so that their first use does not wait
        if self.store.serial > 0:
            self._garbage.settle(now)
        self._garbage.quiet(now, self._last_key)
        if not self._idle and now - self._last_key > IDLE_SECONDS:
            self._idle = True
            self.session.idle(True)

    def action_help_quit(self) -> None:
        """ctrl+c in a dialog: out, as everywhere."""
        self.exit(INTERRUPTED)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.MouseDown):
            self._last_key = self.monotonic()
            if self._idle:
                self._idle = False
                self.session.idle(False)
        await super().on_event(event)

    def focus_for(self, pane: Pane, subject: Subject | None) -> Focus:
        session = self.session
        return self.switches.focus(pane, subject, session.situation, self.store.alerts, self.epoch())

    # ------------------------------------------------------------------ routing

    def say(self, sentence: str, tone: Tone = Tone.PLAIN) -> None:
        """A sentence in the rule of the screen in front, else of the panes."""
        screen = self.screen if isinstance(self.screen, FramedScreen) else self.panes_screen
        screen.say(sentence, tone)

    async def pick(self, title: str, options: Sequence[tuple[str, str, str, str | None]]) -> str | None:
        """Let the person choose one of (id, title, keys, reason why not)."""
        from mleconsole_widgets.pick import Pick

        return await self.push_screen_wait(Pick(title, options))

    def show_help(self, entries: dict[str, Entry]) -> None:
        from mleconsole.app.screens.help import HelpScreen

        pane = self.panes_screen.pane
        about = [pane.help] if pane is not None and pane.help else []
        about += [*self.registry.disabled.values(), *self.session.status.notices]
        self.push_screen(HelpScreen(list(entries.values()), about))

    def show_commands(self) -> None:
        from mleconsole.app.screens.commands import CommandsScreen

        behind = self.epoch() - self.monotonic()

        def started(entry: LogEntry) -> float:
            return entry.started + behind

        self.push_screen(CommandsScreen(self, lambda: self.session.commands, started))

    def show_palette(self, screen: PaneScreen) -> None:
        from mleconsole.app.palette import choices

        found = choices(self.registry, screen.pane, screen.offers(), self.keys)
        self.spawn(self._palette(screen, found))

    async def _palette(self, screen: PaneScreen, found: Sequence[Choice]) -> None:
        chosen = await self.pick("Go to or do", [choice.option for choice in found])
        choice = next((choice for choice in found if choice.option[0] == chosen), None)
        if choice is not None:
            choice.take(screen)

    def ask_quit(self) -> None:
        """`q`: at once, or after asking when something still runs."""
        if self.works:
            self.spawn(self._quit_anyway())
        else:
            self.exit(0)

    async def _quit_anyway(self) -> None:
        title = f"Still running: {'; '.join(self.works.values())}"
        chosen = await self.pick(
            title, [("stay", "Stay here", "", None), ("quit", "Quit and stop watching it", "", None)]
        )
        if chosen == "quit":
            self.exit(0)
