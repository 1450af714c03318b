"""What one transaction costs: counted as time passes and energy flows, exactly, and kept over a restart (I12). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from chargebyte_fw.modules.ocpp.messages.v2.types.tariff import TaxRateType
from chargebyte_fw.modules.ocpp.smart_charging.rules import LocalTime
from chargebyte_fw.modules.ocpp.tariffs.amounts import (
    CONTEXT,
    PER_MICROSECOND,
    PER_MILLIWATTHOUR,
    SCALE,
    currency,
    tax_factor,
)
from chargebyte_fw.modules.ocpp.tariffs.conditions import Changes, Facts, Quantity
from chargebyte_fw.modules.ocpp.tariffs.tariff import USED, Field, Limit, Prices, Tariff

MOST_PIECES = 400
"""Parts into which one step is divided at most: a clock that jumps by years has more midnights than that."""
MOST_PERIODS = 200
"""Charging periods that are kept; what follows counts to the last one."""
ZERO = Decimal(0)


class Payment(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the conditions of a fixed price are about besides the calendar."""

    evse_kind: str = ""
    brand: str = ""
    recognition: str = ""


class Measured(msgspec.Struct, frozen=True):
    """The meter at an instant; None: nothing measures it."""

    import_mWh: int | None = None
    export_mWh: int | None = None
    power_mW: int | None = None
    current_mA: int | None = None


class Taxed(msgspec.Struct):
    """An amount under the same taxes, times `SCALE`."""

    tax_rates: list[TaxRateType]
    amount: Decimal = ZERO


class Period(msgspec.Struct, omit_defaults=True):
    """A time in which the same prices applied (ChargingPeriodType)."""

    tariff_id: str
    at_us: int
    energy_mWh: int = 0
    charging_us: int = 0
    idle_us: int = 0
    power_mW: tuple[int, int] | None = None
    """Least and most that was measured."""
    current_mA: tuple[int, int] | None = None


class Cost(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The cost of a transaction up to `at_us`."""

    at_us: int
    """Wall time of the last step."""
    payment: Payment = Payment()
    charging: bool = False
    """Energy flows since the last step."""
    last: Measured = Measured()
    energy_mWh: int = 0
    charging_us: int = 0
    idle_us: int = 0
    reservation_us: int | None = None
    amounts: dict[str, list[Taxed]] = {}
    used: tuple[int, int, int] | None = None
    """Index of the element in use of each of the fields `USED`, -1: none."""
    periods: list[Period] = []
    capped: bool = False
    """`maxCost` is reached: usage is counted, cost is not."""
    failure: str = ""
    """Why the cost is not right."""

    # Steps.

    def begin(self, tariff: Tariff, local: LocalTime, reservation_us: int | None = None) -> None:
        """Count what a transaction costs at its begin: the fixed fee and its reservation, which lasted so long."""
        facts = self._facts(self.at_us)
        added = self._fixed(tariff, Field.FIXED, facts, local)
        if reservation_us is not None:
            self.reservation_us = reservation_us
            added += self._fixed(tariff, Field.RESERVATION_FIXED, facts, local)
            added += self._reservation(tariff, local, reservation_us)
        self._add(tariff, added)
        self._use(tariff, facts, local)

    def _fixed(self, tariff: Tariff, field: Field, facts: Facts, local: LocalTime) -> list[tuple[Field, Decimal]]:
        price = _price(tariff.prices.get(field), facts, local)
        return [] if price is None else [(field, CONTEXT.multiply(price, Decimal(SCALE)))]

    def _reservation(self, tariff: Tariff, local: LocalTime, duration_us: int) -> list[tuple[Field, Decimal]]:
        prices = tariff.prices.get(Field.RESERVATION_TIME)
        if prices is None:
            return []
        begin = Facts(self.at_us - duration_us, evse_kind=self.payment.evse_kind)
        added = []
        for facts, step_us, _ in _pieces(tariff.reservation_changes, begin, duration_us, 0, None, local):
            price = _price(prices, facts, local)
            if price is not None:
                added.append((Field.RESERVATION_TIME, CONTEXT.multiply(price, Decimal(step_us * PER_MICROSECOND))))
        return added

    def advance(self, tariff: Tariff, local: LocalTime, at_us: int, step_us: int, measured: Measured) -> None:
        """Count `step_us` that end at the wall time `at_us`.

        What was measured at the begin of the step holds for it: a price by power or current applies from the
        measurement on. Energy is divided evenly over the step.
        """
        energy_mWh = self._counted(measured)
        begin = self._facts(at_us - max(step_us, 0))
        for facts, duration_us, part_mWh in _pieces(
            tariff.changes, begin, max(step_us, 0), energy_mWh, self.charging, local
        ):
            self._use(tariff, facts, local)
            self._charge(tariff, duration_us, part_mWh)
        self.at_us = at_us
        if Field.ENERGY in tariff.prices and self.last.import_mWh is None and measured.import_mWh is None:
            self.failure = "no meter has measured the energy"
        elif measured.import_mWh is not None and self.failure.startswith("no meter"):
            self.failure = ""
        self.last = _merged(self.last, measured)
        self._use(tariff, self._facts(at_us), local)
        self._record()

    def change(self, tariff: Tariff, local: LocalTime) -> None:
        """Go on with another tariff: what was counted stays (I11)."""
        self.used, self.capped = None, False
        self._add(tariff, [])
        self._use(tariff, self._facts(self.at_us), local)

    def _counted(self, measured: Measured) -> int:
        """Return the energy since the last measurement; a register that has gone back begins anew."""
        energy_mWh = 0
        if measured.import_mWh is not None and self.last.import_mWh is not None:
            energy_mWh += max(0, measured.import_mWh - self.last.import_mWh)
        if measured.export_mWh is not None and self.last.export_mWh is not None:
            energy_mWh -= max(0, measured.export_mWh - self.last.export_mWh)
        return energy_mWh

    def _facts(self, at_us: int) -> Facts:
        time_us = self.charging_us + self.idle_us
        values = (
            self.energy_mWh,
            self.last.current_mA,
            self.last.power_mW,
            time_us,
            self.charging_us,
            self.idle_us,
        )
        payment = self.payment
        return Facts(at_us, values, payment.evse_kind, payment.brand, payment.recognition)

    def _use(self, tariff: Tariff, facts: Facts, local: LocalTime) -> None:
        """Find the elements that apply; another one begins a period (I12)."""
        first, second, third = (_index(tariff.prices.get(field), facts, local) for field in USED)
        if self.used == (first, second, third):
            return
        self.used = (first, second, third)
        last = self.periods[-1] if self.periods else None
        if last is not None and (last.energy_mWh, last.charging_us, last.idle_us) == (0, 0, 0):
            self.periods.pop()  # nothing was used in it
        if len(self.periods) < MOST_PERIODS:
            self.periods.append(Period(tariff.tariff_id, facts.at_us))
            self._record()

    def _charge(self, tariff: Tariff, duration_us: int, energy_mWh: int) -> None:
        used = dict(zip(USED, self.used or (-1, -1, -1), strict=True))
        added = []
        time = Field.CHARGING_TIME if self.charging else Field.IDLE_TIME
        for field, quantity in ((Field.ENERGY, energy_mWh * PER_MILLIWATTHOUR), (time, duration_us * PER_MICROSECOND)):
            if used[field] >= 0 and quantity:
                price = tariff.prices[field].elements[used[field]].amount
                added.append((field, CONTEXT.multiply(price, Decimal(quantity))))
        self._add(tariff, added)
        period = self.periods[-1]
        self.energy_mWh += energy_mWh
        period.energy_mWh += energy_mWh
        if self.charging:
            self.charging_us += duration_us
            period.charging_us += duration_us
        else:
            self.idle_us += duration_us
            period.idle_us += duration_us

    def _record(self) -> None:
        period = self.periods[-1]
        if self.last.power_mW is not None:
            period.power_mW = _range(period.power_mW, self.last.power_mW)
        if self.last.current_mA is not None:
            period.current_mA = _range(period.current_mA, self.last.current_mA)

    # Amounts.

    def _add(self, tariff: Tariff, added: list[tuple[Field, Decimal]]) -> None:
        """Add amounts up to `maxCost`: of the step that reaches it, the part that is left."""
        if self.capped:
            return
        part = _part(tariff, self.total(), added) if tariff.max_cost is not None else Decimal(1)
        for field, amount in added:
            if part != 1:
                amount = CONTEXT.multiply(amount, part)
            self._taxed(field, tariff.prices[field].tax_rates).amount += amount
        if tariff.max_cost is not None:
            self.capped = part != 1 or _reached(tariff.max_cost, *self.total())

    def _taxed(self, field: Field, rates: list[TaxRateType]) -> Taxed:
        found = self.amounts.setdefault(field, [])
        for one in found:
            if one.tax_rates == rates:
                return one
        found.append(Taxed(rates))
        return found[-1]

    def of(self, field: Field) -> tuple[Decimal, Decimal]:
        """Return what a field costs, without and with tax, in the currency."""
        return _sums(self.amounts.get(field, ()))

    def total(self) -> tuple[Decimal, Decimal]:
        """Return what all fields cost, without and with tax, before `minCost`."""
        return _sums(one for found in self.amounts.values() for one in found)


def _sums(found: Iterable[Taxed]) -> tuple[Decimal, Decimal]:
    excl = incl = ZERO
    for one in found:
        excl = CONTEXT.add(excl, one.amount)
        incl = CONTEXT.add(incl, CONTEXT.multiply(one.amount, tax_factor(one.tax_rates)))
    return currency(excl), currency(incl)


def _reached(limit: Limit, excl: Decimal, incl: Decimal) -> bool:
    return (limit.excl_tax is not None and excl >= limit.excl_tax) or (
        limit.incl_tax is not None and incl >= limit.incl_tax
    )


def _part(tariff: Tariff, before: tuple[Decimal, Decimal], added: list[tuple[Field, Decimal]]) -> Decimal:
    """Return which part of what is to be added leads exactly to `maxCost`; 1: all of it is below."""
    taxed = [Taxed(tariff.prices[field].tax_rates, amount) for field, amount in added]
    limit, part = tariff.max_cost, Decimal(1)
    assert limit is not None
    for most, so_far, more in zip((limit.excl_tax, limit.incl_tax), before, _sums(taxed), strict=True):
        if most is not None and more > 0 and so_far + more > most:
            part = min(part, max(ZERO, CONTEXT.divide(most - so_far, more)))
    return part


def _index(prices: Prices | None, facts: Facts, local: LocalTime) -> int:
    for index, price in enumerate(prices.elements if prices is not None else ()):
        if price.conditions.hold(facts, local):
            return index
    return -1


def _price(prices: Prices | None, facts: Facts, local: LocalTime) -> Decimal | None:
    index = _index(prices, facts, local)
    return None if prices is None or index < 0 else prices.elements[index].amount


def _merged(before: Measured, now: Measured) -> Measured:
    """Keep the registers of a meter that is silent; power and current are of now alone."""
    return Measured(
        before.import_mWh if now.import_mWh is None else now.import_mWh,
        before.export_mWh if now.export_mWh is None else now.export_mWh,
        now.power_mW,
        now.current_mA,
    )


def _range(found: tuple[int, int] | None, value: int) -> tuple[int, int]:
    return (value, value) if found is None else (min(found[0], value), max(found[1], value))


def _pieces(
    changes: Changes, begin: Facts, duration_us: int, energy_mWh: int, charging: bool | None, local: LocalTime
) -> Iterator[tuple[Facts, int, int]]:
    """Divide a step where another price may apply: facts at the begin of the part, its duration, its energy.

    `charging` None: a reservation, in which only time passes.
    """
    at_us, values = begin.at_us, begin.values
    for _ in range(MOST_PIECES):
        step_us, part_mWh = _next(changes, at_us, values, duration_us, energy_mWh, charging, local)
        yield msgspec.structs.replace(begin, at_us=at_us, values=values), step_us, part_mWh
        duration_us, energy_mWh, at_us = duration_us - step_us, energy_mWh - part_mWh, at_us + step_us
        energy, current, power, time, charged, idle = values
        charged += step_us if charging else 0
        idle += step_us if charging is False else 0
        values = (energy + part_mWh, current, power, time + step_us, charged, idle)
        if duration_us <= 0 and energy_mWh == 0:
            return
    yield msgspec.structs.replace(begin, at_us=at_us, values=values), duration_us, energy_mWh


def _next(
    changes: Changes,
    at_us: int,
    values: tuple[int, int | None, int | None, int, int, int],
    duration_us: int,
    energy_mWh: int,
    charging: bool | None,
    local: LocalTime,
) -> tuple[int, int]:
    """Return duration and energy up to the next change, or the rest of the step."""
    steps = [duration_us]
    instant_us = changes.next_instant_us(at_us, local)
    if instant_us is not None:
        steps.append(instant_us - at_us)
    passing = [(Quantity.TIME, values[3])]
    if charging is not None:
        passing.append((Quantity.CHARGING_TIME, values[4]) if charging else (Quantity.IDLE_TIME, values[5]))
    for quantity, value in passing:
        threshold = changes.next_threshold(quantity, value)
        if threshold is not None:
            steps.append(threshold - value)
    step_us = min(steps)
    rest = step_us >= duration_us
    part_mWh = energy_mWh if rest else energy_mWh * step_us // duration_us
    threshold = changes.next_threshold(Quantity.ENERGY, values[0], upward=energy_mWh > 0)
    if threshold is not None and energy_mWh:
        to_go = threshold - values[0]
        if abs(to_go) < abs(part_mWh) or (rest and abs(to_go) < abs(energy_mWh)):
            return -(-duration_us * to_go // energy_mWh), to_go
    return min(step_us, duration_us), part_mWh
