"""Handlers of messages on threads of their own: one after the other for each topic, several topics at a time.

The order within a topic is what EVerest's modules rely on, and a handler may call a command, which waits for a message
on another topic: it must not hold up the thread that reads from the broker.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable

from .log import LOGGER
from .wire import BadMessage

WORKERS_LIMIT = 64
"""Topics whose handlers run at a time; each blocks one while it waits for a command of another module."""
WAITING_WARNING = 100
"""Messages that wait on one topic when a line is logged; none is dropped."""
Job = Callable[[], None]


class Dispatcher:
    """Threads that run jobs, made as they are needed."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[Job]] = {}
        self._lock = threading.Lock()
        self._due: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._workers = 0
        self._idle = 0

    def put(self, topic: str, job: Job) -> None:
        """Run a job after those of the same topic before it."""
        with self._lock:
            line = self._lines.get(topic)
            if line is not None:
                # Its worker goes on with it.
                line.append(job)
                waiting = len(line)
            else:
                self._lines[topic] = deque((job,))
                waiting = 1
                self._due.put(topic)
                if self._idle == 0 and self._workers < WORKERS_LIMIT:
                    self._workers += 1
                    threading.Thread(target=self._work, name="everest worker", daemon=True).start()
                elif self._idle:
                    self._idle -= 1
        if waiting % WAITING_WARNING == 0:
            LOGGER.warning("%s: %d messages wait", topic, waiting)

    def _work(self) -> None:
        while True:
            topic = self._due.get()
            while (job := self._next(topic)) is not None:
                try:
                    job()
                except BadMessage as error:
                    LOGGER.warning("%s: the message is dropped: %s", topic, error)
                except Exception:
                    LOGGER.exception("%s: the handler failed", topic)

    def _next(self, topic: str) -> Job | None:
        with self._lock:
            line = self._lines[topic]
            if line:
                return line.popleft()
            del self._lines[topic]
            self._idle += 1
            return None
