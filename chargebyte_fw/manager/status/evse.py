"""One EVSE of the picture: its facts from every carrier, and what they mean together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from chargebyte_fw.contracts.evse_status import EvseStatus
from chargebyte_fw.contracts.types.energy import EnergyFlowRequest, EnforcedLimits, EvseState
from chargebyte_fw.contracts.types.evse_manager import CarManufacturer, EVInfo, Limits, SessionEvent, SessionEventEnum
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.contracts.types.uk_random_delay import CountDown
from chargebyte_fw.kernel.clock import read_at
from chargebyte_fw.manager.status.api import ApiEvse
from chargebyte_fw.manager.status.limits import limits_of
from chargebyte_fw.manager.status.model import Car, Evse, Limit, Session, State

FROM_FLOW = {
    EvseState.Unplugged: State.Unplugged,
    EvseState.WaitForAuth: State.AuthRequired,
    EvseState.WaitForEnergy: State.Preparing,
    EvseState.PrepareCharging: State.Preparing,
    EvseState.PausedEV: State.ChargingPausedEV,
    EvseState.PausedEVSE: State.ChargingPausedEVSE,
    EvseState.Charging: State.Charging,
    EvseState.Finished: State.Finished,
    EvseState.Disabled: State.Disabled,
}
NO_PROTOCOL = ("", "Unknown")
KEPT = (SessionEventEnum.SessionStarted, SessionEventEnum.TransactionStarted, SessionEventEnum.TransactionFinished)


class EvseFacts(msgspec.Struct):
    """What modules publish of one EVSE, and what it answers itself."""

    number: int | None = None
    evse_id: str = ""
    own: EvseStatus | None = None
    flow_state: EvseState | None = None
    meter: Powermeter | None = None
    ev: EVInfo | None = None
    manufacturer: CarManufacturer | None = None
    protocol: str = ""
    limits: Limits | None = None
    enforced: EnforcedLimits | None = None
    delay: CountDown | None = None
    gated: bool = False
    """It waits for a release from outside before it starts."""
    last: SessionEvent | None = None
    events: dict[SessionEventEnum, SessionEvent] = {}

    def take_event(self, event: SessionEvent) -> None:
        """Follow the events of a session."""
        self.last = event
        if event.event in (SessionEventEnum.SessionStarted, SessionEventEnum.SessionFinished):
            self.events = {}
        if event.event in KEPT:
            self.events[event.event] = event


def evse_of(
    module_id: str, facts: EvseFacts, api: ApiEvse | None, requests: Mapping[str, EnergyFlowRequest], now: datetime
) -> Evse:
    """Return the picture of one EVSE: what it answers itself counts most, then the API, then its variables."""
    api = api or ApiEvse()
    meter = facts.meter or api.meter
    ev = facts.ev or api.ev
    state = _state(facts, api)
    plugged = state not in (State.Unplugged, State.Unknown, State.Disabled, State.Reserved)
    protocol = facts.protocol or api.protocol
    evse = Evse(
        id=module_id,
        number=facts.number,
        evse_id=facts.evse_id,
        state=state,
        reason=_reason(facts, api),
        pilot=facts.own.pilot if facts.own is not None else "",
        pwm_percent=pwm_of(facts.own.pilot, facts.own.pwm_percent) if facts.own is not None else None,
        car=_car(ev, facts, now) if plugged or (ev is not None and ev.evcc_id) else None,
        protocol=protocol if plugged and protocol not in NO_PROTOCOL else "",
        voltage_V=_phases(meter.voltage_V if meter is not None else None),
        current_A=_phases(meter.current_A if meter is not None else None),
        power_W=meter.power_W.total if meter is not None and meter.power_W is not None else None,
        session=_session(facts, api, meter, now) if plugged else None,
        limits=limits_of(module_id, requests, facts.enforced, now) or _plain_limits(facts.limits or api.limits),
    )
    if not evse.voltage_V and ev is not None and ev.present_voltage is not None and plugged:
        evse.voltage_V = {"DC": ev.present_voltage}
        evse.current_A = {"DC": ev.present_current or 0.0}
    return evse


def pwm_of(pilot: str, pwm_percent: float | None) -> float | None:
    """Return what is known of the PWM; in state E or F there is none, whatever was ordered."""
    return None if pilot in ("", "E", "F") or pwm_percent is None else round(pwm_percent, 1)


def _state(facts: EvseFacts, api: ApiEvse) -> State:
    if facts.own is not None:
        state: State = FROM_FLOW.get(_member(EvseState, facts.own.state), State.Unknown)
        return State.Reserved if facts.own.reserved and state is State.Unplugged else state
    found: State | None = _member(State, api.session.state) if api.session is not None else None
    if found not in (None, State.Unknown):
        return found
    return FROM_FLOW[facts.flow_state] if facts.flow_state is not None else State.Unknown


def _member(kind: Any, value: str) -> Any:
    return next((one for one in kind if one.value == value), None)


def _reason(facts: EvseFacts, api: ApiEvse) -> str:
    if facts.gated:
        return "it waits for a release from outside (external_ready_to_start_charging)"
    if facts.own is not None and (facts.own.limited_by or facts.own.paused):
        return facts.own.limited_by or ", ".join(facts.own.paused)
    last = facts.last
    if last is not None and last.charging_paused_evse is not None:
        return ", ".join(reason.value for reason in last.charging_paused_evse.reasons)
    source = api.session.active_enable_disable_source if api.session is not None else None
    if source is not None and source.state == "Disable":
        return f"disabled by {source.source}"
    delay = facts.delay
    if delay is not None and delay.countdown_s > 0:
        return f"the random delay ends in {delay.countdown_s} s"
    return ""


def _car(ev: EVInfo | None, facts: EvseFacts, now: datetime) -> Car:
    known = facts.manufacturer is not None and facts.manufacturer is not CarManufacturer.Unknown
    departure = (ev.departure_time or "") if ev is not None else ""
    leaves_at = read_at(departure)
    return Car(
        evcc_id=(ev.evcc_id or "") if ev is not None else "",
        manufacturer=facts.manufacturer.value if known and facts.manufacturer is not None else "",
        soc_percent=ev.soc if ev is not None else None,
        # A car that names no departure sends 0 s, which is the moment of its request.
        departure=departure if leaves_at is not None and leaves_at > now else "",
    )


def _phases(value: Any) -> dict[str, float]:
    plain = {} if value is None else msgspec.to_builtins(value)
    return {name: number for name, number in plain.items() if name != "N"}


def _session(facts: EvseFacts, api: ApiEvse, meter: Powermeter | None, now: datetime) -> Session:
    own, info = facts.own, api.session
    if own is not None:
        session = Session(id=own.session_id, since=own.transaction_since or own.session_since)
        session.authorized_by = own.authorized_by
        session.energy_Wh = _since(meter.energy_Wh_import.total if meter is not None else None, own.import_at_start_Wh)
        exported = meter.energy_Wh_export if meter is not None else None
        session.discharged_Wh = _since(exported.total if exported is not None else None, own.export_at_start_Wh)
    else:
        session = _session_of_events(facts)
    if own is None and info is not None:
        session.energy_Wh, session.discharged_Wh = info.charged_energy_wh, info.discharged_energy_wh
        session.duration_s = info.charging_duration_s
    elif (begin := read_at(session.since)) is not None:
        session.duration_s = max(0.0, round((now - begin).total_seconds(), 1))
    return session


def _session_of_events(facts: EvseFacts) -> Session:
    began = facts.events.get(SessionEventEnum.SessionStarted)
    paid = facts.events.get(SessionEventEnum.TransactionStarted)
    first = paid or began
    session = Session(id=facts.last.uuid if facts.last is not None else "")
    session.since = first.timestamp if first is not None else ""
    if paid is not None and paid.transaction_started is not None:
        session.authorized_by = paid.transaction_started.id_tag.authorization_type.value
    return session


def _since(present_Wh: float | None, start_Wh: float | None) -> float | None:
    return None if present_Wh is None or start_Wh is None else round(max(0.0, present_Wh - start_Wh), 1)


def _plain_limits(limits: Limits | None) -> list[Limit]:
    """Return what the API has of limits: no source."""
    if limits is None:
        return []
    who = "the energy management"
    return [
        Limit(quantity="current", value=limits.max_current, source="", who=who, rules=True),
        Limit(quantity="phases", value=limits.nr_of_phases_available, source="", who=who, rules=True),
    ]
