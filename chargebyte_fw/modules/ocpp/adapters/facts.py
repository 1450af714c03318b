"""Facts of the stack for a station: variables of what its module is connected to, and errors of the whole system.

They wait until the station has started, so nothing that was published early is lost (ocpp.md 1.7).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum
from chargebyte_fw.contracts.types.system import BootReason
from chargebyte_fw.kernel.contract import Contract, Variable
from chargebyte_fw.kernel.faults import Fault, Mapping
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.modules.ocpp.adapters.commands import ends
from chargebyte_fw.modules.ocpp.station.events import (
    ErrorCleared,
    ErrorRaised,
    FactReceived,
    PowermeterReceived,
    SessionEventReceived,
    Started,
)

OF_INTERFACE = {
    "evse_manager": (
        "session_event",
        "powermeter",
        "ev_info",
        "enforced_limits",
        "hw_capabilities",
        "supported_energy_transfer_modes",
        "powermeter_public_key_ocmf",
        "selected_protocol",
    ),
    "external_energy_limits": ("capabilities",),
    "system": ("firmware_update_status", "log_status", "configure_network_status"),
    "reservation": ("reservation_update",),
    "iso15118_extensions": (
        "iso15118_certificate_request",
        "charging_needs",
        "ev_info",
        "service_renegotiation_supported",
    ),
    "cb_iso15118_schedules": ("ev_schedule",),
    "grid_support": ("capability", "alarm"),
}
"""The variables that a station uses, by interface."""
WAITING_LIMIT = 1000
"""Facts that wait for the start. Of more, those of meters and limits go, then the oldest."""
OF_THE_MOMENT = (PowermeterReceived, FactReceived)
SESSION_IS_OVER = (SessionEventEnum.SessionFinished, SessionEventEnum.PluginTimeout)


class Facts:
    """Subscribes at once; `begin` gives what has waited, and from then on everything as it comes."""

    def __init__(self, module: Module, evse_of: Callable[[Contract], int | None]) -> None:
        self._evse_of = evse_of
        self._feed: Callable[[Any], None] | None = None
        self._waiting: deque[tuple[Contract | None, str, Any]] = deque()
        self._stops: list[Callable[[], None]] = []
        self._evses: dict[str, Contract] = {}
        """EVSEs by the id of their module."""
        for provider in ends(module):
            if provider.interface == "evse_manager":
                self._evses[provider.module_id] = provider
            for name in OF_INTERFACE.get(provider.interface, ()):
                variable: Variable[Any] = getattr(provider, name)
                self._stops.append(variable.subscribe(partial(self._take, provider, name)))
        for book in module.runtime.all_faults:
            self._stops.append(
                book.subscribe(partial(self._take, None, "raised"), partial(self._take, None, "cleared"))
            )

    def started(self, reason: BootReason) -> Started:
        """Return what the station starts with: which sessions were resumed, and which the stack has gone on with."""
        last: dict[str, SessionEvent] = {}
        resumed: set[str] = set()
        ending: set[str] = set()
        for provider, name, value in self._waiting:
            if name == "session_event" and provider is not None:
                last[value.uuid] = value
                if value.event is SessionEventEnum.SessionResumed:
                    resumed.add(value.uuid)
                if value.event is SessionEventEnum.TransactionFinished:
                    ending.add(value.uuid)
        open_ = {uuid for uuid, event in last.items() if event.event not in SESSION_IS_OVER}
        return Started(reason, frozenset(resumed), frozenset((open_ | ending) - resumed))

    def begin(self, feed: Callable[[Any], None]) -> None:
        """Give what has waited, in order, and then everything as it comes."""
        while self._waiting:
            provider, name, value = self._waiting.popleft()
            for event in self._events(provider, name, value):
                feed(event)
        self._feed = feed

    def close(self) -> None:
        """End the subscriptions."""
        for stop in self._stops:
            stop()

    def _take(self, provider: Contract | None, name: str, value: Any) -> None:
        if self._feed is not None:
            for event in self._events(provider, name, value):
                self._feed(event)
            return
        self._waiting.append((provider, name, value))
        if len(self._waiting) > WAITING_LIMIT:
            self._forget_one()

    def _forget_one(self) -> None:
        for place, (provider, name, _) in enumerate(self._waiting):
            if provider is not None and name != "session_event":
                del self._waiting[place]
                return
        self._waiting.popleft()

    def _placed(self, fault: Fault) -> Fault:
        """Return an error with its EVSE: a configuration need not map an EVSE that this module is connected to."""
        provider = self._evses.get(fault.origin.module_id)
        if fault.origin.mapping is not None or provider is None:
            return fault
        evse_id = self._evse_of(provider)
        if not evse_id:
            return fault
        origin = msgspec.structs.replace(fault.origin, mapping=Mapping(evse_id))
        return msgspec.structs.replace(fault, origin=origin)

    def _events(self, provider: Contract | None, name: str, value: Any) -> Iterator[Any]:
        if provider is None:
            fault = self._placed(value)
            yield ErrorRaised(fault) if name == "raised" else ErrorCleared(fault)
            return
        evse_id = self._evse_of(provider)
        if provider.interface == "evse_manager" and name == "session_event" and evse_id is not None:
            yield SessionEventReceived(evse_id, value)
        elif provider.interface == "evse_manager" and name == "powermeter" and evse_id is not None:
            yield PowermeterReceived(evse_id, value)
        else:
            yield FactReceived(provider.interface, name, value, evse_id)
