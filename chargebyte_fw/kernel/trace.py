"""The recorder: a bounded ring of frames, contract traffic and states, saved as a CBOR sequence.

Always on, so it is cheap: an entry is packed into bytes when it happens, and the ring is a row of such blocks of a
fixed total size; nothing else is kept. When a block is let go, the last entry of each kind and source in it goes to
`past`, so that a saved trace has what was known when it begins. docs/trace.md describes the file.

The blocks are allocated once and written again: blocks of ever other sizes, each let go a ring later, leave holes in
the heap that nothing else fits into, and the process grows by megabytes in a day.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import struct
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.machine import Machine, Unexpected
from chargebyte_fw.kernel.redaction import redact
from chargebyte_fw.kernel.snapshot import taken

T = TypeVar("T")

Entry = tuple[float, str, str, Any]
"""`t_s` (the loop's monotonic seconds), kind, source, data."""

FORMAT = 1
RING_BYTES = 24 << 20
"""About 38 minutes of DC charging with its contract traffic, a request every 200 ms."""
BLOCK_BYTES = 64 << 10
LARGEST_ENTRY = 24 << 10
"""More octets than this are cut off an entry; it fits into a block."""
MOST_NAMES = 4096
"""Distinct pairs of kind and source; what comes later is `other`."""
MOST_PAST = 4096
SECRETS = frozenset(("password", "passphrase", "private_key", "private_key_password", "nmk", "new_key", "key_password"))
"""Fields whose values are not written to files."""
TOKENS = frozenset(("id_token", "parent_id_token", "id_tag", "identification_data"))
"""Fields that identify a person: written as a salted hash, so that equal ones are still equal."""
BLANK = "***"

SNAPSHOT_S = 600.0
"""A machine that is fully recorded can be played from a point no older than this, in s."""

_HEAD = struct.Struct("<dHBI")
_HEAD_BYTES = _HEAD.size
_head_into = _HEAD.pack_into
_running_loop = asyncio.get_running_loop
_OTHER = ("other", "other")


class Channel(Protocol):
    """Records data of one kind and source."""

    def __call__(self, data: Any, t_s: float | None = None) -> None:
        """Keep one entry, as of now or of a second that the caller has just looked up."""


class Trace:
    """The ring. `on` switches all recording, `contracts` that of commands, variables and faults."""

    def __init__(self, ring_bytes: int = RING_BYTES) -> None:
        self.on = True
        self.contracts = True
        self._blocks: deque[Block] = deque()
        self._most_blocks = max(1, ring_bytes // BLOCK_BYTES - 1)
        self._block = Block()
        self._snapshots: weakref.WeakSet[TraceSnapshot] = weakref.WeakSet()
        self._numbers: dict[tuple[str, str], int] = {}
        self._names: list[tuple[str, str]] = []
        self._past: dict[tuple[int, int], tuple[float, bytes]] = {}
        self._salt = secrets.token_bytes(8)

    def record(self, kind: str, source: str, data: Any, key: int = 0, t_s: float | None = None) -> None:
        """Keep one entry: `kind` (`uart`, `slac`, `v2g`, `cmd`, `var`, `state` ...), who, and bytes or plain data.

        `key` (0 to 255) distinguishes entries of one source that do not replace one another as its latest. `t_s` is the
        second when the caller has looked at the clock already.
        """
        number = self._numbers.get((kind, source))
        if number is None:
            number = self._number(kind, source)
        self._keep(number, key, data, t_s)

    def channel(self, kind: str, source: str) -> Channel:
        """Return `record` for one kind and source, for frequent entries; the second may be given."""
        return partial(self._keep, self._number(kind, source), 0)

    def _keep(self, number: int, key: int, data: Any, t_s: float | None = None) -> None:
        if not self.on:
            return
        try:
            packed = _pack(data)
        except (TypeError, ValueError, OverflowError, RecursionError):
            packed = _pack(repr(data)[:LARGEST_ENTRY])
        length = len(packed)
        if length > LARGEST_ENTRY:
            packed = _pack(data[:LARGEST_ENTRY] if isinstance(data, bytes) else repr(data)[: LARGEST_ENTRY // 4])
            length = len(packed)
        block = self._block
        begin = block.used + _HEAD_BYTES
        end = begin + length
        if end > BLOCK_BYTES:
            block = self._next_block()
            begin, end = _HEAD_BYTES, _HEAD_BYTES + length
        octets = block.data
        _head_into(octets, block.used, _running_loop().time() if t_s is None else t_s, number, key, length)
        octets[begin:end] = packed
        block.used = end

    def _number(self, kind: str, source: str) -> int:
        if (number := self._numbers.get((kind, source))) is not None:
            return number
        name = (kind, source) if len(self._names) < MOST_NAMES - 1 else _OTHER
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._names)
            self._names.append(name)
        return number

    def _next_block(self) -> Block:
        self._blocks.append(self._block)
        if len(self._blocks) <= self._most_blocks:
            self._block = Block()
            return self._block
        oldest = self._blocks.popleft()
        for t_s, number, key, packed in oldest.entries():
            if (number, key) in self._past or len(self._past) < MOST_PAST:
                self._past[number, key] = (t_s, packed)
        # A block that a snapshot still has to write is not reused.
        self._block = Block() if self._snapshots else oldest
        self._block.used = 0
        return self._block

    @property
    def bytes_held(self) -> int:
        """How many bytes the ring and the past take."""
        past = sum(len(packed) for _, packed in self._past.values())
        return sum(block.used for block in self._blocks) + self._block.used + past

    def __len__(self) -> int:
        return sum(1 for block in (*self._blocks, self._block) for _ in block.entries())

    def entries(self) -> list[Entry]:
        """Return the ring's content, oldest first."""
        return list(self._snapshot().ring())

    def _snapshot(self) -> TraceSnapshot:
        past = sorted((t_s, number, packed) for (number, _), (t_s, packed) in self._past.items())
        snapshot = TraceSnapshot([*self._blocks, self._block.copy()], past, list(self._names), self._salt)
        self._snapshots.add(snapshot)
        return snapshot

    def snapshot(self, why: str = "") -> TraceSnapshot:
        """Return the present content, to be written later, also by another thread."""
        snapshot = self._snapshot()
        snapshot.head = (
            asyncio.get_running_loop().time(),
            "trace",
            "head",
            {"format": FORMAT, "wall": rfc3339(utc_now()), "why": why, "past": len(snapshot.past)},
        )
        return snapshot

    def save(self, path: Path, why: str = "") -> int:
        """Write the ring to `path` as a CBOR sequence; returns the number of entries. Raises OSError."""
        return self.snapshot(why).write(path)


class Block:
    """A part of the ring: entries one after the other in a fixed number of octets."""

    __slots__ = ("data", "used")

    def __init__(self) -> None:
        self.data = bytearray(BLOCK_BYTES)
        self.used = 0

    def copy(self) -> Block:
        """Return a copy of the entries so far."""
        copy = Block()
        copy.data[: self.used] = self.data[: self.used]
        copy.used = self.used
        return copy

    def entries(self) -> Iterator[tuple[float, int, int, bytes]]:
        """Yield second, number of kind and source, key, and packed data of each entry."""
        at = 0
        while at < self.used:
            t_s, number, key, length = _HEAD.unpack_from(self.data, at)
            at += _HEAD_BYTES
            yield t_s, number, key, bytes(self.data[at : at + length])
            at += length


class TraceSnapshot:
    """The content of the ring at one moment. As long as it is kept, its part of the ring is not reused."""

    head: Entry

    def __init__(
        self, blocks: list[Block], past: list[tuple[float, int, bytes]], names: list[tuple[str, str]], salt: bytes
    ) -> None:
        self.blocks = blocks
        self.past = past
        self._names = names
        self._salt = salt

    def ring(self) -> Iterator[Entry]:
        """Yield the entries of the ring, oldest first."""
        for block in self.blocks:
            for t_s, number, _, packed in block.entries():
                yield t_s, *self._names[number], _decode(packed)

    def write(self, path: Path) -> int:
        """Write the file, complete or not at all; returns the number of the ring's entries. Raises OSError."""
        import cbor2

        dumps = cbor2.dumps
        part = path.with_name(path.name + ".part")
        count = 0
        try:
            with part.open("wb") as file:
                file.write(dumps(list(self.head)))
                for t_s, number, packed in self.past:
                    file.write(dumps([t_s, *self._names[number], self._blanked(_decode(packed))]))
                for t_s, kind, source, data in self.ring():
                    file.write(dumps([t_s, kind, source, self._blanked(data)]))
                    count += 1
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        return count

    def _blanked(self, data: Any) -> Any:
        if isinstance(data, dict):
            return {key: self._field(key, value) for key, value in data.items()}
        if isinstance(data, list):
            return [self._blanked(one) for one in data]
        if isinstance(data, str) and ("://" in data or "{" in data):
            # A URL with a password, or JSON.
            return redact(data)
        return data

    def _field(self, name: Any, value: Any) -> Any:
        if name in SECRETS and value is not None:
            return BLANK
        if name in TOKENS:
            if isinstance(value, str):
                return hashlib.sha256(self._salt + value.encode()).hexdigest()[:12]
            if isinstance(value, dict) and isinstance(value.get("value"), str):
                return {**self._blanked(value), "value": self._field(name, value["value"])}
        return self._blanked(value)


class Tape:
    """Records the states of a machine, and each wake-up with what `aside` returns then."""

    __slots__ = ("_aside", "_source", "_state", "_trace")

    def __init__(self, trace: Trace, source: str, aside: Callable[[], Any] | None = None) -> None:
        self._trace = trace
        self._source = source
        self._aside = aside
        self._state: Enum | None = None

    def woken(self) -> None:
        """Record that the machine is about to be woken."""
        self._trace.record("wake", self._source, None if self._aside is None else self._aside())

    def state(self, state: Enum) -> None:
        """Record the state of the machine when it has changed."""
        if state is not self._state:
            self._state = state
            self._trace.record("state", self._source, state.name)


class FullTape(Tape):
    """Records each event of a machine, with its second, and each effect.

    `begins` is what it was made of. With the state of `parts` (the machine, or those that it is made up of) that is
    recorded before the first event and again every SNAPSHOT_S. Events of the types `elsewhere` are in the trace as
    other entries.
    """

    __slots__ = ("_begins", "_channels", "_elsewhere", "_parts", "_snapshot_s", "_wake")

    def __init__(
        self,
        trace: Trace,
        source: str,
        begins: dict[str, Any],
        parts: Sequence[Machine],
        elsewhere: tuple[type, ...] = (),
    ) -> None:
        super().__init__(trace, source)
        self._begins = begins
        self._parts = parts
        self._elsewhere = elsewhere
        self._channels: dict[tuple[str, type], Channel] = {}
        self._wake = trace.channel("wake", source)
        self._snapshot_s = float("-inf")

    def _channel(self, kind: str, of: type) -> Channel:
        channel = self._channels.get((kind, of))
        if channel is None:
            channel = self._channels[kind, of] = self._trace.channel(kind, f"{self._source}.{of.__name__}")
        return channel

    def fed(self, event: Any, now: float) -> None:
        """Record an event that the machine is about to be fed."""
        if now >= self._snapshot_s + SNAPSHOT_S:
            fresh, self._snapshot_s = self._snapshot_s < 0.0, now
            self._trace.record("start", self._source, {**self._begins, "fresh": fresh, "known": self._known()}, t_s=now)
        if not isinstance(event, self._elsewhere):
            self._channel("event", type(event))(event, now)

    def _known(self) -> list[dict[str, Any]] | str:
        made_of = tuple(self._begins.values())
        try:
            return [taken(part, made_of) for part in self._parts]
        except Exception as error:
            # A state that cannot be recorded must not disturb the machine.
            return repr(error)

    def woken_at(self, now: float) -> None:
        """Record that the machine is about to be woken."""
        self._wake(None, now)

    def produced(self, event: Any, effects: list[Any], now: float) -> None:
        """Record the effects of an event; an event without a row is not one."""
        for effect in effects:
            if effect is not event and not isinstance(effect, Unexpected):
                self._channel("effect", type(effect))(effect, now)


def record_answers(trace: Trace, kind: str, source: str, ask: Callable[..., T]) -> Callable[..., T]:
    """Return `ask` with each result recorded: for a function that a machine calls."""

    def asked(*question: Any) -> T:
        answer = ask(*question)
        trace.record(kind, source, answer)
        return answer

    return asked


def plain(data: Any) -> Any:
    """Return data as it comes back from a file."""
    return _decode(_pack(data))


_pack = msgspec.msgpack.Encoder(enc_hook=repr).encode
_unpack = msgspec.msgpack.Decoder().decode


def _decode(packed: bytes) -> Any:
    return msgspec.to_builtins(_unpack(packed), builtin_types=(bytes,))
