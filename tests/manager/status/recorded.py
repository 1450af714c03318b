"""Recorded traffic of C++ EVerest, into a collector or onto a broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from chargebyte_fw.manager.status.collector import Collector

CAPTURES = Path(__file__).parents[2] / "captures/status"


def messages(name: str, until_s: float = 1e9) -> Iterator[tuple[str, bytes]]:
    """Topic and payload of each message up to a moment."""
    for line in (CAPTURES / f"{name}.jsonl").read_text("utf-8").splitlines():
        message = json.loads(line)
        if message["t_s"] <= until_s:
            payload = message["payload"]
            yield message["topic"], (payload if isinstance(payload, str) else json.dumps(payload)).encode()


def collected(name: str, until_s: float = 1e9) -> Collector:
    collector = Collector("broker:1883")
    for topic, payload in messages(name, until_s):
        collector.take_topic(topic, payload)
    return collector
