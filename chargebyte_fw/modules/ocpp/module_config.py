"""EVerest's keys that every OCPP module has. Relative paths begin at the module's share folder."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from chargebyte_fw.kernel.module import ModuleConfig
from chargebyte_fw.modules.ocpp.smart_charging.profile import RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.publication import Settings

DatabaseFolder = Annotated[
    str, Meta(description="Folder of the database with messages that wait, tokens, profiles and variables.")
]
DeviceModelFolder = Annotated[str, Meta(description="Folder of the component files of the device model.")]
UserKeys = Annotated[str, Meta(description="Keys that were changed, laid over that file; written at each change.")]
KeyMappings = Annotated[str, Meta(description="Optional file that maps further keys of 1.6 to variables.")]
NetworkSlot = Annotated[
    int, Meta(ge=0, description="Slot of NetworkConfiguration that has URI, identity and security profile; 0: 1.")
]
ScheduleInterval = Annotated[int, Meta(ge=0, description="Time in s between computations of the composite schedules.")]
ScheduleDuration = Annotated[int, Meta(ge=0, description="Time in s that the composite schedules cover.")]


class CommonConfig(ModuleConfig):
    """Keys of every OCPP module."""

    DeviceModelDatabasePath: Annotated[
        str, Meta(description="Without effect: the device model is in the database of the station.")
    ] = "device_model_storage.db"
    DeviceModelDatabaseMigrationPath: Annotated[
        str, Meta(description="Without effect: the database needs no migrations.")
    ] = "device_model_migrations"
    DeviceModelConfigPath: DeviceModelFolder = "component_config"
    MessageLogPath: Annotated[str, Meta(description="Folder of the message logs.")] = "/tmp/everest_ocpp_logs"
    EnableExternalWebsocketControl: Annotated[
        bool, Meta(description="Connect and disconnect by MQTT: everest_api/ocpp/cmd/connect and .../disconnect.")
    ] = False
    MessageQueueResumeDelay: Annotated[
        int, Meta(ge=0, description="Pause in s after a reconnection before messages are sent.")
    ] = 0
    RequestCompositeScheduleUnit: Annotated[
        Literal["A", "W"], Meta(description="Unit of the composite schedules for the stack.")
    ] = "A"
    DelayOcppStart: Annotated[int, Meta(ge=0, description="Pause in ms before the station starts.")] = 0
    ResetStopDelay: Annotated[int, Meta(ge=0, description="Pause in s between the answer to Reset and the stop.")] = 0


class CommonConfig2(CommonConfig):
    """Keys of the modules that speak 2.x."""

    CoreDatabasePath: DatabaseFolder = "/tmp/ocpp201"
    EverestDeviceModelDatabasePath: Annotated[
        str, Meta(description="Without effect: what the stack has is read from the stack.")
    ] = "everest_device_model_storage.db"
    CompositeScheduleIntervalS: ScheduleInterval = 30
    RequestCompositeScheduleDurationS: ScheduleDuration = 600
    CustomMrecErrorMapPath: Annotated[
        str, Meta(description="Optional JSON file: EVerest's error types and the technical codes in their place.")
    ] = ""

    def schedules(self, module_id: str) -> Settings:
        """Return how smart charging publishes its schedules."""
        return schedule_settings(
            module_id,
            self.CompositeScheduleIntervalS,
            self.RequestCompositeScheduleDurationS,
            self.RequestCompositeScheduleUnit,
        )


def schedule_settings(module_id: str, interval_s: int, duration_s: int, unit: str) -> Settings:
    """Return how smart charging publishes its schedules."""
    return Settings(
        interval_s=float(interval_s),
        duration_s=duration_s,
        unit=RateUnit(unit),
        source=f"{module_id}/OCPP_set_external_limits",
    )
