"""Outputs: every effect of the machines, carried out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw.contracts.types.authorization import IdTokenType
from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum
from chargebyte_fw.contracts.types.powermeter import (
    OCMFIdentificationType,
    OCMFUserIdentificationStatus,
    TransactionReq,
    TransactionRequestStatus,
    TransactionStartResponse,
    TransactionStopResponse,
)
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.command_queue import CommandQueue
from chargebyte_fw.kernel.effects import Call, Publish
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.faults import Fault, FaultState, Origin
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.modules.evse.logs import event_lines
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import (
    CancelReservation,
    ClearFault,
    LimitsChanged,
    LogLine,
    PublishSessionEvent,
    RaiseFault,
    RequestEnergy,
    SessionChanged,
    SessionLogLine,
    SetUpSession,
    StartMeter,
    StopMeter,
    StoreSessionId,
)
from chargebyte_fw.modules.evse.machine.events import BudgetOver, Charging, MeterStarted, MeterStopped, Shutdown
from chargebyte_fw.modules.evse.machine.fault_policy import INOPERATIVE, OWN, cleared_by
from chargebyte_fw.modules.evse.machine.signals import (
    CarBack,
    CarLost,
    CarPluggedIn,
    CarRequests,
    CarUnplugged,
    ShutdownChanged,
    StateEntered,
)

if TYPE_CHECKING:
    from chargebyte_fw.modules.evse.evse_manager import EvseManager

ID_TYPES = {
    IdTokenType.Central: OCMFIdentificationType.CENTRAL,
    IdTokenType.eMAID: OCMFIdentificationType.EMAID,
    IdTokenType.ISO14443: OCMFIdentificationType.ISO14443,
    IdTokenType.ISO15693: OCMFIdentificationType.ISO15693,
    IdTokenType.KeyCode: OCMFIdentificationType.KEY_CODE,
    IdTokenType.Local: OCMFIdentificationType.LOCAL,
    IdTokenType.NoAuthorization: OCMFIdentificationType.NONE,
    IdTokenType.MacAddress: OCMFIdentificationType.UNDEFINED,
}
TARIFF_TEXT_MAX = 250
PROVIDERS = {
    "evse_board_support": "bsp",
    "power_supply_DC": "supply",
    "isolation_monitor": "imd",
    "over_voltage_monitor": "monitor",
    "connector_lock": "lock",
    "kvs": "store",
    "slac": "slac",
    "ISO15118_charger": "hlc",
}
"""Which connection carries out the commands of an interface."""
LATEST = ("update_", "set_limits")


class Outputs:
    """Carries effects out; commands go to one line a neighbour, the contactors' permission to one of its own."""

    def __init__(self, module: EvseManager) -> None:
        self._m = module
        self._before = Charging.Idle
        ends: dict[str, Any] = {
            "bsp": module.bsp,
            "power": module.bsp,
            "supply": module.powersupply_DC,
            "imd": module.imd,
            "monitor": module.over_voltage_monitor,
            "lock": module.connector_lock,
            "store": module.store,
        }
        if module.hlc_adapter.used:
            ends |= {"slac": module.slac, "hlc": module.hlc}
        self.lines = {name: CommandQueue(name, end, module) for name, end in ends.items() if end is not None}

    def call(self, peer: str, command: str, args: tuple[Any, ...] = (), *, urgent: bool = False) -> None:
        """Send a command; to a neighbour that is not connected it is lost."""
        if command == "allow_power_on":
            # Setting a duty cycle may take the board a second; opening contactors may not wait for it.
            peer = "power"
            urgent = not args[0].allow_power_on
        line = self.lines.get(peer)
        if line is not None:
            line.send(command, args, urgent=urgent, latest=command.startswith(LATEST))

    def close(self) -> None:
        """Send nothing more."""
        for line in self.lines.values():
            line.close()

    def act(self, effect: Any) -> None:
        """Carry out one effect."""
        m = self._m
        match effect:
            case Call():
                m.logbook.write(event_lines.command_line(effect))
                self.call(PROVIDERS[effect.interface], effect.command, effect.args, urgent=effect.urgent)
            case LogLine():
                getattr(m.log, effect.level)(effect.text)
                if effect.level != "info":
                    m.logbook.line("EVSE", effect.text)
            case SessionLogLine():
                m.logbook.write(effect)
            case PublishSessionEvent():
                self._tell(effect)
            case StateEntered():
                self._state(effect.state)
            case StartMeter():
                self._start_meter(effect)
            case StopMeter():
                self._stop_meter(effect)
            case StoreSessionId():
                self.call("store", "store", (f"{m.id}_session", effect.session_id))
            case SessionChanged():
                self._session(effect.session_id)
            case SetUpSession():
                m.hlc_adapter.session_setup(external_only=effect.external_only)
            case Publish():
                getattr(m.token_provider, effect.variable).publish(effect.value)
            case RaiseFault():
                self._raise(effect)
            case ClearFault():
                self._clear(effect.name)
            case LimitsChanged():
                m.publish_limits()
            case RequestEnergy():
                m.energy_adapter.ask(priority=True)
            case BudgetOver():
                m.energy_adapter.budget_over()
            case CancelReservation():
                m.cancel_reservation()
            case ShutdownChanged():
                self._shutdown(effect.kind)
            case CarPluggedIn() | CarUnplugged() | CarRequests() | CarLost() | CarBack():
                m.logbook.write(event_lines.pilot_line(effect))
            case Unexpected():
                m.log.debug("%r has no row in %s", effect.event, effect.state)

    def _state(self, state: Charging) -> None:
        m = self._m
        m.logbook.write(event_lines.state_line(self._before, state))
        self._before = state
        m.panel.state(state)
        m.runtime.trace.record("state", m.id, state.value)
        if state in (Charging.Idle, Charging.Disabled):
            m.log.debug("state %s", state.value)
        if state is Charging.Idle:
            m.energy_adapter.leaf.local = None
            m.energy_adapter.leaf.bidirectional = m.config.hack_allow_bpt_with_iso2

    def _shutdown(self, kind: Shutdown) -> None:
        m = self._m
        if kind is Shutdown.Nothing:
            m.log.info("all faults that block charging are over")
        else:
            causes = m.machines.snapshot.blocking_faults
            names = ", ".join(f"{cause.type}/{cause.sub_type}".rstrip("/") for cause in causes)
            m.log.warning("%s shutdown: %s", kind.name.lower(), names)

    def _session(self, session_id: str) -> None:
        m = self._m
        m.ev_info.forget()
        if session_id:
            m.log.session = session_id
            m.logbook.listen()
            m.evse.selected_protocol.publish("IEC61851-1")
            return
        m.evse.selected_protocol.publish("Unknown")
        m.hlc_adapter.session_over()
        m.logbook.end()
        m.log.session = ""

    def _tell(self, tell: PublishSessionEvent) -> None:
        m = self._m
        timestamp = rfc3339(utc_now())
        for value in tell.extra.values():
            meter = getattr(value, "meter_value", None)
            if meter is not None and not meter.timestamp:
                value.meter_value = msgspec.structs.replace(meter, timestamp=timestamp)
        m.logbook.write(event_lines.event_line(tell))
        m.evse.session_event.publish(
            SessionEvent(uuid=tell.session_id, timestamp=timestamp, event=tell.event, **tell.extra)
        )
        if tell.event is SessionEventEnum.AuthRequired and not m.config.disable_authentication:
            m.log.info("waiting for an authorization")
        elif tell.event is SessionEventEnum.ChargingStarted:
            m.log.info("charging")
        elif tell.event in (SessionEventEnum.ChargingPausedEV, SessionEventEnum.StoppingCharging):
            m.log.info(tell.event.value)
        elif tell.event is SessionEventEnum.ChargingPausedEVSE:
            reasons = tell.extra["charging_paused_evse"].reasons
            m.log.info("paused: %s", ", ".join(reason.value for reason in reasons))

    # The meter.

    def _start_meter(self, start: StartMeter) -> None:
        m = self._m
        if m.billing_meter is None:
            m.pump.feed(
                MeterStarted(TransactionStartResponse(status=TransactionRequestStatus.NOT_SUPPORTED, error="no meter"))
            )
            return
        text = start.tariff_text
        request = TransactionReq(
            evse_id=m.config.evse_id,
            transaction_id=start.session_id,
            identification_status=OCMFUserIdentificationStatus.ASSIGNED,
            identification_flags=[],
            identification_type=ID_TYPES[start.token.id_token.type],
            identification_data=start.token.id_token.value,
            tariff_text=None if text is None else text[:TARIFF_TEXT_MAX],
        )
        m.spawn(self._ask_meter(m.billing_meter.start_transaction(request), MeterStarted), "meter start")

    def _stop_meter(self, stop: StopMeter) -> None:
        m = self._m
        if m.billing_meter is None:
            m.pump.feed(MeterStopped(TransactionStopResponse(status=TransactionRequestStatus.NOT_SUPPORTED)))
            return
        m.spawn(self._ask_meter(m.billing_meter.stop_transaction(stop.session_id), MeterStopped), "meter stop")

    async def _ask_meter(self, question: Any, event: type[MeterStarted] | type[MeterStopped]) -> None:
        answer = None
        try:
            async with asyncio.timeout(timing.METER_ANSWER_S):
                answer = await question
        except (CommandError, TimeoutError) as error:
            self._m.log.warning("the meter does not answer: %s", error or "timeout")
        self._m.pump.feed(event(answer))

    # Faults of ours.

    def _raise(self, effect: RaiseFault) -> None:
        faults = self._m.evse.faults
        type = f"{OWN}/{effect.name}"
        if effect.name != INOPERATIVE:
            if faults.raise_fault(type, effect.message, sub_type=effect.sub_type, severity=effect.severity):
                self._m.log.warning("%s: %s", effect.name, effect.message)
            return
        faults.take_raise(
            Fault(
                type=type,
                sub_type="",
                message=effect.message,
                description=effect.description,
                severity=effect.severity,
                origin=Origin(self._m.id, "evse", self._m.mapping),
                state=FaultState.Active,
                timestamp=rfc3339(utc_now()),
                uuid=self._m.runtime.new_uuid(),
                vendor_id=effect.vendor_id,
            )
        )

    def _clear(self, name: str) -> None:
        faults = self._m.evse.faults
        if name:
            faults.clear_all(f"{OWN}/{name}")
            return
        for fault in faults.active:
            if cleared_by(name, fault.type):
                faults.clear(fault.type, fault.sub_type)
