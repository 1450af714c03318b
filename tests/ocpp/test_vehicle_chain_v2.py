"""The status of a car's certificate chain (M07): asked of the CSMS, kept for a while, and what a revoked one ends."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.contracts.types.evse_security import (
    CertificateHashData,
    HashAlgorithm,
    OCSPRequestData,
    OCSPRequestDataList,
)
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.station2 import Station2

OF_STACK = CertificateHashData(
    hash_algorithm=HashAlgorithm.SHA256, issuer_name_hash="ab", issuer_key_hash="cd", serial_number="1f"
)
HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "ab", "issuerKeyHash": "cd", "serialNumber": "1f"}
PROTOCOL = iso15118.AppProtocol(
    protocol_namespace="urn:iso:std:iso:15118:-20:DC",
    version_number_major=1,
    version_number_minor=0,
    schema_id=1,
    priority=1,
)


def shows_chain(station: Station2) -> None:
    value = iso15118.EvInformation(
        supported_protocols=iso15118.AppProtocols(Protocols=[PROTOCOL]),
        selected_protocol=PROTOCOL,
        evcc_id="02:00:00:00:00:01",
        tls_leaf_certificate="LEAF\n",
        tls_sub_ca_1_certificate="SUB\n",
    )
    station.feed(events.FactReceived("iso15118_extensions", "ev_info", value, 1))


def station_with(status: str, next_update: str = "2023-12-30T00:00:00.000Z", **values: Any) -> Station2:
    station = Station2(version=Version.V21, **values)
    urls = [OCSPRequestData(certificate_hash_data=OF_STACK, responder_url="http://ocsp.example")]
    no_url = OCSPRequestData(certificate_hash_data=OF_STACK)
    station.results["get_mo_ocsp_request_data"] = OCSPRequestDataList(ocsp_request_data_list=[*urls, no_url])
    found = {"certificateHashData": HASH, "source": "OCSP", "status": status, "nextUpdate": next_update}
    station.answers["GetCertificateChainStatus"] = {"certificateStatus": [found]}
    return station


def asked(station: Station2) -> list[dict[str, Any]]:
    found = list(station.payloads_of("GetCertificateChainStatus"))
    station.requests()
    return found


@pytest.mark.ocpp("M07.FR.09")
def test_the_status_of_a_chain_is_asked_once_in_a_while() -> None:
    station = station_with("Good")
    station.charge()
    shows_chain(station)
    assert [args for name, _, args in station.commanded("get_mo_ocsp_request_data")] == [("LEAF\nSUB\n",)]
    request = {"certificateHashData": HASH, "source": "OCSP", "urls": ["http://ocsp.example"]}
    assert asked(station) == [{"certificateStatusRequests": [request]}]
    shows_chain(station)
    assert asked(station) == []
    station.pass_days(7)
    shows_chain(station)
    assert len(asked(station)) == 1, "no status is used for more than a week"
    assert not station.commanded("stop_transaction")


@pytest.mark.ocpp("M07")
def test_a_revoked_certificate_ends_the_transaction_and_those_that_follow() -> None:
    station = station_with("Revoked")
    shows_chain(station)
    station.charge()
    [(_, evse_id, args)] = station.commanded("stop_transaction")
    assert (evse_id, args[0].reason.value) == (1, "DeAuthorized")
    station.finish()
    station.unplug()
    station.charge(session="s2")
    assert not station.commanded("stop_transaction"), "another car"
    shows_chain(station)
    assert len(station.commanded("stop_transaction")) == 1
    assert len(asked(station)) == 1


@pytest.mark.ocpp("M07")
@pytest.mark.parametrize("status", ["Unknown", "Failed"])
def test_a_status_that_cannot_be_had_changes_nothing(status: str) -> None:
    station = station_with(status)
    station.charge()
    shows_chain(station)
    shows_chain(station)
    assert len(asked(station)) == 2 and not station.commanded("stop_transaction")
    station.disconnect()
    shows_chain(station)
    assert asked(station) == []
    older = Station2(version=Version.V201)
    shows_chain(older)
    assert not older.commanded("get_mo_ocsp_request_data")
