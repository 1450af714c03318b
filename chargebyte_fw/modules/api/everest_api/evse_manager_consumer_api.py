"""evse_manager_consumer_API: lets clients of MQTT follow and operate an EVSE."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.generic_error import GenericError
from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.interfaces.uk_random_delay import UkRandomDelay
from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSource,
    SessionEvent,
    SessionEventEnum,
    StopTransactionRequest,
)
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.module import provides, requires, requires_optional
from chargebyte_fw.modules.api.everest_api.bridge import Bridge, Latched, RequestingConsumerConfig
from chargebyte_fw.modules.api.everest_api.driver import driven_by_client
from chargebyte_fw.modules.api.evse_view import EvseView
from chargebyte_fw.modules.api.session_info import SessionState

PERIOD_S = 1.0
"""Period of `session_info`."""
_MOMENTS = {
    SessionEventEnum.SessionStarted: "session_start_time",
    SessionEventEnum.TransactionStarted: "transaction_start_time",
    SessionEventEnum.TransactionFinished: "transaction_end_time",
    SessionEventEnum.SessionFinished: "session_end_time",
}


class _Enable(msgspec.Struct):
    connector_id: int
    source: EnableDisableSource


class SessionInfo(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Payload of `session_info`; a moment that has not come is left out."""

    state: SessionState
    charged_energy_wh: Annotated[int, Meta(ge=0)]
    discharged_energy_wh: Annotated[int, Meta(ge=0)]
    latest_total_w: int
    session_duration_s: Annotated[int, Meta(ge=0)]
    timestamp: str
    session_start_time: str | None = None
    transaction_start_time: str | None = None
    transaction_end_time: str | None = None
    session_end_time: str | None = None
    transaction_duration_s: Annotated[int, Meta(ge=0)] | None = None
    selected_protocol: str | None = None


class evse_manager_consumer_API(Bridge):
    """Lets clients of MQTT follow and operate an EVSE."""

    Config = RequestingConsumerConfig
    group = "cloud"
    api_type = "evse_manager_consumer"
    enable_global_errors = True

    main = provides(driven_by_client(GenericError, {}), description="Faults of the client.")
    evse_manager = requires(EvseManager)
    evse_bsp = requires_optional(EvseBoardSupport, only_reads=True)
    slac = requires_optional(Slac, only_reads=True)
    imd = requires_optional(IsolationMonitor, only_reads=True)
    ps_dc = requires_optional(PowerSupplyDC, only_reads=True)
    random_delay = requires_optional(UkRandomDelay)

    async def ready(self) -> None:
        """Begin to publish the session as well."""
        await super().ready()
        self._tick()

    async def stop(self) -> None:
        """Publish nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        await super().stop()

    def open(self) -> None:
        """Declare what clients see and may do."""
        self._timer: asyncio.TimerHandle | None = None
        evse = self.evse_manager
        self.serve("get_evse", Any, lambda _: evse.get_evse())
        self.serve("enable_disable", _Enable, lambda asked: evse.enable_disable(asked.connector_id, asked.source))
        self.serve("pause_charging", Any, lambda _: evse.pause_charging())
        self.serve("resume_charging", Any, lambda _: evse.resume_charging())
        self.serve("stop_transaction", StopTransactionRequest, evse.stop_transaction)
        self.serve("force_unlock", int, evse.force_unlock)
        for name in (
            "session_event",
            "hlc_session_failed",
            "ev_info",
            "powermeter",
            "powermeter_public_key_ocmf",
            "evse_id",
            "hw_capabilities",
            "enforced_limits",
            "selected_protocol",
            "supported_energy_transfer_modes",
        ):
            self.forward(name, getattr(evse, name))
        self._view = EvseView(evse, 1, lambda name: None, self.kept)
        self._session = Latched(self, "session_info")
        self._moments: dict[str, tuple[str, float]] = self.kept.setdefault("moments", {})
        evse.session_event.subscribe(self._on_event, replay=not self._moments)
        self._open_others()

    def _open_others(self) -> None:
        if (board := self.evse_bsp) is not None:
            self.forward("ac_nr_of_phases_available", board.ac_nr_of_phases_available)
            self.forward("ac_pp_ampacity", board.ac_pp_ampacity)
        if self.slac is not None:
            self.forward("dlink_ready", self.slac.dlink_ready)
        if self.imd is not None:
            self.forward("isolation_measurement", self.imd.isolation_measurement)
        if (supply := self.ps_dc) is not None:
            self.forward("dc_voltage_current", supply.voltage_current)
            self.forward("dc_mode", supply.mode)
            self.forward("dc_capabilities", supply.capabilities)
        if (delay := self.random_delay) is not None:
            self.forward("random_delay_countdown", delay.countdown)
            self.serve("random_delay_enable", None, lambda _: delay.enable(), replies=False)
            self.serve("random_delay_disable", None, lambda _: delay.disable(), replies=False)
            self.serve("random_delay_cancel", None, lambda _: delay.cancel(), replies=False)
            self.serve("random_delay_set_duration_s", int, delay.set_duration_s, replies=False)

    def _on_event(self, event: SessionEvent) -> None:
        name = _MOMENTS.get(event.event)
        if name is None:
            return
        if event.event is SessionEventEnum.SessionStarted:
            self._moments.clear()
        self._moments[name] = (event.timestamp, asyncio.get_running_loop().time())

    def _tick(self) -> None:
        self._timer = self.after(PERIOD_S, self._tick)
        self._session.publish(self._session_info())

    def _session_info(self) -> SessionInfo:
        session = self._view.session
        return SessionInfo(
            state=session.state,
            charged_energy_wh=round(session.charged_energy_Wh),
            discharged_energy_wh=round(session.discharged_energy_Wh),
            latest_total_w=round(session.latest_total_W),
            session_duration_s=self._lasted_s("session") or 0,
            timestamp=rfc3339(utc_now()),
            transaction_duration_s=self._lasted_s("transaction"),
            selected_protocol=self.evse_manager.selected_protocol.value,
            **{name: at for name, (at, _) in self._moments.items()},
        )

    def _lasted_s(self, what: str) -> int | None:
        """Return how long the session or its transaction has lasted; None before it began."""
        begun = self._moments.get(f"{what}_start_time")
        if begun is None:
            return None
        now = asyncio.get_running_loop().time()
        return int(self._moments.get(f"{what}_end_time", ("", now))[1] - begun[1])
