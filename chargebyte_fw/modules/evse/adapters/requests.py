"""What authorization, back ends and user interfaces ask of the EVSE: events for the machines, and the answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.types import evse_manager as types
from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    CertificateStatus,
    ProvidedIdToken,
    ValidationResult,
)
from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.modules.evse.machine.events import (
    Cancel,
    ContractRejected,
    EnableRequested,
    ForceUnlock,
    ModesAllowed,
    PhasesWanted,
    ReservationRequested,
    TokenAccepted,
    UserPause,
    Withdrawn,
)
from chargebyte_fw.modules.evse.machine.facts import TransactionState
from chargebyte_fw.modules.evse.machine.signals import CancelReservation
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot


class Requests:
    """Answers from the machines' snapshot, and feeds them the event."""

    def __init__(
        self,
        feed: Callable[[Any], None],
        snapshot: Callable[[], Snapshot],
        *,
        hlc: bool,
        log: ModuleLog,
    ) -> None:
        self.feed = feed
        self._snapshot = snapshot
        self._hlc = hlc
        self._log = log

    # Availability.

    @property
    def enabled(self) -> bool:
        """Whether the EVSE is enabled."""
        return self._snapshot().enabled

    def enable_disable(self, connector_id: int, source: types.EnableDisableSource) -> bool:
        """Enter a source's request; return whether the EVSE is enabled."""
        self.feed(EnableRequested(connector_id, source))
        return self._snapshot().enabled

    # Authorization.

    def authorize(self, token: ProvidedIdToken, result: ValidationResult) -> None:
        """Take the validator's answer for a token."""
        contract = token.authorization_type is AuthorizationType.PlugAndCharge
        if result.authorization_status is not AuthorizationStatus.Accepted:
            if contract:
                certificate = result.certificate_status or CertificateStatus.Accepted
                self.feed(ContractRejected(result.authorization_status, certificate))
            return
        if self._snapshot().checks_contract and not contract:
            self._log.debug("an external token while the EV's contract is validated: ignored")
            return
        if result.allowed_energy_transfer_modes:
            self.allow_modes(result.allowed_energy_transfer_modes)
        text = result.tariff_messages[0].content if result.tariff_messages else None
        self.feed(TokenAccepted(token, text, contract, result.reservation_id))

    def withdraw_authorization(self) -> None:
        """End an authorization, or the wait for one."""
        self.feed(Withdrawn())

    # The transaction.

    def pause(self, pause: bool) -> bool:
        """Pause or resume the session; return False, and do nothing, without a transaction."""
        if not self._snapshot().transaction_begun:
            return False
        self.feed(UserPause(pause))
        return True

    def stop_transaction(self, request: types.StopTransactionRequest) -> bool:
        """End the transaction; return False if none is active."""
        if self._snapshot().transaction not in (TransactionState.Starting, TransactionState.Running):
            return False
        self.feed(Cancel(request.reason, request.id_tag))
        return True

    def unlock(self) -> None:
        """Unlock the connector, at the end of a transaction."""
        self._log.info("unlocking the connector by command")
        self.stop_transaction(types.StopTransactionRequest(reason=types.StopTransactionReason.UnlockCommand))
        self.feed(ForceUnlock())

    # Reservation.

    def reserve(self, reservation_id: int) -> bool:
        """Reserve the EVSE, if it is free; return whether it is reserved."""
        free = self._snapshot().free
        self.feed(ReservationRequested(reservation_id))
        return free and self._snapshot().reservation_id == reservation_id

    def cancel_reservation(self) -> None:
        """Give up the reservation, if there is one."""
        self.feed(CancelReservation())

    # What is offered.

    def switch_phases(self, three: bool) -> bool:
        """Switch to one or three phases; return False while HLC is charging."""
        if not self._snapshot().can_switch_phases:
            return False
        self.feed(PhasesWanted(three))
        return True

    def allow_modes(self, allowed: list[EnergyTransferMode]) -> types.UpdateAllowedEnergyTransferModesResult:
        """Offer only what is allowed until the session ends."""
        if not self._hlc:
            return types.UpdateAllowedEnergyTransferModesResult.NoHlc
        if not set(allowed) & set(self._snapshot().offered_modes):
            return types.UpdateAllowedEnergyTransferModesResult.IncompatibleEnergyTransfer
        self.feed(ModesAllowed(allowed))
        return types.UpdateAllowedEnergyTransferModesResult.Accepted
