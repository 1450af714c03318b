"""The schedule of a car's session of ISO 15118-20: what it asks for, which tuple it takes, what that costs.

A schedule is renegotiated beside the charge loop (payload type 0x8101), or with `multiplexed_renegotiation` off in the
main stream: PowerDelivery ScheduleRenegotiation, ScheduleExchange, PowerDelivery Start.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw.modules.v2g.evcc import plug_and_charge
from chargebyte_fw.modules.v2g.evcc.effects import Step
from chargebyte_fw.modules.v2g.evcc.protocol import Failed, MultiplexedRequest
from chargebyte_fw.modules.v2g.messages import iso20_common as common
from chargebyte_fw.modules.v2g.messages import iso20_schedules as schedules
from chargebyte_fw.modules.v2g.messages import iso20_types as types
from chargebyte_fw.modules.v2g.rational import maximum, number

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.evcc.iso20.session import Iso20CarSession

_DAY_S = 86_400
_PRICES = ("AbsolutePriceSchedule", "PriceLevelSchedule")
_MOST_ENTRIES = 96
"""So many entries of a power profile are enough: a day in quarters of an hour."""


class Slice(msgspec.Struct, frozen=True):
    """So many seconds of a schedule with one power (for a price schedule: with one price, or level)."""

    duration_s: float
    value: float


class Tuple(msgspec.Struct, frozen=True):
    """One of the schedules that the charger offers."""

    id: int
    anchor_s: float
    power_W: tuple[Slice, ...]
    discharge_W: tuple[Slice, ...] = ()


class Tariff(msgspec.Struct, frozen=True):
    """What energy costs: prices of a kWh in `currency`, or levels where that is empty."""

    anchor_s: float = 0.0
    currency: str = ""
    slices: tuple[Slice, ...] = ()


def at(slices: tuple[Slice, ...], since_s: float) -> float | None:
    """Return the value that holds `since_s` after the anchor; before it the first, after the end None."""
    for one in slices:
        since_s -= one.duration_s
        if since_s < 0:
            return one.value
    return None


class Schedule:
    """ScheduleExchange, and what follows from it."""

    def __init__(self, session: Iso20CarSession) -> None:
        self.session = session
        self.settings = session.settings
        self.facts = session.facts
        self.chosen: Tuple | None = None
        """The tuple of the Scheduled mode; None in the Dynamic mode."""
        self.tariff = Tariff()
        self.agreed = False
        """There is a schedule for the selected service, or the charger commands the power."""
        self._beside = ""
        """What is due beside the charge loop: `exchange` or `start`."""
        self._waits = False
        self._again_at_s = 0.0
        self._every_since_s: float | None = None
        self._departure: tuple[int, float] | None = None
        """The departure as it was set, and the monotonic second of it."""

    @property
    def departure_s(self) -> int | None:
        """From the present request to the departure; None: the car has none."""
        wanted_s, now = self.settings.departure_time_s, self.session.now
        if wanted_s is None:
            return None
        if self._departure is None or self._departure[0] != wanted_s:
            self._departure = wanted_s, now + wanted_s
        return max(0, round(self._departure[1] - now))

    # -- exchange

    def build_ScheduleExchange(self, now: float) -> common.ScheduleExchangeReq:
        """Ask for schedules (Scheduled), or give the needs that the charger plans with (Dynamic)."""
        return self._request()

    def _request(self) -> common.ScheduleExchangeReq:
        request = common.ScheduleExchangeReq(Header=self.session.header(), MaximumSupportingPoints=1024)
        departure_s, energy = self.departure_s, self.session.energy.energy_requests()
        if self.session.service.dynamic:
            request.Dynamic_SEReqControlMode = schedules.Dynamic_SEReqControlModeType(
                DepartureTime=_DAY_S if departure_s is None else departure_s,
                MinimumSOC=self.settings.min_soc_percent,
                TargetSOC=self.settings.target_soc_percent,
                **energy,
                **self.session.energy.v2x_requests(),
            )
        else:
            request.Scheduled_SEReqControlMode = schedules.Scheduled_SEReqControlModeType(
                DepartureTime=departure_s, **energy
            )
        return request

    def take_ScheduleExchange(self, body: common.ScheduleExchangeRes, now: float) -> float:
        """Take a schedule and its price; then go on towards the power."""
        session = self.session
        if session.ongoing(body, "schedule", now):
            return self.settings.ongoing_pause_s
        self._take(body)
        self.agreed = True
        session.report(Step.PARAMETERS, self._text())
        if body.GoToPause:
            self.facts.pause = True
        session.stage = session.energy.after_schedule()
        return 0.0

    def _take(self, body: common.ScheduleExchangeRes) -> None:
        scheduled, dynamic = body.Scheduled_SEResControlMode, body.Dynamic_SEResControlMode
        if (dynamic is not None) != self.session.service.dynamic:
            raise Failed("the schedule is of another control mode than was selected")
        if dynamic is not None:
            self.session.energy.take_needs(dynamic)
            refused = self._are_refused([dynamic])
            self.chosen, self.tariff = None, Tariff() if refused else _tariff(dynamic)
        elif scheduled is not None:
            both = [(one.ChargingSchedule, one.DischargingSchedule) for one in scheduled.ScheduleTuple]
            refused = self._are_refused(one for pair in both for one in pair if one is not None)
            offers = [
                (_tuple(one), Tariff() if refused else _tariff(one.ChargingSchedule)) for one in scheduled.ScheduleTuple
            ]
            # The cheapest of those with a price, the charger's first otherwise.
            priced = [one for one in offers if one[1].currency and one[1].slices]
            self.chosen, self.tariff = min(priced, key=lambda one: one[1].slices[0].value) if priced else offers[0]
        self.note_price()

    def _are_refused(self, holders: Iterable[Any]) -> bool:
        """Return whether the prices are signed, but not by the issuer of the contract; they may be without."""
        session, charger = self.session, self.facts.charger
        authorization, signature = session.authorization, session.received_signature
        contract = authorization.keys.contract if authorization.contract_used else None
        charger.prices_signed = False
        found = [(name, getattr(holder, name)) for holder in holders for name in _PRICES]
        signed = [(name, one) for name, one in found if one is not None and one.Id]
        if contract is None or signature is None or not signed:
            return False
        why = plug_and_charge.wrong_prices("iso20_common", contract, signature, signed)
        charger.prices_signed = not why
        if why:
            session.report(Step.PARAMETERS, f"without the prices: {why}")
        return bool(why)

    def _text(self) -> str:
        power_W = self.power_W
        price = self.facts.charger.price_per_kWh
        parts = [] if power_W is None else [f"{power_W / 1000:g} kW"]
        parts += [] if price is None else [f"{price:g} {self.facts.charger.currency}/kWh"]
        return ", ".join(parts)

    def note_price(self) -> None:
        """Note what energy costs now."""
        charger, tariff = self.facts.charger, self.tariff
        value = at(tariff.slices, self.session.unix_s - tariff.anchor_s)
        charger.currency = tariff.currency
        charger.price_per_kWh = value if tariff.currency else None
        charger.price_level = int(value) if value is not None and not tariff.currency else None

    # -- power

    @property
    def power_W(self) -> float | None:
        """What the schedule allows now; None where there is none, or it is over."""
        if self.chosen is None:
            return None
        return at(self.chosen.power_W, self.session.unix_s - self.chosen.anchor_s)

    @property
    def discharge_W(self) -> float | None:
        """What the schedule allows to feed back now, above zero; None where it does not limit it."""
        if self.chosen is None or not self.chosen.discharge_W:
            return None
        value = at(self.chosen.discharge_W, self.session.unix_s - self.chosen.anchor_s)
        return None if value is None else abs(value)

    def profile(self) -> schedules.EVPowerProfileType | None:
        """Return the power profile: as much as the schedule and the car allow. In the Dynamic mode there is none."""
        if self.chosen is None:
            return None
        most_W = self.session.energy.most_W
        entries = [
            schedules.PowerScheduleEntryType(Duration=int(one.duration_s), Power=maximum(min(most_W, one.value)))
            for one in self.chosen.power_W[:_MOST_ENTRIES]
        ]
        return schedules.EVPowerProfileType(
            TimeAnchor=int(self.chosen.anchor_s),
            Scheduled_EVPPTControlMode=schedules.Scheduled_EVPPTControlModeType(
                SelectedScheduleTupleID=self.chosen.id,
                # Optional; a charger in the field refuses a profile without.
                PowerToleranceAcceptance=schedules.powerToleranceAcceptanceType.PowerToleranceConfirmed,
            ),
            EVPowerProfileEntries=schedules.EVPowerProfileEntryListType(EVPowerProfileEntry=entries),
        )

    # -- renegotiation

    @property
    def renegotiates(self) -> bool:
        """Whether another schedule is wanted: by the car, the charger, or a script that does so again and again."""
        every = self.session.misbehaves("renegotiate")
        since_s = self._every_since_s
        if every is not None and since_s is not None and self.session.now - since_s >= every.seconds:
            return True
        return self.facts.renegotiate or self.session.notification == "ScheduleRenegotiation"

    def begun(self, now: float) -> None:
        """The charge loop begins, with this schedule."""
        self._every_since_s = now
        self.facts.renegotiate = False
        if self.session.notification == "ScheduleRenegotiation":
            self.facts.charger.notification = "None"

    def begin_anew(self) -> None:
        """Forget the schedule: the services are selected again. A response that is still due is of no use then."""
        self.agreed, self._beside, self.chosen = False, "", None

    def next_multiplexed(self, now: float) -> MultiplexedRequest | None:
        """Return the request that renegotiates the schedule beside the charge loop."""
        if self._waits or now < self._again_at_s or not self.settings.multiplexed_renegotiation:
            return None
        if not self._beside and self.renegotiates:
            self._beside = "exchange"
            self.session.report(Step.RENEGOTIATING, "schedule, beside the charge loop")
        if not self._beside:
            return None
        self._waits = True
        if self._beside == "exchange":
            return MultiplexedRequest("schedule", self._request(), "ScheduleExchangeRes")
        return MultiplexedRequest("schedule", self.session.energy.power_delivery("Start"), "PowerDeliveryRes")

    def take_multiplexed(self, body: Any, now: float) -> None:
        """Take the response to it."""
        self._waits = False
        if not self._beside:
            return
        if not isinstance(body, common.ScheduleExchangeRes):
            self._beside = ""
            self.begun(now)
            self.session.report(Step.CHARGING, self._text())
            return
        if body.EVSEProcessing is not types.processingType.Finished:
            self._again_at_s = now + self.settings.ongoing_pause_s
            return
        self._take(body)
        self._beside = "start"


def _tuple(one: schedules.ScheduleTupleType) -> Tuple:
    power = one.ChargingSchedule.PowerSchedule
    back = one.DischargingSchedule
    return Tuple(
        one.ScheduleTupleID,
        float(power.TimeAnchor),
        _slices(power),
        () if back is None else _slices(back.PowerSchedule),
    )


def _slices(power: schedules.PowerScheduleType) -> tuple[Slice, ...]:
    return tuple(
        Slice(float(one.Duration), number(one.Power) + number(one.Power_L2) + number(one.Power_L3))
        for one in power.PowerScheduleEntries.PowerScheduleEntry
    )


def _tariff(holder: Any) -> Tariff:
    """Return the tariff of a charging schedule, or of the Dynamic mode."""
    absolute, levels = holder.AbsolutePriceSchedule, holder.PriceLevelSchedule
    if absolute is not None:
        stacks = absolute.PriceRuleStacks.PriceRuleStack
        slices = tuple(Slice(float(one.Duration), number(one.PriceRule[0].EnergyFee)) for one in stacks)
        return Tariff(float(absolute.TimeAnchor), absolute.Currency, slices)
    if levels is not None:
        entries = levels.PriceLevelScheduleEntries.PriceLevelScheduleEntry
        return Tariff(
            float(levels.TimeAnchor), "", tuple(Slice(float(one.Duration), one.PriceLevel) for one in entries)
        )
    return Tariff()
