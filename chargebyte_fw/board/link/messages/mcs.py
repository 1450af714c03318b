"""Messages of the MCS boards (Charge Control Y): they stand in place of ChargeControl and ChargeState."""

from __future__ import annotations

from chargebyte_fw.board.link.messages.charge_som import SafeStateActive
from chargebyte_fw.board.link.messages.declaration import Message, OpenEnum, Sender, bits, frame


class CcsReady(OpenEnum):
    """What the host allows."""

    NOT_READY = 0
    READY = 1
    EMERGENCY_STOP = 2


class ControllerReset(OpenEnum):
    """Named in the signal database only; no driver uses it."""

    NONE = 0
    RESET = 1


class CeState(OpenEnum):
    """State of the charge-enable line; 15 is an older text's word for invalid."""

    UNKNOWN = 0
    A = 1
    B0 = 2
    B = 3
    C = 4
    E = 5
    EC = 6
    INVALID = 7
    INVALID_OLD = 15


class IdState(OpenEnum):
    """State of the insertion-detection line; 15 is an older text's word for invalid."""

    UNKNOWN = 0
    NOT_CONNECTED = 1
    CONNECTED = 2
    INVALID = 3
    INVALID_OLD = 15


class McsSafeStateReason(OpenEnum):
    """Why an MCS safety controller is in its safe state: 0 to 10 as on a Charge SOM."""

    NO_SAFE_STATE = 0
    INTERNAL_ERROR = 1
    COMMUNICATION_TIMEOUT = 2
    TEMPERATURE_1_MALFUNCTION = 3
    TEMPERATURE_2_MALFUNCTION = 4
    TEMPERATURE_3_MALFUNCTION = 5
    TEMPERATURE_4_MALFUNCTION = 6
    TEMPERATURE_1_OVER_TEMPERATURE = 7
    TEMPERATURE_2_OVER_TEMPERATURE = 8
    TEMPERATURE_3_OVER_TEMPERATURE = 9
    TEMPERATURE_4_OVER_TEMPERATURE = 10
    ID_ERROR = 11
    CE_ERROR = 12
    HV_READY_MALFUNCTION = 13
    EMERGENCY_INPUT = 14


@frame(0x11, Sender.HOST)
class ChargeControl2(Message):
    """What the host wants, every 100 ms."""

    ccs_ready: CcsReady = bits(63, 60, default=CcsReady.NOT_READY)
    controller_reset: ControllerReset = bits(59, 58, default=ControllerReset.NONE)


@frame(0x10, Sender.MCU)
class ChargeState2(Message):
    """What the safety controller sees, every 100 ms."""

    ce_state: CeState = bits(63, 60, default=CeState.UNKNOWN)
    id_state: IdState = bits(59, 56, default=IdState.UNKNOWN)
    safe_state_reason: McsSafeStateReason = bits(55, 48, default=McsSafeStateReason.NO_SAFE_STATE)
    safe_state_active: SafeStateActive = bits(47, 46, default=SafeStateActive.NORMAL)
