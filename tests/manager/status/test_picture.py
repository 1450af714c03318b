"""The picture of what a charger answers: several EVSEs, what concerns which, links, modules that do not run."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.evse_status import EvseStatus
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.manager.status.answer import Answer, ModuleFacts, Value
from chargebyte_fw.manager.status.collector import Collector
from chargebyte_fw.manager.status.model import Help, LinkState, State, Status

AT = "2026-11-30T12:00:00.000Z"


def evse(number: int, **own: Any) -> ModuleFacts:
    return ModuleFacts(
        f"evse_{number}",
        "EvseManager",
        evse=number,
        group="charge",
        interfaces={"evse": "evse_manager"},
        connections={"slac": [f"slac_{number}"], "bsp": [f"bsp_{number}"]},
        own=EvseStatus(**{"state": "Charging", **own}),
    )


def fault(module: str, implementation: str, type: str, severity: str = "High", **more: Any) -> dict[str, Any]:
    origin = {"module_id": module, "implementation_id": implementation}
    return {
        "type": type,
        "sub_type": "",
        "message": "m",
        "severity": severity,
        "timestamp": AT,
        "origin": origin,
        **more,
    }


def picture(*modules: ModuleFacts, **more: Any) -> Status:
    collector = Collector("control")
    collector.take_answer(msgspec.to_builtins(Answer(AT, ready=True, modules=list(modules), **more)))
    return collector.status(utc_now())


def test_a_fault_of_one_evse_is_no_matter_of_the_other() -> None:
    stop = "evse_board_support/MREC8EmergencyStop"
    blocked = evse(2, state="PausedEVSE", blocking=[("bsp_2.board", stop)], paused=["Error"])
    faults = [
        fault("bsp_1", "board", "evse_board_support/VendorWarning", "Low"),
        fault("evse_2", "evse", "evse_manager/Inoperative"),
        fault("bsp_2", "board", stop),
    ]
    status = picture(evse(1), blocked, faults=faults)
    assert [(one.help, one.state) for one in status.evses] == [
        (Help.nothing, State.Charging),
        (Help.unplug, State.ChargingPausedEVSE),
    ]
    assert [(one.type.rpartition("/")[2], one.blocks) for one in status.faults] == [
        ("MREC8EmergencyStop", True),
        ("Inoperative", True),
        ("VendorWarning", False),
    ]
    assert status.blocked


@pytest.mark.parametrize(
    ("own", "state", "help_", "text"),
    [
        ({"state": "Unplugged"}, State.Unplugged, Help.plug_in, "free"),
        ({"state": "Unplugged", "reserved": True}, State.Reserved, Help.authorize, "reserved"),
        ({"state": "WaitForAuth"}, State.AuthRequired, Help.authorize, "token"),
        ({"state": "PrepareCharging", "limited_by": "0.00 A from API"}, State.Preparing, Help.wait, "0.00 A from API"),
        ({"state": "PausedEV"}, State.ChargingPausedEV, Help.wait, "the car pauses"),
        ({"state": "PausedEVSE", "paused": ["UserPause"]}, State.ChargingPausedEVSE, Help.resume, "resume_charging"),
        ({"state": "PausedEVSE", "paused": ["NoEnergy"]}, State.ChargingPausedEVSE, Help.wait, "NoEnergy"),
        ({"state": "Finished"}, State.Finished, Help.unplug, "over"),
        ({"state": "Disabled"}, State.Disabled, Help.enable, "enable_disable"),
        ({"state": "a state of tomorrow"}, State.Unknown, Help.wait, "not known"),
    ],
)
def test_each_state_has_what_would_help(own: dict[str, Any], state: State, help_: Help, text: str) -> None:
    (one,) = picture(evse(1, **own)).evses
    assert (one.state, one.help) == (state, help_) and text in one.help_text


def test_each_link_and_each_car_is_at_its_evse() -> None:
    others = [
        ModuleFacts("bsp_1", "CbChargeSOMDriver", interfaces={"board": "evse_board_support"}),
        ModuleFacts("bsp_2", "CbChargeSOMDriver", interfaces={"board": "evse_board_support"}),
        ModuleFacts("slac_1", "EvseSlac", interfaces={"main": "slac"}),
        ModuleFacts("slac_2", "EvseSlac", interfaces={"main": "slac"}),
    ]
    values = [
        Value("slac_1", "main", "state", "MATCHED"),
        Value("slac_1", "main", "dlink_ready", True),
        Value("slac_1", "main", "ev_mac_address", "00:B0:52:00:00:01"),
        Value("slac_2", "main", "state", "UNMATCHED"),
        Value("slac_2", "main", "ev_mac_address", "00:B0:52:00:00:02"),
    ]
    status = picture(
        evse(1),
        evse(2, state="WaitForAuth"),
        *others,
        values=values,
        faults=[fault("bsp_2", "board", "evse_board_support/CommunicationFault")],
        about={"safety controller": "0.4.1"},
        broker="localhost:1883",
        csms={"state": "pause before the next attempt", "url": "wss://csms", "last_reason": "no route"},
    )
    assert [one.car.mac if one.car else None for one in status.evses] == ["00:B0:52:00:00:01", ""]
    assert [(link.name, link.of, link.state) for link in status.links] == [
        ("MCU", "bsp_1", LinkState.up),
        ("MCU", "bsp_2", LinkState.down),
        ("PLC", "slac_1", LinkState.up),
        ("PLC", "slac_2", LinkState.idle),
        ("broker", "", LinkState.down),
        ("CSMS", "", LinkState.down),
    ]
    assert status.links[-1].text == "wss://csms, pause before the next attempt, no route"


def test_the_pilot_has_its_letter_and_the_pwm_where_there_is_one() -> None:
    for own, shown in (
        ({"pilot": "B", "pwm_percent": 26.666}, ("B", 26.7)),
        ({"pilot": "A", "pwm_percent": 100.0}, ("A", 100.0)),
        ({"pilot": "E", "pwm_percent": 10.0}, ("E", None)),
        ({"pilot": "F"}, ("F", None)),
        ({}, ("", None)),
    ):
        (one,) = picture(evse(1, **own)).evses
        assert (one.pilot, one.pwm_percent) == shown


def test_an_evse_of_others_has_the_letter_that_its_board_reports() -> None:
    program = ModuleFacts("evse_1", "EvseManager", program=True, interfaces={"evse": "evse_manager"})
    program.connections = {"bsp": ["bsp_1"]}
    values = [Value("bsp_1", "board", "event", {"event": "B"}), Value("bsp_2", "board", "event", {"event": "C"})]
    (one,) = picture(program, values=values).evses
    assert (one.pilot, one.pwm_percent) == ("B", None)


@pytest.mark.parametrize(
    ("departure", "shown"),
    [
        ("2026-11-30T12:00:00.001Z", "2026-11-30T12:00:00.001Z"),
        (AT, ""),
        ("2026-11-30T06:00:00Z", ""),
        ("soon", ""),
    ],
)
def test_a_departure_that_has_passed_is_not_shown(departure: str, shown: str) -> None:
    values = [Value("evse_1", "evse", "ev_info", {"evcc_id": "02:00:00:00:00:02", "departure_time": departure})]
    (one,) = picture(evse(1), values=values).evses
    assert one.car is not None and one.car.departure == shown


def test_a_module_that_is_given_up_calls_for_service() -> None:
    slac = ModuleFacts("slac_1", "EvseSlac", group="charge", state="out of service", reason="10 failures")
    api = ModuleFacts("api", "API", group="cloud", state="out of service", reason="10 failures")
    assert picture(evse(1), api).evses[0].help is Help.nothing and picture(evse(1), api).blocked
    (one,) = picture(evse(1), slac).evses
    assert one.help is Help.call_service and "slac_1 is out of service: 10 failures" in one.help_text


def test_another_kind_of_answer_is_an_error_in_words() -> None:
    with pytest.raises(ValueError, match="modules"):
        Collector("control").take_answer({"time": AT, "modules": "none"})
