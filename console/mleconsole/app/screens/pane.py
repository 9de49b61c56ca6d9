"""PaneScreen: the panes and the details opened from them, one page at a time under one frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import events, on
from textual.containers import Container
from textual.widget import Widget

from mleconsole.api import Pane, Subject
from mleconsole.app import frame, parts
from mleconsole.app.bar import Bar
from mleconsole.app.keys import Entry, shown
from mleconsole.app.lines import Piece
from mleconsole.app.offers import Offer, offers, related
from mleconsole.app.screens.framed import FramedScreen
from mleconsole.app.screens.page import Page
from mleconsole.app.trail import Place, Trail, detail_pane
from mleconsole.app.words import subject_words
from mleconsole.journal import log_defect
from mleconsole.model.format import escape
from mleconsole.model.kinds import Host
from mleconsole.model.view import Tone
from mleconsole_widgets import messages

if TYPE_CHECKING:
    from mleconsole.app.app import ConsoleApp


class PaneScreen(FramedScreen):
    """Where one is stands in its Trail; every visited place keeps its Page."""

    def __init__(self, console: ConsoleApp, pane: str) -> None:
        super().__init__(console)
        self.hub: ConsoleApp = console
        panes = console.registry.panes
        self.trail = Trail(pane if pane in panes else next(iter(panes), ""))
        self._pages: dict[Place, Page] = {}
        self._reason = ""
        self._reason_of: Widget | None = None  # the part that told it

    def body(self) -> Iterable[Widget]:
        page = self._pages[self.trail.here] = Page(self.trail.here, self._arrived)
        yield page

    def on_mount(self) -> None:
        super().on_mount()
        self._need()
        self.call_later(self.hub.composed)  # a screen counts as mounted when this handler has ended

    def on_screen_resume(self) -> None:
        """Back from a screen that covered this one."""
        if self.hub.ticker.started:
            self.hub.ticker.now()

    # ------------------------------------------------------------------ where we are

    @property
    def page(self) -> Page | None:
        return self._pages.get(self.trail.here)

    @property
    def pane(self) -> Pane | None:
        return self.hub.registry.panes.get(self.trail.here.pane)

    def go(self, pane: str) -> None:
        """To a root pane; pressed again in it: from its details back to its root."""
        if pane in self.hub.registry.panes:
            left = self.trail.go(pane)
            self._arrive()
            for place in left:
                self._forget(place)

    def open_subject(self, subject: Subject) -> None:
        """Enter: the page about `subject`, or about the nearest thing it refers to that has one."""
        registry = self.hub.registry
        for candidate in related(registry, self.hub.store.fleet, subject):
            pane = detail_pane(registry.panes, candidate.kind)
            if pane is not None and Place(pane.id, candidate) != self.trail.here:
                self.trail.open(pane.id, candidate)
                self._arrive()
                return
        self.say(f"there is no page about {subject_words(subject)}")

    def _arrive(self) -> None:
        """Show the page of where the trail is now: at once, and without another layout when it was shown before."""
        here = self.trail.here
        page = self._pages.get(here)
        if page is None:
            page = self._pages[here] = Page(here, self._arrived)
            self.query_one("#body", Container).mount(page)
        else:
            self.call_after_refresh(self._arrived, page)
        if self.maximized is not None:
            self.minimize()
        for other in self._pages.values():
            if other is not page and other.display:
                focused = self.focused
                other.was_in = focused if focused is not None and other in focused.ancestors else None
            other.display = other is page
        self._reason = ""
        self._said = None
        self._need()

    def _arrived(self, page: Page) -> None:
        if page is self.page and self.hub.ticker.started:
            self.hub.ticker.now()
            self.take_focus(page)

    def take_focus(self, page: Page, tries: int = parts.SEEK_TRIES) -> None:
        """Into the part of the page where the person was, else its first, unless they are somewhere in it already.

        Parts are mounted one in another: it is tried again until there is one.
        """
        if page is not self.page:
            page.seeking = False
            return
        focused = self.focused
        if focused is None or page not in focused.ancestors_with_self:
            found = parts.focusable(page)
            self.set_focus(page.was_in if page.was_in in found else found[0] if found else None)
            page.seeking = not found  # a page that has none at all is not looked at for ever
            if page.seeking and tries > 0:
                self.set_timer(parts.SEEK_SECONDS, partial(self.take_focus, page, tries - 1))
        self.paint_frame()

    def _forget(self, place: Place) -> None:
        if not self.trail.holds(place) and (page := self._pages.pop(place, None)) is not None:
            page.remove()

    def _need(self) -> None:
        pane = self.pane
        self.hub.session.need(frozenset(pane.needs if pane is not None else ()))

    # ------------------------------------------------------------------ painting

    def paint(self) -> None:
        """Show the current page's view of the newest fleet; a pane that fails is off, with a sentence."""
        page, pane, console = self.page, self.pane, self.hub
        if page is None or not page.is_mounted or not page.is_attached:
            return
        if pane is None:
            off = "\n".join(console.registry.disabled.values())
            page.show_sentence(f"There is no pane to show: no plugin brings one.\n{off}".rstrip(), Tone.WARN)
        elif pane.id in console.broken:
            page.show_sentence(console.broken[pane.id], Tone.WARN)
        elif (waiting := self._waiting()) is not None:
            page.show_sentence(waiting)
        else:
            focus = console.focus_for(pane, page.place.subject)
            try:
                page.show(pane.view(console.store.fleet, console.store.history, focus))
            except Exception as error:  # a plugin's view may raise anything; it must cost only itself
                log_defect(f"pane {pane.id} could not be shown", error)
                console.broken[pane.id] = (
                    f"Pane {pane.title} is off: {type(error).__name__}: {error}. "
                    f"The others go on; {shown('r')} tries it again."
                )
                page.show_sentence(console.broken[pane.id], Tone.WARN)
        if self.focused is None and not page.seeking:
            self.call_after_refresh(self.take_focus, page)
        self.paint_frame()

    def _waiting(self) -> str | None:
        """What to say instead of a view while nothing at all is known yet."""
        fleet, status = self.hub.store.fleet, self.hub.session.status
        if any(kind is not Host for kind in fleet.kinds()):
            return None
        if status.login == "live":
            return None
        words = frame.login_words(status, None, reached=self.hub.reached)
        if words.startswith(escape(status.who)):  # a name keeps its case
            return words
        return (words[:1].upper() + words[1:]) if words else None

    def paint_frame(self) -> None:
        if not self.is_mounted:
            return
        console = self.hub
        status, fleet, registry = console.session.status, console.store.fleet, console.registry
        panes = registry.panes
        self.query_one("#top", Bar).put(
            frame.crumbs(console.cluster, self.trail.places, panes),
            frame.top_right(
                status,
                fleet,
                console.epoch(),
                paused=console.ticker.paused,
                read_only=console.session.situation.read_only,
            ),
        )
        counts = frame.alert_counts(registry, console.store.alerts)
        line = frame.pane_line(tuple(panes.values()), self.trail.root, counts, console.broken)
        sentence = frame.login_words(status, console.monotonic(), reached=console.reached)
        if sentence:
            tone = Tone.QUIET if status.login == "connecting" else Tone.WARN
            full = sum(piece.width + 2 for piece in line) + len(sentence) + 4
            line = line if full <= self.size.width else frame.short_pane_line(line)
            self.query_one("#panes", Bar).put(line, [Piece(sentence, 0, tone)])
        else:
            self.query_one("#panes", Bar).put(line, self._running_words())
        entries = self.entries()
        page = self.page
        subject = parts.selected(page) is not None if page is not None else False
        self.query_one("#keys", Bar).put(frame.key_line(entries, detail=len(self.trail.places) > 1, subject=subject))
        self.paint_status()

    def _running_words(self) -> list[Piece]:
        running = tuple(self.hub.works.values())
        if not running:
            return []
        return [Piece(running[0] if len(running) == 1 else f"{len(running)} things run", 0, Tone.STRONG)]

    def standing(self) -> Sequence[Piece]:
        page = self.page
        if page is None:
            return ()
        marks = parts.marked(page)
        pieces = [Piece(f" {len(marks)} marked: x acts on all, Esc unmarks ", 1, Tone.STRONG)] if marks else []
        if self._reason:
            pieces.append(Piece(f" {self._reason} ", 0, Tone.QUIET))
        notices = (*self.hub.registry.disabled.values(), *self.hub.session.status.notices)
        if notices and not pieces:
            more = f" (and {len(notices) - 1} more: ?)" if len(notices) > 1 else ""
            pieces.append(Piece(f" {escape(notices[0])}{more} ", 0, Tone.QUIET))
        return pieces

    # ------------------------------------------------------------------ what the parts tell

    @on(messages.Opened)
    def _opened(self, message: messages.Opened) -> None:
        message.stop()
        if message.subject is not None:
            self.open_subject(message.subject)

    @on(messages.CursorMoved)
    def _moved(self, message: messages.CursorMoved) -> None:
        message.stop()
        self._reason = message.reason
        self._reason_of = self.focused
        self.paint_frame()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Another part: its own reason stands in the rule from now on. It may have told it before this is heard."""
        if self._reason_of is not event.widget:
            self._reason = ""
        tell = getattr(event.widget, "tell", None)
        if tell is not None:
            self.call_later(tell)

    @on(messages.MarksChanged)
    def _marks_changed(self, message: messages.MarksChanged) -> None:
        message.stop()
        self.paint_frame()

    # ------------------------------------------------------------------ keys

    def offers(self) -> list[Offer]:
        page, console = self.page, self.hub
        if page is None:
            return []
        picked = parts.chosen(page)
        if not picked and page.place.subject is not None:
            picked = (page.place.subject,)
        return offers(console.registry, console.store.fleet, picked, console.session.situation)

    def entries(self) -> dict[str, Entry]:
        console = self.hub
        return console.keys.now(tuple(console.registry.panes.values()), self.pane, self.offers())

    def run(self, entry: Entry) -> None:
        if entry.role == "pane":
            self.go(entry.id)
        elif entry.role == "switch":
            self.turn(entry.id)
        elif entry.role in ("action", "workflow") and entry.reason is None:
            offer = next((offer for offer in self.offers() if offer.id == entry.id), None)
            if offer is not None:
                self.hub.acting.begin(offer)
        else:
            super().run(entry)

    def turn(self, switch: str, value: str | None = None) -> None:
        """The pane's switch to `value`, or to its next one."""
        pane = self.pane
        found = next((s for s in pane.switches if s.id == switch), None) if pane is not None else None
        if pane is None or found is None:
            return
        switches = self.hub.switches
        now = switches.set(pane, found, value) if value is not None else switches.turn(pane, found)
        self.hub.ticker.now()
        self.say(f"{found.title}: {now}")

    def do_open(self) -> None:
        page = self.page
        subject = parts.selected(page) if page is not None else None
        if subject is not None:
            self.open_subject(subject)

    def do_back(self) -> None:
        """Ends the filter, else the marks, else the zoom, else goes one page back."""
        page = self.page
        part = self.table
        if self.maximized is not None:
            self.minimize()
        elif part is not None and part.filter_text:
            self.close_filter(keep=False)
        elif part is not None and part.marks:
            part.unmark()
        elif (left := self.trail.back()) is not None:
            self._arrive()
            if page is not None:
                self._forget(left)
        self.paint_frame()

    def do_actions(self) -> None:
        self.hub.acting.menu(self.offers())

    def do_refresh(self) -> None:
        console = self.hub
        console.broken.clear()
        if console.session.status.login in ("signed_out", "refused"):
            console.session.sign_in_again()
            self.say("signing in again ...")
        else:
            console.session.refresh()
            self.say("asked again")
        console.ticker.now()

    def do_pause(self) -> None:
        ticker = self.hub.ticker
        ticker.pause(not ticker.paused)
        self.paint_frame()

    def do_commands(self) -> None:
        self.hub.show_commands()

    def do_palette(self) -> None:
        self.hub.show_palette(self)

    def do_help(self) -> None:
        self.hub.show_help(self.entries())

    def saving(self) -> Callable[[], str] | None:
        from mleconsole.app.saving import save_view

        page = self.page
        shown = page.shown if page is not None else None
        return partial(save_view, self.trail.here.pane, shown) if shown is not None else None

    def do_quit(self) -> None:
        self.hub.ask_quit()
