"""What an EVSE manager provides, as EVerest's interfaces: each command becomes a request or an event."""

from __future__ import annotations

from typing import Protocol

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.interfaces.dc_external_derate import DcExternalDerate
from chargebyte_fw.contracts.interfaces.energy import Energy
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.uk_random_delay import UkRandomDelay
from chargebyte_fw.contracts.types import authorization, energy, evse_manager, iso15118
from chargebyte_fw.contracts.types.dc_external_derate import ExternalDerating
from chargebyte_fw.contracts.types.evse_manager import (
    ConnectorTypeEnum,
    SetDerAvailableResult,
    UpdateAllowedEnergyTransferModesResult,
)
from chargebyte_fw.modules.evse.adapters.connected import Connected
from chargebyte_fw.modules.evse.adapters.energy import EnergyAdapter
from chargebyte_fw.modules.evse.adapters.requests import Requests
from chargebyte_fw.modules.evse.adapters.start_up import StartUp
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine.events import (
    DelayCancelled,
    DelayConfigured,
    Derated,
    DerAvailable,
    PlugAndChargeConfigured,
)


class Owner(Protocol):
    """What the implementations need of the module that provides them."""

    id: str
    config: EvseConfig
    connected: Connected
    requests: Requests
    energy: EnergyAdapter
    start_up: StartUp


class EvseImplementation(EvseManager):
    """The EVSE for authorization, back ends and user interfaces."""

    module: Owner

    async def get_evse(self) -> evse_manager.Evse:
        """Return the EVSE's number and its one connector."""
        kind = self.module.config.connector_type
        known = kind in list(ConnectorTypeEnum) and kind != ConnectorTypeEnum.Unknown
        connector = evse_manager.Connector(id=1, type=ConnectorTypeEnum(kind) if known else None)
        return evse_manager.Evse(id=self.module.config.connector_id, connectors=[connector])

    async def enable_disable(self, connector_id: int, cmd_source: evse_manager.EnableDisableSource) -> bool:
        """Enter a source's wish; return whether the EVSE is enabled."""
        return self.module.requests.enable_disable(connector_id, cmd_source)

    async def authorize_response(
        self, provided_token: authorization.ProvidedIdToken, validation_result: authorization.ValidationResult
    ) -> None:
        """Take the validator's answer for a token."""
        self.module.requests.authorize(provided_token, validation_result)

    async def withdraw_authorization(self) -> None:
        """End an authorization, or the wait for one."""
        self.module.requests.withdraw_authorization()

    async def reserve(self, reservation_id: int) -> bool:
        """Keep the EVSE for a reservation; return whether it is reserved."""
        return self.module.requests.reserve(reservation_id)

    async def cancel_reservation(self) -> None:
        """Give a reservation up."""
        self.module.requests.cancel_reservation()

    async def pause_charging(self) -> bool:
        """Pause this session until it is resumed or over; return False without a transaction."""
        return self.module.requests.pause(True)

    async def resume_charging(self) -> bool:
        """Go on; return False without a transaction."""
        return self.module.requests.pause(False)

    async def stop_transaction(self, request: evse_manager.StopTransactionRequest) -> bool:
        """End the transaction for good; return whether one was active."""
        return self.module.requests.stop_transaction(request)

    async def force_unlock(self, connector_id: int) -> bool:
        """Unlock, which ends a transaction; return False without a lock."""
        if self.module.connected.connector_lock is None:
            return False
        self.module.requests.unlock()
        return True

    async def external_ready_to_start_charging(self) -> bool:
        """Let charging begin; return False if it has begun already."""
        return self.module.start_up.release()

    async def set_plug_and_charge_configuration(
        self, plug_and_charge_configuration: evse_manager.PlugAndChargeConfiguration
    ) -> None:
        """Change what is offered from the next session on."""
        self.module.requests.feed(PlugAndChargeConfigured(plug_and_charge_configuration))

    async def update_allowed_energy_transfer_modes(
        self, allowed_energy_transfer_modes: list[iso15118.EnergyTransferMode]
    ) -> UpdateAllowedEnergyTransferModesResult:
        """Narrow the modes offered in this session."""
        return self.module.requests.allow_modes(allowed_energy_transfer_modes)

    async def set_der_available(self, available: bool) -> SetDerAvailableResult:
        """Offer AC_DER_IEC or not."""
        if self.module.connected.hlc is None:
            return SetDerAvailableResult.NoHlc
        self.module.requests.feed(DerAvailable(available))
        return SetDerAvailableResult.Accepted


class EnergyLeaf(Energy):
    """The EVSE in the energy tree."""

    module: Owner

    async def enforce_limits(self, value: energy.EnforcedLimits) -> None:
        """Apply limits that are addressed to this EVSE."""
        if value.uuid == self.module.id:
            self.module.requests.feed(self.module.energy.enforce(value))


class EvTokens(AuthTokenProvider):
    """Tokens that come from the EV."""


class RandomDelay(UkRandomDelay):
    """The random delay of the UK's smart charge point regulations."""

    module: Owner

    async def enable(self) -> None:
        """Delay from now on."""
        self.module.requests.feed(DelayConfigured(enabled=True))

    async def disable(self) -> None:
        """Delay no more."""
        self.module.requests.feed(DelayConfigured(enabled=False))

    async def cancel(self) -> None:
        """End a running delay."""
        self.module.requests.feed(DelayCancelled())

    async def set_duration_s(self, value: int) -> None:
        """Set the longest delay in s."""
        self.module.requests.feed(DelayConfigured(longest_s=value))


class ExternalDerate(DcExternalDerate):
    """Limits on the power path from outside, such as those of a plug that is hot."""

    module: Owner

    async def set_external_derating(self, derate: ExternalDerating) -> None:
        """Hold these limits from now on."""
        self.module.requests.feed(Derated(derate))
