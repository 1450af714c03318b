"""OCPPmulti: a charging station of OCPP 1.6 or 2.x, as the key `Mode` has it (EVerest module OCPPmulti)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.auth import Auth
from chargebyte_fw.contracts.interfaces.cb_iso15118_schedules import CbIso15118Schedules
from chargebyte_fw.contracts.interfaces.charger_information import ChargerInformation
from chargebyte_fw.contracts.interfaces.display_message import DisplayMessage
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.interfaces.grid_support import GridSupport
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.interfaces.ocpp_data_transfer import OcppDataTransfer
from chargebyte_fw.contracts.interfaces.reservation import Reservation
from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.kernel.module import ModuleConfig, provides, requires, requires_many, requires_optional
from chargebyte_fw.modules.ocpp.adapters.module import OcppModule
from chargebyte_fw.modules.ocpp.adapters.network_setup import NetworkSetup
from chargebyte_fw.modules.ocpp.adapters.provided import Cost, Generic, Provider, Transfer, Validator
from chargebyte_fw.modules.ocpp.connection.effects import PrepareNetwork
from chargebyte_fw.modules.ocpp.connection.network import Network
from chargebyte_fw.modules.ocpp.smart_charging.profile import RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.publication import Settings
from chargebyte_fw.modules.ocpp.station import Block, Station
from chargebyte_fw.modules.ocpp.variables.files.loading import DEVICE_MODEL, MIGRATION, Sources
from chargebyte_fw.modules.ocpp.variables.model import Variables
from chargebyte_fw.modules.ocpp.variables.standard.internal import SUPPORTED_OCPP_VERSIONS
from chargebyte_fw.modules.ocpp.version import Version, of_subprotocol


class OcppMultiConfig(ModuleConfig):
    """EVerest's keys of OCPPmulti. Relative paths begin at the module's share folder."""

    Mode: Annotated[
        Literal["Prefer1.6", "Prefer2", "Only1.6", "Only2"],
        Meta(description="Version to speak. The Prefer values do as the Only values, as in EVerest."),
    ] = "Only2"
    ChargePointConfigPath: Annotated[
        str, Meta(description="Configuration of a charge point of 1.6, for EnableLegacyConfigMigration.")
    ] = "ocpp-config.json"
    UserConfigPath: Annotated[str, Meta(description="Keys laid over that file.")] = "user_config.json"
    EnableLegacyConfigMigration: Annotated[
        bool, Meta(description="Take the values of those files into the device model, once.")
    ] = False
    CoreDatabasePath: Annotated[
        str, Meta(description="Folder of the database with messages that wait, tokens, profiles and variables of 2.x.")
    ] = "/tmp/ocpp_multi"
    DatabasePath: Annotated[
        str, Meta(description="Folder of that database where it speaks 1.6; empty: that of CoreDatabasePath.")
    ] = ""
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
    DeviceModelConfigMappings: Annotated[
        str, Meta(description="Optional file that maps further configuration keys of 1.6 to variables.")
    ] = ""
    MessageLogPath: Annotated[str, Meta(description="Folder of message logs; none are written yet.")] = (
        "/tmp/everest_ocpp_logs"
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
    Ocpp16NetworkConfigSlot: Annotated[
        int, Meta(ge=0, description="Slot of NetworkConfiguration that has URI, identity and security profile; 0: 1.")
    ] = 1
    CustomMrecErrorMapPath: Annotated[
        str, Meta(description="Optional JSON file: EVerest's error types and the technical codes in their place.")
    ] = ""
    GridSupportHeartbeatS: Annotated[
        int, Meta(ge=1, description="Time in s after which active DER directives are sent to the device again.")
    ] = 60


class OCPPmulti(OcppModule):
    """A charging station that speaks OCPP 1.6, or 2.0.1 and 2.1, with its CSMS."""

    Config = OcppMultiConfig
    config: OcppMultiConfig
    share = "/usr/share/everest/modules/OCPPmulti"
    uses_configure_network = True
    _networks: NetworkSetup | None = None

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
    charger_information = requires_optional(ChargerInformation)
    grid_support = requires_many(GridSupport, 0, 128)

    @property
    def _speaks_16(self) -> bool:
        return self.config.Mode in ("Prefer1.6", "Only1.6")

    def versions(self) -> tuple[Version, ...]:
        """Return the versions of the mode."""
        return (Version.V16,) if self._speaks_16 else (Version.V21, Version.V201)

    # The messages of a version take memory: only those of the mode are loaded.

    def blocks(self) -> Sequence[type[Block]]:
        """All blocks of the mode."""
        if self._speaks_16:
            from chargebyte_fw.modules.ocpp import blocks_v16

            return blocks_v16.BLOCKS
        from chargebyte_fw.modules.ocpp import blocks_v2

        return blocks_v2.BLOCKS

    def network(self, station: Station) -> Network:
        """One slot, or those of the device model."""
        if self._speaks_16:
            from chargebyte_fw.modules.ocpp.connection.network_v16 import Network16

            return station.block(Network16)
        from chargebyte_fw.modules.ocpp.connection.network_v2 import Network2

        return station.block(Network2)

    def sources(self) -> Sources:
        """Return the component files, and those of 1.6 where they are to be taken over."""
        config = self.config
        migrates = self._speaks_16 and config.EnableLegacyConfigMigration
        return Sources(
            version_16=self._speaks_16,
            backend=MIGRATION if migrates else DEVICE_MODEL,
            components=self.shared(config.DeviceModelConfigPath),
            legacy=self.shared(config.ChargePointConfigPath) if migrates else None,
            overlay=self.written(config.UserConfigPath) if migrates else None,
            mappings=self.shared(config.DeviceModelConfigMappings) if config.DeviceModelConfigMappings else None,
            share=self.shared("").resolve(),
            slot=config.Ocpp16NetworkConfigSlot or 1,
        )

    def database(self, variables: Variables) -> Path:
        """Return the file in `CoreDatabasePath` or `DatabasePath`; each generation has its own."""
        folder = self.config.CoreDatabasePath
        if self._speaks_16:
            folder = self.config.DatabasePath or folder
        return self.runtime.root.write(f"{folder}/{'cp16.db' if self._speaks_16 else 'cp.db'}")

    def act(self, effect: Any) -> None:
        """Let the system set up the network of a slot."""
        if isinstance(effect, PrepareNetwork) and self._networks is not None:
            self.spawn(self._networks.prepare(effect), "configure network")

    async def stop(self) -> None:
        """Close the connection and the file."""
        await super().stop()
        if self._networks is not None:
            self._networks.close()

    def settle(self, station: Station) -> None:
        """Pass on what the keys have for single blocks."""
        config = self.config
        self._networks = NetworkSetup(self.system, station.variables, self._feed)
        settings = Settings(
            interval_s=float(config.CompositeScheduleIntervalS),
            duration_s=config.RequestCompositeScheduleDurationS,
            unit=RateUnit(config.RequestCompositeScheduleUnit),
            source=f"{self.id}/OCPP_set_external_limits",
        )
        if self._speaks_16:
            from chargebyte_fw.modules.ocpp.remote_control.reset_v16 import Reset16
            from chargebyte_fw.modules.ocpp.smart_charging.v16 import SmartCharging16

            station.block(Reset16).reset_delay_s = float(config.ResetStopDelay)
            station.block(SmartCharging16).settings = settings
            return
        from chargebyte_fw.modules.ocpp.der.v2 import DerControl2
        from chargebyte_fw.modules.ocpp.monitoring.problems import Problems
        from chargebyte_fw.modules.ocpp.remote_control.reset_v2 import Reset2
        from chargebyte_fw.modules.ocpp.smart_charging.car_schedules_v2 import CarSchedules
        from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2

        offered = [of_subprotocol(name) for name in station.variables.get(SUPPORTED_OCPP_VERSIONS)]
        station.version = next((one for one in offered if one is not None and one.is_2), Version.V201)
        station.block(Reset2).reset_delay_s = float(config.ResetStopDelay)
        station.block(CarSchedules).connected = bool(self.schedules_15118)
        station.block(Problems).codes = self.technical_codes(config.CustomMrecErrorMapPath)
        station.block(SmartCharging2).settings = settings
        station.block(DerControl2).heartbeat_s = float(config.GridSupportHeartbeatS)
