"""system_API: a client of MQTT is the computer: firmware, logs, reset, clock, network."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types.network import (
    ConfigureNetworkResponse,
    ConfigureNetworkStatus,
    ConfigureNetworkStatusEnum,
)
from chargebyte_fw.contracts.types.system import (
    BootReason,
    FirmwareUpdateStatus,
    LogStatus,
    ResetType,
    UpdateFirmwareResponse,
    UploadLogsResponse,
    UploadLogsStatus,
)
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.api.everest_api.bridge import Bridge, RequestConfig
from chargebyte_fw.modules.api.everest_api.driver import Ask, Send, driven_by_client


class Reset(msgspec.Struct):
    """Payload of `reset`."""

    type: ResetType
    scheduled: bool


_NO_NETWORK = ConfigureNetworkResponse(status=ConfigureNetworkStatusEnum.NotSupported)
_COMMANDS: dict[str, Send | Ask] = {
    "update_firmware": Ask("update_firmware", UpdateFirmwareResponse, UpdateFirmwareResponse.Rejected),
    "upload_logs": Ask(
        "upload_logs", UploadLogsResponse, UploadLogsResponse(upload_logs_status=UploadLogsStatus.Rejected)
    ),
    "is_reset_allowed": Ask("is_reset_allowed", bool, False),
    "set_system_time": Ask("set_system_time", bool, False),
    "get_boot_reason": Ask("get_boot_reason", BootReason, BootReason.Unknown),
    "configure_network": Ask("configure_network", ConfigureNetworkResponse, _NO_NETWORK),
    "allow_firmware_installation": Send("allow_firmware_installation"),
    "reset": Send("reset", Reset),
}


class system_API(Bridge):
    """A client of MQTT is the computer."""

    Config = RequestConfig
    group = "cloud"
    api_type = "system"
    watched = ("main", "system/CommunicationFault")

    main = provides(driven_by_client(System, _COMMANDS), description="The computer.")

    def open(self) -> None:
        """Declare what the computer reports."""
        self.take("firmware_update_status", FirmwareUpdateStatus, self.main.firmware_update_status.publish)
        self.take("log_status", LogStatus, self.main.log_status.publish)
        self.take("configure_network_status", ConfigureNetworkStatus, self.main.configure_network_status.publish)
