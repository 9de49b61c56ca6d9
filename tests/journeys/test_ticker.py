"""The ticker paints in the context of the app, whichever thread woke it."""

import asyncio
import contextvars
import threading

from journey_scene import fleet

from mleconsole.app.ticker import Ticker
from mleconsole.collect.status import Status
from mleconsole.collect.still import StillCollector
from mleconsole.store import Store

WHOSE: contextvars.ContextVar[str] = contextvars.ContextVar("WHOSE", default="nobody's")


async def test_what_a_publish_from_another_thread_paints_is_painted_in_the_context_that_started_it():
    store = Store()
    painted: asyncio.Queue[str] = asyncio.Queue()
    WHOSE.set("the app's")
    ticker = Ticker(store, lambda: painted.put_nowait(WHOSE.get()), lambda: None)
    ticker.start()
    while not painted.empty():
        painted.get_nowait()
    still = StillCollector(store, fleet(), status=lambda: Status("alice@login", "live"))
    thread = threading.Thread(target=still.start)  # a thread has a context of its own
    thread.start()
    assert await asyncio.wait_for(painted.get(), 5) == "the app's"
    thread.join()
    ticker.stop()
    still.stop()
