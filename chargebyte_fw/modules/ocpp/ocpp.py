"""OCPP: a charge point of OCPP 1.6 with all profiles, security extensions, Plug and Charge and California Pricing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.auth import Auth
from chargebyte_fw.contracts.interfaces.charger_information import ChargerInformation
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
from chargebyte_fw.modules.ocpp.adapters.provided import ChargePoint16, Cost, Generic, Provider, Transfer, Validator
from chargebyte_fw.modules.ocpp.blocks_v16 import BLOCKS
from chargebyte_fw.modules.ocpp.connection.network_v16 import Network16
from chargebyte_fw.modules.ocpp.remote_control.reset_v16 import Reset16
from chargebyte_fw.modules.ocpp.smart_charging.profile import RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.publication import Settings
from chargebyte_fw.modules.ocpp.smart_charging.v16 import SmartCharging16
from chargebyte_fw.modules.ocpp.station import Block, Station
from chargebyte_fw.modules.ocpp.variables.files.loading import Sources
from chargebyte_fw.modules.ocpp.variables.model import Variables
from chargebyte_fw.modules.ocpp.variables.standard.communication import IDENTITY, NETWORK_IDENTITY
from chargebyte_fw.modules.ocpp.version import Version


class OcppConfig(ModuleConfig):
    """EVerest's keys of OCPP. Relative paths begin at the module's share folder."""

    ChargePointConfigPath: Annotated[str, Meta(description="Configuration of the charge point, a JSON file.")] = (
        "ocpp-config.json"
    )
    UserConfigPath: Annotated[
        str, Meta(description="Keys that were changed, laid over that file; written at each change.")
    ] = "user_config.json"
    DatabasePath: Annotated[
        str, Meta(description="Folder of the database with messages that wait, tokens, profiles and variables.")
    ] = "/tmp/ocpp_1_6_charge_point"
    DeviceModelDatabasePath: Annotated[
        str, Meta(description="Without effect: the device model is in the database of `DatabasePath`.")
    ] = "device_model_storage.db"
    DeviceModelDatabaseMigrationPath: Annotated[
        str, Meta(description="Without effect: the database needs no migrations.")
    ] = "device_model_migrations"
    DeviceModelConfigPath: Annotated[str, Meta(description="Folder of the component files of the device model.")] = (
        "component_config"
    )
    DeviceModelConfigMappings: Annotated[
        str, Meta(description="Optional file that maps further configuration keys to variables.")
    ] = ""
    ConfigBackend: Annotated[
        Literal["legacy", "device_model", "device_model_with_migration"],
        Meta(description="Where keys live: the JSON files, the device model, or that with the JSON copied to it once."),
    ] = "legacy"
    EnableDeviceModelFallbackToLegacyJson: Annotated[
        bool, Meta(description="Use the JSON files when the component files are wrong.")
    ] = False
    EnableExternalWebsocketControl: Annotated[
        bool, Meta(description="Connect and disconnect by MQTT: everest_api/ocpp/cmd/connect and .../disconnect.")
    ] = False
    PublishChargingScheduleIntervalS: Annotated[
        int, Meta(ge=0, description="Time in s between computations of the composite schedules.")
    ] = 30
    PublishChargingScheduleDurationS: Annotated[
        int, Meta(ge=0, description="Time in s that the composite schedules cover.")
    ] = 600
    MessageLogPath: Annotated[str, Meta(description="Folder of message logs; none are written yet.")] = (
        "/tmp/everest_ocpp_logs"
    )
    MessageQueueResumeDelay: Annotated[
        int, Meta(ge=0, description="Pause in s after a reconnection before messages are sent.")
    ] = 0
    RequestCompositeScheduleUnit: Annotated[
        Literal["A", "W"], Meta(description="Unit of the composite schedules for the stack.")
    ] = "A"
    DelayOcppStart: Annotated[int, Meta(ge=0, description="Pause in ms before the station starts.")] = 0
    ResetStopDelay: Annotated[int, Meta(ge=0, description="Pause in s between the answer to Reset and the stop.")] = 0
    Ocpp16NetworkConfigSlot: Annotated[
        int, Meta(ge=0, description="Slot of NetworkConfiguration that has URI, identity and security profile; 0: 1.")
    ] = 1


class OCPP(OcppModule):
    """A charge point that speaks OCPP 1.6 with its CSMS."""

    Config = OcppConfig
    config: OcppConfig
    share = "/usr/share/everest/modules/OCPP"

    main = provides(ChargePoint16, description="The charge point.")
    auth_validator = provides(Validator, description="Tokens, validated by the CSMS.")
    auth_provider = provides(Provider, description="Tokens of remote starts.")
    data_transfer = provides(Transfer, description="DataTransfer to the CSMS.")
    ocpp_generic = provides(Generic, description="OCPP, whatever the version.")
    session_cost = provides(Cost, description="Prices and costs.")

    evse_manager = requires_many(EvseManager, 1, 128)
    evse_energy_sink = requires_many(ExternalEnergyLimits, 0, 129)
    auth = requires(Auth)
    system = requires(System)
    security = requires(EvseSecurity)
    reservation = requires(Reservation)
    integrator = requires_optional(OcppDataTransfer, id="data_transfer")
    display_message = requires_optional(DisplayMessage)
    extensions_15118 = requires_many(Iso15118Extensions, 0, 128)
    charger_information = requires_optional(ChargerInformation)

    def versions(self) -> tuple[Version, ...]:
        """OCPP 1.6 alone."""
        return (Version.V16,)

    def blocks(self) -> Sequence[type[Block]]:
        """All of 1.6."""
        return BLOCKS

    def network(self, station: Station) -> Network16:
        """One slot."""
        return station.block(Network16)

    @property
    def slot_16(self) -> int:
        """The slot that has URI, identity and security profile."""
        return self.config.Ocpp16NetworkConfigSlot or 1

    def sources(self) -> Sources:
        """Return the files that `ConfigBackend` wants."""
        config = self.config
        return Sources(
            version_16=True,
            addressed_by_keys=True,
            backend=config.ConfigBackend,
            components=self.shared(config.DeviceModelConfigPath),
            legacy=self.shared(config.ChargePointConfigPath),
            overlay=self.written(config.UserConfigPath),
            mappings=self.shared(config.DeviceModelConfigMappings) if config.DeviceModelConfigMappings else None,
            share=self.shared("").resolve(),
            slot=self.slot_16,
            fall_back=config.EnableDeviceModelFallbackToLegacyJson,
        )

    def database(self, variables: Variables) -> Path:
        """Return the file in `DatabasePath`, which has the name of the charge point."""
        identity = variables.get(NETWORK_IDENTITY.at(slot=self.slot_16)) or variables.get(IDENTITY)
        name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in identity)
        return self.runtime.root.write(f"{self.config.DatabasePath}/{name}.db")

    def settle(self, station: Station) -> None:
        """Pass on what the keys have for single blocks."""
        config = self.config
        station.block(Reset16).reset_delay_s = float(config.ResetStopDelay)
        station.block(SmartCharging16).settings = Settings(
            interval_s=float(config.PublishChargingScheduleIntervalS),
            duration_s=config.PublishChargingScheduleDurationS,
            unit=RateUnit(config.RequestCompositeScheduleUnit),
            source=f"{self.id}/OCPP_set_external_limits",
        )
