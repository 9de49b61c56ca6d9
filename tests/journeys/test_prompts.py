"""AppAsk: a question from another thread's loop waits, is answered, is given up, or goes away with its asker."""

import asyncio
import threading

from mleconsole.app.prompts import AppAsk
from mleconsole.transport.interface import Question

QUESTION = Question("codes", "alice@login", "One-time code", (("Code:", True),))


class Loop:
    """A loop in its own thread, as the session's."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def submit(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


def test_a_question_before_the_app_is_up_waits_and_wakes_it_at_attach():
    ask, there, woken = AppAsk(), Loop(), threading.Event()
    asked = there.submit(ask(QUESTION))
    there.submit(asyncio.sleep(0)).result(5)
    ask.attach(woken.set)
    assert woken.wait(5)
    pending = ask.next()
    assert pending is not None and pending.question is QUESTION
    pending.answer(("123456",))
    assert asked.result(5) == ("123456",)
    there.end()


def test_an_app_that_ends_gives_up_what_waits_and_what_comes():
    ask, there, woken = AppAsk(), Loop(), threading.Event()
    ask.attach(woken.set)
    asked = there.submit(ask(QUESTION))
    assert woken.wait(5)
    ask.close()
    assert asked.result(5) is None
    assert there.submit(ask(QUESTION)).result(5) is None
    there.end()


def test_a_question_whose_asker_went_away_is_not_shown():
    ask, there, woken = AppAsk(), Loop(), threading.Event()
    ask.attach(woken.set)
    asked = there.submit(ask(QUESTION))
    assert woken.wait(5)
    asked.cancel()
    there.submit(asyncio.sleep(0)).result(5)
    there.submit(asyncio.sleep(0)).result(5)
    assert ask.next() is None
    there.end()
