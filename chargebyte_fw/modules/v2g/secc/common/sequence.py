"""The sequence of requests: which ones a session may get next (ISO 15118-2 clause 8.8.4, DIN SPEC 70121 clause 9.5)."""

from __future__ import annotations

from enum import Enum, auto


class State(Enum):
    """What the session waits for."""

    SESSION_SETUP = auto()
    SERVICE_DISCOVERY = auto()
    SERVICE_SELECTION = auto()
    AUTHORIZATION = auto()
    CHARGE_PARAMETERS = auto()
    CABLE_CHECK = auto()
    PRECHARGE_FIRST = auto()
    PRECHARGE = auto()
    POWER_DELIVERY = auto()
    """AC: parameters are agreed."""
    CHARGING_FIRST = auto()
    CHARGING = auto()
    STOPPED = auto()
    """After PowerDelivery stop, before anything else."""
    WELDING = auto()
    ENDED = auto()


_COMMON_DC = {
    State.CABLE_CHECK: ("CableCheckReq", "SessionStopReq"),
    State.PRECHARGE_FIRST: ("PreChargeReq", "SessionStopReq"),
    State.PRECHARGE: ("PreChargeReq", "PowerDeliveryReq", "SessionStopReq"),
    State.CHARGING_FIRST: ("CurrentDemandReq", "PowerDeliveryReq"),
    State.CHARGING: ("CurrentDemandReq", "PowerDeliveryReq"),
    State.STOPPED: ("WeldingDetectionReq", "SessionStopReq"),
    State.WELDING: ("WeldingDetectionReq", "SessionStopReq"),
    State.ENDED: (),
}

DIN: dict[State, tuple[str, ...]] = {
    State.SESSION_SETUP: ("SessionSetupReq",),
    State.SERVICE_DISCOVERY: ("ServiceDiscoveryReq", "SessionStopReq"),
    State.SERVICE_SELECTION: ("ServiceDetailReq", "ServicePaymentSelectionReq", "SessionStopReq"),
    State.AUTHORIZATION: ("ContractAuthenticationReq", "SessionStopReq"),
    State.CHARGE_PARAMETERS: ("ChargeParameterDiscoveryReq", "SessionStopReq"),
    **_COMMON_DC,
}

_ISO2 = {
    State.SESSION_SETUP: ("SessionSetupReq",),
    State.SERVICE_DISCOVERY: ("ServiceDiscoveryReq", "SessionStopReq"),
    State.SERVICE_SELECTION: ("ServiceDetailReq", "PaymentServiceSelectionReq", "SessionStopReq"),
    State.AUTHORIZATION: ("AuthorizationReq", "SessionStopReq"),
    State.CHARGE_PARAMETERS: ("ChargeParameterDiscoveryReq", "SessionStopReq"),
}

ISO2_DC: dict[State, tuple[str, ...]] = {**_ISO2, **_COMMON_DC}

ISO2_AC: dict[State, tuple[str, ...]] = {
    **_ISO2,
    State.POWER_DELIVERY: ("PowerDeliveryReq", "SessionStopReq"),
    State.CHARGING_FIRST: ("ChargingStatusReq", "PowerDeliveryReq"),
    State.CHARGING: ("ChargingStatusReq", "PowerDeliveryReq"),
    State.STOPPED: ("SessionStopReq",),
    State.ENDED: (),
}
