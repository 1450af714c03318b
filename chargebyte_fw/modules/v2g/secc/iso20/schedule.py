"""ISO 15118-20, ScheduleExchange (clause 8.3.4.3), and the check of the car's power profile against it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.cb_iso15118_schedules import CbIso15118Schedules
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.contracts.types.cb_iso15118_schedules import EvSchedule, EvScheduleEntry
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.messages import iso20_schedules as s
from chargebyte_fw.modules.v2g.messages.iso20_types import processingType
from chargebyte_fw.modules.v2g.rational import maximum, number
from chargebyte_fw.modules.v2g.secc.back_end import Span, Wait, at_most, lowest_within, power_at, with_durations
from chargebyte_fw.modules.v2g.secc.iso20.base import Iso20Base
from chargebyte_fw.modules.v2g.secc.iso20.changed_needs import KnownNeeds, Needs
from chargebyte_fw.modules.v2g.secc.iso20.prices import no_prices, price_schedule
from chargebyte_fw.modules.v2g.secc.iso20.sequence import SideState, State
from chargebyte_fw.modules.v2g.secc.protocol import Answer, SessionContext

SCHEDULE_ID = 1
"""ScheduleTupleID of the one schedule."""
SCHEDULE_S = 86_400
MOST_ENTRIES = 64
"""Entries of a schedule; the schema allows 1,024, cars with libcbv2g take these."""
_Acceptance = s.powerToleranceAcceptanceType
_LATEST_DEPARTURE_S = 10 * 365 * 86_400


class Schedule(msgspec.Struct, frozen=True):
    """The one schedule that the car was given."""

    anchor_s: int
    """When it begins, in seconds since 1970."""
    entries: tuple[Span, ...]
    """Powers to the car."""
    discharge_power_W: float = 0.0
    duration_s: int = SCHEDULE_S
    tolerance_W: float = 0.0
    """How far the car's power may be beside its profile; 0: nothing is stated."""

    def power_W(self, unix_s: float) -> float:
        """Return the power to the car at a time."""
        return power_at(self.entries, unix_s - self.anchor_s)

    def message(self, prices: dict[str, Any], *, bidirectional: bool) -> s.Scheduled_SEResControlModeType:
        """Return it as the response has it, with its prices; power from the car has a schedule of its own."""
        back = no_prices(self.anchor_s, self.duration_s)  # what the car would be paid is not known
        discharging = self._schedule((Span(0, self.discharge_power_W),), back) if bidirectional else None
        one = s.ScheduleTupleType(
            ScheduleTupleID=SCHEDULE_ID,
            ChargingSchedule=self._schedule(self.entries, prices, self.tolerance_W),
            DischargingSchedule=discharging,
        )
        return s.Scheduled_SEResControlModeType(ScheduleTuple=[one])

    def _schedule(
        self, powers: tuple[Span, ...], prices: dict[str, Any], tolerance_W: float = 0.0
    ) -> s.ChargingScheduleType:
        entries = s.PowerScheduleEntryListType(
            PowerScheduleEntry=[
                s.PowerScheduleEntryType(Duration=duration_s, Power=maximum(span.power_W))
                for span, duration_s in with_durations(powers, self.duration_s)
            ]
        )
        return s.ChargingScheduleType(
            PowerSchedule=s.PowerScheduleType(
                TimeAnchor=self.anchor_s,
                PowerTolerance=maximum(tolerance_W) if tolerance_W else None,
                PowerScheduleEntries=entries,
            ),
            **prices,
        )

    def code_of(self, profile: s.EVPowerProfileType | None) -> str:
        """Return the response code to a start with this profile: whether the car keeps the tolerance is not refused."""
        if not self.tolerance_W:
            return "OK"
        mode = None if profile is None else profile.Scheduled_EVPPTControlMode
        if mode is not None and mode.PowerToleranceAcceptance is _Acceptance.PowerToleranceConfirmed:
            return "OK_PowerToleranceConfirmed"
        return "WARNING_PowerToleranceNotConfirmed"

    def profile_W(self, profile: s.EVPowerProfileType, unix_s: float) -> float | None:
        """Return the power of a profile at a time; None before its begin and after its end."""
        rest_s = unix_s - profile.TimeAnchor
        for entry in profile.EVPowerProfileEntries.EVPowerProfileEntry if rest_s >= 0 else ():
            if rest_s < entry.Duration:
                return number(entry.Power) + number(entry.Power_L2) + number(entry.Power_L3)
            rest_s -= entry.Duration
        return None

    def refusal_of(self, profile: s.EVPowerProfileType) -> tuple[str, str]:
        """Return the FAILED code and why, where the car's schedule or power profile is not this one."""
        mode = profile.Scheduled_EVPPTControlMode
        if mode is not None and mode.SelectedScheduleTupleID != SCHEDULE_ID:
            return "FAILED_ScheduleSelectionInvalid", f"schedule {mode.SelectedScheduleTupleID}"
        from_s = float(profile.TimeAnchor - self.anchor_s)
        for entry in profile.EVPowerProfileEntries.EVPowerProfileEntry:
            most_W = lowest_within(self.entries, from_s, from_s + entry.Duration)
            from_s += entry.Duration
            phases = [one for one in (entry.Power, entry.Power_L2, entry.Power_L3) if one is not None]
            power_W = sum(number(one) for one in phases)
            # Rounding to the wire's sixteen bits may have cost the schedule its last digits.
            if not -self.discharge_power_W * 1.001 - 1.0 <= power_W <= most_W * 1.001 + 1.0:
                range_W = f"-{self.discharge_power_W:g} to {most_W:g} W"
                return "FAILED_EVPowerProfileInvalid", f"a profile of {power_W:g} W in a schedule of {range_W}"
        return "", ""


class Schedules(Iso20Base):
    """Schedules, and the mobility needs of Dynamic control."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self._wait = Wait()
        self._known_needs = KnownNeeds()

    def on_ScheduleExchangeReq(self, request: m.ScheduleExchangeReq, now: float) -> Answer:
        """Publish the car's needs, answer with a schedule or with the charger's mobility needs."""
        assert self.energy is not None
        selection = self.energy.selection
        mode = request.Dynamic_SEReqControlMode or request.Scheduled_SEReqControlMode
        dynamic = request.Dynamic_SEReqControlMode is not None
        if mode is None or dynamic is not selection.dynamic:
            asked = "Dynamic" if dynamic else "Scheduled"
            return self.failed("ScheduleExchangeReq", "FAILED", f"{asked} control where {selection.mode} was selected")
        again = self.request.stream == "schedule" or self.state is State.SCHEDULE_RENEGOTIATION
        # The back end has asked for the renegotiation: it knows the needs (OCPP 2.1 K16.FR.09).
        needs_known = again and self.energy.limits_have_changed()
        if not self._wait.begun and not needs_known:
            self.facts.session.needs_answered = False
            self._publish_needs(mode, self.take_departure(mode.DepartureTime))
        # Dynamic control has no schedule that could be waited for.
        answered = self.facts.session.needs_answered
        if not (dynamic or needs_known) and self._wait.goes_on(self.facts.back_end, answered, now):
            anchor_s = int(self.environment.utc_now().timestamp())
            ongoing = self._scheduled(anchor_s, {}, request.MaximumSupportingPoints)
            return self.ok(m.ScheduleExchangeRes, EVSEProcessing=processingType.Ongoing, **ongoing)
        pause = self.facts.session.no_energy_pause == iso15118.NoEnergyPauseMode.PauseBeforeCableCheck
        go_to_pause = pause and self.state is State.SCHEDULE
        self._advance()
        content: dict[str, Any]
        anchor_s = int(self.environment.utc_now().timestamp())
        prices = price_schedule(
            selection.parameters["Pricing"],
            self.facts.prices,
            anchor_s,
            SCHEDULE_S,
            request.MaximumSupportingPoints,
        )
        if dynamic:
            needs = s.Dynamic_SEResControlModeType(**self.mobility_needs(), **prices)
            content = {"Dynamic_SEResControlMode": needs}
        else:
            content = self._scheduled(anchor_s, prices, request.MaximumSupportingPoints)
        answer = self.ok(
            m.ScheduleExchangeRes,
            EVSEProcessing=processingType.Finished,
            GoToPause=True if go_to_pause else None,
            **content,
        )
        answer.body.Header.Signature = self._signature(prices)
        return answer

    def _scheduled(self, anchor_s: int, prices: dict[str, Any], most_entries: int) -> dict[str, Any]:
        """Give the car a schedule from now on, within the limits of the back end; return it for the response."""
        energy = self.energy
        assert energy is not None
        entries = at_most(energy.spans(anchor_s, SCHEDULE_S), min(most_entries, MOST_ENTRIES))
        tolerance_W = self.options.power_tolerance_W
        energy.schedule = Schedule(anchor_s, entries, energy.schedule_discharge_power_W(), tolerance_W=tolerance_W)
        energy.offered_limits = self.facts.back_end.limits
        costs = prices or no_prices(anchor_s, SCHEDULE_S)
        scheduled = energy.schedule.message(costs, bidirectional=energy.selection.bidirectional)
        return {"Scheduled_SEResControlMode": scheduled}

    def publish_profile(self, profile: s.EVPowerProfileType | None) -> None:
        """Publish by which profile the car is going to charge; one without follows its schedule."""
        assert self.energy is not None
        given = self.energy.schedule
        if profile is None:
            if given is not None:
                at = [EvScheduleEntry(start_s=one.start_s, power_W=one.power_W) for one in given.entries]
                self._publish_schedule(given.anchor_s, at, given.duration_s, None)
            return
        entries: list[EvScheduleEntry] = []
        since_s = 0
        for entry in profile.EVPowerProfileEntries.EVPowerProfileEntry:
            power_W = number(entry.Power) + number(entry.Power_L2) + number(entry.Power_L3)
            entries.append(EvScheduleEntry(start_s=since_s, power_W=power_W))
            since_s += entry.Duration
        mode = profile.Scheduled_EVPPTControlMode
        accepted = None if mode is None or mode.PowerToleranceAcceptance is None else mode.PowerToleranceAcceptance
        confirmed = None if accepted is None else accepted is _Acceptance.PowerToleranceConfirmed
        self._publish_schedule(profile.TimeAnchor, entries, since_s, confirmed)

    def _publish_schedule(
        self, anchor_s: int, entries: list[EvScheduleEntry], duration_s: int, confirmed: bool | None
    ) -> None:
        try:
            begin = datetime.fromtimestamp(anchor_s, UTC)
        except (OverflowError, ValueError, OSError):
            self.log(f"the car's power profile begins at {anchor_s}, which no calendar has")
            return
        self.publish(
            CbIso15118Schedules.ev_schedule,
            EvSchedule(
                time_base=rfc3339(begin),
                schedule_tuple_id=SCHEDULE_ID,
                entries=entries,
                duration_s=duration_s,
                power_tolerance_accepted=confirmed,
            ),
        )

    def price_key(self) -> Any:
        """Return the key of who has issued the session's contract, None where it is not known or external means pay."""
        return None

    def _signature(self, prices: dict[str, Any]) -> Any:
        """Return the signature of a price schedule by the issuer of the contract, where its key is here."""
        key = self.price_key() if prices else None
        if key is None:
            return None
        for schedule in prices.values():
            schedule.Id = "id1"
        try:
            return signatures.sign("iso20_common", key, prices)
        except ValueError as error:
            self.log(f"the prices are not signed: {error}")
            return None

    def _advance(self) -> None:
        assert self.energy is not None
        if self.request.stream == "schedule":
            self.side = SideState.START
        elif self.state is State.SCHEDULE_RENEGOTIATION:
            self.enter(State.NEW_SCHEDULE)
        else:
            self.energy.after_schedule()

    def take_departure(self, departure_s: int | None) -> str | None:
        """Publish when the car wants to leave, or shall where the charger sets it; return the time as text.

        The car counts from the charger's time stamp, so that its own clock does not matter.
        """
        by_charger = self.mobility_needs().get("DepartureTime")
        departure_s = departure_s if by_charger is None else by_charger
        if departure_s is None:
            return None
        leaves = self.environment.utc_now() + timedelta(seconds=min(departure_s, _LATEST_DEPARTURE_S))
        at = rfc3339(leaves if by_charger is None else leaves.replace(microsecond=0))
        # The charger's departure is a time of day, whose distance is another one at each request.
        if self.changed("departure", departure_s if by_charger is None else at[:10]):
            self.publish(Iso15118Charger.departure_time, at)
        return at

    def take_needs(self, mode: Any) -> None:
        """Take departure and energies in the loop of Dynamic control; changed ones are published (OCPP 2.1 K20)."""
        departure = self.take_departure(mode.DepartureTime)
        if self._known_needs.change(self._needs_of(mode)):
            self.log("the car's needs have changed")
            self._publish_needs(mode, departure)

    def _needs_of(self, mode: Any) -> Needs:
        return Needs.of(mode, self.environment.utc_now().timestamp())

    def _publish_needs(self, mode: Any, departure: str | None) -> None:
        assert self.energy is not None
        self._known_needs.publish(self._needs_of(mode))
        selection, modes = self.energy.selection, iso15118.ControlMode
        needs = iso15118.MobilityNeedsMode
        self.publish(
            Iso15118Extensions.charging_needs,
            iso15118.ChargingNeeds(
                requested_energy_transfer=self.energy.transfer_mode(),
                control_mode=modes.DynamicControl if selection.dynamic else modes.ScheduledControl,
                mobility_needs_mode=needs.EVCC_SECC if selection.needs_by_charger else needs.EVCC,
                departure_time=departure,
                **self.energy.charging_needs(mode),
            ),
        )

    def mobility_needs(self) -> dict[str, Any]:
        """Return departure and states of charge that the charger sets, where the car leaves that to it."""
        assert self.energy is not None
        if not self.energy.selection.needs_by_charger:
            return {}
        known = self.facts.iso20
        needs: dict[str, Any] = {}
        if known.departure_of_day:
            needs["DepartureTime"] = seconds_until(known.departure_of_day, self.environment.utc_now())
        target, least = known.target_soc_percent, known.minimum_soc_percent
        if target is not None:
            needs["TargetSOC"] = target
        if least is not None and (target is None or least <= target):
            needs["MinimumSOC"] = least
        return needs


def seconds_until(time_of_day: str, now: datetime) -> int:
    """Return the seconds until it is `time_of_day` (hh:mm) next, in the time zone of the charger."""
    hour, minute = (int(part) for part in time_of_day.split(":"))
    # Without a zone it is local time, summer time included.
    at = now.astimezone().replace(tzinfo=None, hour=hour, minute=minute, second=0, microsecond=0)
    rest_s = math.ceil(at.timestamp() - now.timestamp())
    return rest_s if rest_s > 0 else math.ceil((at + timedelta(days=1)).timestamp() - now.timestamp())
