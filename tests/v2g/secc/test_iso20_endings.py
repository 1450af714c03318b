"""How a session of ISO 15118-20 ends: each refusal and each termination, with what it leaves behind.

A row has the cause, the state in which it comes, what the car gets, the D-LINK primitive and the reason that are
published. Whatever the row: the power is off, and the next session begins as if nothing had been.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.contracts.types.iso15118 import EvseError
from chargebyte_fw.modules.v2g.messages import iso20_common as common
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from chargebyte_fw.modules.v2g.v2gtp import Frame
from tests.v2g.secc.test_iso20_dc import SCHEDULED
from tests.v2g.talk20 import (
    Course,
    Talk20,
    ac_loop,
    ac_parameters,
    dc20_facts,
    dc_loop,
    dc_parameters,
    of,
    power,
    profile,
    requests,
    schedule,
    selection,
    stop,
    talk20,
    talk20_ac,
    welding,
)

Act = Callable[[Talk20], Any]
NEGOTIATION, PARAMETERS, SETUP = (
    "ProtocolNegotiationFailed",
    "ChargingParametersNotAccepted",
    "EnergyTransferSetupFailed",
)
AUTHORIZATION, INTERRUPTED, NONE = "AuthorizationFailed", "ChargingInterrupted", ""


def ask(make: Callable[[], Any]) -> Act:
    return lambda it: it.ask(make())


def then(request: Callable[[], Any], **facts: Any) -> Act:
    """Facts change, then the car asks."""

    def act(it: Talk20) -> Any:
        it.change(**facts)
        return it.ask(request())

    return act


def wait(duration_s: float) -> Act:
    return lambda it: it.wait(duration_s) and None


def unreadable(it: Talk20) -> Any:
    """A charge loop without its content: name and session can be read."""
    whole = it.frame(dc_loop())
    return it.answer_in(it.raw(Frame(0x8004, whole[8:30]).to_bytes()))


def unplugged(it: Talk20) -> None:
    it.charger.feed(out.Disconnected(), it.now)


Row = tuple[str, S, Act, str, str, str]
REFUSALS: tuple[Row, ...] = (
    ("a request out of turn", S.SERVICE_DISCOVERY, ask(schedule), "FAILED_SequenceError", "terminate", PARAMETERS),
    ("of another session", S.CHARGING, lambda it: it.ask(dc_loop(), b"another!"), "FAILED_UnknownSession", "terminate",
     INTERRUPTED),
    ("a service that is not offered", S.SERVICE_DETAIL, ask(lambda: of(common.ServiceDetailReq, ServiceID=99)),
     "FAILED_ServiceIDInvalid", "terminate", PARAMETERS),
    ("another energy service", S.SERVICE_SELECTION, ask(lambda: selection(1)),
     "FAILED_NoEnergyTransferServiceSelected", "terminate", PARAMETERS),
    ("another parameter set", S.SERVICE_SELECTION, ask(lambda: selection(2, 9)), "FAILED_ServiceSelectionInvalid",
     "terminate", PARAMETERS),
    ("another value-added service", S.SERVICE_SELECTION, ask(lambda: selection(2, 0, ((65, 3),))),
     "FAILED_ServiceSelectionInvalid", "terminate", PARAMETERS),
    ("parameters of both directions", S.CHARGE_PARAMETERS, ask(lambda: dc_parameters(bidirectional=True)),
     "FAILED_WrongChargeParameter", "terminate", PARAMETERS),
    ("a battery that does not fit", S.CHARGE_PARAMETERS, ask(lambda: dc_parameters(EVMaximumVoltage=150)),
     "FAILED_WrongChargeParameter", "terminate", PARAMETERS),
    ("another control mode", S.SCHEDULE, ask(lambda: schedule(dynamic=False)), "FAILED", "terminate", PARAMETERS),
    ("a cable check that failed", S.CABLE_CHECK, lambda it: (it.ask(requests()["DC_CableCheckReq"]),
     it.change(cable_check=False), it.ask(requests()["DC_CableCheckReq"]))[-1], "FAILED", "terminate", SETUP),
    ("a start while the charger wants to stop", S.POWER_DELIVERY, then(power, stop_requested=True),
     "FAILED_PowerDeliveryNotApplied", "terminate", NONE),
    ("a start with a fault of the contactor", S.POWER_DELIVERY, then(power, error=EvseError.Error_Contactor),
     "FAILED_ContactorError", "terminate", NONE),
    ("a start while charging", S.CHARGING, ask(power), "FAILED", "terminate", SETUP),
    ("a new schedule before charging", S.POWER_DELIVERY, ask(lambda: power("ScheduleRenegotiation")),
     "FAILED_ScheduleRenegotiation", "terminate", SETUP),
    ("another control mode in the loop", S.CHARGING, ask(lambda: dc_loop(dynamic=False)), "FAILED", "terminate",
     INTERRUPTED),
    ("an emergency in the loop", S.CHARGING, then(dc_loop, error=EvseError.Error_EmergencyShutdown), "FAILED",
     "terminate", NONE),
    ("a request that cannot be read", S.CHARGING, unreadable, "FAILED", "terminate", INTERRUPTED),
    ("a pause before the schedule", S.SERVICE_DISCOVERY, ask(lambda: stop("Pause")), "FAILED_PauseNotAllowed",
     "terminate", NONE),
)  # fmt: skip
SCHEDULED_REFUSALS: tuple[Row, ...] = (
    ("another schedule", S.POWER_DELIVERY, ask(lambda: power(profile=profile(schedule_id=7))),
     "FAILED_ScheduleSelectionInvalid", "terminate", SETUP),
    ("a profile beyond the schedule", S.POWER_DELIVERY, ask(lambda: power(profile=profile(200_000))),
     "FAILED_EVPowerProfileInvalid", "terminate", SETUP),
)  # fmt: skip
ENDS: tuple[Row, ...] = (
    ("the car terminates", S.STOPPED, ask(stop), "OK", "terminate", NONE),
    ("the car terminates early", S.SERVICE_DISCOVERY, ask(stop), "OK", "terminate", NONE),
    ("the car pauses", S.STOPPED, ask(lambda: stop("Pause")), "OK", "pause", NONE),
    ("the connection is closed in the loop", S.CHARGING, lambda it: (it.ask(dc_loop()), unplugged(it))[-1], "", "error",
     INTERRUPTED),
    ("silence before the loop (table 216)", S.CABLE_CHECK, wait(60.1), "", "error", PARAMETERS),
    ("silence in the loop (table 216)", S.CHARGING, lambda it: (it.ask(dc_loop()), it.wait(2.1), None)[-1], "", "error",
     INTERRUPTED),
)  # fmt: skip


def id_of(row: Row) -> str:
    return row[0].replace(" ", "_")


def ends(it: Talk20, row: Row) -> None:
    """Let the row happen and look at what is left."""
    _, _, act, code, link, reason = row
    response = act(it)
    assert (str(response.ResponseCode) if response is not None else "") == code
    if code:
        assert it.closing
    names = it.end()
    if "start_cable_check" in names or "ac_close_contactor" in names:
        assert names.count("dc_open_contactor") + names.count("ac_open_contactor") == 1
    assert names.count("current_demand_started") == names.count("current_demand_finished")
    assert [name for name in names if name.startswith("dlink_")] == [f"dlink_{link}"]
    reasons = [str(value) for name, value in it.charger.published("hlc_session_failed")]
    assert reasons == ([reason] if reason else [])
    it.facts.stop_requested, it.facts.error = False, ""
    again = Talk20(it.facts, Iso20Settings())
    setup = again.ask(requests()["SessionSetupReq"])
    assert setup.ResponseCode == "OK_NewSessionEstablished"


@pytest.mark.parametrize("row", REFUSALS, ids=id_of)
def test_a_refusal_ends_the_session(row: Row) -> None:
    ends(talk20(row[1]), row)


@pytest.mark.parametrize("row", SCHEDULED_REFUSALS, ids=id_of)
def test_a_refusal_in_scheduled_control_ends_the_session(row: Row) -> None:
    ends(talk20(row[1], course=SCHEDULED), row)


@pytest.mark.parametrize("row", ENDS, ids=id_of)
def test_an_end_that_car_or_link_bring(row: Row) -> None:
    ends(talk20(row[1]), row)


AC_REFUSALS: tuple[Row, ...] = (
    ("parameters of both directions", S.CHARGE_PARAMETERS, ask(lambda: ac_parameters(bidirectional=True)),
     "FAILED_WrongChargeParameter", "terminate", PARAMETERS),
    ("another control mode in the loop", S.CHARGING, ask(lambda: ac_loop(dynamic=False)), "FAILED", "terminate",
     INTERRUPTED),
    ("an emergency in the loop", S.CHARGING, then(ac_loop, error=EvseError.Error_EmergencyShutdown), "FAILED",
     "terminate", NONE),
)  # fmt: skip


@pytest.mark.parametrize("row", AC_REFUSALS, ids=id_of)
def test_a_refusal_ends_an_ac_session(row: Row) -> None:
    ends(talk20_ac(row[1], course=Course(1)), row)


def test_a_contactor_that_does_not_close_ends_an_ac_session() -> None:
    it = talk20_ac(S.POWER_DELIVERY, course=Course(1))
    assert it.ask(power()) is None
    assert it.answer_in(it.wait(1.5)).ResponseCode == "FAILED_ContactorError"
    assert it.end()[-3:] == ["ac_open_contactor", "dlink_terminate", "hlc_session_failed"]


WARNINGS: tuple[tuple[str, S, Act, str], ...] = (
    ("standby that is not allowed", S.CHARGING, ask(lambda: power("Standby")), "WARNING_StandbyNotAllowed"),
    ("an authorization that is not offered", S.AUTHORIZATION, ask(lambda: requests_of_contract()),
     "WARNING_AuthorizationSelectionInvalid"),
    ("an authorization that is refused", S.AUTHORIZATION, then(lambda: requests()["AuthorizationReq"],
     authorized=False), "WARNING_EIMAuthorizationFailure"),
)  # fmt: skip


def requests_of_contract() -> Any:
    request = requests()["AuthorizationReq"]
    request.SelectedAuthorizationService = common.authorizationType.PnC
    return request


@pytest.mark.parametrize(("state", "act", "code"), [row[1:] for row in WARNINGS], ids=[row[0] for row in WARNINGS])
def test_a_warning_ends_nothing(state: S, act: Act, code: str) -> None:
    it = talk20(state, dc20_facts())
    assert act(it).ResponseCode == code
    assert it.session.state is state and not it.closing


@pytest.mark.parametrize(
    ("facts", "notification"),
    [
        ({"stop_requested": True}, "Terminate"),
        ({"error": EvseError.Error_Malfunction}, "Terminate"),
        ({"pause_requested": True}, "Pause"),
        ({"no_energy_pause": "PauseAfterPrecharge"}, "Pause"),
        ({"energy_transfer_modes": ["MCS"]}, "ServiceRenegotiation"),
    ],
)
def test_what_the_charger_wants_is_in_the_status_of_the_loop(facts: dict[str, Any], notification: str) -> None:
    it = talk20(S.CHARGING)
    assert it.ask(dc_loop()).EVSEStatus is None
    it.change(**facts)
    assert it.ask(dc_loop()).EVSEStatus.EVSENotification == notification
    assert it.ask(power("Stop")).ResponseCode == "OK"
    assert it.ask(welding()).ResponseCode == "OK"
    assert it.ask(stop()).ResponseCode == "OK"


def test_why_the_car_ends_is_published() -> None:
    it = talk20(S.STOPPED)
    it.ask(stop(code="BatteryHot", why="too warm to go on"))
    value = it.value("ev_termination")
    assert (value.ev_termination_code, value.ev_termination_explanation) == ("BatteryHot", "too warm to go on")
