"""What an OCPP module provides, as EVerest's interfaces: each command is served by the station."""

from __future__ import annotations

from typing import Any, Protocol

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.interfaces.auth_token_validator import AuthTokenValidator
from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.interfaces.ocpp_1_6_charge_point import Ocpp16ChargePoint
from chargebyte_fw.contracts.interfaces.ocpp_data_transfer import OcppDataTransfer
from chargebyte_fw.contracts.interfaces.session_cost import SessionCost
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.contracts.types.authorization import ProvidedIdToken, ValidationResult
from chargebyte_fw.modules.ocpp.adapters.requests import Requests


class Owner(Protocol):
    """What the implementations need of the module that provides them."""

    requests: Requests


class Validator(AuthTokenValidator):
    """Validates tokens, by the CSMS or by what it answered before."""

    module: Owner

    async def validate_token(self, provided_token: ProvidedIdToken) -> ValidationResult:
        """Return whether a token may charge."""
        result: Any = await self.module.requests.serve(AuthTokenValidator.validate_token, provided_token)
        return result  # type: ignore[no-any-return]


class Provider(AuthTokenProvider):
    """Publishes the tokens of remote starts."""

    module: Owner


class Transfer(OcppDataTransfer):
    """Sends messages of a vendor to the CSMS."""

    module: Owner

    async def data_transfer(self, request: ocpp.DataTransferRequest) -> ocpp.DataTransferResponse:
        """Send a message; returns the answer of the CSMS."""
        result: Any = await self.module.requests.serve(OcppDataTransfer.data_transfer, request)
        return result  # type: ignore[no-any-return]


class Cost(SessionCost):
    """Publishes prices and costs that the CSMS sends."""

    module: Owner


class Generic(Ocpp):
    """OCPP, whatever the version."""

    module: Owner

    async def _serve(self, command: Any, *args: Any) -> Any:
        return await self.module.requests.serve(command, *args)

    async def stop(self) -> bool:
        """Disconnect until `restart`; False where that is so already."""
        return bool(await self._serve(Ocpp.stop))

    async def restart(self) -> bool:
        """Connect again after `stop`; False where the connection is wanted already."""
        return bool(await self._serve(Ocpp.restart))

    async def security_event_(self, event: ocpp.SecurityEvent) -> None:
        """Report a security event."""
        await self._serve(Ocpp.security_event_, event)

    async def get_variables(self, requests: list[ocpp.GetVariableRequest]) -> list[ocpp.GetVariableResult]:
        """Return variables, in the order of the requests."""
        return list(await self._serve(Ocpp.get_variables, requests))

    async def set_variables(self, requests: list[ocpp.SetVariableRequest], source: str) -> list[ocpp.SetVariableResult]:
        """Set variables, those that are read only for the CSMS as well."""
        return list(await self._serve(Ocpp.set_variables, requests, source))

    async def change_availability(self, request: ocpp.ChangeAvailabilityRequest) -> ocpp.ChangeAvailabilityResponse:
        """Make a part of the station operative or inoperative, as the CSMS may."""
        result: Any = await self._serve(Ocpp.change_availability, request)
        return result  # type: ignore[no-any-return]

    async def monitor_variables(self, component_variables: list[ocpp.ComponentVariable]) -> None:
        """Publish `event_data` when one of these variables changes."""
        await self._serve(Ocpp.monitor_variables, component_variables)


class ChargePoint16(Ocpp16ChargePoint):
    """A charge point of OCPP 1.6."""

    module: Owner

    async def _serve(self, command: Any, *args: Any) -> Any:
        return await self.module.requests.serve(command, *args)

    async def stop(self) -> bool:
        """Disconnect until `restart`; False where that is so already."""
        return bool(await self._serve(Ocpp16ChargePoint.stop))

    async def restart(self) -> bool:
        """Connect again after `stop`; False where the charge point is not stopped."""
        return bool(await self._serve(Ocpp16ChargePoint.restart))

    async def get_configuration_key(self, keys: list[str]) -> ocpp.GetConfigurationResponse:
        """Return these configuration keys; an empty list returns all."""
        result: Any = await self._serve(Ocpp16ChargePoint.get_configuration_key, keys)
        return result  # type: ignore[no-any-return]

    async def set_configuration_key(self, key: str, value: str) -> ocpp.ConfigurationStatus:
        """Set one configuration key."""
        return ocpp.ConfigurationStatus(await self._serve(Ocpp16ChargePoint.set_configuration_key, key, value))

    async def monitor_configuration_keys(self, keys: list[str]) -> None:
        """Publish `configuration_key` when one of these changes."""
        await self._serve(Ocpp16ChargePoint.monitor_configuration_keys, keys)

    async def security_event_(self, type: str, info: str) -> None:
        """Report a security event."""
        await self._serve(Ocpp16ChargePoint.security_event_, type, info)
