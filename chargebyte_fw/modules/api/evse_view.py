"""One EVSE as the APIs see it: the last of each fact, and its subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.types.energy import EnforcedLimits
from chargebyte_fw.contracts.types.evse_board_support import HardwareCapabilities, Telemetry
from chargebyte_fw.contracts.types.evse_manager import (
    Connector,
    EnableDisableSource,
    EVInfo,
    Limits,
    SessionEvent,
    SessionEventEnum,
)
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.modules.api.session_info import SessionInfo

Changed = Callable[[str], None]


class EvseView:
    """Facts of one EVSE. `changed(name)` is called after each fact with its name.

    `kept` is the module's (`Module.kept`): what follows from many events is known again after a restart of the module.
    """

    def __init__(
        self,
        manager: EvseManager,
        position: int,
        changed: Changed,
        kept: dict[str, Any],
        *,
        phase_switching_is_a_state: bool = False,
    ) -> None:
        self.manager = manager
        self.index = manager.mapping.evse if manager.mapping is not None else position
        """The EVSE's number: from the configuration's mapping, else its place in the connection list."""
        self.changed = changed
        self.kept: dict[str, Any] = kept.setdefault(f"EVSE {self.index}", {})
        self.session: SessionInfo = self.kept.setdefault(
            "session", SessionInfo(phase_switching_is_a_state=phase_switching_is_a_state)
        )
        self.connectors: list[Connector] = []
        self.logging_path = ""
        self.last_event: SessionEventEnum | None = None
        manager.session_event.subscribe(self._on_event)
        manager.powermeter.subscribe(self._on_meter)
        for name in (
            "limits",
            "enforced_limits",
            "telemetry",
            "ev_info",
            "hw_capabilities",
            "selected_protocol",
            "supported_energy_transfer_modes",
            "evse_id",
            "ready",
        ):
            getattr(manager, name).subscribe(lambda _, name=name: changed(name))

    def _on_event(self, event: SessionEvent) -> None:
        self.last_event = event.event
        if event is not self.kept.get("event"):
            # The instance before this one has counted the event that is replayed.
            self.kept["event"] = event
            self.session.take_event(event, asyncio.get_running_loop().time())
        if event.event in (SessionEventEnum.Enabled, SessionEventEnum.Disabled) and event.source is not None:
            self.kept["enable_source"] = event.source
        if event.session_started is not None and event.session_started.logging_path:
            self.logging_path = event.session_started.logging_path
            self.changed("logging_path")
        self.changed("session_event")

    def _on_meter(self, value: Powermeter) -> None:
        self.session.take_meter(value, asyncio.get_running_loop().time())
        self.changed("powermeter")

    @property
    def enable_source(self) -> EnableDisableSource | None:
        """Who enabled or disabled the EVSE last."""
        source: EnableDisableSource | None = self.kept.get("enable_source")
        return source

    @property
    def meter(self) -> Powermeter | None:
        """The billing meter's last value."""
        return self.manager.powermeter.value

    @property
    def limits(self) -> Limits | None:
        """What is available to the car."""
        return self.manager.limits.value

    @property
    def enforced_limits(self) -> EnforcedLimits | None:
        """What energy management allows."""
        return self.manager.enforced_limits.value

    @property
    def telemetry(self) -> Telemetry | None:
        """The board's telemetry."""
        return self.manager.telemetry.value

    @property
    def ev_info(self) -> EVInfo | None:
        """What the car reported of itself."""
        return self.manager.ev_info.value

    @property
    def capabilities(self) -> HardwareCapabilities | None:
        """What the board can do."""
        return self.manager.hw_capabilities.value

    @property
    def duration_s(self) -> int:
        """Whole seconds of the transaction so far."""
        return self.session.duration_s(asyncio.get_running_loop().time())


def sink_of(view: EvseView, sinks: Sequence[ExternalEnergyLimits]) -> ExternalEnergyLimits | None:
    """Return the energy node that takes this EVSE's external limits: the one mapped to the same EVSE."""
    for sink in sinks:
        if sink.mapping is not None and sink.mapping.evse == view.index:
            return sink
    return None
