"""Store: holds the newest Fleet, History and Alerts, and tells subscribers that there is a newer one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from mleconsole.model.alert import Alert
from mleconsole.model.fleet import Fleet
from mleconsole.model.history import History


class Store:
    """One writer (the collector's tick), many readers on other threads; what they read is frozen."""

    def __init__(self, history: History | None = None) -> None:
        self.history = history or History()
        self._fleet = Fleet()
        self._alerts: tuple[Alert, ...] = ()
        self._subscribers: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    @property
    def fleet(self) -> Fleet:
        return self._fleet

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Most severe first, then oldest first."""
        return self._alerts

    @property
    def serial(self) -> int:
        """Grows with every published Fleet."""
        return self._fleet.serial

    def publish(self, fleet: Fleet, alerts: Sequence[Alert] | None = None) -> None:
        """Writer only. Subscribers are called on the writer's thread: they must only post a wake-up."""
        if alerts is not None:
            self._alerts = tuple(alerts)
        self._fleet = fleet
        with self._lock:
            subscribers = tuple(self._subscribers)
        for wake in subscribers:
            wake()

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have `wake` called after every publish; returns the function that ends it."""
        with self._lock:
            self._subscribers.append(wake)

        def unsubscribe() -> None:
            with self._lock:
                if wake in self._subscribers:
                    self._subscribers.remove(wake)

        return unsubscribe
