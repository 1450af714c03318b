"""`OCPP201`: a charging station of OCPP 2.0.1 and 2.1; the CSMS chooses the version (EVerest module)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.auth import Auth
from chargebyte_fw.contracts.interfaces.cb_iso15118_schedules import CbIso15118Schedules
from chargebyte_fw.contracts.interfaces.display_message import DisplayMessage
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.interfaces.ocpp_data_transfer import OcppDataTransfer
from chargebyte_fw.contracts.interfaces.reservation import Reservation
from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.kernel.module import ModuleConfig, provides, requires, requires_many, requires_optional
from chargebyte_fw.modules.ocpp.adapters.module import OcppModule
from chargebyte_fw.modules.ocpp.adapters.provided import Cost, Generic, Provider, Transfer, Validator
from chargebyte_fw.modules.ocpp.blocks_v2 import BLOCKS
from chargebyte_fw.modules.ocpp.connection.network_v2 import Network2
from chargebyte_fw.modules.ocpp.monitoring.problems import Problems
from chargebyte_fw.modules.ocpp.remote_control.reset_v2 import Reset2
from chargebyte_fw.modules.ocpp.smart_charging.car_schedules_v2 import CarSchedules
from chargebyte_fw.modules.ocpp.smart_charging.profile import RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.publication import Settings
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.station import Block, Station
from chargebyte_fw.modules.ocpp.variables.files.loading import DEVICE_MODEL, Sources
from chargebyte_fw.modules.ocpp.variables.model import Variables
from chargebyte_fw.modules.ocpp.variables.standard.internal import SUPPORTED_OCPP_VERSIONS
from chargebyte_fw.modules.ocpp.version import Version, of_subprotocol


class Ocpp201Config(ModuleConfig):
    """EVerest's keys of `OCPP201`. Relative paths begin at the module's share folder."""

    MessageLogPath: Annotated[str, Meta(description="Folder of message logs; none are written yet.")] = (
        "/tmp/everest_ocpp_logs"
    )
    CoreDatabasePath: Annotated[
        str, Meta(description="Folder of the database with messages that wait, tokens, profiles and variables.")
    ] = "/tmp/ocpp201"
    DeviceModelDatabasePath: Annotated[
        str, Meta(description="Without effect: the device model is in the database of `CoreDatabasePath`.")
    ] = "device_model_storage.db"
    EverestDeviceModelDatabasePath: Annotated[
        str, Meta(description="Without effect: what the stack has is read from the stack.")
    ] = "everest_device_model_storage.db"
    DeviceModelDatabaseMigrationPath: Annotated[
        str, Meta(description="Without effect: the database needs no migrations.")
    ] = "device_model_migrations"
    DeviceModelConfigPath: Annotated[str, Meta(description="Folder of the component files of the device model.")] = (
        "component_config"
    )
    EnableExternalWebsocketControl: Annotated[
        bool, Meta(description="Connect and disconnect by MQTT: everest_api/ocpp/cmd/connect and .../disconnect.")
    ] = False
    MessageQueueResumeDelay: Annotated[
        int, Meta(ge=0, description="Pause in s after a reconnection before messages are sent.")
    ] = 0
    CompositeScheduleIntervalS: Annotated[
        int, Meta(ge=0, description="Time in s between computations of the composite schedules.")
    ] = 30
    RequestCompositeScheduleDurationS: Annotated[
        int, Meta(ge=0, description="Time in s that the composite schedules cover.")
    ] = 600
    RequestCompositeScheduleUnit: Annotated[
        Literal["A", "W"], Meta(description="Unit of the composite schedules for the stack.")
    ] = "A"
    DelayOcppStart: Annotated[int, Meta(ge=0, description="Pause in ms before the station starts.")] = 0
    ResetStopDelay: Annotated[int, Meta(ge=0, description="Pause in s between the answer to Reset and the stop.")] = 0
    CustomMrecErrorMapPath: Annotated[
        str, Meta(description="Optional JSON file: EVerest's error types and the technical codes in their place.")
    ] = ""


class OCPP201(OcppModule):
    """A charging station that speaks OCPP 2.0.1 or 2.1 with its CSMS."""

    Config = Ocpp201Config
    config: Ocpp201Config
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
        station.block(SmartCharging2).settings = Settings(
            interval_s=float(config.CompositeScheduleIntervalS),
            duration_s=config.RequestCompositeScheduleDurationS,
            unit=RateUnit(config.RequestCompositeScheduleUnit),
            source=f"{self.id}/OCPP_set_external_limits",
        )
