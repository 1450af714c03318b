"""The former client certificate while a new one is tried (A02, A03): kept, named to the connection, then deleted."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.modules.ocpp.connection.settings import ClientFiles
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.station2 import Station2

Install = security.InstallCertificateResult
BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])


def files(number: int) -> ClientFiles:
    return ClientFiles(f"/c/{number}-chain.pem", f"/k/{number}.key", f"/c/{number}.pem")


class Results(dict[str, Any]):
    """What the stack answers; the store has another client certificate after each that was installed."""

    number = 1
    prefers_former = False

    def get(self, name: str, default: Any = None) -> Any:
        if name == "update_leaf_certificate":
            self.number += not self.prefers_former
            return Install.Accepted
        if name == "get_leaf_certificate_info":
            one = files(self.number)
            info = security.CertificateInfo(
                key=one.key, certificate_count=2, certificate=one.chain, certificate_single=one.single
            )
            status = security.GetCertificateInfoStatus.Accepted
            return security.GetCertificateInfoResult(status=status, info=info)
        return super().get(name, default)


def station_of(version: Version = Version.V201, security_profile: int = 3) -> Station2:
    station = Station2(version=version, connects=False)
    station.results = Results(station.results)
    station.connect(security_profile=security_profile)
    station.requests()
    return station


def signed(station: Station2) -> list[Any]:
    """Install a new certificate; returns what the station asks of its connection."""
    station.other.clear()
    assert station.ask("CertificateSigned", {"certificateChain": "CHAIN"}) == {"status": "Accepted"}
    kinds = (do.KeepFormerCertificate, do.Reconnect, do.DiscardCertificate)
    return [one for one in station.other if isinstance(one, kinds)]


def proven(station: Station2, *, former: bool) -> do.DiscardCertificate:
    station.other.clear()
    station.feed(events.ClientCertificateProven(former))
    [found] = [one for one in station.other if isinstance(one, do.DiscardCertificate)]
    return found


def told(station: Station2) -> list[str]:
    return [one["type"] for one in station.payloads_of("SecurityEventNotification")]


@BOTH
@pytest.mark.ocpp("A02.FR.10", "A03.FR.10", "A02.FR.08", "A03.FR.08")
def test_the_former_certificate_is_deleted_once_the_new_one_has_connected(version: Version) -> None:
    station = station_of(version)
    keep, reconnect = signed(station)
    assert keep == do.KeepFormerCertificate(files(1)) and isinstance(reconnect, do.Reconnect)
    order = proven(station, former=False)
    assert (order.discarded, order.kept) == (files(1), files(2))
    station.other.clear()
    station.feed(events.CommandDone(order.command_id, True))
    assert do.KeepFormerCertificate(None) in station.other
    assert told(station) == []
    station.feed(events.ClientCertificateProven(False))
    assert [one for one in station.other if isinstance(one, do.DiscardCertificate)] == []


@BOTH
@pytest.mark.ocpp("A02.FR.10", "A02.FR.29", "A03.FR.10", "A03.FR.25")
def test_the_new_certificate_is_deleted_and_reported_where_the_former_one_connects(version: Version) -> None:
    station = station_of(version)
    signed(station)
    order = proven(station, former=True)
    assert (order.discarded, order.kept) == (files(2), files(1))
    assert told(station) == [], "it is not deleted yet"
    station.feed(events.CommandDone(order.command_id, True))
    assert told(station) == ["DiscardedRenewedClientCertificate"]


def test_what_could_not_be_deleted_is_with_the_next_connection() -> None:
    station = station_of()
    signed(station)
    station.feed(events.CommandFailed(proven(station, former=True).command_id, "read-only file system"))
    assert told(station) == []
    station.feed(events.CommandDone(proven(station, former=True).command_id, True))
    assert told(station) == ["DiscardedRenewedClientCertificate"]


@pytest.mark.parametrize("former", [False, True])
def test_a_certificate_that_cars_are_shown_is_not_deleted(former: bool) -> None:
    station = station_of()
    signed(station)
    shown = security.CertificateInfo(key=files(2 if former else 1).key, certificate_count=2)
    status = security.GetCertificateInfoStatus.Accepted
    both = security.GetCertificateFullInfoResult(status=status, info=[shown])
    station.results["get_all_valid_certificates_info"] = both
    station.other.clear()
    station.feed(events.ClientCertificateProven(former))
    assert [one for one in station.other if isinstance(one, do.DiscardCertificate)] == []
    ended = do.KeepFormerCertificate(None) in station.other
    assert ended is not former, "the former one is needed as long as the new one is the newest"
    assert told(station) == []


def test_a_renewal_that_nothing_has_decided_outlives_a_restart() -> None:
    station = station_of()
    signed(station)
    again = station.restart(connects=False)
    assert do.KeepFormerCertificate(files(1)) in again.other
    order = proven(again, former=False)
    again.feed(events.CommandDone(order.command_id, True))
    third = again.restart(connects=False)
    assert [one for one in third.other if isinstance(one, do.KeepFormerCertificate)] == []


def test_a_further_renewal_keeps_the_certificate_that_works() -> None:
    station = station_of()
    signed(station)
    proven(station, former=True)
    drop, keep, _ = signed(station)
    assert (drop.discarded, drop.kept) == (files(2), files(1)), "the one that did not connect"
    assert keep == do.KeepFormerCertificate(files(1))
    order = proven(station, former=False)
    assert (order.discarded, order.kept) == (files(1), files(3))


def test_a_certificate_that_the_store_does_not_prefer_is_not_tried() -> None:
    station = station_of()
    station.results.prefers_former = True  # type: ignore[attr-defined]
    [only] = signed(station)
    assert isinstance(only, do.Reconnect)


def test_below_profile_3_nothing_is_tried() -> None:
    station = station_of(security_profile=2)
    assert signed(station) == []
