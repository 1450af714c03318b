"""A meter that is simulated: it counts, but it does not sign."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.powermeter import Powermeter
from chargebyte_fw.contracts.types import powermeter


class Meter(Powermeter):
    """Declines what only a meter with a key can do."""

    async def start_transaction(self, value: powermeter.TransactionReq) -> powermeter.TransactionStartResponse:
        """Decline: there is nothing to sign with."""
        return powermeter.TransactionStartResponse(
            status=powermeter.TransactionRequestStatus.NOT_SUPPORTED, error="the simulated meter signs no transactions"
        )

    async def stop_transaction(self, transaction_id: str) -> powermeter.TransactionStopResponse:
        """Decline: there is nothing to sign with."""
        return powermeter.TransactionStopResponse(
            status=powermeter.TransactionRequestStatus.NOT_SUPPORTED, error="the simulated meter signs no transactions"
        )
