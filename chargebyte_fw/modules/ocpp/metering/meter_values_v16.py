"""MeterValues of OCPP 1.6 (§4.7): sampled, clock-aligned, signed, triggered; the data of StopTransaction (§5.16)."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.contracts.types.units_signed import SignedMeterValue
from chargebyte_fw.modules.ocpp.messages.v16.core import Measurand, MeterValue, MeterValuesRequest, ReadingContext
from chargebyte_fw.modules.ocpp.metering.aligned import Averages, next_boundary, rounded
from chargebyte_fw.modules.ocpp.metering.readings import Readings
from chargebyte_fw.modules.ocpp.metering.samples import Reading, samples
from chargebyte_fw.modules.ocpp.metering.v16 import meter_value, signed_meter_value
from chargebyte_fw.modules.ocpp.provisioning.events import Registered
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives
from chargebyte_fw.modules.ocpp.station.layout import Place
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan, TransactionEnded
from chargebyte_fw.modules.ocpp.variables import Variable
from chargebyte_fw.modules.ocpp.variables.standard.internal import ROUND_CLOCK_ALIGNED_TIMESTAMPS
from chargebyte_fw.modules.ocpp.variables.standard.metering import (
    ALIGNED_DATA_INTERVAL,
    ALIGNED_DATA_MEASURANDS,
    ALIGNED_DATA_TX_ENDED_MEASURANDS,
    SAMPLED_DATA_TX_ENDED_MEASURANDS,
    SAMPLED_DATA_TX_UPDATED_INTERVAL,
    SAMPLED_DATA_TX_UPDATED_MEASURANDS,
)

_POWER = Measurand.Power_Active_Import.value
MAX_TRANSACTION_DATA = 1000
"""Values that are kept for StopTransaction; beyond, every second one goes."""


class _Transaction:
    """What is kept of a running transaction."""

    def __init__(self, place: Place, session_id: str) -> None:
        self.place = place
        self.session_id = session_id
        self.data: list[MeterValue] = []

    def keep(self, value: MeterValue | None) -> None:
        if value is None:
            return
        self.data.append(value)
        if len(self.data) > MAX_TRANSACTION_DATA:
            self.data = [*self.data[:-1:2], self.data[-1]]


def _without_register(value: MeterValue, contexts: Collection[ReadingContext | None]) -> MeterValue | None:
    """Return a value without its energy registers of these contexts, None where nothing is left."""
    left = [
        one
        for one in value.sampled_value
        if one.context not in contexts or one.measurand is not Measurand.Energy_Active_Import_Register
    ]
    return msgspec.structs.replace(value, sampled_value=left) if left else None


class MeterValues16(Block):
    """Sends meter values, each in its own interval."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._running: dict[int, _Transaction] = {}
        self._averages = {place.connector: Averages() for place in station.layout}
        station.variables.on_change(SAMPLED_DATA_TX_UPDATED_INTERVAL, lambda _: self._rearm_all())
        station.variables.on_change(ALIGNED_DATA_INTERVAL, lambda _: self._rearm_aligned())

    @property
    def _readings(self) -> Readings:
        return self.station.block(Readings)

    # Sampled, within a transaction.

    @receives(TransactionBegan)
    def began(self, event: TransactionBegan) -> None:
        """Sample from now on."""
        place = self.station.layout.find(event.evse_id, event.connector_id)
        if place is not None:
            self._running[event.connector] = _Transaction(place, event.session_id)
            self._rearm(event.connector)

    @receives(TransactionEnded)
    def ended(self, event: TransactionEnded) -> None:
        """Sample no more."""
        self._running.pop(event.connector, None)
        self.station.stop(("sample", event.connector))

    def _rearm_all(self) -> None:
        for connector in self._running:
            self._rearm(connector)

    def _rearm(self, connector: int) -> None:
        interval_s = self.station.variables.get(SAMPLED_DATA_TX_UPDATED_INTERVAL)
        if interval_s > 0:
            self.station.start(("sample", connector), self.station.now + interval_s, lambda: self._sample(connector))
        else:
            self.station.stop(("sample", connector))

    def _sample(self, connector: int) -> None:
        running = self._running[connector]
        reading = self._readings.latest(running.place.evse_id)
        context = ReadingContext.Sample_Periodic
        value = self._value(reading, SAMPLED_DATA_TX_UPDATED_MEASURANDS, context)
        self._send(running.place, value, running.session_id)
        running.keep(self._value(reading, SAMPLED_DATA_TX_ENDED_MEASURANDS, context))
        self._rearm(connector)

    def begin_of(self, reading: Reading, session_id: str, connector: int) -> None:
        """Keep the values at the begin of a transaction for its StopTransaction."""
        running = self._running.get(connector)
        if running is not None and running.session_id == session_id:
            running.keep(self._value(reading, SAMPLED_DATA_TX_ENDED_MEASURANDS, ReadingContext.Transaction_Begin))

    def transaction_data(self, connector: int, at_end: Powermeter, signed: list[MeterValue]) -> list[MeterValue] | None:
        """Return `transactionData` of StopTransaction: what was collected, the values at the end, what was signed.

        A signed register takes the place of the bare one, as in EVerest: begin and end are in it once.
        """
        running = self._running.get(connector)
        data = list(running.data) if running is not None else []
        place = self.station.layout.connector(connector)
        if place is not None:
            reading = self._readings.latest(place.evse_id, at_end)
            end = self._value(reading, SAMPLED_DATA_TX_ENDED_MEASURANDS, ReadingContext.Transaction_End)
            data += [end] if end is not None else []
        contexts = {one.context for value in signed for one in value.sampled_value}
        return [kept for value in data if (kept := _without_register(value, contexts)) is not None] + signed or None

    def send_signed(self, place: Place, signed: SignedMeterValue, session_id: str) -> None:
        """Send what the meter signed at the begin of a transaction."""
        value = signed_meter_value(self.station.utc, signed, ReadingContext.Transaction_Begin)
        self._send(place, value, session_id)

    # Clock-aligned.

    @receives(Registered)
    def registered(self, event: Registered) -> None:
        """Begin with the next boundary: the clock is right now."""
        self._rearm_aligned()

    @receives(events.WallClockSet)
    def clock_set(self, event: events.WallClockSet) -> None:
        """Find the next boundary anew."""
        if self.station.due("aligned") is not None:
            self._rearm_aligned()

    @receives(events.PowermeterReceived)
    def powermeter(self, event: events.PowermeterReceived) -> None:
        """Count a reading for the averages."""
        if self.station.due("aligned") is not None:
            found = samples(Reading(self.station.utc, event.powermeter), self._aligned_measurands)
            for place in self.station.layout.of(event.evse_id):
                self._averages[place.connector].add(found)

    @property
    def _aligned_measurands(self) -> list[str]:
        get = self.station.variables.get
        return [*get(ALIGNED_DATA_MEASURANDS), *get(ALIGNED_DATA_TX_ENDED_MEASURANDS)]

    def _rearm_aligned(self) -> None:
        interval_s = self.station.variables.get(ALIGNED_DATA_INTERVAL)
        if interval_s <= 0:
            self.station.stop("aligned")
            return
        boundary = next_boundary(self.station.utc, interval_s)
        self.station.start("aligned", self.station.monotonic(boundary), self._aligned)

    def _aligned(self) -> None:
        for place in self.station.layout:
            running = self._running.get(place.connector)
            self._send(
                place, self._aligned_value(place, ALIGNED_DATA_MEASURANDS), running.session_id if running else None
            )
            if running is not None:
                running.keep(self._aligned_value(place, ALIGNED_DATA_TX_ENDED_MEASURANDS))
            self._averages[place.connector].clear()
        self._rearm_aligned()

    def _aligned_value(self, place: Place, measurands: Variable[tuple[str, ...]]) -> MeterValue | None:
        get = self.station.variables.get
        reading = self._readings.latest(place.evse_id)
        wanted = get(measurands)
        found = self._averages[place.connector].averaged(samples(reading, wanted))
        interval_s = get(ALIGNED_DATA_INTERVAL)
        rounds = get(ROUND_CLOCK_ALIGNED_TIMESTAMPS) and interval_s > 0
        at = rounded(reading.at, interval_s) if rounds else reading.at
        return meter_value(at, found, ReadingContext.Sample_Clock)

    # Triggered.

    def send_for_cost(self, connector: int, *, power: bool) -> None:
        """Send the values from which the CSMS computes its next cost, with the time at which they were measured.

        `power`: the power, which was reached, is among them in any case.
        """
        place, running = self.station.layout.connector(connector), self._running.get(connector)
        if place is not None:
            reading = self._readings.measured(place.evse_id)
            wanted = self.station.variables.get(SAMPLED_DATA_TX_UPDATED_MEASURANDS)
            found = samples(reading, [*wanted, *([_POWER] if power and _POWER not in wanted else [])])
            value = meter_value(reading.at, found, ReadingContext.Other)
            self._send(place, value, running.session_id if running is not None else None)

    def trigger(self, connector: int | None) -> bool:
        """Send the values of a connector (None: of all); returns whether there are any."""
        places = list(self.station.layout) if connector is None else [self.station.layout.connector(connector)]
        sent = False
        for place in places:
            if place is None:
                continue
            reading = self._readings.latest(place.evse_id)
            value = self._value(reading, SAMPLED_DATA_TX_UPDATED_MEASURANDS, ReadingContext.Trigger)
            running = self._running.get(place.connector)
            self._send(place, value, running.session_id if running is not None else None, triggered=True)
            sent = sent or value is not None
        return sent

    def measures(self, connector: int | None) -> bool:
        """Return whether a connector (None: any) has a measurement."""
        places = list(self.station.layout) if connector is None else [self.station.layout.connector(connector)]
        return any(place is not None and self._readings.has_meter(place.evse_id) for place in places)

    def _value(
        self, reading: Reading, measurands: Variable[tuple[str, ...]], context: ReadingContext
    ) -> MeterValue | None:
        wanted = self.station.variables.get(measurands)
        return meter_value(reading.at, samples(reading, wanted), context)

    def _send(self, place: Place, value: MeterValue | None, session_id: str | None, *, triggered: bool = False) -> None:
        if value is not None:
            request = MeterValuesRequest(connector_id=place.connector, meter_value=[value])
            self.station.send(request, transaction=session_id, triggered=triggered)
