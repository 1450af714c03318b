"""States of a session of DIN SPEC 70121 or ISO 15118-2, and the type of the table of which request may come when.

A table is read by `V2gSession`, which refuses any other request with FAILED_SequenceError ([V2G2-538], [V2G-DC-390])
and lets a handler go to no other state, and by `script/diagrams`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto


class State(Enum):
    """What the session waits for."""

    SESSION_SETUP = auto()
    SERVICE_DISCOVERY = auto()
    SERVICE_SELECTION = auto()
    PAYMENT_DETAILS = auto()
    """A contract pays: the car presents it, or gets one."""
    CONTRACT_INSTALLED = auto()
    """The car has got a contract, and presents it."""
    AUTHORIZATION = auto()
    CHARGE_PARAMETERS = auto()
    CABLE_CHECK = auto()
    PRECHARGE_FIRST = auto()
    PRECHARGE = auto()
    POWER_DELIVERY = auto()
    """AC: parameters are agreed."""
    CHARGING_FIRST = auto()
    CHARGING = auto()
    RECEIPT = auto()
    """In the charge loop: the car owes its signature for a meter value."""
    STOPPED = auto()
    """After PowerDelivery stop, before anything else."""
    WELDING = auto()
    ENDED = auto()


S = State
Sequence = Mapping[State, Mapping[str, tuple[State, ...]]]
"""State: the requests that may come in it, each with the states that it may lead to beside the present one."""

END = {"SessionStopReq": (S.ENDED,)}
"""A car may end the session in nearly every state."""

DC_SEQUENCE: Sequence = {
    S.CABLE_CHECK: {"CableCheckReq": (S.PRECHARGE_FIRST,), **END},
    S.PRECHARGE_FIRST: {"PreChargeReq": (S.PRECHARGE,), **END},
    S.PRECHARGE: {"PreChargeReq": (), "PowerDeliveryReq": (S.CHARGING_FIRST, S.STOPPED), **END},
    S.STOPPED: {"WeldingDetectionReq": (S.WELDING,), **END},
    S.WELDING: {"WeldingDetectionReq": (), **END},
    S.ENDED: {},
}
"""What DC sessions of both protocols have in common; the charge loop is each protocol's own."""

EARLY_STOP: Sequence = {state: {"PowerDeliveryReq": (S.STOPPED,)} for state in (S.CABLE_CHECK, S.PRECHARGE_FIRST)}
"""DC: where PowerDelivery may come as well, but only to stop."""
