"""Costs of the transactions that run: counted in steps, in their events, and kept over a restart (I08, I11, I12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

import msgspec

from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.modules.ocpp.messages.v2.tariff_and_cost import TariffKindEnumType
from chargebyte_fw.modules.ocpp.messages.v2.transactions import ChargingStateEnumType, CostDetailsType
from chargebyte_fw.modules.ocpp.messages.v2.types.tariff import TariffType
from chargebyte_fw.modules.ocpp.metering.readings import Readings
from chargebyte_fw.modules.ocpp.smart_charging.configuration import local_time_of, phases_of
from chargebyte_fw.modules.ocpp.station import Station
from chargebyte_fw.modules.ocpp.tariffs.conditions import EPOCH
from chargebyte_fw.modules.ocpp.tariffs.cost import Cost, Measured, Payment
from chargebyte_fw.modules.ocpp.tariffs.details import details_of, total_of
from chargebyte_fw.modules.ocpp.tariffs.tariff import Tariff, TariffRefused
from chargebyte_fw.modules.ocpp.transactions.record_v2 import Transaction

TABLE = "COSTS"
SAVE_INTERVAL_S = 60.0
"""How often a cost is written down between events."""
_DC = (ConnectorTypeEnum.cCCS1, ConnectorTypeEnum.cCCS2, ConnectorTypeEnum.cG105, ConnectorTypeEnum.cMCS)
Kind = TariffKindEnumType
Choose = Callable[[Transaction], "tuple[Tariff, TariffKindEnumType] | None"]


class _Kept(msgspec.Struct, kw_only=True):
    """A running cost as it is written down."""

    evse_id: int
    tariff: TariffType
    kind: TariffKindEnumType
    cost: Cost
    begin: Cost
    """As it was before anything was counted: a driver whose tariff comes later is charged by it from the begin on."""
    token: str = ""
    """The token whose tariff holds, or was looked for."""


class Running(msgspec.Struct):
    """The cost of one transaction."""

    kept: _Kept
    tariff: Tariff
    at_s: float | None = None
    """Monotonic second of the last step; None: before a restart."""
    saved_at_s: float = 0.0
    reported: str = ""
    """The tariff that the CSMS knows to be used."""
    troubled: bool = False
    """The CSMS was notified that it cannot be calculated."""

    @property
    def kind(self) -> TariffKindEnumType:
        """Whether the tariff is that of the station or of the driver."""
        return self.kept.kind

    @property
    def evse_id(self) -> int:
        """The EVSE of the transaction."""
        return self.kept.evse_id

    def total(self, *, final: bool = False) -> Decimal:
        """Return the cost with tax, without tax where that is all there is."""
        excl, incl, _ = total_of(self.kept.cost, self.tariff, final=final)
        return incl if incl is not None else excl or Decimal(0)

    def details(self, *, final: bool) -> CostDetailsType:
        """Return CostDetailsType as it stands."""
        return details_of(self.kept.cost, self.tariff, final=final)


class RunningCosts:
    """The costs of all transactions with a tariff. `choose` returns the tariff of a transaction and its kind."""

    def __init__(self, station: Station, choose: Choose) -> None:
        self._station = station
        self._choose = choose
        self._running: dict[str, Running] = {}

    def load(self, rows: dict[str, bytes]) -> None:
        """Take what was written down; what cannot be read is deleted."""
        for key, data in rows.items():
            try:
                kept = msgspec.json.decode(data, type=_Kept)
                self._running[key] = Running(kept, Tariff(kept.tariff), reported=kept.tariff.tariff_id)
            except (msgspec.DecodeError, TariffRefused):
                self._station.save(TABLE, key, None)

    def of(self, transaction_id: str) -> Running | None:
        """Return the cost of a transaction."""
        return self._running.get(transaction_id)

    def __iter__(self) -> Iterator[tuple[str, Running]]:
        return iter(list(self._running.items()))

    def forget(self, transaction_id: str) -> None:
        """Drop the cost of a transaction that has ended."""
        if self._running.pop(transaction_id, None) is not None:
            self._station.save(TABLE, transaction_id, None)

    # Steps.

    def begin(self, transaction: Transaction, reservation_us: int | None = None) -> Running | None:
        """Count from the begin of a transaction on; returns None where it has no tariff."""
        chosen = self._choose(transaction)
        if chosen is None:
            return None
        tariff, kind = chosen
        at_us = _microseconds(transaction.started_at)
        cost = Cost(at_us=at_us, last=self._measured(transaction, exact=True), payment=self._payment(transaction))
        cost.reservation_us = reservation_us
        kept = _Kept(
            evse_id=transaction.evse_id,
            tariff=tariff.source,
            kind=kind,
            cost=cost,
            begin=_copy(cost),
            token=_token(transaction),
        )
        running = self._running[transaction.transaction_id] = Running(kept, tariff)
        transaction.counted_here = True
        cost.begin(tariff, local_time_of(self._station.variables), reservation_us)
        self._turn(running, transaction)
        self.save(transaction.transaction_id, running)
        return running

    def step(self, running: Running, transaction: Transaction, at: datetime, *, ended: bool = False) -> None:
        """Count up to a time, which may be in the past for a transaction that ended with the power."""
        cost, station = running.kept.cost, self._station
        at_us = _microseconds(at)
        present = at == station.utc
        if running.at_s is not None and present:
            step_us = round((station.now - running.at_s) * 1_000_000)
        else:
            step_us = max(0, at_us - cost.at_us)
        measured = self._measured(transaction, exact=ended)
        try:
            cost.advance(running.tariff, local_time_of(station.variables), at_us, step_us, measured)
        except (ArithmeticError, ValueError) as error:
            cost.failure = f"{type(error).__name__}: {error}"
        running.at_s = station.now if present else None
        self._turn(running, transaction)

    def change(self, running: Running, transaction: Transaction, tariff: Tariff) -> None:
        """Use another tariff from now on (I11)."""
        self.step(running, transaction, self._station.utc)
        running.tariff, running.kept.tariff, running.kept.kind = tariff, tariff.source, Kind.DriverTariff
        running.kept.cost.change(tariff, local_time_of(self._station.variables))
        self.save(transaction.transaction_id, running)

    def token_known(self, running: Running, transaction: Transaction) -> None:
        """Charge by the driver's tariff from the begin on if his token came after it."""
        token = _token(transaction)
        if not token or running.kept.token:
            return
        running.kept.token = token
        chosen = self._choose(transaction)
        if chosen is None or chosen[1] is not Kind.DriverTariff:
            return
        tariff, kept = chosen[0], running.kept
        running.tariff, kept.tariff, kept.kind, kept.cost = tariff, tariff.source, Kind.DriverTariff, _copy(kept.begin)
        kept.cost.payment = self._payment(transaction)
        kept.cost.begin(tariff, local_time_of(self._station.variables), kept.cost.reservation_us)
        running.at_s = None

    def begin_late(self, transaction: Transaction, tariff: Tariff) -> Running:
        """Count from now on: a transaction without a tariff gets one (I11). What its begin costs is not charged."""
        cost = Cost(at_us=_microseconds(self._station.utc), last=self._measured(transaction, exact=False))
        cost.payment = self._payment(transaction)
        kept = _Kept(
            evse_id=transaction.evse_id,
            tariff=tariff.source,
            kind=Kind.DriverTariff,
            cost=cost,
            begin=_copy(cost),
            token=_token(transaction),
        )
        running = self._running[transaction.transaction_id] = Running(kept, tariff, self._station.now)
        transaction.counted_here = True
        cost.change(tariff, local_time_of(self._station.variables))
        self._turn(running, transaction)
        self.save(transaction.transaction_id, running)
        return running

    def save(self, transaction_id: str, running: Running) -> None:
        """Write a cost down."""
        running.saved_at_s = self._station.now
        self._station.save(TABLE, transaction_id, running.kept)

    def save_sometimes(self, transaction_id: str, running: Running) -> None:
        """Write a cost down, unless that was done a moment ago."""
        if self._station.now - running.saved_at_s >= SAVE_INTERVAL_S:
            self.save(transaction_id, running)

    @staticmethod
    def _turn(running: Running, transaction: Transaction) -> None:
        running.kept.cost.charging = transaction.charging_state is ChargingStateEnumType.Charging

    # Facts.

    def _measured(self, transaction: Transaction, *, exact: bool) -> Measured:
        """Return the meter now; `exact`: the reading that the transaction itself has at its begin and end."""
        meter = self._station.block(Readings).latest(transaction.evse_id).powermeter
        if exact:
            known = meter is not None or transaction.meter_Wh > 0
            imported_mWh = round(transaction.meter_Wh * 1000) if known else None
        else:
            imported_mWh = None if meter is None else round(meter.energy_Wh_import.total * 1000)
        if meter is None:
            return Measured(imported_mWh)
        exported = meter.energy_Wh_export
        power_W = None if meter.power_W is None else meter.power_W.total
        return Measured(
            imported_mWh,
            None if exported is None else round(exported.total * 1000),
            None if power_W is None else round(power_W * 1000),
            _current_mA(meter, power_W),
        )

    def _payment(self, transaction: Transaction) -> Payment:
        place = self._station.layout.find(transaction.evse_id, transaction.connector_id)
        plug = None if place is None else place.kind
        without_phases = plug is None and phases_of(self._station.variables, transaction.evse_id) == 0
        kind = "DC" if plug in _DC or without_phases else "AC"
        extra = transaction.token.id_token.additional_info if transaction.token is not None else None
        known = {one.type: one.value for one in extra or []}
        return Payment(kind, known.get("PaymentBrand", ""), known.get("PaymentRecognition", ""))


def _copy(cost: Cost) -> Cost:
    return msgspec.json.decode(msgspec.json.encode(cost), type=Cost)


def _token(transaction: Transaction) -> str:
    return "" if transaction.token is None else transaction.token.id_token.value


def _microseconds(at: datetime) -> int:
    since = at - EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def _current_mA(meter: Powermeter, power_W: float | None) -> int | None:
    """Return the sum over the phases, negative while the car discharges."""
    current = meter.current_A
    if current is None:
        return None
    phases = [one for one in (current.L1, current.L2, current.L3) if one is not None]
    found = [current.DC] if current.DC is not None else phases
    if not found:
        return None
    total_mA = round(sum(abs(one) for one in found) * 1000)
    backward = power_W < 0 if power_W is not None else sum(found) < 0
    return -total_mA if backward else total_mA
