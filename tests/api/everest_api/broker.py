"""A broker in memory: keeps all that was published, and passes it on to whoever listens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


class Broker:
    """External MQTT of a test; `client` publishes as a client does."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str]] = []
        self._subscribers: dict[str, list[Callable[[str, str], None]]] = {}

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        self.published.append((topic, payload))
        for callback in tuple(self._subscribers.get(topic, ())):
            callback(topic, payload)

    def client(self, topic: str, value: Any = None) -> None:
        """A client publishes a value as JSON; a text as it is."""
        payload = value if isinstance(value, str) else json.dumps(value)
        for callback in tuple(self._subscribers.get(topic, ())):
            callback(topic, payload)

    def subscribe(self, topic: str, callback: Callable[[str, str], None]) -> Callable[[], None]:
        self._subscribers.setdefault(topic, []).append(callback)
        return lambda: self._subscribers[topic].remove(callback)

    def last(self, topic: str) -> Any:
        """The last payload of a topic, out of JSON; the empty text as it is."""
        payload = next(payload for one, payload in reversed(self.published) if one == topic)
        return json.loads(payload) if payload else ""

    def topics(self) -> list[str]:
        return [topic for topic, _ in self.published]
