"""A charging station towards its CSMS as one machine: connection, dispatcher and station, and what passes between them.

Pure. `charge_point_link.py` has the socket, the file and the loop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec

from chargebyte_fw.kernel.machine import Machine
from chargebyte_fw.modules.ocpp.connection import effects as socket
from chargebyte_fw.modules.ocpp.connection import events as connection_events
from chargebyte_fw.modules.ocpp.connection.machine import Connection
from chargebyte_fw.modules.ocpp.dispatcher import Dispatcher
from chargebyte_fw.modules.ocpp.queue.entries import Entry
from chargebyte_fw.modules.ocpp.queue.message_queue import ACCEPTED
from chargebyte_fw.modules.ocpp.station import Station, effects, events

MOST_STEPS = 100_000
"""Messages between the parts that one event may cause: a full queue that is dropped is the most."""


class FrameReceived(msgspec.Struct, frozen=True):
    """A message of the WebSocket."""

    attempt: int
    text: str | bytes


class Written(msgspec.Struct, frozen=True):
    """The file has everything up to this ticket, or cannot have it for now: messages may be sent."""

    ticket: int


class FileBegunAnew(msgspec.Struct, frozen=True):
    """The file was damaged and is a new one: what waits is written again."""


class MessagesLoaded(msgspec.Struct, frozen=True):
    """What the last run left in the queue's tables; fed before `Start`."""

    entries: tuple[Entry, ...]
    transaction_ids: dict[str, int]


class Status(msgspec.Struct, frozen=True):
    """What people ask about first (`secc ocpp status`)."""

    state: str
    """In words: `connected`, `pause before the next attempt`, ..."""
    slot: int | None
    url: str
    identity: str
    security_profile: int | None
    version: str
    registration: str
    last_reason: str
    """Why the last connection or attempt ended; empty before the first end."""
    next_attempt_in_s: float | None
    messages: int
    """That wait, or are outstanding."""
    oldest_message: str
    """The wall time at which the oldest of them was queued."""


_OF_CONNECTION = (
    connection_events.Start,
    connection_events.Stop,
    connection_events.NetworkReady,
    connection_events.NetworkFailed,
    connection_events.Opened,
    connection_events.OpenFailed,
    connection_events.SocketClosed,
    connection_events.PongReceived,
)


_CHANGES = (
    socket.Established,
    socket.CertificateProven,
    socket.RootProven,
    socket.Lost,
    socket.Confirmed,
    socket.ProfileSwitched,
)


class ChargePoint(Machine):
    """The parts as one machine; effects for the owner are those of socket, file and stack, and log lines."""

    def __init__(self, connection: Connection, dispatcher: Dispatcher, station: Station) -> None:
        self.connection = connection
        self.dispatcher = dispatcher
        self.station = station
        self._steps: deque[Any] = deque()
        self._found: list[Any] = []

    def status(self, now: float) -> Status:
        """Return how things stand."""
        connection, queue = self.connection, self.dispatcher.queue
        profile = connection.profile
        redial_s = connection.due("redial")
        waiting = sorted((*queue.of_transactions, *queue.others, *queue.boots), key=lambda one: one.number)
        return Status(
            state=connection.state.value,
            slot=profile.slot if profile is not None else None,
            url=profile.url if profile is not None else "",
            identity=profile.identity if profile is not None else "",
            security_profile=profile.security_profile if profile is not None else None,
            version=self.dispatcher.version.value,
            registration=queue.registration or "",
            last_reason=connection.last_reason,
            next_attempt_in_s=max(0.0, redial_s - now) if redial_s is not None else None,
            messages=len(waiting),
            oldest_message=waiting[0].timestamp if waiting else "",
        )

    @property
    def deadline(self) -> float | None:
        """The earliest deadline of the parts."""
        found = (self.connection.deadline, self.dispatcher.deadline, self.station.deadline)
        return min((at_s for at_s in found if at_s is not None), default=None)

    def feed(self, event: Any, now: float) -> list[Any]:
        """Take an event of the socket, the file, the clock or the stack."""
        self._steps.append(event)
        return self._settle(now)

    def wake(self, now: float) -> list[Any]:
        """Let time pass for each part whose deadline is over."""
        for part in (self.connection, self.dispatcher, self.station):
            at_s = part.deadline
            if at_s is not None and at_s <= now:
                self._steps.extend(part.wake(now))
        return self._settle(now)

    def _settle(self, now: float) -> list[Any]:
        """Carry messages between the parts until none is left; what follows from one comes before the next."""
        for _ in range(MOST_STEPS):
            if not self._steps:
                break
            # At once and in place, so that an answer of the station precedes what it sends after it.
            self._steps.extendleft(reversed(list(self._step(self._steps.popleft(), now))))
        self._steps.clear()
        found, self._found = self._found, []
        return found

    def _step(self, one: Any, now: float) -> Iterable[Any]:
        order = _order(one)
        if isinstance(one, connection_events.CredentialsChanged):
            installed = one.credentials
            known = events.CredentialsKnown(installed.csms_root, installed.client_certificate)
            return [*self._connection([one], now), *self.station.feed(known, now)]
        if order is not None or isinstance(one, _OF_CONNECTION):
            return self._connection([order or one], now)
        if isinstance(one, _CHANGES):
            return self._connection_changed(one, now)
        dispatched = self._dispatched(one, now)
        if dispatched is not None:
            return dispatched
        if type(one).__module__ == events.__name__:
            return self.station.feed(one, now)
        self._found.append(one)
        if isinstance(one, socket.Unreachable) and one.event:
            return self.station.feed(events.SecurityEventFound(one.event, one.reason[:255]), now)
        return ()

    def _dispatched(self, one: Any, now: float) -> Iterable[Any] | None:
        """Give the dispatcher what is for it; None for anything else."""
        dispatcher = self.dispatcher
        match one:
            case FrameReceived(attempt, text):
                return dispatcher.received(text, now) if attempt == self.connection.attempt else ()
            case Written(ticket):
                return dispatcher.written(ticket, now)
            case MessagesLoaded(entries, transaction_ids):
                dispatcher.queue.load(entries, transaction_ids)
                return ()
            case FileBegunAnew():
                return dispatcher.queue.persist_again()
            case effects.Enqueue():
                return dispatcher.enqueue(one, now)
            case effects.Answer():
                return dispatcher.answer(one, now)
            case effects.Refuse():
                return dispatcher.refuse(one, now)
            case effects.LeaveUnanswered():
                return dispatcher.leave(one, now)
            case effects.RegistrationChanged(status):
                accepted = [connection_events.BootAccepted()] if status == ACCEPTED else []
                return [*self._connection(accepted, now), *dispatcher.registered(status, now)]
            case effects.ConfigureQueue(settings):
                dispatcher.configured(settings)
                return ()
            case events.WallClockSet(offset_s):
                dispatcher.offset_s = offset_s
        return None

    def _connection(self, fed: list[Any], now: float) -> list[Any]:
        return [effect for event in fed for effect in self.connection.feed(event, now)]

    def _connection_changed(self, one: Any, now: float) -> Iterable[Any]:
        match one:
            case socket.Established(profile, version):
                self._found.append(one)
                self.station.version = version
                sent = self.dispatcher.opened(version, now)
                connected = events.Connected(
                    profile.slot,
                    profile.url,
                    profile.identity,
                    profile.security_profile,
                    version.value,
                    profile.interface,
                    profile.transport,
                )
                return [*sent, *self.station.feed(connected, now)]
            case socket.CertificateProven(former):
                self._found.append(one)
                return self.station.feed(events.ClientCertificateProven(former), now)
            case socket.RootProven(former):
                return self.station.feed(events.CsmsRootProven(former), now)
            case socket.Lost(_, reason):
                self._found.append(one)
                return [*self.dispatcher.closed(now), events.Disconnected(reason)]
            case socket.Confirmed(slot, security_profile):
                return self.station.feed(events.SlotConfirmed(slot, security_profile), now)
        return self.station.feed(events.SecurityProfileSwitched(one.security_profile, one.succeeded), now)


def _order(effect: Any) -> Any:
    """Return what an effect of the station asks of the connection, None where that is nothing."""
    match effect:
        case effects.Connect():
            return connection_events.Start()
        case effects.Disconnect(reason):
            return connection_events.Stop(reason)
        case effects.Reconnect(reason):
            return connection_events.Restart(reason)
        case effects.KeepFormerCertificate(former):
            return connection_events.CertificateRenewed(former)
        case effects.TryRoot(new_root):
            return connection_events.RootReplaced(new_root)
        case effects.SwitchSecurityProfile(security_profile, timeout_s):
            return connection_events.SwitchProfile(security_profile, timeout_s)
        case effects.ConfigureConnection(settings):
            return connection_events.Configure(settings)
    return None
