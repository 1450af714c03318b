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
from chargebyte_fw.kernel.module import provides, requires, requires_many, requires_optional
from chargebyte_fw.modules.ocpp.adapters.module import OcppModule
from chargebyte_fw.modules.ocpp.adapters.provided import ChargePoint16, Cost, Generic, Provider, Transfer, Validator
from chargebyte_fw.modules.ocpp.blocks_v16 import BLOCKS
from chargebyte_fw.modules.ocpp.connection.network_v16 import Network16
from chargebyte_fw.modules.ocpp.module_config import (
    CommonConfig,
    DatabaseFolder,
    KeyMappings,
    NetworkSlot,
    ScheduleDuration,
    ScheduleInterval,
    UserKeys,
    schedule_settings,
)
from chargebyte_fw.modules.ocpp.remote_control.reset_v16 import Reset16
from chargebyte_fw.modules.ocpp.smart_charging.v16 import SmartCharging16
from chargebyte_fw.modules.ocpp.station import Block, Station
from chargebyte_fw.modules.ocpp.variables.files.loading import Sources
from chargebyte_fw.modules.ocpp.variables.model import Variables
from chargebyte_fw.modules.ocpp.variables.standard.communication import IDENTITY, NETWORK_IDENTITY
from chargebyte_fw.modules.ocpp.version import Version


class OcppConfig(CommonConfig):
    """EVerest's keys of OCPP. Relative paths begin at the module's share folder."""

    ChargePointConfigPath: Annotated[str, Meta(description="Configuration of the charge point, a JSON file.")] = (
        "ocpp-config.json"
    )
    UserConfigPath: UserKeys = "user_config.json"
    DatabasePath: DatabaseFolder = "/tmp/ocpp_1_6_charge_point"
    DeviceModelConfigMappings: KeyMappings = ""
    ConfigBackend: Annotated[
        Literal["legacy", "device_model", "device_model_with_migration"],
        Meta(description="Where keys live: the JSON files, the device model, or that with the JSON copied to it once."),
    ] = "legacy"
    EnableDeviceModelFallbackToLegacyJson: Annotated[
        bool, Meta(description="Use the JSON files when the component files are wrong.")
    ] = False
    PublishChargingScheduleIntervalS: ScheduleInterval = 30
    PublishChargingScheduleDurationS: ScheduleDuration = 600
    Ocpp16NetworkConfigSlot: NetworkSlot = 1


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
        station.block(SmartCharging16).settings = schedule_settings(
            self.id,
            config.PublishChargingScheduleIntervalS,
            config.PublishChargingScheduleDurationS,
            config.RequestCompositeScheduleUnit,
        )
