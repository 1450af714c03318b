"""The picture of a charger from recorded traffic of C++ EVerest, and from what is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.types.energy import EnergyFlowRequest, EnforcedLimits
from chargebyte_fw.manager.status.answer import Answer, ModuleFacts, ProcessFacts
from chargebyte_fw.manager.status.collector import Collector
from chargebyte_fw.manager.status.limits import limits_of
from chargebyte_fw.manager.status.model import Help, LinkState, ModuleState, State
from tests.manager.status.recorded import collected, messages

AT = datetime(2026, 11, 22, 12, 58, 32, tzinfo=UTC)


def test_a_car_that_charges_by_dc_at_a_charger_of_everest() -> None:
    collector = collected("everest-dc", 41.0)
    assert collector.api.complete
    status = collector.status(AT)
    (evse,) = status.evses
    assert (evse.id, evse.number, evse.evse_id) == ("evse_manager", 1, "DE*PNX*E12345*1")
    assert (evse.state, evse.help, evse.protocol) == (State.Charging, Help.nothing, "ISO15118-2-2013")
    assert (evse.voltage_V, evse.current_A, evse.power_W) == ({"DC": 400.0}, {"DC": 20.0}, 8000.0)
    assert evse.car is not None and evse.car.evcc_id == "56:2F:33:97:B3:74"
    session = evse.session
    assert session is not None and session.since == "2026-11-22T12:58:10.980Z" and session.authorized_by == "RFID"
    assert session.energy_Wh and session.duration_s and 15 < session.duration_s < 25
    held = {limit.quantity: (limit.value, limit.who) for limit in evse.limits if limit.rules}
    assert held["current"] == (32.0, "the fuse of api_sink and the board's hardware")
    assert {"the fuse of grid_connection_point", "the power supply"} <= {limit.who for limit in evse.limits}
    assert [(link.name, link.state) for link in status.links] == [("PLC", LinkState.up), ("broker", LinkState.up)]
    assert len(status.modules) == 19 and {module.state for module in status.modules} == {ModuleState.seen}
    assert status.faults == [] and not status.blocked


@pytest.mark.parametrize(
    ("until_s", "state", "help_"),
    [
        (18.6, State.Unplugged, Help.plug_in),
        (19.5, State.AuthRequired, Help.authorize),
        (60.0, State.Finished, Help.unplug),
    ],
)
def test_what_would_help_follows_the_session(until_s: float, state: State, help_: Help) -> None:
    (evse,) = collected("everest-dc", until_s).status(AT).evses
    assert (evse.state, evse.help) == (state, help_)


def test_the_api_alone_is_enough_for_the_session() -> None:
    collector = Collector("broker:1883")
    for topic, payload in messages("everest-dc", 41.0):
        if topic.startswith("everest_api/"):
            collector.take_topic(topic, payload)
    (evse,) = collector.status(AT).evses
    assert (evse.state, evse.protocol, evse.power_W) == (State.Charging, "ISO15118-2-2013", 8000.0)
    assert [(limit.quantity, limit.value) for limit in evse.limits] == [("current", 32.0), ("phases", 3)]


def test_a_fault_has_its_time_its_advice_and_what_follows_from_it_comes_last() -> None:
    status = collected("everest-ac-rcd").status(AT + timedelta(minutes=5))
    assert [fault.type for fault in status.faults] == ["ac_rcd/DC", "evse_manager/Inoperative"]
    first = status.faults[0]
    assert first.blocks and first.module == "connector_1_powerpath" and first.since.startswith("2026-11-22T13:01:55")
    assert first.advice.startswith("unplug") and first.for_s is not None and first.for_s > 60
    (evse,) = status.evses
    assert (evse.state, evse.help) == (State.ChargingPausedEVSE, Help.unplug) and "ac_rcd/DC" in evse.help_text
    assert status.blocked


GARBAGE = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"data": 5}',
    b'{"data": {"data": []}}',
    b"\xff\xfe",
    b'{"data": {"data": null}}',
)


def test_what_is_no_message_of_everest_changes_nothing() -> None:
    collector = collected("everest-dc", 41.0)
    before = collector.status(AT)
    topics = {topic for topic, _ in messages("everest-dc")}
    for topic in (
        *topics,
        "everest_api/",
        "everest_api/x/var/session_info",
        "everest/modules/a",
        "everest/",
        "x",
        "everest/secc/status",
    ):
        if topic.rpartition("/")[2] in ("selected_protocol", "connection_status"):
            continue  # plain text
        for payload in GARBAGE:
            if not (topic.startswith("everest_api/") and payload in (b"[]", b"null")):
                collector.take_topic(topic, payload)
    after = collector.status(AT)
    assert after.evses[0].state is before.evses[0].state and after.faults == before.faults


def variable(module: str, name: str, value: Any) -> tuple[str, bytes]:
    topic = f"everest/modules/{module}/impl/main/var/{name}"
    return topic, json.dumps({"msg_type": "Var", "data": {"data": value}}).encode()


def order(board: str, command: str, user: str, **args: Any) -> tuple[str, bytes]:
    data = {"id": "1", "origin": user, "args": args}
    return f"everest/modules/{board}/impl/main/cmd/{command}", json.dumps({"msg_type": "Cmd", "data": data}).encode()


def test_the_pilot_of_an_everest_is_what_its_board_reports_and_is_ordered() -> None:
    collector = collected("everest-dc", 41.0)
    assert collector.status(AT).evses[0].pilot == "", "its events came before"
    for message, pilot in (
        (variable("yeti_driver", "event", {"event": "B"}), ("B", None)),
        (order("yeti_driver", "pwm_on", "evse_manager", value=5.0), ("B", 5.0)),
        (variable("yeti_driver", "event", {"event": "C"}), ("C", 5.0)),
        (variable("yeti_driver", "event", {"event": "PowerOn"}), ("C", 5.0)),
        (variable("yeti_driver", "event", {"event": "a state of tomorrow"}), ("C", 5.0)),
        (order("yeti_driver", "pwm_on", "evse_manager", value="much"), ("C", None)),
        (order("yeti_driver", "cp_state_X1", "evse_manager"), ("C", 100.0)),
        (order("yeti_driver", "cp_state_F", "evse_manager"), ("C", None)),
        (variable("yeti_driver", "event", {"event": "F"}), ("F", None)),
    ):
        collector.take_topic(*message)
        (evse,) = collector.status(AT).evses
        assert (evse.pilot, evse.pwm_percent) == pilot


def test_of_several_boards_each_is_of_the_evse_that_orders_from_it() -> None:
    collector = Collector("broker:1883")
    for number in (1, 2):
        collector.take_topic(*variable(f"evse_{number}", "evse_id", f"DE*{number}"))
        collector.take_topic(*variable(f"board_{number}", "event", {"event": "BC"[number - 1]}))
    assert [one.pilot for one in collector.status(AT).evses] == ["", ""]
    collector.take_topic(*order("board_2", "pwm_on", "evse_1", value=10))
    assert [(one.pilot, one.pwm_percent) for one in collector.status(AT).evses] == [("C", 10.0), ("", None)]


def test_a_charger_of_this_product_answers_for_itself_over_the_broker() -> None:
    collector = collected("everest-dc", 41.0)
    own = ModuleFacts("connector", "EvseManager", interfaces={"evse": "evse_manager"}, own={"state": "Charging"})
    cloud = ProcessFacts("cloud", "group", 12, restarts=2, memory_MB=41.04, memory_limit_MB=160, modules=1)
    answer = Answer(
        "2026-11-22T13:00:00.000Z", ready=True, modules=[own], processes=[cloud], csms={"state": "connected"}
    )
    payload = msgspec.json.encode(answer)
    collector.take_topic("everest/secc/status", b"{}", 9.0)
    assert collector.status(AT).processes == [], "the charger looks whether someone is there"
    collector.take_topic("everest/secc/status", payload, 10.0)
    for topic, later in messages("everest-ac-rcd"):
        collector.take_topic(topic, later, 14.0)
    status = collector.status(AT)
    assert status.time == "2026-11-22T13:00:00.000Z" and [one.id for one in status.evses] == ["connector"]
    assert [(one.name, one.restarts, one.memory_MB) for one in status.processes] == [("cloud", 2, 41.0)]
    assert status.faults == [] and [(link.name, link.state) for link in status.links] == [("CSMS", LinkState.up)]
    # It has ended, and another charger is on this broker.
    for topic, later in messages("everest-ac-rcd"):
        collector.take_topic(topic, later, 15.5)
    status = collector.status(AT)
    assert [one.id for one in status.evses] == ["connector_1"] and status.processes == [] and len(status.faults) == 2


def test_modules_of_others_with_the_same_names_make_no_evse() -> None:
    collector = Collector("broker:1883")
    for name in ("ev_info", "powermeter", "selected_protocol", "countdown"):
        message = {"msg_type": "Var", "data": {"data": {}}}
        collector.take_topic(f"everest/modules/x/impl/main/var/{name}", json.dumps(message).encode())
    assert not collector.knows_a_charger


def request(uuid: str, children: list[Any], *limits: tuple[str, float, str]) -> EnergyFlowRequest:
    entries = [
        {
            "timestamp": at,
            "limits_to_leaves": {},
            "limits_to_root": {"ac_max_current_A": {"value": value, "source": source}},
        }
        for at, value, source in limits
    ]
    given = {
        "uuid": uuid,
        "node_type": "Generic",
        "children": children,
        "schedule_export": [],
        "schedule_setpoints": [],
    }
    return msgspec.convert({**given, "schedule_import": entries}, EnergyFlowRequest)


def test_a_limit_of_a_schedule_has_its_end() -> None:
    leaf = request("evse", [], ("2026-11-22T12:00:00Z", 32.0, "evse/evse_board_support_caps"))
    root = request(
        "grid",
        [msgspec.to_builtins(leaf)],
        ("2026-11-22T12:00:00Z", 10.0, "API_module"),
        ("2026-11-22T12:30:00Z", 10.0, "API_module"),
        ("2026-11-22T13:00:00Z", 20.0, "API_module"),
    )
    held = {"ac_max_current_A": {"value": 10.0, "source": "API_module"}}
    enforced = msgspec.convert(
        {"uuid": "evse", "valid_for": 10, "schedule": [], "limits_root_side": held}, EnforcedLimits
    )
    found = limits_of("evse", {"evse": leaf, "grid": root}, enforced, AT)
    assert [(one.value, one.who, one.rules, one.until, one.ends_in_s) for one in found] == [
        (10.0, "the MQTT API", True, "2026-11-22T13:00:00.000Z", 88.0),
        (32.0, "the board's hardware", False, "", None),
    ]


def test_an_error_whose_end_was_missed_ends_with_the_lists_of_the_api() -> None:
    collector = collected("everest-ac-rcd")
    assert len(collector.status(AT).faults) == 2
    collector.take_topic("everest_api/errors/var/active_errors", b"[]")
    collector.take_topic("everest_api/errors/var/active_errors", b"{}")
    collector.take_topic("everest_api/errors/var/active_errors", b"[]")
    assert collector.status(AT).faults == []
