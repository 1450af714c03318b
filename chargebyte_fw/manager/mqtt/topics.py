"""MQTT topic filters: which subscriptions match a topic (MQTT 3.1.1, 4.7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Callback = Callable[[str, bytes], None]
LONGEST_TOPIC_BYTES = 65535
_TOPIC = re.compile("[^+#\0-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]+")


def matches(topic_filter: str, topic: str) -> bool:
    """Whether `topic` matches `topic_filter` with its `+` and `#`."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if levels[0].startswith("$") and wanted[0] in ("+", "#"):
        return False
    for position, level in enumerate(wanted):
        if level == "#":
            return True
        if position >= len(levels) or level not in ("+", levels[position]):
            return False
    return len(wanted) == len(levels)


def is_filter(text: str) -> bool:
    """Whether the text is a well-formed topic filter: `+` alone in its level, `#` alone and last."""
    levels = text.split("/")
    plus = all(level == "+" or "+" not in level for level in levels)
    number = all("#" not in level for level in levels[:-1]) and (levels[-1] == "#" or "#" not in levels[-1])
    return bool(text) and plus and number and "\0" not in text


def is_topic(text: str) -> bool:
    """Whether a message can be published there: no wildcards, no characters for which a broker disconnects (1.5.3).

    Control characters and noncharacters are such, also where the standard only lets a receiver treat them so.
    """
    if not text or not _TOPIC.fullmatch(text):
        return False
    return len(text) <= LONGEST_TOPIC_BYTES // 4 or len(text.encode()) <= LONGEST_TOPIC_BYTES


class Subscriptions:
    """Callbacks by topic filter; exact topics are looked up, filters are tried."""

    def __init__(self) -> None:
        self._exact: dict[str, list[Callback]] = {}
        self._filters: dict[str, list[Callback]] = {}

    def _callbacks_of(self, topic_filter: str) -> dict[str, list[Callback]]:
        return self._filters if "+" in topic_filter or "#" in topic_filter else self._exact

    def add(self, topic_filter: str, callback: Callback) -> bool:
        """Add a callback; returns True for the first one of this filter (subscribe)."""
        callbacks = self._callbacks_of(topic_filter).setdefault(topic_filter, [])
        callbacks.append(callback)
        return len(callbacks) == 1

    def remove(self, topic_filter: str, callback: Callback) -> bool:
        """Remove a callback; returns True for the last one of this filter (unsubscribe)."""
        book = self._callbacks_of(topic_filter)
        callbacks = book.get(topic_filter, [])
        if callback not in callbacks:
            return False
        callbacks.remove(callback)
        if callbacks:
            return False
        del book[topic_filter]
        return True

    def callbacks(self, topic: str) -> Iterator[Callback]:
        """Return the callbacks for a topic; one with two filters that match it comes twice, as with a broker."""
        yield from tuple(self._exact.get(topic, ()))
        for topic_filter, callbacks in tuple(self._filters.items()):
            if matches(topic_filter, topic):
                yield from tuple(callbacks)

    def __iter__(self) -> Iterator[str]:
        yield from self._exact
        yield from self._filters
