"""`OCPP201`: a charging station of OCPP 2.0.1 and 2.1; the CSMS chooses the version (EVerest module)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chargebyte_fw.contracts.interfaces.auth import Auth
from chargebyte_fw.contracts.interfaces.cb_iso15118_schedules import CbIso15118Schedules
from chargebyte_fw.contracts.interfaces.charger_information import ChargerInformation
from chargebyte_fw.contracts.interfaces.display_message import DisplayMessage
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.interfaces.ocpp_data_transfer import OcppDataTransfer
from chargebyte_fw.contracts.interfaces.reservation import Reservation
from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.kernel.module import provides, requires, requires_many, requires_optional
from chargebyte_fw.modules.ocpp.adapters.module import OcppModule
from chargebyte_fw.modules.ocpp.adapters.provided import Cost, Generic, Provider, Transfer, Validator
from chargebyte_fw.modules.ocpp.blocks_v2 import BLOCKS
from chargebyte_fw.modules.ocpp.connection.network_v2 import Network2
from chargebyte_fw.modules.ocpp.module_config import CommonConfig2
from chargebyte_fw.modules.ocpp.monitoring.problems import Problems
from chargebyte_fw.modules.ocpp.remote_control.reset_v2 import Reset2
from chargebyte_fw.modules.ocpp.smart_charging.car_schedules_v2 import CarSchedules
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.station import Block, Station
from chargebyte_fw.modules.ocpp.variables.files.loading import DEVICE_MODEL, Sources
from chargebyte_fw.modules.ocpp.variables.model import Variables
from chargebyte_fw.modules.ocpp.variables.standard.internal import SUPPORTED_OCPP_VERSIONS
from chargebyte_fw.modules.ocpp.version import Version, of_subprotocol


class OCPP201(OcppModule):
    """A charging station that speaks OCPP 2.0.1 or 2.1 with its CSMS."""

    Config = CommonConfig2
    config: CommonConfig2
    share = "/usr/share/everest/modules/OCPP201"

    auth_validator = provides(Validator, description="Tokens, validated by the CSMS.")
    auth_provider = provides(Provider, description="Tokens of remote starts.")
    data_transfer = provides(Transfer, description="DataTransfer to the CSMS.")
    ocpp_generic = provides(Generic, description="OCPP, whatever the version.")
    session_cost = provides(Cost, description="Prices and costs.")

    evse_manager = requires_many(EvseManager, 1, 128)
    evse_energy_sink = requires_many(ExternalEnergyLimits, 0, 129)
    auth = requires_optional(Auth)
    system = requires(System)
    security = requires(EvseSecurity)
    reservation = requires_optional(Reservation)
    integrator = requires_optional(OcppDataTransfer, id="data_transfer")
    display_message = requires_optional(DisplayMessage)
    extensions_15118 = requires_many(Iso15118Extensions, 0, 128)
    charger_information = requires_optional(ChargerInformation)
    schedules_15118 = requires_many(CbIso15118Schedules, 0, 128)

    def versions(self) -> tuple[Version, ...]:
        """Return 2.1 and 2.0.1; what is offered to the CSMS is in SupportedOcppVersions."""
        return (Version.V21, Version.V201)

    def blocks(self) -> Sequence[type[Block]]:
        """All of 2.x."""
        return BLOCKS

    def network(self, station: Station) -> Network2:
        """The slots of the device model."""
        return station.block(Network2)

    def sources(self) -> Sources:
        """Return the component files."""
        return Sources(
            backend=DEVICE_MODEL,
            components=self.shared(self.config.DeviceModelConfigPath),
            share=self.shared("").resolve(),
        )

    def database(self, variables: Variables) -> Path:
        """Return the file in `CoreDatabasePath`."""
        return self.runtime.root.write(f"{self.config.CoreDatabasePath}/cp.db")

    def settle(self, station: Station) -> None:
        """Pass on what the keys have for single blocks."""
        config = self.config
        offered = [of_subprotocol(name) for name in station.variables.get(SUPPORTED_OCPP_VERSIONS)]
        station.version = next((one for one in offered if one is not None and one.is_2), Version.V201)
        station.block(Reset2).reset_delay_s = float(config.ResetStopDelay)
        station.block(CarSchedules).connected = bool(self.schedules_15118)
        station.block(Problems).codes = self.technical_codes(config.CustomMrecErrorMapPath)
        station.block(SmartCharging2).settings = config.schedules(self.id)
