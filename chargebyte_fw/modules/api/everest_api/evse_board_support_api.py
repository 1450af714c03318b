"""evse_board_support_API: a client of MQTT is the board: control pilot, contactors, residual current device, lock."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.ac_rcd import AcRcd
from chargebyte_fw.contracts.interfaces.connector_lock import ConnectorLock
from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.types.board_support_common import BspEvent, ProximityPilot
from chargebyte_fw.contracts.types.evse_board_support import HardwareCapabilities
from chargebyte_fw.contracts.types.evse_manager import StopTransactionRequest
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.api.everest_api.bridge import Bridge, RequestConfig
from chargebyte_fw.modules.api.everest_api.driver import Ask, Send, driven_by_client


def _phases(three: bool) -> Literal["SinglePhase", "ThreePhases"]:
    return "ThreePhases" if three else "SinglePhase"


_COMMANDS = {
    "enable": Send("enable"),
    "pwm_on": Send("pwm_on"),
    "cp_state_X1": Send("cp_state_X1"),
    "cp_state_F": Send("cp_state_F"),
    "cp_state_E": Send("cp_state_E"),
    "allow_power_on": Send("allow_power_on"),
    "ac_switch_three_phases_while_charging": Send("ac_switch_three_phases_while_charging", _phases),
    "ac_set_overcurrent_limit_A": Send("ac_overcurrent_limit"),
}


class evse_board_support_API(Bridge):
    """A client of MQTT is the board of an EVSE."""

    Config = RequestConfig
    api_type = "evse_board_support"
    watched = ("main", "evse_board_support/CommunicationFault")
    errors_at = ("main", "rcd", "connector_lock")

    main = provides(driven_by_client(EvseBoardSupport, _COMMANDS), description="The board.")
    rcd = provides(
        driven_by_client(AcRcd, {"self_test": Send("self_test"), "reset": Ask("reset", bool, False)}),
        description="The residual current device.",
    )
    connector_lock = provides(
        driven_by_client(ConnectorLock, {"lock": Send("lock"), "unlock": Send("unlock")}),
        description="The lock of the socket.",
    )

    def open(self) -> None:
        """Declare what the board reports."""
        main = self.main
        self.take("event", BspEvent, main.event.publish)
        phases = Annotated[int, Meta(ge=1, le=3)]
        self.take("ac_nr_of_phases", phases, main.ac_nr_of_phases_available.publish)
        self.take("capabilities", HardwareCapabilities, main.capabilities.publish)
        self.take("ac_pp_ampacity", ProximityPilot, main.ac_pp_ampacity.publish)
        self.take("request_stop_transaction", StopTransactionRequest, main.request_stop_transaction.publish)
        self.take("rcd_current", float, self.rcd.rcd_current_mA.publish)
