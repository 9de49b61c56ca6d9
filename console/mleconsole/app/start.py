"""Start: something to read within 30 ms, then the widgets, then the cluster; and a terminal that is always given back.

The first frame is written before Textual's 120 ms of imports; even `typing` and `signal` would cost it 12 ms, so that
they are imported after it. Collection begins when the widgets are painted: its own imports (asyncssh) would halve the
speed of Textual's under one interpreter lock, and the data could not be shown any earlier.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mleconsole.app.prompts import AppAsk
    from mleconsole.session import Session
    from mleconsole.transport.interface import Ask

_ENTER = "\x1b[?1049h\x1b[H\x1b[2J\x1b[?25l"
_LEAVE = "\x1b[?1049l\x1b[?25h\x1b[0m"
NO_TERMINAL = "the console needs a terminal for input, output and errors; `mleconsole show` prints to anything"
DUMB = "this terminal says TERM=dumb and can't be painted on; `mleconsole show` prints to anything"
DEFECT = 3
UNREACHED = 4
INTERRUPTED = 130
TERMINATED = 143  # 128 + SIGTERM, as a shell would say


def skeleton(columns: int, rows: int, *, title: str, login_text: str, pane: str, color: bool) -> str:
    """The first frame as bytes for a terminal: the top line, a place for the panes, what we are doing, the key line."""

    def dim(text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if color else text

    def safe(text: str) -> str:
        return "".join(c if c.isprintable() else "?" for c in text)[: max(0, columns - 1)]

    top = safe(f" {title} ▸ {pane}")
    who = safe(login_text)
    gap = columns - len(top) - len(who) - 1
    first = f"{top}{' ' * gap}{dim(who)}" if gap > 0 else top
    middle = max(3, rows // 2)
    waiting = safe(f"connecting to {login_text} ...")
    left = max(0, (columns - len(waiting)) // 2)
    lines = [
        f"\x1b[1;1H{first}",
        f"\x1b[{max(2, rows - 1)};1H{dim('─' * columns)}",
        f"\x1b[{rows};1H {safe('q quit   ? more')}",
        f"\x1b[{middle};{left + 1}H{waiting}",
    ]
    return _ENTER + "".join(lines)


class _Terminal:
    """The terminal as it was: written to without a screen library, and given back whatever happens."""

    def __init__(self) -> None:
        self._attributes: list[Any] | None = None
        self.painted = False

    def begin(self, frame: str) -> None:
        """Keys typed from now on are kept for the app and not echoed over the frame."""
        import termios

        try:
            self._attributes = termios.tcgetattr(0)
            quiet = list(self._attributes)
            quiet[3] &= ~(termios.ECHO | termios.ICANON)
            termios.tcsetattr(0, termios.TCSANOW, quiet)
        except termios.error:
            self._attributes = None
        self.painted = True
        self._write(frame)

    def give_back(self) -> None:
        """Out of the alternate screen, the cursor shown, the line discipline as before; harmless when done twice."""
        if not self.painted:
            return
        self.painted = False
        self._write(_LEAVE)
        if self._attributes is not None:
            import termios

            try:
                termios.tcsetattr(0, termios.TCSADRAIN, self._attributes)
            except termios.error:
                pass

    @staticmethod
    def _write(text: str) -> None:
        data = text.encode("utf-8", "replace")
        try:
            while data:
                data = data[os.write(2, data) :]
        except OSError:
            pass


def _unfit() -> str | None:
    """Why this process has no terminal to paint on, or None."""
    if not all(os.isatty(descriptor) for descriptor in (0, 1, 2)):
        return NO_TERMINAL
    return DUMB if os.environ.get("TERM", "dumb") in ("", "dumb") else None


def run_app(
    open_session: Callable[[Ask], Session],
    *,
    title: str,
    login_text: str,
    pane: str = "overview",
    mouse: bool = True,
) -> int:
    """Show the console until the person leaves; the exit status.

    `open_session` makes the Session (given the way to ask the person) and is called after the first frame is on the
    screen; what it raises (ConfigError) passes through with the terminal given back. 0 the person left; 4 the cluster
    was never reached and said why; 2 no terminal; 3 a defect of ours; 130 ctrl+c; 143 SIGTERM; 129 the
    terminal went away.
    """
    unfit = _unfit()
    if unfit is not None:
        os.write(2, f"mleconsole: {unfit}\n".encode())
        return 2
    terminal = _Terminal()
    size = os.get_terminal_size(2)
    color = not os.environ.get("NO_COLOR")
    columns, rows = size.columns or 80, size.lines or 24  # a terminal of 0 x 0 was never told its size
    terminal.begin(skeleton(columns, rows, title=title, login_text=login_text, pane=pane.capitalize(), color=color))
    import signal

    before = signal.getsignal(signal.SIGTERM)
    try:

        def terminated(number: int, frame: object) -> None:
            raise SystemExit(TERMINATED)

        signal.signal(signal.SIGTERM, terminated)
        return _run(terminal, open_session, title=title, pane=pane, mouse=mouse)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        terminal.give_back()
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _run(terminal: _Terminal, open_session: Callable[[Ask], Session], *, title: str, pane: str, mouse: bool) -> int:
    from mleconsole.app.garbage import hold

    hold()
    from mleconsole.app.prompts import AppAsk

    ask: AppAsk = AppAsk()
    session = open_session(ask)
    try:
        os.environ.setdefault("TEXTUAL_FPS", "120")
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        from mleconsole.app.app import ConsoleApp
        from mleconsole.app.hangup import HANGUP_STATUS, Hangup

        app = ConsoleApp(session, ask, title=title, pane=pane, painted=session.start)
        hangup = Hangup(sys.stdin.fileno(), app.leave_from_outside, session.stop)
        hangup.start()
        try:
            status = app.run(mouse=mouse)
        finally:
            hangup.end()
        if hangup.gone:
            return HANGUP_STATUS
        if app.defect:
            terminal.give_back()
            os.write(2, f"mleconsole: {app.defect}\n".encode())
            return DEFECT
        if status is None:
            status = app.return_code or 0
        if status == 0 and app.never_reached:
            return UNREACHED
        return status
    finally:
        ask.close()
        session.stop()
