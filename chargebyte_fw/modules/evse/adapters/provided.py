"""The five faces of the EVSE manager; each command asks the module, which asks the machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.interfaces.dc_external_derate import DcExternalDerate
from chargebyte_fw.contracts.interfaces.energy import Energy
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager as EvseManagerContract
from chargebyte_fw.contracts.interfaces.uk_random_delay import UkRandomDelay
from chargebyte_fw.contracts.types import authorization, energy, evse_manager, iso15118
from chargebyte_fw.contracts.types.dc_external_derate import ExternalDerating
from chargebyte_fw.contracts.types.evse_manager import (
    ConnectorTypeEnum,
    SetDerAvailableResult,
    StopTransactionReason,
    UpdateAllowedEnergyTransferModesResult,
)
from chargebyte_fw.modules.evse.machine.events import ForceUnlock, Withdrawn

if TYPE_CHECKING:
    from chargebyte_fw.modules.evse.evse_manager import EvseManager


class Evse(EvseManagerContract):
    """The EVSE for authorization, back ends and user interfaces."""

    module: EvseManager

    async def get_evse(self) -> evse_manager.Evse:
        """Tell the EVSE's number and its one connector."""
        kind = self.module.connector_type
        connector = evse_manager.Connector(id=1, type=kind if kind is not ConnectorTypeEnum.Unknown else None)
        return evse_manager.Evse(id=self.module.config.connector_id, connectors=[connector])

    async def enable_disable(self, connector_id: int, cmd_source: evse_manager.EnableDisableSource) -> bool:
        """Enter a source's wish; returns whether the EVSE is enabled."""
        return self.module.enable_disable(connector_id, cmd_source)

    async def authorize_response(
        self, provided_token: authorization.ProvidedIdToken, validation_result: authorization.ValidationResult
    ) -> None:
        """Take the validator's answer for a token."""
        self.module.authorize_response(provided_token, validation_result)

    async def withdraw_authorization(self) -> None:
        """Nobody authorized in time, or not any more."""
        self.module.pump.feed(Withdrawn())

    async def reserve(self, reservation_id: int) -> bool:
        """Keep the EVSE for a reservation."""
        return self.module.reserve(reservation_id)

    async def cancel_reservation(self) -> None:
        """Give a reservation up."""
        self.module.cancel_reservation()

    async def pause_charging(self) -> bool:
        """Pause this session until it is resumed or over; false without a transaction."""
        return self.module.pause(True)

    async def resume_charging(self) -> bool:
        """Go on; false without a transaction."""
        return self.module.pause(False)

    async def stop_transaction(self, request: evse_manager.StopTransactionRequest) -> bool:
        """End the transaction for good; true if one was active."""
        return self.module.cancel_transaction(request)

    async def force_unlock(self, connector_id: int) -> bool:
        """Unlock; ends a transaction. False without a lock."""
        if self.module.connector_lock is None:
            return False
        self.module.log.info("unlocking the connector by command")
        self.module.cancel_transaction(evse_manager.StopTransactionRequest(reason=StopTransactionReason.UnlockCommand))
        self.module.pump.feed(ForceUnlock())
        return True

    async def external_ready_to_start_charging(self) -> bool:
        """Release the gate; false if it is not closed."""
        return self.module.release_gate()

    async def set_plug_and_charge_configuration(
        self, plug_and_charge_configuration: evse_manager.PlugAndChargeConfiguration
    ) -> None:
        """Change what is offered from the next session on."""
        self.module.hlc_adapter.configure(plug_and_charge_configuration)

    async def update_allowed_energy_transfer_modes(
        self, allowed_energy_transfer_modes: list[iso15118.EnergyTransferMode]
    ) -> UpdateAllowedEnergyTransferModesResult:
        """Narrow the modes offered in this session."""
        return self.module.hlc_adapter.allow_modes(allowed_energy_transfer_modes)

    async def set_der_available(self, available: bool) -> SetDerAvailableResult:
        """Offer AC_DER_IEC or not."""
        if not self.module.hlc_adapter.used:
            return SetDerAvailableResult.NoHlc
        self.module.hlc_adapter.der = available
        self.module.hlc_adapter.offer_modes()
        return SetDerAvailableResult.Accepted


class Leaf(Energy):
    """The EVSE in the energy tree."""

    module: EvseManager

    async def enforce_limits(self, value: energy.EnforcedLimits) -> None:
        """Take the limits that are ours."""
        if value.uuid == self.module.id:
            self.module.energy_adapter.enforce(value)


class Tokens(AuthTokenProvider):
    """Tokens that come from the EV."""


class Delay(UkRandomDelay):
    """The random delay of the UK's smart charge point regulations."""

    module: EvseManager

    async def enable(self) -> None:
        """Delay from now on."""
        self.module.energy_adapter.delay.enabled = True

    async def disable(self) -> None:
        """Delay no more."""
        self.module.energy_adapter.delay.enabled = False
        self.module.energy_adapter.delay_over()

    async def cancel(self) -> None:
        """End a running delay."""
        self.module.energy_adapter.delay_over()

    async def set_duration_s(self, value: int) -> None:
        """Set the longest delay in s."""
        self.module.energy_adapter.delay.longest_s = max(0, value)


class Derate(DcExternalDerate):
    """Limits that somebody outside puts on the power path, such as a plug's temperature."""

    module: EvseManager

    async def set_external_derating(self, derate: ExternalDerating) -> None:
        """Hold these limits from now on."""
        self.module.energy_adapter.derate(derate)
