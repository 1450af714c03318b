"""Single messages of OCPP 1.6 that no session of another test has."""

from __future__ import annotations

import pytest

from chargebyte_fw.contracts.types import ocpp
from tests.ocpp.station16 import Station16


@pytest.mark.ocpp("1.6 §5.1")
@pytest.mark.parametrize(("known", "status"), [(True, "Accepted"), (False, "Rejected")])
def test_a_reservation_is_cancelled_as_its_owner_answers(known: bool, status: str) -> None:
    station = Station16()
    station.results["cancel_reservation"] = known
    assert station.ask("CancelReservation", {"reservationId": 4}) == {"status": status}
    assert [args for _, _, args in station.commanded("cancel_reservation")] == [(4,)]


@pytest.mark.ocpp("1.6 §5.6")
def test_data_of_a_vendor_reaches_the_integrator_and_back() -> None:
    station = Station16()
    assert station.ask("DataTransfer", {"vendorId": "x"}) == {"status": "UnknownVendorId"}
    station.results["data_transfer"] = ocpp.DataTransferResponse(status=ocpp.DataTransferStatus.Accepted, data="back")
    assert station.ask("DataTransfer", {"vendorId": "x", "data": "there"}) == {"status": "Accepted", "data": "back"}
