"""What a module asks and reads before it can run: its configuration and the retained metadata of the manager.

A module of EVerest reads one topic after the other. Messages are distinguished by their topics here, so all of a step
are awaited at once, and the manager's dialect is that of what it has published.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

from .connection import Connection
from .log import LOGGER
from .metadata import Metadata
from .wire import REQUESTS, RESPONSES, BadMessage, Topics, decode, encode

GET_LIMIT_S = 5.0
ATTEMPTS = 2


class ConfigClient:
    """Asks the manager's configuration service as one module, one question at a time."""

    def __init__(self, connection: Connection, topics: Topics, module_id: str) -> None:
        self._connection = connection
        self._topics = topics
        self._module_id = module_id
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._turn = threading.Lock()
        self.dialect = "2026.10"
        self._subscribed = False

    def ask(self, kind: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a `Get` or `Set`; raises RuntimeError without any."""
        asked = encode(REQUESTS[self.dialect], {"type": kind, "origin": self._module_id, "request": request})
        with self._turn:
            if not self._subscribed:
                self._connection.subscribe([self._topics.module(self._module_id, "response")], self._take)
                self._subscribed = True
            for _ in range(ATTEMPTS):
                while not self._answers.empty():
                    # A late answer to an earlier question.
                    self._answers.get()
                self._connection.publish(self._topics.of("config/request"), asked)
                try:
                    answer = self._answers.get(timeout=GET_LIMIT_S)
                except queue.Empty:
                    continue
                if isinstance(answer, dict):
                    return answer
        raise RuntimeError(f"the manager does not answer {self._module_id}")

    def _take(self, topic: str, payload: bytes) -> None:
        data = _response(topic, payload)
        if data is not None:
            self._answers.put(data[1])


class _Retained:
    """Reads retained topics."""

    def __init__(self, connection: Connection, topics: Topics) -> None:
        self._connection = connection
        self._topics = topics
        self._found: dict[str, Any] = {}
        self._came = threading.Condition()
        self.dialect: str | None = None

    def get(self, *names: str) -> list[Any]:
        """Return the data of these topics; raises RuntimeError when one is missing."""
        topics = list(dict.fromkeys(map(self._topics.of, names)))
        for _ in range(ATTEMPTS):
            missing = [topic for topic in topics if topic not in self._found]
            self._connection.subscribe(missing, self._take)
            self._await(missing)
            self._connection.unsubscribe(missing)
        missing = [topic for topic in topics if topic not in self._found]
        if missing:
            raise RuntimeError(
                f"nothing is published as {missing[0]}: the manager is not there, or has erased it because all modules "
                "were ready (its option --retain-topics keeps it)"
            )
        return [self._found[self._topics.of(name)] for name in names]

    def _await(self, topics: list[str]) -> None:
        give_up_at = time.monotonic() + GET_LIMIT_S
        with self._came:
            while any(topic not in self._found for topic in topics):
                left_s = give_up_at - time.monotonic()
                if left_s <= 0 or not self._came.wait(left_s):
                    return

    def _take(self, topic: str, payload: bytes) -> None:
        if not payload:
            return  # erased
        response = _response(topic, payload)
        if response is None:
            return
        with self._came:
            self.dialect, self._found[topic] = response
            self._came.notify_all()


def _response(topic: str, payload: bytes) -> tuple[str, Any] | None:
    try:
        msg_type, data = decode(payload)
    except BadMessage as error:
        LOGGER.warning("%s: %s", topic, error)
        return None
    dialect = RESPONSES.get(msg_type)
    if dialect is None:
        LOGGER.warning("%s: message type %s", topic, msg_type)
        return None
    return dialect, data


def fetch(connection: Connection, topics: Topics, client: ConfigClient, module_id: str) -> Metadata:
    """Read everything that the module needs; raises RuntimeError."""
    retained = _Retained(connection, topics)
    settings, interfaces = retained.get("settings", "interfaces")
    client.dialect = retained.dialect or client.dialect
    answer = client.ask("Get", {"type": "Module"})
    if answer.get("status") != "Ok":
        raise RuntimeError(f"the manager has no configuration for {module_id}: {answer.get('status_info', '')}")
    config = answer["response"]["data"]["module_config"]
    manifest = retained.get(f"manifests/{config['module_name']}")[0]
    used = [entry["interface"] for key in ("provides", "requires") for entry in (manifest.get(key) or {}).values()]
    # What nothing provides has no definition.
    names = [name for name in dict.fromkeys(used) if name in interfaces]
    definitions = retained.get(*(f"interface_definitions/{name}" for name in names)) if names else []
    types = _types(retained) if settings.get("validate_schema") else None
    return Metadata(module_id, config, settings, manifest, dict(zip(names, definitions)), types)


def _types(retained: _Retained) -> dict[str, Any]:
    """Return the types of each type file, by its name with a slash before it."""
    (names,) = retained.get("types")
    return dict(zip(names, retained.get(*(f"type_definitions{name}" for name in names)))) if names else {}
