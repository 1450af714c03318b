"""The meter of running transactions, written down now and then for the case of a power loss (OCPP 2.x, E08)."""

from __future__ import annotations

from collections.abc import Callable

from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.modules.ocpp.metering.readings import Readings
from chargebyte_fw.modules.ocpp.station import Station
from chargebyte_fw.modules.ocpp.transactions.record_v2 import Transaction

METER_INTERVAL_S = 60.0
"""How often the meter of a running transaction is written down."""


class MeterNotes:
    """Writes down the meter of each running transaction; `save` keeps a transaction over a restart."""

    def __init__(self, station: Station, save: Callable[[Transaction], None]) -> None:
        self._station = station
        self._save = save

    def latest(self, evse_id: int) -> Powermeter | None:
        """Return the last reading of an EVSE."""
        return self._station.block(Readings).latest(evse_id).powermeter

    def start(self, transaction: Transaction) -> None:
        """Write down the meter of a transaction from now on."""
        timer = ("meter", transaction.transaction_id)
        self._station.start(timer, self._station.now + METER_INTERVAL_S, lambda: self._write_down(transaction))

    def stop(self, transaction: Transaction) -> None:
        """A transaction has ended."""
        self._station.stop(("meter", transaction.transaction_id))

    def _write_down(self, transaction: Transaction) -> None:
        if transaction.measure(self.latest(transaction.evse_id), self._station.utc):
            self._save(transaction)
        self.start(transaction)
