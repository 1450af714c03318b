"""The life of a module on the broker, from the metadata to the end: readiness, shutdown, calls that wait, listeners."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from .connection import Connection
from .dispatch import Dispatcher
from .fetch import ConfigClient, fetch
from .log import LOGGER, update_process_name
from .session import RuntimeSession
from .wire import BadMessage, CommandFailed, Topics, decode, encode, response_type, result_of

Listener = Callable[[str, Any], None]


class Life:
    """Connection, metadata and waiting calls of one module; it may outlive the `Module`, to which it does not refer."""

    def __init__(self, module_id: str, session: RuntimeSession) -> None:
        self.module_id = module_id
        self.topics = Topics(session.everest_prefix)
        self.on_shutdown: Callable[[], Any] | None = None
        self._on_ready: Callable[[], Any] | None = None
        self._ends_process = session.ends_process
        self._ready_lock = threading.Lock()
        self._ready = False
        self._shutting_down = False
        self._ended = False
        self._calls: dict[str, Future[Any]] = {}
        self._answered: set[str] = set()
        self._answer_lock = threading.Lock()
        self._dispatcher = Dispatcher()
        self.connection = Connection(session.broker, self._broker_gone)
        self.connection.open()
        try:
            self.config = ConfigClient(self.connection, self.topics, module_id)
            self.metadata = fetch(self.connection, self.topics, self.config, module_id)
            self.connection.subscribe([self.topics.of("ready")], self._on_global_ready)
            self.connection.subscribe([self.topics.of("shutdown")], lambda _topic, _payload: self._shut_down())
        except BaseException:
            self.connection.close()
            raise
        if session.ends_process:
            update_process_name(f"{module_id}:{self.metadata.info().name}")

    def send_response(self, name: str, data: Any) -> None:
        """Publish data of the module itself on a topic of its own, as an answer of the manager's dialect."""
        topic = self.topics.module(self.module_id, name)
        self.connection.publish(topic, encode(response_type(self.config.dialect), data))

    def report_ready(self, on_ready: Callable[[], Any] | None) -> None:
        """Publish that the module is ready."""
        self._on_ready = on_ready
        self.connection.publish(self.topics.module(self.module_id, "ready"), encode("ModuleReady", True))

    def listen(self, topics: Iterable[str], listeners: Mapping[str, Listener]) -> None:
        """Give the data of messages to the listener of their type, on a worker; others are logged and dropped."""

        def take(topic: str, payload: bytes) -> None:
            msg_type, data = decode(payload)
            listener = listeners.get(msg_type)
            if listener is None:
                raise BadMessage(f"message type {msg_type}")
            self._dispatcher.put(topic, lambda: listener(topic, data))

        self.connection.subscribe(topics, take)

    def call(self, topic: str, call_id: str, payload: bytes, limit_s: float) -> Any:
        """Publish a command and return its result; raises CommandFailed."""
        if self._ended:
            raise CommandFailed("Shutdown", f"{self.module_id} has no connection")
        waiting: Future[Any] = Future()
        self._calls[call_id] = waiting
        try:
            with self._answer_lock:
                if topic not in self._answered:
                    self.connection.subscribe([f"{topic}/response/{self.module_id}"], self._on_answer)
                    self._answered.add(topic)
            self.connection.publish(topic, payload)
            return waiting.result(limit_s)
        except TimeoutError:
            raise CommandFailed("CmdTimeout", f"{topic}: no answer in {limit_s:g} s") from None
        finally:
            del self._calls[call_id]

    def _on_answer(self, _topic: str, payload: bytes) -> None:
        call_id, found = result_of(decode(payload)[1])
        waiting = self._calls.get(call_id)
        if waiting is None or waiting.done():
            return
        if isinstance(found, CommandFailed):
            waiting.set_exception(found)
        else:
            waiting.set_result(found)

    def _on_global_ready(self, _topic: str, _payload: bytes) -> None:
        with self._ready_lock:
            if self._ready:
                LOGGER.debug("the manager reports once more that all modules are ready")
                return
            self._ready = True
        if self._on_ready is not None:
            threading.Thread(
                target=self._run, args=("ready", self._on_ready), name="everest ready", daemon=True
            ).start()

    def _shut_down(self) -> None:
        # On the thread of the connection alone.
        if self._shutting_down:
            LOGGER.debug("the manager asks %s once more to end", self.module_id)
            return
        self._shutting_down = True
        threading.Thread(target=self._end, name="everest shutdown", daemon=True).start()

    def _end(self) -> None:
        if self.on_shutdown is not None:
            self._run("shutdown", self.on_shutdown)
        self.close()

    def _run(self, what: str, callback: Callable[[], Any]) -> None:
        try:
            callback()
        except Exception:
            LOGGER.exception("the %s handler of %s failed", what, self.module_id)

    def close(self) -> None:
        """Disconnect; calls that wait fail with Shutdown."""
        if not self._ended:
            self._ended = True
            self._refuse_calls()
            self.connection.close()

    def _broker_gone(self, reason: str) -> None:
        self._ended = True
        LOGGER.critical("%s has lost the MQTT broker: %s", self.module_id, reason)
        self._refuse_calls()
        if self._ends_process:
            # The manager starts a module again that ends; one that has missed messages would go on with wrong facts.
            logging.shutdown()
            os._exit(1)

    def _refuse_calls(self) -> None:
        for waiting in list(self._calls.values()):
            if not waiting.done():
                waiting.set_exception(CommandFailed("Shutdown", f"{self.module_id} is shutting down"))
