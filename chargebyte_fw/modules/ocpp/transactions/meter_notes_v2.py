"""The meter of running transactions, written down now and then for the case of a power loss (OCPP 2.x, E08)."""

from __future__ import annotations

from collections.abc import Callable

from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.modules.ocpp.metering.readings import Readings
from chargebyte_fw.modules.ocpp.station import Station
from chargebyte_fw.modules.ocpp.transactions.record_v2 import Transaction
from chargebyte_fw.modules.ocpp.variables.standard.transactions import RESUMPTION_TIMEOUT

METER_INTERVAL_S = 60.0
"""How often the meter of a running transaction is written down."""
LEAST_INTERVAL_S = 5.0
"""How often that is at most, where the length of an interruption counts (E17)."""


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
        transaction.seen_at = self._station.utc
        timer = ("meter", transaction.transaction_id)
        self._station.start(timer, self._station.now + self._interval_s(), lambda: self._write_down(transaction))

    def _interval_s(self) -> float:
        """The length of an interruption counts from when the transaction was last written down (E17)."""
        longest_s = self._station.variables.find(RESUMPTION_TIMEOUT) or 0
        return METER_INTERVAL_S if longest_s == 0 else min(METER_INTERVAL_S, max(LEAST_INTERVAL_S, longest_s / 4))

    def stop(self, transaction: Transaction) -> None:
        """A transaction has ended."""
        self._station.stop(("meter", transaction.transaction_id))

    def _write_down(self, transaction: Transaction) -> None:
        transaction.measure(self.latest(transaction.evse_id), self._station.utc)
        self.start(transaction)
        self._save(transaction)
