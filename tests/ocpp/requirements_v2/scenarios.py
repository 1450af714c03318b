"""One session for each use case of blocks E and F, as the stack around the station plays it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types import units, units_signed
from chargebyte_fw.contracts.types.authorization import AuthorizationType
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.stack import SIGNED, E, meter, token
from tests.ocpp.station2 import Station2

Reason = evse.StopTransactionReason
ENERGY = "Energy.Active.Import.Register"
SAMPLED: dict[str, Any] = {
    "TxStartedMeasurands": (ENERGY,),
    "TxUpdatedMeasurands": (ENERGY, "Voltage"),
    "TxEndedMeasurands": (ENERGY,),
    "TxUpdatedInterval": 60,
    "TxEndedInterval": 0,
}
"""What the CSMS wants sampled in the tests of meter values."""


def read(station: Station2, energy_Wh: float, *, signed: bool = False) -> None:
    """Let the meter of EVSE 1 publish a reading."""
    reading = meter(energy_Wh)
    if signed:
        reading.energy_Wh_import_signed = units_signed.Energy(total=SIGNED)
    station.feed(events.PowermeterReceived(1, reading))


def swipe_first(station: Station2) -> None:
    """Present the token before the cable is plugged in."""
    started = evse.SessionStarted(reason=evse.StartSessionReason.Authorized, meter_value=meter(1000), id_tag=token())
    station.event(E.SessionStarted, session_started=started)


def remote_token(station: Station2, **more: Any) -> Any:
    """Let the CSMS start a transaction at EVSE 1; return the token that the station provides."""
    payload = {"idToken": {"idToken": "CAFE", "type": "ISO14443"}, "remoteStartId": 42, "evseId": 1, **more}
    assert station.ask("RequestStartTransaction", payload) == {"status": "Accepted"}
    [presented] = station.published("provided_token")
    assert presented.authorization_type is AuthorizationType.OCPP
    return presented


def remote_start(station: Station2, *, cable_first: bool) -> None:
    if cable_first:
        station.plug_in()
    presented = remote_token(station)
    if not cable_first:
        started = evse.SessionStarted(
            reason=evse.StartSessionReason.Authorized, meter_value=meter(1000), id_tag=presented
        )
        station.event(E.SessionStarted, session_started=started)
    begun = evse.TransactionStarted(id_tag=presented, meter_value=meter(1000.4))
    station.event(E.TransactionStarted, transaction_started=begun)
    station.event(E.ChargingStarted)


def cable_first(station: Station2) -> None:
    station.charge()


def token_first(station: Station2) -> None:
    swipe_first(station)
    station.start()
    station.event(E.ChargingStarted)


def begun_offline(station: Station2) -> None:
    station.disconnect()
    station.charge()


STARTS: dict[str, tuple[dict[str, Any], Callable[[Station2], None]]] = {
    "E01": ({}, cable_first),
    "E02": ({"TxStartPoint": ("EVConnected",)}, cable_first),
    "E03": ({"TxStartPoint": ("Authorized",)}, token_first),
    "E04": ({}, begun_offline),
    "F01": ({}, lambda station: remote_start(station, cable_first=True)),
    "F02": ({"TxStartPoint": ("Authorized",)}, lambda station: remote_start(station, cable_first=False)),
}
"""Variables and steps from the first input until the car charges."""


def by_card(station: Station2) -> None:
    station.finish(Reason.Local, id_tag=token())


def by_card_offline(station: Station2) -> None:
    station.disconnect()
    station.finish(Reason.Local, id_tag=token())
    station.connect()


def by_unplugging(station: Station2) -> None:
    station.finish(Reason.EVDisconnected)
    station.unplug()


def by_the_csms(station: Station2) -> None:
    assert station.ask("RequestStopTransaction", {"transactionId": "s1"}) == {"status": "Accepted"}
    station.finish(Reason.Remote)


def by_the_csms_at_a_car_with_iso_15118(station: Station2) -> None:
    """The car stops the transfer first, the transaction ends when it leaves."""
    assert station.ask("RequestStopTransaction", {"transactionId": "s1"}) == {"status": "Accepted"}
    station.event(E.ChargingPausedEVSE)
    station.finish(Reason.Remote)
    station.unplug()


def by_the_ev(station: Station2) -> None:
    station.finish(Reason.StoppedByEV)


STOPS: dict[str, tuple[dict[str, Any], Callable[[Station2], None]]] = {
    "E06": ({}, lambda station: station.finish(Reason.Timeout)),
    "E07": ({}, by_card),
    "E08": ({}, by_card_offline),
    "E09": ({}, by_unplugging),
    "E15": ({}, by_the_ev),
    "F03": ({}, by_the_csms),
    "F04": ({"TxStopPoint": ("EVConnected",)}, by_the_csms_at_a_car_with_iso_15118),
}
"""Variables and steps from the car that charges until the last event."""


def quiet(**values: Any) -> Station2:
    """A station whose events of registration are forgotten."""
    station = Station2(**values)
    station.requests()
    return station


def start(use_case: str, *, signed: bool = False, energy_Wh: float = 1000.4, **values: Any) -> Station2:
    """A station at which the session of a use case has begun."""
    found, steps = STARTS[use_case]
    station = quiet(**{**found, **values})
    read(station, energy_Wh, signed=signed)
    steps(station)
    return station


def stop(
    use_case: str, *, signed: bool = False, before: Callable[[Station2], None] | None = None, **values: Any
) -> Station2:
    """A station at which the session of a use case has ended; `before` is done while the car charges."""
    found, steps = STOPS[use_case]
    station = quiet(**{**found, **values})
    read(station, 1000.4, signed=signed)
    station.charge()
    if before is not None:
        before(station)
    steps(station)
    return station


def heads(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return type and trigger of events."""
    return [(one["eventType"], one["triggerReason"]) for one in found]


def values_of(event: dict[str, Any]) -> list[tuple[str, str, float]]:
    """Return context, measurand and value of the last meter value of an event."""
    sampled = event["meterValue"][-1]["sampledValue"]
    return [(one["context"], one["measurand"], one["value"]) for one in sampled]


def export(energy_Wh: float) -> Powermeter:
    """A reading with both registers."""
    reading = meter(energy_Wh)
    reading.energy_Wh_export = units.Energy(total=energy_Wh / 2)
    return reading
