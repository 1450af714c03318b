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
from chargebyte_fw.kernel.errors import CommandError, ConfigError
from chargebyte_fw.kernel.module import provides, requires, requires_many, requires_optional
from chargebyte_fw.modules.ocpp.adapters.generation import NAMES, Generation
from chargebyte_fw.modules.ocpp.adapters.module import OcppModule
from chargebyte_fw.modules.ocpp.adapters.network_setup import NetworkSetup
from chargebyte_fw.modules.ocpp.adapters.provided import Cost, Generic, Provider, Transfer, Validator
from chargebyte_fw.modules.ocpp.connection.effects import OtherGeneration, PrepareNetwork
from chargebyte_fw.modules.ocpp.connection.network import Network
from chargebyte_fw.modules.ocpp.module_config import CommonConfig2, DatabaseFolder, KeyMappings, NetworkSlot, UserKeys
from chargebyte_fw.modules.ocpp.smart_charging.block import SmartCharging
from chargebyte_fw.modules.ocpp.station import Block, Station
from chargebyte_fw.modules.ocpp.variables.files.loading import DEVICE_MODEL, MIGRATION, Sources
from chargebyte_fw.modules.ocpp.variables.model import Variables
from chargebyte_fw.modules.ocpp.variables.standard.internal import SUPPORTED_OCPP_VERSIONS
from chargebyte_fw.modules.ocpp.version import Version, of_subprotocol


class OcppMultiConfig(CommonConfig2):
    """EVerest's keys of OCPPmulti. Relative paths begin at the module's share folder."""

    Mode: Annotated[
        Literal["Prefer1.6", "Prefer2", "Only1.6", "Only2"],
        Meta(
            description="Generation to speak. The Prefer values offer both, in this order, and the CSMS chooses; "
            "another generation than before is taken while no transaction runs."
        ),
    ] = "Only2"
    ChargePointConfigPath: Annotated[
        str, Meta(description="Configuration of a charge point of 1.6, for EnableLegacyConfigMigration.")
    ] = "ocpp-config.json"
    UserConfigPath: UserKeys = "user_config.json"
    EnableLegacyConfigMigration: Annotated[
        bool, Meta(description="Take the values of those files into the device model, once.")
    ] = False
    CoreDatabasePath: DatabaseFolder = "/tmp/ocpp_multi"
    DatabasePath: Annotated[
        str, Meta(description="Folder of that database where it speaks 1.6; empty: that of CoreDatabasePath.")
    ] = ""
    DeviceModelConfigMappings: KeyMappings = ""
    Ocpp16NetworkConfigSlot: NetworkSlot = 1
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
    _changing = False
    _smart_charging: SmartCharging
    generation: Generation

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

    async def init(self) -> None:
        """Take down what the stack publishes from now on, for the generation that the CSMS chose last."""
        file = self.runtime.root.write(f"{self.config.CoreDatabasePath}/generation")
        self.generation = Generation(self.config.Mode, file, self.log)
        await super().init()

    @property
    def _speaks_16(self) -> bool:
        return self.generation.is_16

    @property
    def slot_16(self) -> int:
        """The slot that the keys of OCPP 1.6 are a view of."""
        return self.config.Ocpp16NetworkConfigSlot or 1

    @property
    def offers_others(self) -> bool:
        """With a Prefer value of `Mode`."""
        return self.generation.is_open

    @property
    def prefers_others(self) -> bool:
        """Where the CSMS chose what `Mode` does not prefer."""
        return self.generation.is_16 is not self.generation.prefers_16

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
        """Let the system set up the network of a slot; change to the generation that the CSMS selected."""
        if isinstance(effect, OtherGeneration) and not self._changing and not self._charges:
            self._changing = True
            self.spawn(self._change(), "another generation of OCPP")
        if isinstance(effect, PrepareNetwork) and self._networks is not None:
            self.spawn(self._networks.prepare(effect), "configure network")

    @property
    def _charges(self) -> bool:
        """Whether a transaction runs: it ends in the version in which it began."""
        return any(state.transaction for state in self._smart_charging.evses.values())

    async def _change(self) -> None:
        """Begin anew in the other generation; messages that wait do so in the database of their own."""
        self.generation.change()
        try:
            try:
                model = self._loaded()
            except ConfigError as error:
                self.generation.change()
                self.generation.is_open = False
                self.log.error("the CSMS is not followed to another version of OCPP: %s", error)
                return
            self.log.info("the CSMS speaks OCPP %s: the station begins anew with it", NAMES[self.generation.is_16])
            self.generation.keep()
            if self._networks is not None:
                self._networks.close()
            await self.renew(model)
            if self._speaks_16:
                await self._forget_schedules()
        finally:
            self._changing = False

    async def _forget_schedules(self) -> None:
        """OCPP 1.6 has no schedules for cars: none waits for one."""
        for provider in self.schedules_15118:
            try:
                await provider.set_back_end(False)
                await provider.set_schedule([])
            except CommandError as error:
                self.log.warning("%s keeps the last schedule of the CSMS: %s", provider.module_id, error)

    async def stop(self) -> None:
        """Close the connection and the file."""
        await super().stop()
        if self._networks is not None:
            self._networks.close()

    def settle(self, station: Station) -> None:
        """Pass on what the keys have for single blocks."""
        config = self.config
        self._networks = NetworkSetup(self.system, station.variables, self._feed)
        settings = config.schedules(self.id)
        if self._speaks_16:
            from chargebyte_fw.modules.ocpp.remote_control.reset_v16 import Reset16
            from chargebyte_fw.modules.ocpp.smart_charging.v16 import SmartCharging16

            station.block(Reset16).reset_delay_s = float(config.ResetStopDelay)
            self._smart_charging = station.block(SmartCharging16)
            self._smart_charging.settings = settings
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
        self._smart_charging = station.block(SmartCharging2)
        self._smart_charging.settings = settings
        station.block(DerControl2).connected = bool(self.grid_support)
        station.block(DerControl2).heartbeat_s = float(config.GridSupportHeartbeatS)
