"""The station itself: routes events to blocks, keeps their timers and collects their effects."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, TypeVar

import msgspec

from chargebyte_fw.kernel.effects import Call, Publish
from chargebyte_fw.modules.ocpp.connection.settings import ClientFiles
from chargebyte_fw.modules.ocpp.station import effects, events
from chargebyte_fw.modules.ocpp.station.block import ANSWERED, ANSWERS, FAILED, RECEIVES, SERVES, Block, Key
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.version import Version

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
ANSWER_TIMEOUT_S = 20.0
"""How long a request of the CSMS may stay unanswered. A CSMS gives up after 30 s."""
SERVE_TIMEOUT_S = 90.0
"""How long a command of another module may wait for the CSMS: a message and its repetition."""

B = TypeVar("B", bound=Block)


class RequestRefused(Exception):
    """A request of the CSMS is answered with a CALLERROR of this code."""

    def __init__(self, code: str, description: str = "", details: Any = None) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description
        self.details = details


class Unanswered(Exception):
    """A request of the CSMS gets no answer at all: OCPP 1.6 has it so while the station is rejected (§4.2)."""


class CallFailure(msgspec.Struct, frozen=True):
    """Why a request of ours, or a command to another module, got no result."""

    code: str
    """As in `events.MessageFailed`; `Command` for a command."""
    description: str = ""
    details: Any = None


class _Open(msgspec.Struct):
    """A request or command that is being handled."""

    answer: Callable[[Any], Any]
    """Makes the effect that answers it."""
    refuse: Callable[[RequestRefused], Any]
    after: list[Callable[[], Any]] = []


class Deferred(msgspec.Struct, frozen=True):
    """The answer follows: `station.answer(deferred, response)`, within `ANSWER_TIMEOUT_S` or `SERVE_TIMEOUT_S`."""

    call_id: str


class Station:
    """Functional blocks as one machine: `feed`, `deadline`, `wake` as in `kernel/machine.py`.

    `kinds` are the classes of the blocks in the order in which they receive events.
    """

    def __init__(
        self,
        version: Version,
        kinds: list[type[Block]],
        new_id: Callable[[], str],
        variables: Variables | None = None,
        layout: Layout | None = None,
    ) -> None:
        self.variables = Variables() if variables is None else variables
        self.layout = Layout([]) if layout is None else layout
        self.version = version
        """The version that is spoken. A CSMS of 2.x may choose another one at the next connection."""
        self.now = 0.0
        """Monotonic second of the event that is being handled."""
        self.new_id = new_id
        """Return a new unique id, for messages."""
        self.gate: Callable[[Any], None] = lambda request: None
        """Called with each request of the CSMS before its row; raises RequestRefused or Unanswered."""
        self.transaction: str | None = None
        """Rows under `answered` and `failed`: the session whose transaction the message belongs to."""
        self._offset_s = 0.0
        self._effects: list[Any] = []
        self._ids = count(1)
        self._call_id: str | None = None
        self._current: _Open | None = None
        self._open: dict[str, _Open] = {}
        self._then: dict[str, Callable[[Any], None]] = {}
        self._commands: dict[int, Callable[[Any], None]] = {}
        self._timers: dict[Hashable, tuple[float, Callable[[], None]]] = {}
        self._due: list[tuple[float, int, Hashable]] = []
        self._rows: dict[tuple[str, Key], list[Callable[..., Any]]] = {}
        self._blocks: dict[type[Block], Block] = {}
        for kind in kinds:
            block = self._blocks[kind] = kind(self)
            for key, name in kind.rows.items():
                row = self._rows.setdefault(key, [])
                if row and key[0] in (ANSWERS, SERVES):
                    raise TypeError(f"{kind.__qualname__}.{name}: {key[1]} is the row of another block, too")
                row.append(getattr(block, name))

    # What blocks ask for.

    def block(self, kind: type[B]) -> B:
        """Return another block of this station; raises KeyError where the station has none of this class."""
        found: Any = self._blocks[kind]
        return found  # type: ignore[no-any-return]

    @property
    def utc(self) -> datetime:
        """The wall time of the event that is being handled."""
        try:
            return EPOCH + timedelta(seconds=self.now + self._offset_s)
        except OverflowError:  # a CSMS may set the clock to the last second of the calendar
            return LAST if self._offset_s > 0 else FIRST

    def set_utc(self, at: datetime) -> None:
        """Take `at` as the wall time of now: the CSMS sent it, and the system is being set to it."""
        self._offset_s = (at - EPOCH).total_seconds() - self.now

    def monotonic(self, at: datetime) -> float:
        """Return the monotonic second of a wall time, as the clock stands now."""
        return (at - EPOCH).total_seconds() - self._offset_s

    def send(
        self,
        request: Any,
        then: Callable[[Any], None] | None = None,
        *,
        transaction: str | None = None,
        triggered: bool = False,
    ) -> str:
        """Send a request to the CSMS; returns its message id.

        `then` takes the response, or a `CallFailure`. It does not outlive the process: what a restart must not lose is
        a row under `answered` and `failed`.
        """
        message_id = self.new_id()
        if then is not None:
            self._then[message_id] = then
        self._effects.append(effects.Enqueue(message_id, request, transaction, triggered))
        return message_id

    def command(self, call: Call, then: Callable[[Any], None] | None = None, *, evse_id: int | None = None) -> None:
        """Send a command to another module; `then` takes its result, or a `CallFailure`."""
        command_id = next(self._ids)
        if then is not None:
            self._commands[command_id] = then
        self._effects.append(effects.Command(command_id, call, evse_id))

    def keep_elsewhere(self, what: Any, then: Callable[[Any], None]) -> None:
        """Have another part of the charger keep a value; `then` takes its result, or a `CallFailure`."""
        command_id = next(self._ids)
        self._commands[command_id] = then
        self._effects.append(effects.KeepElsewhere(command_id, what))

    def discard_certificate(self, discarded: ClientFiles, kept: ClientFiles, then: Callable[[Any], None]) -> None:
        """Delete one of two client certificates; `then` takes True, or a `CallFailure`."""
        command_id = next(self._ids)
        self._commands[command_id] = then
        self._effects.append(effects.DiscardCertificate(command_id, discarded, kept))

    def publish(self, value: Publish) -> None:
        """Publish a variable of an interface that the module provides."""
        self._effects.append(value)

    def save(self, table: str, key: str, value: Any) -> None:
        """Keep a document (a msgspec structure or plain data) over a restart; None deletes it."""
        data = None if value is None else msgspec.json.encode(value)
        self._effects.append(effects.Save(table, key, data))

    def effect(self, effect: Any) -> None:
        """Ask the owner for any other effect (`station.effects`)."""
        self._effects.append(effect)

    def notify(self, event: Any) -> None:
        """Let every block with a row for it receive an event at once: facts that one block has and others need."""
        for row in self._rows.get((RECEIVES, type(event)), ()):
            row(event)

    def start(self, timer: Hashable, at_s: float, run: Callable[[], None]) -> None:
        """Run `run` at monotonic second `at_s`, in place of what the timer had before."""
        self._timers[timer] = (at_s, run)
        heapq.heappush(self._due, (at_s, next(self._ids), timer))

    def stop(self, timer: Hashable) -> None:
        """Stop a timer; one that does not run is left alone."""
        self._timers.pop(timer, None)

    def due(self, timer: Hashable) -> float | None:
        """Return when a timer runs, None while it is stopped."""
        entry = self._timers.get(timer)
        return entry[0] if entry is not None else None

    # Answers to the CSMS.

    def defer(self) -> Deferred:
        """Return the promise of an answer to what is being handled. Return it from the row."""
        if self._call_id is None:
            raise RuntimeError("defer() outside a row under `answers` or `serves`")
        return Deferred(self._call_id)

    def answer(self, deferred: Deferred, response: Any) -> None:
        """Answer what was deferred; what was answered (the time was over) stays as it is."""
        opened = self._open.pop(deferred.call_id, None)
        if opened is not None:
            self.stop(("answer", deferred.call_id))
            self._effects.append(opened.answer(response))
            self._guard(*opened.after)

    def refuse(self, deferred: Deferred, refused: RequestRefused) -> None:
        """Answer a deferred request with a CALLERROR; let a deferred command fail."""
        opened = self._open.pop(deferred.call_id, None)
        if opened is not None:
            self.stop(("answer", deferred.call_id))
            self._effects.append(opened.refuse(refused))

    def after_answer(self, run: Callable[[], Any]) -> None:
        """Run `run` when the request being handled is answered (not refused): what it sends follows the answer."""
        if self._current is None:
            raise RuntimeError("after_answer() outside a row under `answers` or `serves`")
        self._current.after.append(run)

    # The machine.

    @property
    def deadline(self) -> float | None:
        """The monotonic second at which `wake` is to be called, None without a timer."""
        while self._due:
            at_s, _, timer = self._due[0]
            entry = self._timers.get(timer)
            if entry is not None and entry[0] == at_s:
                return at_s
            heapq.heappop(self._due)
        return None

    def feed(self, event: Any, now: float) -> list[Any]:
        """Take one event at monotonic second `now`; return the effects in order."""
        self.now = now
        match event:
            case events.CallReceived():
                self._call(event)
            case events.Served():
                self._serve(event)
            case events.MessageAnswered(message_id=message_id, request=request, response=response):
                self.transaction = event.transaction
                rows = [partial(row, request, response) for row in self._rows.get((ANSWERED, type(request)), ())]
                self._guard(*rows, partial(self._continue, self._then, message_id, response))
            case events.MessageFailed(message_id=message_id, request=request):
                self.transaction = event.transaction
                failure = CallFailure(event.code, event.description, event.details)
                rows = [partial(row, request, failure) for row in self._rows.get((FAILED, type(request)), ())]
                self._guard(*rows, partial(self._continue, self._then, message_id, failure))
            case events.CommandDone(command_id=command_id, result=result):
                self._continue(self._commands, command_id, result)
            case events.CommandFailed(command_id=command_id, reason=reason):
                self._continue(self._commands, command_id, CallFailure("Command", reason))
            case _:
                if isinstance(event, events.WallClockSet):
                    self._offset_s = event.offset_s
                self.notify(event)
        return self._taken()

    def wake(self, now: float) -> list[Any]:
        """Run every timer that is over at `now`, earliest first."""
        self.now = now
        while (at_s := self.deadline) is not None and at_s <= now:
            _, _, timer = heapq.heappop(self._due)
            _, run = self._timers.pop(timer)
            run()
        return self._taken()

    def _taken(self) -> list[Any]:
        taken, self._effects = self._effects, []
        return taken

    @staticmethod
    def _continue(waiting: dict[Any, Callable[[Any], None]], key: Any, result: Any) -> None:
        then = waiting.pop(key, None)
        if then is not None:
            then(result)

    def _guard(self, *steps: Callable[[], Any]) -> None:
        """Run the steps; what the CSMS caused does not end the module, it is logged with its traceback."""
        for step in steps:
            try:
                step()
            except Exception as error:
                self._effects.append(effects.RowFailed(error))

    def _call(self, event: events.CallReceived) -> None:
        call_id = event.call_id
        opened = _Open(partial(effects.Answer, call_id), partial(_refusal, call_id))
        rows = self._rows.get((ANSWERS, type(event.request)))
        try:
            self.gate(event.request)
        except RequestRefused as refused:
            self._effects.append(opened.refuse(refused))
            return
        except Unanswered:
            self._effects.append(effects.LeaveUnanswered(call_id))
            return
        if rows:
            self._handle(call_id, event.action, opened, partial(rows[0], event.request), ANSWER_TIMEOUT_S)
        else:
            code = "NotSupported" if self.version is Version.V16 else "NotImplemented"
            self._effects.append(opened.refuse(RequestRefused(code, f"{event.action} is not available")))

    def _serve(self, event: events.Served) -> None:
        reply_id = event.reply_id
        opened = _Open(partial(effects.Reply, reply_id), lambda refused: effects.ReplyError(reply_id, str(refused)))
        rows = self._rows.get((SERVES, (event.interface, event.command)))
        if rows:
            self._handle(reply_id, event.command, opened, partial(rows[0], *event.args), SERVE_TIMEOUT_S)
        else:
            self._effects.append(effects.ReplyError(reply_id, f"{event.command} is not available"))

    def _handle(self, call_id: str, what: str, opened: _Open, row: Callable[[], Any], within_s: float) -> None:
        # Open before the row runs: what it asks for may answer at once.
        self._open[call_id], self._current, self._call_id = opened, opened, call_id
        try:
            response = row()
        except RequestRefused as refused:
            response = refused
        except Exception as error:
            self._effects.append(effects.RowFailed(error))
            response = RequestRefused("InternalError", f"{what} could not be handled")
        self._call_id = self._current = None
        if isinstance(response, RequestRefused):
            self.refuse(Deferred(call_id), response)
        elif not isinstance(response, Deferred):
            self.answer(Deferred(call_id), response)
        elif call_id in self._open:
            overdue = RequestRefused("GenericError", f"{what} was not answered in time")
            self.start(("answer", call_id), self.now + within_s, partial(self.refuse, response, overdue))


def _refusal(call_id: str, refused: RequestRefused) -> effects.Refuse:
    return effects.Refuse(call_id, refused.code, refused.description, refused.details)
