"""EVerest interface `ocpp`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.kernel.contract import Contract, Var


class Ocpp(Contract, interface="ocpp"):
    """Version-neutral OCPP service."""

    ocpp_transaction_event: Var[ocpp.OcppTransactionEvent]
    ocpp_transaction_event_response: Var[ocpp.OcppTransactionEventResponse]
    charging_schedules: Var[ocpp.ChargingSchedules]
    """Composite schedules; entry 0 = station."""
    connection_status: Var[ocpp.ConnectionStatus]
    """On each connect/disconnect."""
    security_event: Var[ocpp.SecurityEvent]
    event_data: Var[ocpp.EventData]
    boot_notification_response: Var[ocpp.BootNotificationResponse]
    ocpp_message: Var[ocpp.Message]
    """Only with message callback logging."""

    @abstractmethod
    async def stop(self) -> bool:
        """EVerest command `stop`."""

    @abstractmethod
    async def restart(self) -> bool:
        """EVerest command `restart`."""

    @abstractmethod
    async def security_event_(self, event: ocpp.SecurityEvent) -> None:
        """EVerest command `security_event`."""

    @abstractmethod
    async def get_variables(self, requests: list[ocpp.GetVariableRequest]) -> list[ocpp.GetVariableResult]:
        """Order of results = order of requests."""

    @abstractmethod
    async def set_variables(self, requests: list[ocpp.SetVariableRequest], source: str) -> list[ocpp.SetVariableResult]:
        """Source: free text."""

    @abstractmethod
    async def change_availability(self, request: ocpp.ChangeAvailabilityRequest) -> ocpp.ChangeAvailabilityResponse:
        """EVerest command `change_availability`."""

    @abstractmethod
    async def monitor_variables(self, component_variables: list[ocpp.ComponentVariable]) -> None:
        """Adds to existing monitors; changes appear on event_data."""
