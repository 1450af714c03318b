"""The demo's picture follows the reports; its screen shows them; its options are checked."""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from chargebyte_fw.cli import demo, demo_broker
from chargebyte_fw.cli.demo_keys import Keyboard
from chargebyte_fw.cli.demo_stage import Stage, Wanted
from chargebyte_fw.cli.demo_state import BASIC_STEPS, DemoState, steps_of
from chargebyte_fw.cli.demo_view import screen, summary
from chargebyte_fw.cli.table import Size
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.manager.mqtt import embedded
from chargebyte_fw.sim import net_cable


def drawn(what: Any, columns: int = 110) -> str:
    console = Console(width=columns, file=io.StringIO(), force_terminal=False)
    console.print(what)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def charging() -> DemoState:
    state = DemoState("iso2", 80.0)
    state.from_car({"soc_percent": 70.0})
    for step in state.steps[: state.steps.index("charging")]:
        state.from_car({"step": step})
    state.from_car({"soc_percent": 75.0, "voltage_V": 394.1, "current_A": 28.0, "power_W": 11034.8, "energy_Wh": 50.0})
    state.from_car({"message": "car → CurrentDemandReq", "contactor": "closed", "cp_state": "C", "duty_percent": 5.0})
    return state


def test_the_screen_shows_state_numbers_progress_and_messages() -> None:
    text = drawn(screen(charging()))
    for word in ("ISO 15118-2", "✓ precharge", "• charging", "394.1 V", "28.0 A", "11.03 kW", "50.0 Wh", "75.0 %"):
        assert word in text
    assert "CurrentDemandReq" in text and "closed" in text


def test_progress_runs_from_the_first_to_the_wanted_state_of_charge() -> None:
    state = charging()
    assert state.progress == 0.5
    state.from_car({"soc_percent": 90.0})
    assert state.progress == 1.0


def test_messages_of_a_loop_are_counted_and_not_repeated() -> None:
    state = charging()
    state.messages.clear()
    for _ in range(3):
        state.from_car({"message": "car → CurrentDemandReq  400 V  20.0 A"})
        state.from_car({"message": "charger → CurrentDemandRes", "count": 2})
    state.from_car({"message": "car → PowerDeliveryReq"})
    assert [message.count for message in state.messages] == [3, 6, 1]
    assert "(×6)" in drawn(screen(state))


def test_a_session_succeeds_only_when_the_car_charged_and_left() -> None:
    state = charging()
    state.from_car({"step": "charging"})
    assert not state.succeeded
    state.from_car({"finished": True})
    assert state.succeeded and "the car charged and left" in drawn(summary(state))
    state.from_car({"failure": "the charger closed the connection"})
    assert not state.succeeded and "the charger closed the connection" in drawn(summary(state))


def test_leaving_without_a_charge_is_no_success() -> None:
    state = DemoState("basic", 80.0, BASIC_STEPS)
    state.from_car({"step": "plugged in"})
    state.from_car({"step": "unplugged", "finished": True})
    assert not state.succeeded and "the session ended at" in drawn(summary(state))


def test_what_cut_a_charge_short_is_the_result() -> None:
    state = charging()
    state.from_charger("everest_api/connector/var/active_errors", '[{"type": "evse_board_support/MREC8EmergencyStop"}]')
    state.from_charger("everest_api/connector/var/active_errors", "[]")
    for step in ("charging", "unplugged"):
        state.from_car({"step": step})
    state.finished = True
    text = " ".join(drawn(summary(state)).split())
    assert not state.succeeded and "charged and left" not in text
    assert "cut short at 75.0 % by evse_board_support/MREC8EmergencyStop" in text


def test_the_last_session_and_all_sessions_are_counted_apart() -> None:
    state = charging()
    state.from_charger("everest_api/connector/var/powermeter", '{"energy_Wh_import": {"total": 10.0}}')
    state.from_charger("everest_api/connector/var/powermeter", '{"energy_Wh_import": {"total": 110.0}}')
    state.from_car({"energy_Wh": 100.0, "step": "charging"})
    state.from_car({"soc_percent": 80.0, "step": "unplugged"})
    state.finished = True
    state.next_session()
    state.from_car({"step": "plugged in", "soc_percent": 70.0})
    state.from_car({"step": "charging", "energy_Wh": 125.0})
    state.from_charger("everest_api/connector/var/powermeter", '{"energy_Wh_import": {"total": 136.0}}')
    last, _, everything = drawn(summary(state)).partition("All sessions")
    assert "number 2" in last and "still plugged in" in last and "25.0 Wh" in last and "26.0 Wh" in last
    assert "1 of 2 charged and left" in everything and "125.0 Wh" in everything and "126.0 Wh" in everything


SIZES = [Size(60, 24), Size(80, 24), Size(120, 24), Size(80, 16), Size(60, 60)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("protocol", ["basic", "iso20-dc-bpt"])
def test_the_screen_fits_the_terminal(protocol: str, size: Size) -> None:
    state = DemoState(protocol, 80.0, steps_of(protocol), ocpp="2.0.1" if protocol == "basic" else "")
    state.prompt, state.typed, state.hint = True, "uart cut 2", "\n".join(f"{'word ' * 30}{i}" for i in range(9))
    state.speaks, state.identity, state.service = (
        "ISO15118-20:DC",
        "DEKL2C1A2B3C4D5",
        "DC_BPT, Dynamic, as long as it is",
    )
    for number in range(20):
        state.from_car({"message": f"car → Message{number}Req " + "x" * 200})
        state.from_csms({"frame": f"station -> {number} " + "y" * 200})
    lines = drawn(screen(state, size), size.columns).rstrip("\n").split("\n")
    assert max(map(len, lines)) <= size.columns
    assert len(lines) <= size.lines
    assert any("Voltage" in line for line in lines) and "> uart cut 2" in lines[-1]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_summary_fits_the_terminal(columns: int) -> None:
    state = charging()
    state.from_car({"failure": "the charger closed the connection, " * 20})
    assert max(map(len, drawn(summary(state, columns), columns).split("\n"))) <= columns


def test_the_screen_at_60_columns_is_this_one() -> None:
    assert drawn(screen(charging(), Size(60, 20)), 60).split("\n")[:11] == [
        "╭──────────── chargebyte_fw · DC, ISO 15118-2 ─────────────╮",
        "│ ✓ plugged in → ✓ SLAC → ✓ SDP → ✓ V2G session →          │",
        "│ ✓ authorized → ✓ cable check → ✓ precharge →             │",
        "│ • charging → stopped → unplugged                         │",
        "│ Speaks –                                                 │",
        "│ Paid by –                                                │",
        "│ Price none announced                                     │",
        "│ Voltage  394.1 V                 Current   28.0 A        │",
        "│ Power  11.03 kW → car            Energy    50.0 Wh       │",
        "│ Pilot C, 5 %                     Contactor closed        │",
        "│ Charger starting                 Time     0.0 s          │",
    ]


def test_keys_edit_the_line_that_the_screen_draws() -> None:
    entered: list[str] = []
    keyboard = Keyboard(entered.append)
    keyboard.take("plugg\x7f")
    assert keyboard.line == "plug"
    keyboard.take("\r")
    keyboard.take("estop\x15un\x1b[Dplug\n")
    assert entered == ["plug", "unplug"] and keyboard.line == ""
    keyboard.take("\x1b[A\x1b[A")
    assert keyboard.line == "plug"
    keyboard.take("\x1b[B\x1b[B\x04")
    assert entered[-1] == "quit"


def test_the_echo_of_a_terminal_is_the_screens_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    entered: list[str] = []

    def echoes() -> bool:
        return bool(termios.tcgetattr(theirs)[3] & termios.ECHO)

    async def play() -> None:
        drawn = asyncio.Event()
        keyboard = Keyboard(entered.append, drawn.set)
        assert echoes() and keyboard.start(by_key=True) and not echoes()
        os.write(ours, b"plug\n")
        async with asyncio.timeout(10):
            await drawn.wait()
        keyboard.stop()
        assert echoes()

    with open(theirs, encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        asyncio.run(play())
    os.close(ours)
    assert entered == ["plug"]


def heard(monkeypatch: pytest.MonkeyPatch, descriptor: int, *, until: int = 1) -> tuple[list[str], int]:
    """Return the lines that come from this standard input, and how often it has ended; `until` so much has happened."""
    entered: list[str] = []
    ends: list[None] = []

    async def play() -> None:
        keyboard = Keyboard(entered.append, ended=lambda: ends.append(None))
        assert keyboard.start(by_key=False)
        async with asyncio.timeout(10):
            while len(entered) + len(ends) < until:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        keyboard.stop()

    with open(descriptor, encoding="utf-8") as given:
        monkeypatch.setattr(sys, "stdin", given)
        asyncio.run(play())
    return entered, len(ends)


def test_a_pipe_that_ends_ends_nothing_and_its_last_line_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for typed, lines in ((b"", []), (b"plug\nestop on", ["plug", "estop on"])):
        theirs, ours = os.pipe()
        os.write(ours, typed)
        os.close(ours)
        assert heard(monkeypatch, theirs, until=1 + len(lines)) == (lines, 1)


def test_control_d_on_a_terminal_that_edits_its_lines_quits(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, b"plug\n\x04")
    assert heard(monkeypatch, theirs, until=2) == (["plug", "quit"], 0)
    os.close(ours)


def test_a_terminal_that_has_gone_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    os.close(ours)
    assert heard(monkeypatch, theirs) == ([], 1)


def test_without_a_standard_input_there_is_no_keyboard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def play() -> bool:
        return Keyboard(lambda _: None).start(by_key=True)

    (tmp_path / "file").write_text("plug\n")
    for place in ("/dev/null", tmp_path / "file"):
        with open(place, encoding="utf-8") as given:
            monkeypatch.setattr(sys, "stdin", given)
            assert not asyncio.run(play())
    monkeypatch.setattr(sys, "stdin", None)
    assert not asyncio.run(play())


def test_what_matters_of_a_log_is_what_went_wrong_before_the_end(tmp_path: Path) -> None:
    stage = Stage(Wanted("iso2", 1, 70, 80, 1, "auto"), lambda _: None, lambda *_: None)
    stage.logs = tmp_path
    lines = ["INFO    connector: ready", "WARNING bsp: one", "INFO    x: two", "ERROR   bsp: three"]
    ending = ["INFO    manager: stopping (SIGTERM): safe state first", "WARNING bsp: four"]
    (tmp_path / "charger.log").write_text("\n".join([*lines, *ending]))
    assert stage.what_went_wrong("charger") == [lines[1], lines[3]]
    (tmp_path / "car.log").write_text("1 one\n2 two\n")
    assert stage.what_went_wrong("car", 1) == ["2 two"]
    assert stage.what_went_wrong("broker") == []


def test_the_chargers_own_facts_come_from_its_mqtt_api() -> None:
    state = charging()
    state.from_charger("everest_api/connector/var/session_info", '{"state": "Charging"}')
    state.from_charger("everest_api/connector/var/powermeter", '{"energy_Wh_import": {"total": 100.0}}')
    state.from_charger("everest_api/connector/var/powermeter", '{"energy_Wh_import": {"total": 150.5}}')
    state.from_charger("everest_api/connector/var/active_errors", '[{"type": "evse_board_support/CommunicationFault"}]')
    state.from_charger("everest_api/connector/var/session_info", "not JSON")
    text = drawn(screen(state))
    assert "Charging" in text and "evse_board_support/CommunicationFault" in text
    assert "50.5 Wh" in drawn(summary(state))


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    demo.add_parser(parser.add_subparsers())
    return parser.parse_args(["demo", *words])


@pytest.mark.parametrize(
    "words", [("--speed", "0"), ("--battery-kWh", "-1"), ("--target-soc-percent", "101"), ("--protocol", "iso20")]
)
def test_an_impossible_option_is_refused(words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(*words)
    assert caught.value.code == 2 and words[0] in capsys.readouterr().err


def test_a_battery_beyond_its_target_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.run(parse("--soc-percent", "90", "--target-soc-percent", "80")) == 2
    assert "--soc-percent" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--protocol", "iso20-ac", "--power-supply", "infypower"), "iso20-ac is AC"),
        (("--protocol", "din", "--tls"), "din has no TLS"),
        (("--protocol", "basic", "--pnc"), "basic has no TLS"),
        (("--ocpp", "2.1", "--protocol", "iso2"), "--ocpp goes with basic"),
        (("--protocol", "iso20-dc-bpt", "--control-mode", "Scheduled"), "the grid orders the energy back"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    words: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo.run(parse(*words)) == 2
    assert why in capsys.readouterr().err


def test_the_screen_shows_protocol_tls_identity_price_and_the_direction_of_power() -> None:
    state = DemoState("iso20-dc-bpt", 80.0, steps_of("iso20-dc-bpt"))
    state.from_car({"soc_percent": 70.0, "speaks": "ISO15118-20:DC", "tls_version": "1.3", "identity": "DEKL2C1"})
    state.from_car({"service": "DC_BPT, Dynamic", "price_per_kWh": 0.45, "currency": "EUR", "power_W": -12_000.0})
    text = drawn(screen(state))
    for part in (
        "ISO15118-20:DC, TLS 1.3, DC_BPT, Dynamic",
        "DEKL2C1",
        "0.45 EUR/kWh",
        "-12.00 kW → grid",
        "discharging",
    ):
        assert part in text
    state.from_car({"power_W": 9_000.0, "price_per_kWh": None, "price_level": 2, "tls_version": ""})
    text = drawn(screen(state))
    assert "9.00 kW → car" in text and "price level 2" in text and "plain TCP" in text


def test_a_bidirectional_session_succeeds_only_when_energy_went_both_ways() -> None:
    state = DemoState("iso20-ac-bpt", 80.0, steps_of("iso20-ac-bpt"))
    assert "cable check" not in state.steps
    for step in state.steps:
        state.from_car({"step": step})
    state.from_car({"energy_Wh": 60.0, "finished": True})
    assert not state.succeeded
    state.from_car({"discharged_Wh": 40.0})
    text = drawn(summary(state))
    assert state.succeeded and "40.0 Wh" in text and "100.0 Wh" in text


def under_csms() -> DemoState:
    state = DemoState("basic", 80.0, BASIC_STEPS, ocpp="2.0.1")
    state.from_csms({"connected": "cp001"})
    state.from_csms({"frame": "station -> TransactionEvent Started"})
    for step in state.steps:
        state.from_car({"step": step})
    state.from_car({"energy_Wh": 60.0, "finished": True})
    return state


def test_under_a_csms_the_screen_shows_the_conversation_and_success_is_its_stop() -> None:
    state = under_csms()
    text = drawn(screen(state))
    assert "CSMS, OCPP 2.0.1" in text and "station cp001 is connected" in text and "TransactionEvent Started" in text
    assert not state.succeeded and "not ended at the CSMS" in state.reason
    state.from_csms({"ended": "Remote", "stopped": True})
    assert state.succeeded and "the car charged, and the CSMS stopped it" in drawn(summary(state))


def test_a_car_that_left_by_itself_is_no_success_under_a_csms() -> None:
    state = under_csms()
    state.from_csms({"ended": "EVDisconnected", "stopped": False})
    text = drawn(summary(state))
    assert not state.succeeded and "stopped by something else" in text and "--battery-kWh" in text


def test_what_the_csms_complains_of_is_the_reason() -> None:
    state = under_csms()
    state.from_csms({"failure": "the station did not accept the remote stop: Rejected"})
    state.from_csms({"ended": "EVDisconnected", "stopped": False})
    assert "did not accept the remote stop" in drawn(summary(state))


def test_rectifier_modules_are_for_direct_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.run(parse("--protocol", "basic", "--power-supply", "infypower")) == 2
    assert "needs iso2 or din" in capsys.readouterr().err


def test_the_broker_is_mosquitto_where_installed_and_embedded_otherwise(mocker: Any) -> None:
    find = mocker.patch.object(demo_broker, "find_mosquitto", return_value="/usr/sbin/mosquitto")
    assert demo_broker.choose("auto") == "mosquitto"
    assert demo_broker.choose("embedded") == "embedded"
    find.return_value = None
    assert demo_broker.choose("auto") == "embedded"
    with pytest.raises(Unavailable, match="apt-get install mosquitto"):
        demo_broker.choose("mosquitto")


def test_without_any_broker_it_says_what_to_install_and_the_embedded_one_is_the_managers(
    mocker: Any, tmp_path: Path
) -> None:
    assert demo_broker.command("embedded", tmp_path) == embedded.command(demo_broker.PORT)
    mocker.patch.object(demo_broker, "find_mosquitto", return_value=None)
    mocker.patch.object(embedded, "installed", return_value=False)
    with pytest.raises(Unavailable, match=r"apt-get install mosquitto, or pip install 'chargebyte-fw\[demo\]'"):
        demo_broker.choose("auto")


def test_where_no_namespace_is_allowed_it_says_what_to_allow(mocker: Any) -> None:
    refused = mocker.Mock(returncode=1, stderr="unshare: unshare failed: Operation not permitted")
    mocker.patch.object(subprocess, "run", return_value=refused)
    mocker.patch.object(os, "geteuid", return_value=1000)
    with pytest.raises(Unavailable) as caught:
        net_cable.way_into_a_namespace()
    text = str(caught.value)
    assert "sysctl -w kernel.unprivileged_userns_clone=1" in text and "Operation not permitted" in text


def test_without_unshare_it_says_what_to_install(mocker: Any) -> None:
    mocker.patch.object(subprocess, "run", side_effect=FileNotFoundError())
    with pytest.raises(Unavailable, match="apt-get install util-linux"):
        net_cable.way_into_a_namespace()


def test_mosquittos_settings_are_private(tmp_path: Path) -> None:
    demo_broker.command("mosquitto", tmp_path)
    text = (tmp_path / "mosquitto.conf").read_text()
    assert "listener 1883 127.0.0.1" in text and "persistence false" in text
