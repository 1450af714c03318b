"""The sequences of requests of ISO 15118-20: DC, AC, and the streams beside the charge loop.

A table is read by `base.py`, which refuses any other request with FAILED_SequenceError and lets a handler go to no
other state, and by `script/diagrams`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto


class State(Enum):
    """What the session waits for."""

    SESSION_SETUP = auto()
    AUTHORIZATION_SETUP = auto()
    RESUMED = auto()
    """A paused session was joined: its services still hold."""
    AUTHORIZATION = auto()
    SERVICE_DISCOVERY = auto()
    SERVICE_DETAIL = auto()
    SERVICE_SELECTION = auto()
    CHARGE_PARAMETERS = auto()
    SCHEDULE = auto()
    CABLE_CHECK = auto()
    PRECHARGE = auto()
    PRECHARGING = auto()
    """A first pre-charge was answered."""
    POWER_DELIVERY = auto()
    CHARGING = auto()
    SCHEDULE_RENEGOTIATION = auto()
    """The car asks for a new schedule in the main stream; power goes on."""
    NEW_SCHEDULE = auto()
    """It has the new schedule and has to start with it."""
    STOPPED = auto()
    """After PowerDelivery stop, before anything else."""
    WELDING = auto()
    ENDED = auto()


S = State
Sequence = Mapping[State, Mapping[str, tuple[State, ...]]]
"""State: the requests that may come in it, each with the states that it may lead to beside the present one."""

END = {"SessionStopReq": (S.ENDED, S.SERVICE_DISCOVERY)}
"""A car may end the session in nearly every state, or go back to the services (service renegotiation)."""

SETUP: Sequence = {
    S.SESSION_SETUP: {"SessionSetupReq": (S.AUTHORIZATION_SETUP, S.RESUMED)},
    S.AUTHORIZATION_SETUP: {"AuthorizationSetupReq": (S.AUTHORIZATION,), **END},
    S.AUTHORIZATION: {"CertificateInstallationReq": (), "AuthorizationReq": (S.SERVICE_DISCOVERY,), **END},
    S.SERVICE_DISCOVERY: {"ServiceDiscoveryReq": (S.SERVICE_DETAIL,), **END},
    S.SERVICE_DETAIL: {"ServiceDetailReq": (S.SERVICE_SELECTION,), **END},
    S.SERVICE_SELECTION: {"ServiceDetailReq": (), "ServiceSelectionReq": (S.CHARGE_PARAMETERS,), **END},
    S.ENDED: {},
}
"""Until an energy service is selected."""

_POWER = {"PowerDeliveryReq": (S.CHARGING, S.STOPPED)}
_RENEGOTIATION: Sequence = {
    S.SCHEDULE_RENEGOTIATION: {"ScheduleExchangeReq": (S.NEW_SCHEDULE,), "PowerDeliveryReq": (S.STOPPED,)},
    S.NEW_SCHEDULE: _POWER,
}


def _charging(loop: str) -> dict[str, tuple[State, ...]]:
    return {loop: (), "PowerDeliveryReq": (S.STOPPED, S.SCHEDULE_RENEGOTIATION), "MeteringConfirmationReq": ()}


def _parameters(request: str) -> Sequence:
    return {
        S.RESUMED: {"AuthorizationSetupReq": (S.AUTHORIZATION,), request: (S.SCHEDULE,), **END},
        S.CHARGE_PARAMETERS: {request: (S.SCHEDULE,), **END},
    }


DC: Sequence = {
    **SETUP,
    **_parameters("DC_ChargeParameterDiscoveryReq"),
    S.SCHEDULE: {"ScheduleExchangeReq": (S.CABLE_CHECK,), **END},
    S.CABLE_CHECK: {"DC_CableCheckReq": (S.PRECHARGE,), **END},
    S.PRECHARGE: {"DC_PreChargeReq": (S.PRECHARGING, S.POWER_DELIVERY), **END},
    # Josev's car starts without a pre-charge that it calls finished.
    S.PRECHARGING: {"DC_PreChargeReq": (S.POWER_DELIVERY,), **_POWER, **END},
    S.POWER_DELIVERY: _POWER,
    S.CHARGING: _charging("DC_ChargeLoopReq"),
    **_RENEGOTIATION,
    S.STOPPED: {"DC_WeldingDetectionReq": (S.WELDING,), **END},
    S.WELDING: {"DC_WeldingDetectionReq": (), **END},
}

AC: Sequence = {
    **SETUP,
    **_parameters("AC_ChargeParameterDiscoveryReq"),
    S.SCHEDULE: {"ScheduleExchangeReq": (S.POWER_DELIVERY,), **END},
    S.POWER_DELIVERY: {**_POWER, **END},  # nothing is energised yet: the car may pause as it was asked to
    S.CHARGING: _charging("AC_ChargeLoopReq"),
    **_RENEGOTIATION,
    S.STOPPED: END,
}

EARLY_STOP: Sequence = {state: {"PowerDeliveryReq": (S.STOPPED,)} for state in (S.CABLE_CHECK, S.PRECHARGE)}
"""DC: where PowerDelivery may come as well, but only to stop."""
NO_EARLY_STOP: Sequence = {}


class SideState(Enum):
    """What the stream of schedule renegotiation waits for, beside the charge loop."""

    IDLE = auto()
    EXCHANGE = auto()
    START = auto()


SCHEDULE_STREAM: Mapping[SideState, frozenset[str]] = {
    SideState.IDLE: frozenset({"PowerDeliveryReq", "ScheduleExchangeReq"}),
    SideState.EXCHANGE: frozenset({"ScheduleExchangeReq", "PowerDeliveryReq"}),
    SideState.START: frozenset({"PowerDeliveryReq"}),
}
"""State: the requests of that stream. The loop itself goes on in the main stream."""
PARKING = frozenset({"VehicleCheckInReq", "VehicleCheckOutReq"})
"""Requests of the parking status, in their stream or the main one, once that service is selected."""
