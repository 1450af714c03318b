"""Meter values of OCPP 2.x: within transactions (J02), without one (J01), at begin and end, signed, triggered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.contracts.types.units_signed import SignedMeterValue
from chargebyte_fw.modules.ocpp.messages.v2.meter_values import MeterValuesRequest
from chargebyte_fw.modules.ocpp.messages.v2.transactions import TriggerReasonEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.meter_value import MeterValueType, ReadingContextEnumType
from chargebyte_fw.modules.ocpp.metering.aligned import Averages, next_boundary, rounded
from chargebyte_fw.modules.ocpp.metering.readings import Readings
from chargebyte_fw.modules.ocpp.metering.samples import Reading, Sample, samples
from chargebyte_fw.modules.ocpp.metering.v2 import ENERGY, meter_value
from chargebyte_fw.modules.ocpp.provisioning.events import Registered
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan, TransactionEnded
from chargebyte_fw.modules.ocpp.variables import Variable
from chargebyte_fw.modules.ocpp.variables.standard.communication import PUBLIC_KEY_WITH_SIGNED_METER_VALUE
from chargebyte_fw.modules.ocpp.variables.standard.internal import ROUND_CLOCK_ALIGNED_TIMESTAMPS
from chargebyte_fw.modules.ocpp.variables.standard.iso15118 import (
    V2X_TX_ENDED_MEASURANDS,
    V2X_TX_STARTED_MEASURANDS,
    V2X_TX_UPDATED_MEASURANDS,
)
from chargebyte_fw.modules.ocpp.variables.standard.metering import (
    ALIGNED_DATA_ENABLED,
    ALIGNED_DATA_INTERVAL,
    ALIGNED_DATA_MEASURANDS,
    ALIGNED_DATA_SEND_DURING_IDLE,
    ALIGNED_DATA_SIGN_READINGS,
    ALIGNED_DATA_TX_ENDED_INTERVAL,
    ALIGNED_DATA_TX_ENDED_MEASURANDS,
    SAMPLED_DATA_ENABLED,
    SAMPLED_DATA_SIGN_READINGS,
    SAMPLED_DATA_TX_ENDED_INTERVAL,
    SAMPLED_DATA_TX_ENDED_MEASURANDS,
    SAMPLED_DATA_TX_STARTED_MEASURANDS,
    SAMPLED_DATA_TX_UPDATED_INTERVAL,
    SAMPLED_DATA_TX_UPDATED_MEASURANDS,
)
from chargebyte_fw.modules.ocpp.version import Version

Measurands = Variable[tuple[str, ...]]
OF_OPERATION_MODE = {
    SAMPLED_DATA_TX_STARTED_MEASURANDS.id.name: V2X_TX_STARTED_MEASURANDS,
    SAMPLED_DATA_TX_UPDATED_MEASURANDS.id.name: V2X_TX_UPDATED_MEASURANDS,
    SAMPLED_DATA_TX_ENDED_MEASURANDS.id.name: V2X_TX_ENDED_MEASURANDS,
}
"""What an operation mode adds to the measurands of SampledDataCtrlr, by their name."""
Context = ReadingContextEnumType
MAX_ENDED_VALUES = 500
"""Values that are kept for Ended; beyond, every second one goes (J02)."""
TX_UPDATED, TX_ENDED, ALIGNED_ENDED = "updated", "ended", "aligned ended"
Report = Callable[[str, TriggerReasonEnumType, list[MeterValueType | None]], None]


class _Running:
    """What is kept of a running transaction."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.begin: tuple[datetime, list[Sample]] | None = None
        """What was measured at the begin, for Ended; None after a restart."""
        self.values: list[MeterValueType] = []
        self.key_sent = False

    def keep(self, value: MeterValueType | None) -> None:
        if value is None:
            return
        self.values.append(value)
        if len(self.values) > MAX_ENDED_VALUES:
            self.values = [*self.values[:-1:2], self.values[-1]]


class MeterValues2(Block):
    """Sends meter values, each in its own interval. `report` sends an Updated of the transaction of a session."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._running: dict[int, _Running] = {}
        self._begun: tuple[datetime, list[Sample]] | None = None
        """The values at the begin of the transaction that begins now."""
        self._averages = {evse_id: Averages() for evse_id in station.layout.evse_ids}
        self.report: Report = lambda session_id, trigger, values: None
        self.operation_mode: Callable[[int], str] = lambda evse_id: ""
        """The operation mode of an EVSE (2.1)."""
        for variable in (SAMPLED_DATA_TX_UPDATED_INTERVAL, SAMPLED_DATA_TX_ENDED_INTERVAL):
            station.variables.on_change(variable, lambda _: self._rearm_all())
        for variable in (ALIGNED_DATA_INTERVAL, ALIGNED_DATA_TX_ENDED_INTERVAL):
            station.variables.on_change(variable, lambda _: self._rearm_aligned())

    @property
    def _readings(self) -> Readings:
        return self.station.block(Readings)

    def _found(self, reading: Reading, measurands: Measurands, evse_id: int | None = None) -> list[Sample]:
        """Return the wanted samples; those of a transaction at an EVSE also with what its mode adds."""
        wanted = self.station.variables.get(measurands)
        more = OF_OPERATION_MODE.get(measurands.id.name)
        if evse_id is not None and more is not None and self.station.version == Version.V21:
            of_mode = self.station.variables.get(more.at(evse_id, instance=self.operation_mode(evse_id)))
            wanted = tuple(dict.fromkeys((*wanted, *of_mode)))
        return samples(reading, wanted)

    def _sends_key(self, running: _Running | None) -> bool:
        """Return whether the public key goes along (`PublicKeyWithSignedMeterValue`)."""
        when = self.station.variables.get(PUBLIC_KEY_WITH_SIGNED_METER_VALUE)
        if when == "OncePerTransaction":
            sent = running is not None and running.key_sent
            if running is not None:
                running.key_sent = True
            return not sent
        return when != "Never"

    # At begin and end of a transaction.

    def at_start(
        self, evse_id: int, meter: Powermeter | None, signed: SignedMeterValue | None
    ) -> list[MeterValueType | None]:
        """Return the values of Started (E02, J02)."""
        reading = self._readings.latest(evse_id, meter)
        found = self._with_energy(reading, SAMPLED_DATA_TX_STARTED_MEASURANDS, signed, evse_id)
        self._begun = (reading.at, self._found(reading, SAMPLED_DATA_TX_ENDED_MEASURANDS, evse_id))
        context, signs = Context.Transaction_Begin, self.station.variables.get(SAMPLED_DATA_SIGN_READINGS)
        key = self._sends_key(None)
        return [meter_value(reading.at, found, context, signed=signs, public_key=key, energy=signed)]

    def at_end(
        self,
        evse_id: int,
        meter: Powermeter | None,
        signed_start: SignedMeterValue | None,
        signed: SignedMeterValue | None,
    ) -> list[MeterValueType | None]:
        """Return the values of Ended: those at the begin, what was collected, and the values now (E06, J02)."""
        running = self._running.get(evse_id)
        reading = self._readings.latest(evse_id, meter)
        key = self._sends_key(running)
        values: list[MeterValueType | None] = [self._at_begin(running, reading, signed_start, key)]
        values += running.values if running is not None else []
        found = self._with_energy(reading, SAMPLED_DATA_TX_ENDED_MEASURANDS, signed, evse_id)
        context, signs = Context.Transaction_End, self.station.variables.get(SAMPLED_DATA_SIGN_READINGS)
        values.append(meter_value(reading.at, found, context, signed=signs, public_key=key, energy=signed))
        return values

    def _at_begin(
        self, running: _Running | None, reading: Reading, signed: SignedMeterValue | None, key: bool
    ) -> MeterValueType | None:
        """Return the values of the begin that are in Ended.

        After a restart they are the signed energy alone, where the meter signs: its number is in what was signed.
        """
        if running is not None and running.begin is not None:
            at, found = running.begin
        elif signed is not None:
            at, found = reading.at, []
        else:
            return None
        if signed is not None and not any(one.measurand == ENERGY and one.phase is None for one in found):
            found = [*found, *(one for one in samples(reading, (ENERGY,)) if one.phase is None)]
        signs = self.station.variables.get(SAMPLED_DATA_SIGN_READINGS)
        return meter_value(at, found, Context.Transaction_Begin, signed=signs, public_key=key, energy=signed)

    def _with_energy(
        self, reading: Reading, measurands: Measurands, signed: SignedMeterValue | None, evse_id: int
    ) -> list[Sample]:
        """Return the wanted samples, and the total energy where there is a signature for it."""
        found = self._found(reading, measurands, evse_id)
        if signed is not None and not any(one.measurand == ENERGY and one.phase is None for one in found):
            found += [one for one in samples(reading, (ENERGY,)) if one.phase is None]
        return found

    def stored(self, energy_Wh: float, at: datetime | None) -> MeterValueType | None:
        """Return the meter as it was written down before a power loss."""
        if at is None:
            return None
        return meter_value(at, [Sample(ENERGY, energy_Wh, "Wh")], Context.Transaction_End)

    # Sampled, within a transaction.

    @receives(TransactionBegan)
    def began(self, event: TransactionBegan) -> None:
        """Sample from now on."""
        running = self._running[event.evse_id] = _Running(event.session_id)
        running.begin, self._begun = self._begun, None
        self._rearm(event.evse_id)

    @receives(TransactionEnded)
    def ended(self, event: TransactionEnded) -> None:
        """Sample no more."""
        self._running.pop(event.evse_id, None)
        for what in (TX_UPDATED, TX_ENDED):
            self.station.stop((what, event.evse_id))

    def _rearm_all(self) -> None:
        for evse_id in self._running:
            self._rearm(evse_id)

    def _rearm(self, evse_id: int) -> None:
        self._again(TX_UPDATED, evse_id, SAMPLED_DATA_TX_UPDATED_INTERVAL, self._sample_updated)
        self._again(TX_ENDED, evse_id, SAMPLED_DATA_TX_ENDED_INTERVAL, self._sample_ended)

    def _again(self, what: str, evse_id: int, interval: Variable[int], run: Callable[[int], None]) -> None:
        interval_s = self.station.variables.get(interval)
        if interval_s > 0 and self.station.variables.get(SAMPLED_DATA_ENABLED):
            self.station.start((what, evse_id), self.station.now + interval_s, lambda: run(evse_id))
        else:
            self.station.stop((what, evse_id))

    def _sample_updated(self, evse_id: int) -> None:
        running = self._running[evse_id]
        value = self._sampled(evse_id, SAMPLED_DATA_TX_UPDATED_MEASURANDS, Context.Sample_Periodic)
        if value is not None:
            self.report(running.session_id, TriggerReasonEnumType.MeterValuePeriodic, [value])
        self._again(TX_UPDATED, evse_id, SAMPLED_DATA_TX_UPDATED_INTERVAL, self._sample_updated)

    def _sample_ended(self, evse_id: int) -> None:
        running = self._running[evse_id]
        running.keep(self._sampled(evse_id, SAMPLED_DATA_TX_ENDED_MEASURANDS, Context.Sample_Periodic))
        self._again(TX_ENDED, evse_id, SAMPLED_DATA_TX_ENDED_INTERVAL, self._sample_ended)

    def _sampled(self, evse_id: int, measurands: Measurands, context: Context) -> MeterValueType | None:
        reading = self._readings.latest(evse_id)
        signed = self.station.variables.get(SAMPLED_DATA_SIGN_READINGS)
        found = self._found(reading, measurands, evse_id)
        key = self._sends_key(self._running.get(evse_id)) if signed else False
        return meter_value(reading.at, found, context, signed=signed, public_key=key)

    # Clock-aligned.

    @receives(Registered)
    def registered(self, event: Registered) -> None:
        """Begin with the next boundary: the clock is right now."""
        self._rearm_aligned()

    @receives(events.WallClockSet)
    def clock_set(self, event: events.WallClockSet) -> None:
        """Find the next boundary anew."""
        if self.station.due("aligned") is not None or self.station.due(ALIGNED_ENDED) is not None:
            self._rearm_aligned()

    @receives(events.PowermeterReceived)
    def powermeter(self, event: events.PowermeterReceived) -> None:
        """Count a reading for the averages."""
        if event.evse_id in self._averages and self.station.due("aligned") is not None:
            reading = Reading(self.station.utc, event.powermeter)
            self._averages[event.evse_id].add(self._found(reading, ALIGNED_DATA_MEASURANDS))

    def _rearm_aligned(self) -> None:
        self._at_boundary("aligned", ALIGNED_DATA_INTERVAL, self._aligned)
        self._at_boundary(ALIGNED_ENDED, ALIGNED_DATA_TX_ENDED_INTERVAL, self._aligned_ended)

    def _at_boundary(self, timer: str, interval: Variable[int], run: Callable[[], None]) -> None:
        interval_s = self.station.variables.get(interval)
        if interval_s > 0 and self.station.variables.get(ALIGNED_DATA_ENABLED):
            boundary = next_boundary(self.station.utc, interval_s)
            self.station.start(timer, self.station.monotonic(boundary), run)
        else:
            self.station.stop(timer)

    def _aligned(self) -> None:
        idle_only = self.station.variables.get(ALIGNED_DATA_SEND_DURING_IDLE)
        for evse_id in self.station.layout.evse_ids:
            value = self._aligned_value(evse_id, ALIGNED_DATA_MEASURANDS, ALIGNED_DATA_INTERVAL)
            self._averages[evse_id].clear()
            running = self._running.get(evse_id)
            if value is None or (idle_only and self._running):
                continue
            if running is not None:
                self.report(running.session_id, TriggerReasonEnumType.MeterValueClock, [value])
            else:
                self.station.send(MeterValuesRequest(evse_id=evse_id, meter_value=[value]))
        self._rearm_aligned()

    def _aligned_ended(self) -> None:
        for evse_id, running in self._running.items():
            running.keep(self._aligned_value(evse_id, ALIGNED_DATA_TX_ENDED_MEASURANDS, ALIGNED_DATA_TX_ENDED_INTERVAL))
        self._at_boundary(ALIGNED_ENDED, ALIGNED_DATA_TX_ENDED_INTERVAL, self._aligned_ended)

    def _aligned_value(self, evse_id: int, measurands: Measurands, interval: Variable[int]) -> MeterValueType | None:
        get = self.station.variables.get
        reading = self._readings.latest(evse_id)
        found = self._averages[evse_id].averaged(self._found(reading, measurands))
        signed, interval_s = get(ALIGNED_DATA_SIGN_READINGS), get(interval)
        at = reading.at
        if get(ROUND_CLOCK_ALIGNED_TIMESTAMPS) and interval_s > 0:
            at = rounded(at, interval_s)
        return meter_value(at, found, Context.Sample_Clock, signed=signed)

    # Triggered.

    def trigger(self, evse_id: int) -> None:
        """Send the aligned values of an EVSE with context Trigger (F06)."""
        reading = self._readings.latest(evse_id)
        value = meter_value(reading.at, self._found(reading, ALIGNED_DATA_MEASURANDS), Context.Trigger)
        if value is not None:
            self.station.send(MeterValuesRequest(evse_id=evse_id, meter_value=[value]), triggered=True)

    def send_for_cost(self, evse_id: int, *, register_alone: bool) -> None:
        """Send the values from which the CSMS computes its next cost: at a time the energy register alone (EVerest)."""
        reading = self._readings.measured(evse_id)
        wanted = (ENERGY,) if register_alone else self.station.variables.get(SAMPLED_DATA_TX_UPDATED_MEASURANDS)
        found = samples(reading, wanted)
        if register_alone:
            found = [one for one in found if one.phase is None]
        signs = self.station.variables.get(SAMPLED_DATA_SIGN_READINGS)
        key = self._sends_key(self._running.get(evse_id)) if signs else False
        value = meter_value(reading.at, found, Context.Other, signed=signs, public_key=key)
        if value is not None:
            self.station.send(MeterValuesRequest(evse_id=evse_id, meter_value=[value]))

    def triggered(self, evse_id: int) -> list[MeterValueType | None]:
        """Return the values of a triggered TransactionEvent ([F06.FR.07])."""
        return [self._sampled(evse_id, SAMPLED_DATA_TX_UPDATED_MEASURANDS, Context.Trigger)]

    def measures(self, evse_id: int) -> bool:
        """Return whether there are aligned values of an EVSE."""
        return bool(self._found(self._readings.latest(evse_id), ALIGNED_DATA_MEASURANDS))
