"""EVerest interface `ocpp_1_6_charge_point`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.kernel.contract import Contract, Var

Key = Annotated[str, Meta(max_length=50)]


class Ocpp16ChargePoint(Contract, interface="ocpp_1_6_charge_point"):
    """Charge point of OCPP 1.6."""

    is_connected: Var[bool]
    """Whether the central system is connected."""
    configuration_key: Var[ocpp.KeyValue]
    """A monitored configuration key that has changed."""
    security_event: Var[ocpp.SecurityEvent]

    @abstractmethod
    async def stop(self) -> bool:
        """Disconnect until `restart`; False if that has happened already."""

    @abstractmethod
    async def restart(self) -> bool:
        """Connect again after `stop`; False if the charge point is not stopped."""

    @abstractmethod
    async def get_configuration_key(self, keys: list[str]) -> ocpp.GetConfigurationResponse:
        """Return these configuration keys; an empty list returns all."""

    @abstractmethod
    async def set_configuration_key(
        self, key: Key, value: Annotated[str, Meta(max_length=500)]
    ) -> ocpp.ConfigurationStatus:
        """Set one configuration key."""

    @abstractmethod
    async def monitor_configuration_keys(self, keys: list[Key]) -> None:
        """Publish `configuration_key` when one of these changes; adds to the keys monitored already."""

    @abstractmethod
    async def security_event_(self, type: str, info: str) -> None:
        """Report a security event to the central system."""
