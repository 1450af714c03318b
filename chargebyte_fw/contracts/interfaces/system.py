"""EVerest interface `system`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import network, system
from chargebyte_fw.kernel.contract import Contract, Var


class System(Contract, interface="system", errors=("system",)):
    """Firmware, logs, reset, time, network."""

    firmware_update_status: Var[system.FirmwareUpdateStatus]
    log_status: Var[system.LogStatus]
    configure_network_status: Var[network.ConfigureNetworkStatus]

    @abstractmethod
    async def update_firmware(
        self, firmware_update_request: system.FirmwareUpdateRequest
    ) -> system.UpdateFirmwareResponse:
        """Only acknowledges the start."""

    @abstractmethod
    async def allow_firmware_installation(self) -> None:
        """Release a waiting installation."""

    @abstractmethod
    async def upload_logs(self, upload_logs_request: system.UploadLogsRequest) -> system.UploadLogsResponse:
        """EVerest command `upload_logs`."""

    @abstractmethod
    async def is_reset_allowed(self, type: system.ResetType) -> bool:
        """EVerest command `is_reset_allowed`."""

    @abstractmethod
    async def reset(self, type: system.ResetType, scheduled: bool) -> None:
        """Scheduled is informative."""

    @abstractmethod
    async def set_system_time(self, timestamp: str) -> bool:
        """RFC 3339."""

    @abstractmethod
    async def get_boot_reason(self) -> system.BootReason:
        """EVerest command `get_boot_reason`."""

    @abstractmethod
    async def configure_network(self, request: network.ConfigureNetworkRequest) -> network.ConfigureNetworkResponse:
        """Processing ⇒ result on configure_network_status with same request_id; NotSupported if unavailable."""
