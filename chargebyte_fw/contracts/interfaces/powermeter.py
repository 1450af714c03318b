"""EVerest interface `powermeter`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import powermeter as meter
from chargebyte_fw.kernel.contract import Contract, Var


class Powermeter(Contract, interface="powermeter", errors=("powermeter",)):
    """Energy meter, optionally signing (OCMF)."""

    powermeter: Var[meter.Powermeter]
    """Periodic."""
    public_key_ocmf: Var[str]

    @abstractmethod
    async def start_transaction(self, value: meter.TransactionReq) -> meter.TransactionStartResponse:
        """EVerest command `start_transaction`."""

    @abstractmethod
    async def stop_transaction(self, transaction_id: str) -> meter.TransactionStopResponse:
        """Empty id = cancel every dangling transaction."""
