"""The way of a token, on a station of two EVSEs (or one): who may begin, who ends, who waits, who is refused."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.authorization import AuthorizationType, SelectionAlgorithm, ValidationResultUpdate
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.modules.auth.machine import effects as do
from chargebyte_fw.modules.auth.machine import events
from tests.auth.helpers import ANY, Bench, id_token, provided, result, session_event

PLUG_EVENTS: dict[str, Any] = {"selection": SelectionAlgorithm.PlugEvents}
USED = ["Processing", "Accepted", "UsedToStart"]


# Beginning


def test_a_token_for_a_plugged_car_is_used_to_start() -> None:
    bench = Bench(**PLUG_EVENTS)
    bench.verdicts["A"] = [result(parent="GROUP")]
    bench.plug_in(2)
    bench.swipe("A")
    assert bench.says("A") == USED
    assert bench.authorized == [(2, "A", "Accepted")]
    assert bench.tokens[-1].connectors == [2]
    assert bench.tokens[-1].parent_id_token == id_token("GROUP")


def test_the_token_overtakes_the_plug_event() -> None:
    """Also in either order of the validator's answer."""
    bench = Bench(**PLUG_EVENTS)
    bench.swipe("A")
    assert bench.says("A") == ["Processing", "Accepted"]
    bench.pass_time(9.0)
    bench.plug_in(1)
    assert bench.says("A") == USED
    assert bench.authorized == [(1, "A", "Accepted")]


def test_the_plug_event_comes_while_the_token_is_validated() -> None:
    bench = Bench(**PLUG_EVENTS)
    bench.answering = False
    bench.swipe("A")
    bench.plug_in(2)
    assert bench.authorized == []
    bench.answer()
    assert bench.authorized == [(2, "A", "Accepted")]


@pytest.mark.parametrize("kind", [AuthorizationType.Autocharge, AuthorizationType.PlugAndCharge])
def test_a_token_of_the_car_itself_dies_with_its_plug_in(kind: AuthorizationType) -> None:
    """A back end that takes its time answers for the car that asked, not for the one that came meanwhile."""
    bench = Bench([ANY], **PLUG_EVENTS)
    bench.answering = False
    bench.plug_in(1)
    bench.feed(events.TokenPresented(provided("CAR-1", connectors=[1], kind=kind)))
    bench.feed(events.SessionEventReceived(1, session_event("SessionFinished")))
    assert bench.says("CAR-1") == ["Processing", "Withdrawn"]
    bench.plug_in(1)
    bench.feed(events.Validated(bench.asked[0], [result()]))
    assert bench.authorized == []


def test_a_token_of_the_driver_is_good_for_the_next_plug_in() -> None:
    """Who presents a card may plug in afterwards, or once more."""
    bench = Bench([ANY], **PLUG_EVENTS)
    bench.answering = False
    bench.plug_in(1)
    bench.swipe("A")
    bench.feed(events.SessionEventReceived(1, session_event("SessionFinished")))
    bench.plug_in(1)
    bench.answer()
    assert bench.authorized == [(1, "A", "Accepted")]


def test_what_comes_during_the_start_is_kept_in_order() -> None:
    bench = Bench(**PLUG_EVENTS)
    machine = type(bench.machine)(bench.machine.station.rules)
    assert machine.feed(events.TokenPresented(provided("A")), 0.0) == []
    effects = machine.feed(events.EvsesKnown({1: {1: ANY}}), 1.0)
    assert [type(effect) for effect in effects] == [Publish, do.ValidateToken]


def test_a_single_evse_is_authorized_before_the_car_comes_and_waits_for_it() -> None:
    bench = Bench([ANY], **PLUG_EVENTS)
    bench.swipe("A")
    assert bench.says("A") == USED
    bench.pass_time(9.9)
    assert bench.taken_back == []
    bench.pass_time(0.1)
    assert (bench.taken_back, bench.says("A")[-1]) == ([1], "TimedOut")
    bench.forget()
    bench.swipe("A")
    assert bench.says("A") == USED


def test_a_transaction_ends_the_connection_timeout() -> None:
    bench = Bench([ANY])
    bench.swipe("A")
    bench.begin_transaction(1)
    bench.pass_time(1000.0)
    assert (bench.taken_back, bench.says("A")) == ([], USED)


@pytest.mark.ocpp("C01.FR.26")
def test_a_token_that_no_car_comes_for_times_out_and_works_again() -> None:
    bench = Bench(**PLUG_EVENTS)
    bench.swipe("A")
    bench.pass_time(10.0)
    assert bench.says("A") == ["Processing", "Accepted", "TimedOut"]
    bench.plug_in(1)
    assert bench.authorized == []
    bench.swipe("A")
    assert bench.authorized == [(1, "A", "Accepted")]


def test_swiping_again_while_waiting_is_rejected_and_disturbs_nothing() -> None:
    bench = Bench(**PLUG_EVENTS)
    bench.swipe("A")
    bench.swipe("a")
    assert bench.said[-1] == ("a", "Rejected")
    bench.plug_in(1)
    assert bench.says("A") == USED


def test_a_swipe_while_the_evse_is_told_is_rejected() -> None:
    bench = Bench([ANY])
    bench.confirming = False
    bench.swipe("A")
    bench.swipe("A")
    assert bench.says("A") == ["Processing", "Accepted", "Rejected"]
    bench.confirm()
    assert bench.says("A")[-1] == "UsedToStart"


def test_three_tokens_and_one_car() -> None:
    bench = Bench(**PLUG_EVENTS)
    for value in "ABC":
        bench.swipe(value)
    bench.plug_in(1)
    bench.begin_transaction(1)
    bench.pass_time(10.0)
    assert [bench.says(value)[-1] for value in "ABC"] == ["UsedToStart", "TimedOut", "TimedOut"]


def test_two_tokens_and_two_cars() -> None:
    bench = Bench(**PLUG_EVENTS)
    bench.plug_in(2)
    bench.plug_in(1)
    bench.swipe("A")
    bench.swipe("B")
    assert bench.authorized == [(2, "A", "Accepted"), (1, "B", "Accepted")]


def test_lifo_takes_the_latest_car() -> None:
    bench = Bench(selection=SelectionAlgorithm.PlugEventsLIFO)
    bench.plug_in(2)
    bench.plug_in(1)
    bench.swipe("A")
    assert bench.authorized == [(1, "A", "Accepted")]


@pytest.mark.parametrize(("plugged", "chosen"), [([], 1), ([2], 2), ([2, 1], 1)])
def test_find_first_takes_a_plugged_evse_or_else_the_first_free(plugged: list[int], chosen: int) -> None:
    bench = Bench()
    for evse_id in plugged:
        bench.plug_in(evse_id)
    bench.swipe("A")
    assert bench.authorized == [(chosen, "A", "Accepted")]


def test_with_user_input_the_token_names_its_evse() -> None:
    bench = Bench(selection=SelectionAlgorithm.UserInput)
    bench.plug_in(1)
    bench.swipe("A")
    assert bench.says("A")[-1] == "Rejected"
    bench.swipe("A", connectors=[2])
    assert bench.authorized == [(2, "A", "Accepted")]


def test_an_unplugged_car_is_not_waited_for() -> None:
    bench = Bench(**PLUG_EVENTS)
    bench.plug_in(1)
    bench.unplug(1)
    bench.plug_in(2)
    bench.swipe("A")
    assert bench.authorized == [(2, "A", "Accepted")]


@pytest.mark.parametrize(("connectors", "chosen"), [([2], 2), ([2, 7], 2), ([2, 1], 2)])
def test_a_token_that_names_evses_is_used_there(connectors: list[int], chosen: int) -> None:
    bench = Bench()
    bench.swipe("A", connectors=connectors)
    assert bench.authorized == [(chosen, "A", "Accepted")]


def test_one_token_begins_at_each_evse_that_it_names() -> None:
    bench = Bench()
    for evse_id in (1, 2):
        bench.feed(events.TokenPresented(provided("A", connectors=[evse_id], kind=AuthorizationType.OCPP)))
        bench.plug_in(evse_id)
        bench.begin_transaction(evse_id)
    assert bench.authorized == [(1, "A", "Accepted"), (2, "A", "Accepted")]


def test_a_token_for_an_evse_that_is_not_there_is_rejected() -> None:
    bench = Bench()
    bench.swipe("A", connectors=[7])
    assert bench.says("A") == ["Processing", "Rejected"]


def test_a_second_token_is_rejected_while_the_only_evse_is_promised_to_the_first() -> None:
    bench = Bench([ANY])
    bench.swipe("A")
    bench.swipe("B")
    assert bench.says("B") == ["Processing", "Rejected"]


# Validation


@pytest.mark.parametrize("status", ["Blocked", "Expired", "Invalid", "Unknown", "NoCredit"])
def test_what_no_validator_grants_is_rejected(status: str) -> None:
    bench = Bench()
    bench.verdicts["A"] = [result(status), result("Unknown")]
    bench.plug_in(1)
    bench.swipe("A")
    assert (bench.says("A"), bench.authorized) == (["Processing", "Rejected"], [])


def test_one_validator_that_grants_is_enough() -> None:
    bench = Bench()
    bench.verdicts["A"] = [result("Unknown"), result(parent="G")]
    bench.swipe("A")
    assert (bench.says("A"), bench.results[0].parent_id_token) == (USED, id_token("G"))


def test_a_car_that_waits_for_plug_and_charge_hears_of_the_refusal() -> None:
    bench = Bench()
    bench.verdicts["EMAID"] = [result("Invalid")]
    bench.plug_in(1)
    bench.swipe("EMAID", connectors=[1], kind=AuthorizationType.PlugAndCharge)
    assert bench.authorized == [(1, "EMAID", "Invalid")]
    assert bench.says("EMAID") == ["Processing", "Rejected"]


CONTRACT = AuthorizationType.PlugAndCharge


def test_a_contract_refused_before_its_validation_is_answered_at_once() -> None:
    bench = Bench()
    assert bench.reserve(1, evse=1) == "Accepted"
    bench.plug_in(1)
    bench.swipe("EMAID", connectors=[1], kind=CONTRACT)
    assert (bench.asked, bench.says("EMAID")) == ([], ["Processing", "Rejected"])
    assert bench.authorized == [(1, "EMAID", "NotAtThisTime")]


def test_a_contract_that_is_in_use_at_another_evse_is_answered_at_once() -> None:
    bench = Bench(**PLUG_EVENTS)
    bench.answering = False
    bench.plug_in(1)
    bench.swipe("EMAID", connectors=[1], kind=CONTRACT)
    bench.swipe("EMAID", connectors=[1], kind=CONTRACT)
    assert bench.authorized == [], "at the same EVSE the answer is on its way"
    bench.plug_in(2)
    bench.swipe("emaid", connectors=[2], kind=CONTRACT)
    assert bench.authorized == [(2, "emaid", "ConcurrentTx")]
    bench.answer()
    assert bench.authorized[-1] == (1, "EMAID", "Accepted")


def test_a_contract_at_an_evse_that_is_not_free_is_answered_at_once() -> None:
    bench = Bench()
    bench.charge(1, "CARD")
    bench.swipe("EMAID", connectors=[1], kind=CONTRACT)
    assert bench.authorized[-1] == (1, "EMAID", "NotAtThisTime") and bench.says("EMAID")[-1] == "Rejected"


def test_a_contract_that_is_withdrawn_is_answered_unless_its_car_has_gone() -> None:
    bench = Bench()
    bench.answering = False
    bench.plug_in(1)
    bench.swipe("EMAID", connectors=[1], kind=CONTRACT)
    bench.withdraw(evse_id=1)
    assert bench.authorized == [(1, "EMAID", "NotAtThisTime")]
    bench.swipe("EMAID", connectors=[1], kind=CONTRACT)
    bench.unplug(1)
    assert len(bench.authorized) == 1


def test_a_prevalidated_token_is_not_validated() -> None:
    bench = Bench()
    bench.swipe("A", prevalidated=True)
    assert (bench.asked, bench.says("A")) == ([], USED)


@pytest.mark.ocpp("C01.FR.21")
def test_a_result_for_other_evses_is_downgraded() -> None:
    bench = Bench()
    bench.verdicts["A"] = [result(evse_ids=[3])]
    bench.plug_in(2)
    bench.swipe("A")
    assert bench.authorized == [(2, "A", "NotAtThisLocation")]
    assert bench.says("A")[-1] == "Rejected"
    assert bench.machine.station.evses[2].available


def test_a_result_for_one_evse_leads_there() -> None:
    bench = Bench()
    bench.verdicts["A"] = [result(evse_ids=[2])]
    bench.swipe("A")
    assert bench.authorized == [(2, "A", "Accepted")]


def test_the_next_result_is_tried_when_the_first_is_for_other_evses() -> None:
    bench = Bench()
    bench.verdicts["A"] = [result(evse_ids=[3]), result(parent="G")]
    bench.plug_in(1)
    bench.swipe("A")
    assert [status for *_, status in bench.authorized] == ["NotAtThisLocation", "Accepted"]
    assert bench.says("A")[-1] == "UsedToStart"


def test_an_evse_that_does_not_take_the_authorization_is_free_again() -> None:
    bench = Bench([ANY])
    bench.refusing = {1}
    bench.swipe("A")
    assert bench.says("A") == ["Processing", "Accepted", "Rejected"]
    bench.refusing = set()
    bench.swipe("A")
    assert bench.says("A")[-1] == "UsedToStart"


@pytest.mark.parametrize(("status", "said", "taken_back"), [("Accepted", "Accepted", []), ("Invalid", "Rejected", [1])])
def test_a_validator_may_change_its_mind(status: str, said: str, taken_back: list[int]) -> None:
    bench = Bench([ANY])
    bench.swipe("A")
    bench.forget()
    bench.feed(
        events.ValidationUpdated(ValidationResultUpdate(validation_result=result(status, parent="NEW"), connector_id=1))
    )
    assert (bench.says("A"), bench.taken_back) == ([said], taken_back)
    assert bench.tokens[-1].parent_id_token == id_token("NEW")


def test_a_late_refusal_leaves_a_running_transaction_to_the_one_who_refuses() -> None:
    bench = Bench([ANY])
    bench.charge(1, "A")
    bench.feed(events.ValidationUpdated(ValidationResultUpdate(validation_result=result("Blocked"), connector_id=1)))
    assert (bench.said, bench.stopped, bench.taken_back) == ([("A", "Rejected")], [], [])


# Ending


@pytest.mark.parametrize("value", ["A", "a"])
@pytest.mark.ocpp("C01.FR.03", "C09.FR.07", "E07.FR.01", "E08.FR.01")
def test_the_same_token_ends_its_transaction_whatever_its_letter_case(value: str) -> None:
    bench = Bench(**PLUG_EVENTS)
    bench.charge(2, "A")
    bench.swipe(value)
    assert (bench.stopped, bench.says(value)) == ([(2, "Local")], ["Processing", "UsedToStop"])
    assert bench.tokens[-1].connectors == [2]
    bench.end_transaction(2)
    bench.unplug(2)
    assert bench.machine.station.evses[2].available


def test_only_a_card_ends_a_transaction_by_being_shown_again() -> None:
    bench = Bench([ANY])
    bench.charge(1, "A")
    bench.swipe("A", kind=AuthorizationType.OCPP)
    assert (bench.stopped, bench.says("A")) == ([], ["Processing", "Rejected"])


def test_with_the_option_off_the_same_token_only_reauthorizes() -> None:
    bench = Bench([ANY], stop_on_reswipe=False)
    bench.verdicts.update({"A": [result(parent="G")], "B": [result(parent="G")]})
    bench.charge(1, "A")
    for value in "AB":
        bench.swipe(value)
        assert (bench.stopped, bench.says(value)[-1]) == ([], "UsedToReauthorize")


def test_an_evse_with_nothing_to_stop_leaves_the_token_rejected() -> None:
    bench = Bench([ANY])
    bench.charge(1, "A")
    bench.refusing = {1}
    bench.swipe("A")
    assert bench.says("A") == ["Processing", "Rejected"]


def family(**rules: Any) -> Bench:
    bench = Bench(**rules)
    bench.verdicts.update({"A": [result(parent="FAMILY")], "B": [result(parent="family")]})
    bench.charge(1, "A")
    return bench


@pytest.mark.ocpp("C09.FR.03", "E08.FR.02")
def test_a_token_of_the_group_ends_the_transaction_when_stopping_comes_first() -> None:
    bench = family(prioritize_authorization=False)
    bench.swipe("B")
    assert (bench.stopped, bench.says("B")) == ([(1, "Local")], ["Processing", "UsedToStop"])


def test_a_token_of_the_group_begins_at_a_free_evse_when_beginning_comes_first() -> None:
    bench = family()
    bench.swipe("B")
    assert (bench.stopped, bench.authorized) == ([], [(2, "B", "Accepted")])


def test_a_token_of_the_group_ends_the_transaction_when_nothing_is_free() -> None:
    bench = family()
    bench.charge(2, "C")
    bench.swipe("B")
    assert (bench.stopped, bench.says("B")[-1]) == ([(1, "Local")], "UsedToStop")


def test_a_stranger_ends_nothing() -> None:
    bench = family()
    bench.charge(2, "C")
    bench.swipe("D")
    assert (bench.stopped, bench.says("D")) == ([], ["Processing", "Rejected"])


def test_the_group_s_own_token_ends_the_transaction_too() -> None:
    """A card whose identifier is the group's: no validation is needed."""
    bench = family()
    bench.swipe("FAMILY")
    assert (bench.stopped, bench.says("FAMILY")) == ([(1, "Local")], ["Processing", "UsedToStop"])


@pytest.mark.parametrize("stop_on_reswipe", [True, False])
@pytest.mark.ocpp("C16.FR.02")
def test_the_master_pass_ends_every_transaction(stop_on_reswipe: bool) -> None:
    bench = Bench(master_pass="MASTER", stop_on_reswipe=stop_on_reswipe)
    bench.charge(1, "A")
    bench.charge(2, "B")
    bench.verdicts["M"] = [result(parent="master")]
    bench.swipe("M")
    assert bench.stopped == [(1, "MasterPass"), (2, "MasterPass")]
    assert bench.says("M") == ["Processing", "UsedToStop"]


@pytest.mark.parametrize("prioritize", [True, False])
@pytest.mark.ocpp("C16.FR.03", "C12.FR.09")
def test_the_master_pass_begins_nothing(prioritize: bool) -> None:
    bench = Bench(master_pass="MASTER", prioritize_authorization=prioritize)
    bench.verdicts["M"] = [result(parent="MASTER")]
    bench.plug_in(1)
    bench.swipe("M")
    assert (bench.authorized, bench.says("M")) == ([], ["Processing", "Rejected"])


def test_the_master_pass_can_be_set_while_running() -> None:
    bench = Bench([ANY])
    bench.verdicts["M"] = [result(parent="MASTER")]
    bench.charge(1, "A")
    bench.swipe("M")
    assert bench.stopped == []
    bench.feed(events.SetMasterPassGroup("MASTER"))
    bench.swipe("M")
    assert bench.stopped == [(1, "MasterPass")]


def test_a_transaction_begun_without_us_can_be_ended_by_its_token() -> None:
    bench = Bench([ANY])
    bench._holders[1] = provided("A")
    bench.begin_transaction(1)
    bench.swipe("A")
    assert bench.stopped == [(1, "Local")]


# Withdrawing


def test_a_grant_that_was_not_used_is_withdrawn() -> None:
    bench = Bench([ANY])
    bench.swipe("A")
    assert bench.withdraw(evse_id=1) == "Accepted"
    assert (bench.taken_back, bench.says("A")[-1]) == ([1], "Withdrawn")
    assert bench.machine.station.evses[1].available
    bench.pass_time(100.0)
    assert bench.taken_back == [1]


@pytest.mark.parametrize("args", [{}, {"value": "a"}, {"evse_id": 1}, {"evse_id": 1, "value": "A"}])
def test_a_transaction_is_stopped(args: dict[str, Any]) -> None:
    bench = Bench([ANY])
    bench.charge(1, "A")
    assert bench.withdraw(**args) == "Accepted"
    assert bench.stopped == [(1, "DeAuthorized")]


@pytest.mark.parametrize("stage", ["validating", "waiting"])
def test_a_token_on_its_way_is_withdrawn(stage: str) -> None:
    bench = Bench(**PLUG_EVENTS)
    bench.answering = stage == "waiting"
    bench.swipe("A")
    assert bench.withdraw(value="A") == "Accepted"
    assert bench.says("A")[-1] == "Withdrawn"
    bench.plug_in(1)
    if stage == "validating":
        bench.feed(events.Validated(bench.asked[0], [result()]))
    assert bench.authorized == []


def test_a_token_for_several_evses_goes_on_with_the_others() -> None:
    bench = Bench(**PLUG_EVENTS)
    bench.swipe("A")
    assert bench.withdraw(evse_id=1) == "Accepted"
    bench.plug_in(2)
    assert bench.authorized == [(2, "A", "Accepted")]


def test_withdrawn_while_the_evse_is_told_it_is_not_used() -> None:
    bench = Bench([ANY])
    bench.confirming = False
    bench.swipe("A")
    assert bench.withdraw() == "Accepted"
    bench.confirm()
    assert (bench.taken_back, bench.says("A")) == ([1], ["Processing", "Accepted", "Withdrawn"])


@pytest.mark.parametrize(
    ("args", "answer"),
    [
        ({"evse_id": 7}, "EvseNotFound"),
        ({"evse_id": 2}, "AuthorizationNotFound"),
        ({"value": "B"}, "AuthorizationNotFound"),
        ({"evse_id": 1, "value": "B"}, "AuthorizationNotFound"),
    ],
)
def test_what_is_not_there_is_not_withdrawn(args: dict[str, Any], answer: str) -> None:
    bench = Bench()
    bench.plug_in(1)
    bench.swipe("A")
    assert bench.withdraw(**args) == answer
    bench.pass_time(10.0)
    assert bench.says("A")[-1] == "TimedOut"


# Sessions


@pytest.mark.parametrize("out", ["Disabled", "fault"])
def test_an_evse_that_is_out_of_order_is_not_used(out: str) -> None:
    bench = Bench()

    def put(away: bool) -> None:
        if out == "fault":
            bench.feed(events.InoperativeChanged(1, away))
        else:
            bench.event(1, "Disabled" if away else "Enabled")

    put(True)
    bench.swipe("A")
    assert bench.authorized == [(2, "A", "Accepted")]
    bench.swipe("B")
    assert bench.says("B") == ["Processing", "Rejected"]
    put(False)
    bench.swipe("B")
    assert bench.authorized[-1] == (1, "B", "Accepted")


def test_disabled_and_faulted_at_once_counts_as_out_of_order() -> None:
    bench = Bench([ANY])
    bench.event(1, "Disabled")
    bench.feed(events.InoperativeChanged(1, True))
    bench.swipe("A")
    assert bench.says("A")[-1] == "Rejected"


def test_faults_can_be_ignored_by_configuration() -> None:
    bench = Bench([ANY], ignore_faults=True)
    bench.feed(events.InoperativeChanged(1, True))
    bench.swipe("A")
    assert bench.says("A")[-1] == "UsedToStart"


def test_an_evse_is_free_again_only_after_the_session() -> None:
    bench = Bench([ANY])
    bench.charge(1, "A")
    bench.end_transaction(1)
    bench.swipe("B")
    assert bench.says("B")[-1] == "Rejected"
    bench.unplug(1)
    bench.swipe("B")
    assert bench.says("B")[-1] == "UsedToStart"


def test_disabled_in_a_session_stays_disabled_after_it() -> None:
    bench = Bench([ANY])
    bench.charge(1, "A")
    bench.event(1, "Disabled")
    bench.end_transaction(1)
    bench.unplug(1)
    bench.swipe("B")
    assert bench.says("B")[-1] == "Rejected"
    bench.event(1, "Enabled")
    bench.swipe("B")
    assert bench.says("B")[-1] == "UsedToStart"


def test_unplugged_before_the_transaction_the_authorization_is_over() -> None:
    bench = Bench([ANY])
    bench.plug_in(1)
    bench.swipe("A")
    bench.unplug(1)
    assert (bench.says("A")[-1], bench.taken_back) == ("Withdrawn", [])
    bench.swipe("A")
    assert bench.says("A")[-1] == "UsedToStart"


def test_the_end_of_the_session_before_does_not_touch_a_new_authorization() -> None:
    """The car is unplugged while the EVSE is being told: the authorization is for the next one."""
    bench = Bench([ANY])
    bench.plug_in(1)
    bench.confirming = False
    bench.swipe("A")
    bench.unplug(1)
    bench.event(1, "Deauthorized")
    bench.confirm()
    assert bench.says("A")[-1] == "UsedToStart"
    bench.pass_time(10.0)
    assert (bench.says("A")[-1], bench.taken_back) == ("TimedOut", [1])


def test_a_transaction_may_begin_before_the_evse_has_confirmed() -> None:
    bench = Bench([ANY])
    bench.confirming = False
    bench.plug_in(1)
    bench.swipe("A")
    bench.begin_transaction(1)
    bench.confirm(taken=False)
    assert bench.says("A")[-1] == "UsedToStart"


def test_deauthorized_by_the_evse_the_token_can_be_used_again() -> None:
    bench = Bench([ANY])
    bench.swipe("A")
    bench.event(1, "Deauthorized")
    bench.swipe("A")
    assert bench.says("A")[-1] == "UsedToStart"


def test_a_car_without_token_must_be_unplugged_after_the_plug_in_timeout() -> None:
    bench = Bench(plug_in_timeout=True, **PLUG_EVENTS)
    bench.plug_in(1)
    bench.pass_time(10.0)
    assert bench.taken_back == [1]
    bench.swipe("A", connectors=[1])
    assert bench.says("A")[-1] == "Rejected"
    bench.unplug(1)
    bench.plug_in(1)
    bench.swipe("A")
    assert bench.authorized == [(1, "A", "Accepted")]


@pytest.mark.parametrize(
    "bench", [lambda: Bench(**PLUG_EVENTS), lambda: Bench([ANY], plug_in_timeout=True)], ids=["off", "one EVSE"]
)
def test_without_the_plug_in_timeout_a_car_may_wait_forever(bench: Any) -> None:
    station = bench()
    station.plug_in(1)
    station.pass_time(1000.0)
    station.swipe("A")
    assert station.authorized == [(1, "A", "Accepted")]


def test_another_connection_timeout_counts_from_the_next_timer_on() -> None:
    bench = Bench([ANY])
    bench.feed(events.SetConnectionTimeout(60.0))
    bench.swipe("A")
    bench.pass_time(59.0)
    assert bench.taken_back == []
    bench.pass_time(1.0)
    assert bench.taken_back == [1]


def test_no_note_shows_what_a_token_says() -> None:
    bench = Bench([ANY])
    notes = []
    for event in (events.TokenPresented(provided("SECRET")), events.TokenPresented(provided("SECRET"))):
        for effect in bench.machine.feed(event, 0.0):
            notes += [effect.text] if isinstance(effect, do.Log) else []
    assert notes
    assert not any("SECRET" in note for note in notes)


def test_a_session_that_ends_without_its_transaction_ending_withdraws_nothing() -> None:
    bench = Bench([ANY])
    bench.charge(1, "A")
    bench.unplug(1)
    assert (bench.said, bench.machine.station.evses[1].available) == ([], True)
