"""The state of a connector of OCPP 1.6 (§4.9): transitions, faults laid over it, errors that are reported."""

from __future__ import annotations

import pytest

from chargebyte_fw.modules.ocpp.availability.connector_states import ConnectorStates, Notification, Status
from chargebyte_fw.modules.ocpp.errors import ErrorInfo

ALLOWED = {
    "Available": "Preparing Charging SuspendedEV SuspendedEVSE Reserved Unavailable",
    "Preparing": "Available Charging SuspendedEV SuspendedEVSE Finishing",
    "Charging": "Available SuspendedEV SuspendedEVSE Finishing Unavailable",
    "SuspendedEV": "Available Charging SuspendedEVSE Finishing Unavailable",
    "SuspendedEVSE": "Available Charging SuspendedEV Finishing Unavailable",
    "Finishing": "Available Preparing Unavailable",
    "Reserved": "Available Preparing Unavailable",
    "Unavailable": "Available Preparing Charging SuspendedEV SuspendedEVSE",
}
LOCK = ErrorInfo("lock", "ConnectorLockFailure", False, "lock/main", "https://chargex.inl.gov", "CX001")
FAULT = ErrorInfo("inoperative", "OtherError", True, "evse/main", "Inoperative", "")


@pytest.mark.parametrize("begin", list(Status))
@pytest.mark.parametrize("to", list(Status))
def test_a_connector_takes_the_transitions_of_the_table_and_no_others(begin: Status, to: Status) -> None:
    connector = ConnectorStates(begin)
    notification = connector.to(to)
    if to.value in ALLOWED[begin.value].split():
        assert notification == Notification(to.value) and connector.status is to
    else:
        assert notification is None and connector.status is begin


def test_a_new_reason_of_suspension_is_reported_where_the_configuration_asks_for_it() -> None:
    connector = ConnectorStates(Status.CHARGING)
    connector.to(Status.SUSPENDED_EVSE, "NoEnergy")
    assert connector.to(Status.SUSPENDED_EVSE, "UserPause") is None
    assert connector.to(Status.SUSPENDED_EVSE, "Error", report_info=True) == Notification("SuspendedEVSE", info="Error")
    assert connector.to(Status.SUSPENDED_EVSE, "Error", report_info=True) is None


def test_faulted_lies_over_the_state_which_comes_back_where_it_is_by_then() -> None:
    connector = ConnectorStates(Status.CHARGING)
    assert connector.raise_error(FAULT).status == "Faulted"
    assert connector.to(Status.FINISHING) is None, "not reported while faulted"
    assert connector.clear_error("inoperative", report=False) == Notification("Finishing")


def test_an_error_that_is_no_fault_leaves_the_state_and_its_end_is_reported_on_request() -> None:
    connector = ConnectorStates(Status.CHARGING)
    assert connector.raise_error(LOCK) == Notification(
        "Charging", "ConnectorLockFailure", "lock/main", "https://chargex.inl.gov", "CX001"
    )
    assert connector.clear_error("lock", report=False) is None
    connector.raise_error(LOCK)
    assert connector.clear_error("lock", report=True) == Notification("Charging", info="lock/main")
    assert connector.clear_error("lock", report=True) is None, "an end without a beginning"


def test_the_latest_error_is_the_one_that_is_reported() -> None:
    connector = ConnectorStates()
    connector.raise_error(FAULT)
    assert connector.raise_error(LOCK).error_code == "ConnectorLockFailure"
    assert connector.present.status == "Faulted"
    assert connector.clear_error("lock", report=True) == Notification(
        "Faulted", "OtherError", "evse/main", "Inoperative"
    )
