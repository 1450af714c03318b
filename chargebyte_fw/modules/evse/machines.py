"""The machines of one EVSE, made of its configuration and of what is connected; for the module and for the replay."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum
from chargebyte_fw.kernel.machine import Machine
from chargebyte_fw.modules.evse import timing
from chargebyte_fw.modules.evse.authorization import HlcAuthorization
from chargebyte_fw.modules.evse.cable_check import CableCheck
from chargebyte_fw.modules.evse.charger import Charger
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.context import Wiring
from chargebyte_fw.modules.evse.core import Core
from chargebyte_fw.modules.evse.dc_path import DcPath
from chargebyte_fw.modules.evse.error_book import ErrorBook
from chargebyte_fw.modules.evse.insulation import Insulation
from chargebyte_fw.modules.evse.over_current import OverCurrent
from chargebyte_fw.modules.evse.over_voltage import OverVoltage
from chargebyte_fw.modules.evse.pilot import Pilot
from chargebyte_fw.modules.evse.plausibility import Plausibility
from chargebyte_fw.modules.evse.session import Session
from chargebyte_fw.modules.evse.supply_watch import SupplyWatch

LOGGING_PATH = "logging_path"
RESERVATION = "reservation"
"""What the trace calls the answers that the machines get beside their events."""


class Fitted(msgspec.Struct, frozen=True):
    """Which neighbours are connected and used."""

    hlc: bool
    """SLAC and HLC."""
    lock: bool
    imd: bool
    monitor: bool
    """The over-voltage monitor."""


class Machines:
    """All of them; on AC those of the power path stand idle."""

    def __init__(
        self,
        config: EvseConfig,
        fitted: Fitted,
        *,
        new_uuid: Callable[[], str],
        logging_path: Callable[[str], str | None],
    ) -> None:
        self.pilot = Pilot(config, has_lock=fitted.lock)
        self.charger = Charger(config, Wiring(hlc=fitted.hlc))
        self.session = Session(config, new_uuid, logging_path=logging_path)
        self.authorization = HlcAuthorization(config, hlc=fitted.hlc)
        self.error_book = ErrorBook(use_vendor_id=config.inoperative_error_use_vendor_id)
        self.dc_path = DcPath(config)
        machines: list[Machine] = [self.error_book, self.session, self.pilot, self.charger, self.authorization]
        self.core = Core([*machines, *(self._of_dc(config, fitted) if config.dc else [OverCurrent(config)])])

    def _of_dc(self, config: EvseConfig, fitted: Fitted) -> list[Machine]:
        megawatt = config.connector_type == ConnectorTypeEnum.cMCS.value
        fault_Ohm = timing.INSULATION_FAULT_MCS_OHM if megawatt else timing.INSULATION_FAULT_OHM
        return [
            CableCheck(config, imd=fitted.imd, insulation_fault_Ohm=fault_Ohm),
            self.dc_path,
            OverVoltage(config.internal_over_voltage_duration_ms / 1000, external=fitted.monitor),
            Plausibility(
                config.voltage_plausibility_max_spread_threshold_V,
                config.voltage_plausibility_fault_duration_ms / 1000,
            ),
            Insulation(fault_Ohm, pause_in_precharge=config.hack_pause_imd_during_precharge),
            SupplyWatch(),
        ]
