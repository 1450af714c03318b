"""Every trace in `tests/captures/traces/` goes through today's machines, which must do what was recorded.

A field problem becomes a test by adding its file: as recorded it shows the problem, with the machine put right the
trace is recorded anew.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from pathlib import Path
from typing import Any

import cbor2
import pytest

from chargebyte_fw.board import timing as board_timing
from chargebyte_fw.cli.main import main
from chargebyte_fw.cli.trace_pcap import packets
from chargebyte_fw.cli.trace_replay import accepted, is_wanted, play
from chargebyte_fw.cli.trace_view import Timeline
from chargebyte_fw.kernel import trace
from chargebyte_fw.kernel.can_bus import CanFrame
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.replay import Outcome
from chargebyte_fw.kernel.trace import BLOCK_BYTES, Entry
from chargebyte_fw.manager.recording import Recorder, read
from chargebyte_fw.modules.evse.machine import timing as evse_timing
from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.slac.messages import CmAttenCharInd, decode
from tests.replay import record
from tests.session.plant import Plant

TRACES = sorted(record.FOLDER.glob("*.cbor"))
DC = record.FOLDER / "iso2-dc-session.cbor"
CAN = record.FOLDER / "can-dc-session.cbor"


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_the_recorded_inputs_lead_to_the_recorded_outputs(path: Path) -> None:
    check(path)


def check(path: Path) -> list[str]:
    """Play a file, which must go as recorded, or differ as it was accepted; returns what was played."""
    entries = read(path).entries
    outcomes = play(entries)
    assert outcomes, "nothing in this trace can be played"
    wanted = accepted(entries)
    for outcome in outcomes:
        assert not outcome.remark, f"{outcome.what}: {outcome.remark}"
        assert is_wanted(outcome, wanted), f"{outcome.what}: {outcome.difference or wanted[outcome.what]}"
        assert outcome.inputs > 0 and outcome.outputs > 0
    return [outcome.what for outcome in outcomes]


def written(entries: list[Entry], path: Path) -> Path:
    path.write_bytes(b"".join(cbor2.dumps(list(entry)) for entry in entries))
    return path


def test_a_trace_that_the_charger_saves_is_a_test_as_it_is(run: Any, tmp_path: Path) -> None:
    async def main() -> Path:
        async with Plant(tmp_path, record.model("din"), contracts=True) as plant:
            saving = Recorder(plant.runtime, ModuleLog("manager"))
            await plant.charging()
            plant.world.press_emergency_stop(True)
            await asyncio.sleep(3)
            path, _ = await saving.save("field problem")
            return path

    path = run(main())
    played = check(path)
    assert {"bsp", "slac", "connector"} <= set(played) and any("connection" in what for what in played)
    entries = entries_of(path)
    place = place_of(entries, "effect", "connector.Call", -1)
    t_s, kind, source, call = entries[place]
    entries[place] = (t_s, kind, source, {**call, "command": "lock"})
    with pytest.raises(AssertionError, match=r"connector: .* recorded is Call interface=\w+ command=lock"):
        check(written(entries, tmp_path / "altered.cbor"))


def entries_of(path: Path = DC) -> list[Entry]:
    return list(read(path).entries)


def outcome_of(house: str, entries: list[Entry]) -> Outcome:
    (outcome,) = play(entries, house)
    return outcome


def place_of(entries: list[Entry], kind: str, source: str, number: int = 0) -> int:
    """Find an entry; a negative number counts from the end."""
    return [place for place, entry in enumerate(entries) if entry[1:3] == (kind, source)][number]


def test_a_problem_of_the_charging_kernel_is_a_test_once_it_is_put_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ramp-too-busy.cbor"
    path.write_bytes(DC.read_bytes())
    with monkeypatch.context() as put_right:
        put_right.setattr(evse_timing, "RAMP_STEP_S", 0.75)
        with pytest.raises(AssertionError, match=r"connector: .*\bsetExportVoltageCurrent"):
            check(path)
        assert main(["trace", "replay", str(path), "--accept"]) == 0
        check(path)
        assert main(["trace", "replay", str(path)]) == 0
        assert "differs, as accepted" in capsys.readouterr().out
    with pytest.raises(AssertionError):
        check(path)
    assert main(["trace", "replay", str(path)]) == 1
    assert "the same, which is not what was accepted" in capsys.readouterr().out


def test_what_is_damaged_is_not_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.cbor"
    path.write_bytes(DC.read_bytes()[:-3])
    before = path.read_bytes()
    assert main(["trace", "replay", str(path), "--accept"]) == 1
    assert "cannot be accepted" in capsys.readouterr().err
    assert main(["trace", "replay", str(path), "--accept", "--only", "evse"]) == 2
    assert path.read_bytes() == before


# -- differences are found and named


def test_another_v2g_response_than_the_recorded_one_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    entries = entries_of()
    place = place_of(entries, "v2g", "iso15118_charger.charger", 1)
    t_s, kind, source, data = entries[place]
    entries[place] = (t_s, kind, source, data[:-1] + bytes([data[-1] ^ 0x10]))
    path = tmp_path / "t.cbor"
    path.write_bytes(b"".join(cbor2.dumps(list(entry)) for entry in entries))
    assert main(["trace", "replay", str(path), "--only", "v2g"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0].endswith("differs")
    assert f"first difference at {t_s:.3f} s, frames: recorded is " in told[1]
    assert "replayed is SessionSetupRes" in told[1]


def test_a_response_that_is_missing_in_the_recording_is_a_difference() -> None:
    entries = entries_of()
    del entries[place_of(entries, "v2g", "iso15118_charger.charger", -1)]
    difference = outcome_of("v2g", entries).difference
    assert difference is not None and difference.recorded == "" and difference.replayed.startswith("SessionStopRes")


def test_a_fact_that_the_session_did_not_get_is_a_difference() -> None:
    entries = entries_of()
    del entries[place_of(entries, "cmd", "iso15118_charger.charger.cable_check_finished")]
    difference = outcome_of("v2g", entries).difference
    assert difference is not None and "CableCheckRes" in difference.recorded


def test_another_slac_profile_is_a_difference_and_another_key_is_none() -> None:
    entries = entries_of()
    place = next(
        place
        for place, (_, kind, _, data) in enumerate(entries)
        if kind == "slac" and isinstance(decode(data).message, CmAttenCharInd)
    )
    t_s, kind, source, data = entries[place]
    entries[place] = (t_s, kind, source, data[:-10] + b"\xff" + data[-9:])
    difference = outcome_of("slac", entries).difference
    assert difference is not None and difference.t_s == t_s
    assert difference.recorded.startswith("CM_ATTEN_CHAR.IND")


def test_another_image_for_the_safety_controller_is_a_difference() -> None:
    entries = entries_of()
    place = place_of(entries, "cmd", "bsp.evse_board_support.pwm_on")
    t_s, kind, source, (caller, arguments) = entries[place]
    entries[place] = (t_s, kind, source, [caller, {**arguments, "value": 42.0}])
    difference = outcome_of("board", entries).difference
    assert difference is not None and difference.t_s == t_s
    assert "duty_percent=5.0" in difference.recorded and "duty_percent=42.0" in difference.replayed


def test_another_supply_voltage_is_another_decision_of_the_charging_kernel() -> None:
    entries = entries_of()
    for place, (t_s, kind, source, data) in enumerate(entries):
        if (kind, source) == ("event", "connector.SupplyMeasured") and data["voltage_V"] > 300.0:
            entries[place] = (t_s, kind, source, {**data, "voltage_V": data["voltage_V"] + 200.0})
    difference = outcome_of("evse", entries).difference
    assert difference is not None and difference.stream == "effects"


def test_an_effect_of_the_charging_kernel_that_is_missing_is_a_difference() -> None:
    entries = entries_of()
    place = place_of(entries, "effect", "connector.StateEntered", 1)
    t_s = entries[place][0]
    del entries[place]
    difference = outcome_of("evse", entries).difference
    assert difference is not None and difference.t_s == t_s and difference.replayed.startswith("StateEntered")


def test_a_module_that_answers_something_else_gets_other_frames() -> None:
    entries = entries_of(CAN)
    assert outcome_of("power", entries).difference is None
    place = next(
        place
        for place, (_, kind, _, data) in enumerate(entries)
        if kind == "can" and (said := m.read(CanFrame.decode(data))) and said.item is m.MAX_CURRENT and said.source < 61
    )
    t_s, kind, source, data = entries[place]
    frame = CanFrame.decode(data)
    less = CanFrame(frame.id, frame.data[:4] + (10_000).to_bytes(4, "big")).encode()
    entries[place] = (t_s, kind, source, less)
    difference = outcome_of("power", entries).difference
    assert difference is not None and difference.stream == "variables" and "max_export_current_A" in difference.recorded


def test_a_command_that_the_modules_did_not_get_is_missed() -> None:
    entries = entries_of(CAN)
    del entries[place_of(entries, "event", "powersupply_dc.SetMode", 1)]
    assert outcome_of("power", entries).difference is not None


def test_a_charging_kernel_with_other_times_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evse_timing, "RAMP_STEP_S", 0.75)
    difference = outcome_of("evse", entries_of()).difference
    assert difference is not None and "setExportVoltageCurrent" in difference.recorded


def test_a_machine_with_other_times_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_timing, "RECEIVE_TIMEOUT_S", 0.2)
    assert outcome_of("board", entries_of(record.FOLDER / "uart-cut-under-power.cbor")).difference is not None


def test_frames_and_decisions_are_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(record.FOLDER / "can-modules-vanish-under-load.cbor")
    assert main(["trace", "show", path, "--kind", "can", "--kind", "effect", "--kind", "start", "--from", "0"]) == 0
    text = capsys.readouterr().out
    for words in ("240 to 0: read status?", "1 to 240: read greatest power 30000 W", "240 to 0: switch off"):
        assert words in text
    assert re.search(r"effect connector\.StateEntered +state=PrepareCharging\n", text)
    assert "interface=power_supply_DC command=setMode" in text
    assert max(map(len, text.splitlines())) < 600, "the longest is a command with all capabilities of the supply"


# -- traces as they come from the field


@pytest.mark.parametrize("pieces", [5, 6, 8])
def test_a_board_whose_start_has_left_the_ring_goes_on_from_what_was_known(
    run: Any, tmp_path: Path, pieces: int
) -> None:
    """The ring may begin between two sessions, or in one with closed contactors."""

    async def story(plant: Any) -> None:
        for _ in range(3):
            await plant.session()
            plant.world.car.battery.soc_percent = 70.0

    run(record.recorded("iso2", story, "", tmp_path / "t.cbor", ring_bytes=pieces * BLOCK_BYTES))
    entries = entries_of(tmp_path / "t.cbor")
    past = entries[0][3]["past"]
    assert ("start", "bsp") in {entry[1:3] for entry in entries[1 : past + 1]}
    outcomes = {outcome.what: outcome for outcome in play(entries)}
    assert outcomes["bsp"].outputs >= 5 and outcomes["slac"].outputs >= 5
    assert any("connection" in what for what in outcomes)
    assert [str(outcome.difference) for outcome in outcomes.values() if outcome.difference] == []


@pytest.mark.parametrize(("configuration", "house"), [("", "evse"), (record.CAN, "power"), (record.CAN, "evse")])
def test_a_machine_goes_on_from_what_it_knew_at_some_moment_in_the_ring(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configuration: str, house: str
) -> None:
    async def story(plant: Plant) -> None:
        for _ in range(3):
            await plant.session()
            plant.world.car.battery.soc_percent = 70.0

    monkeypatch.setattr(trace, "SNAPSHOT_S", 7.0)
    run(record.recorded("iso2", story, configuration, tmp_path / "t.cbor", ring_bytes=8 * BLOCK_BYTES))
    entries = entries_of(tmp_path / "t.cbor")
    assert not any(entry[3].get("fresh") for entry in entries[entries[0][3]["past"] + 1 :] if entry[1] == "start")
    outcome = outcome_of(house, entries)
    assert (outcome.remark, outcome.difference) == ("", None)
    assert outcome.inputs > 100 and outcome.outputs > 100


def test_a_real_trace_cut_at_any_octet_is_read_played_and_exported_up_to_there(tmp_path: Path) -> None:
    octets = DC.read_bytes()
    whole = entries_of()
    path = tmp_path / "t.cbor"
    chance = random.Random(6)
    for length in (1, *(chance.randrange(len(octets)) for _ in range(15)), len(octets) - 1):
        path.write_bytes(octets[:length])
        try:
            recording = read(path)
        except ValueError as error:
            assert "nothing is left of it" in str(error)
            continue
        if not recording.remark:  # cut between two entries, where nothing shows it
            path.write_bytes(octets[: length + 1])
            recording = read(path)
        entries = list(recording.entries)
        assert entries == whole[: len(entries)]
        assert recording.remark.startswith(f"{path} is cut off at octet ")
        assert [str(outcome.difference) for outcome in play(entries) if outcome.difference] == []
        list(packets(entries))
        timeline = Timeline(entries)
        assert all(timeline.line(entry, timeline.read(entry)) for entry in entries)


def test_a_trace_that_is_cut_off_is_played_to_its_end() -> None:
    entries = entries_of()
    chance = random.Random(3)
    for _ in range(25):
        outcomes = play(entries[: chance.randrange(60, len(entries))])
        assert [str(outcome.difference) for outcome in outcomes if outcome.difference] == []


def test_a_damaged_trace_is_no_failure_of_ours(tmp_path: Path) -> None:
    octets = DC.read_bytes()
    path = tmp_path / "t.cbor"
    chance = random.Random(5)
    for _ in range(20):
        damaged = bytearray(octets)
        for _ in range(20):
            damaged[chance.randrange(len(damaged) // 2, len(damaged))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        play(read(path).entries)


@pytest.mark.parametrize("path", [DC, CAN], ids=lambda path: path.stem)
def test_entries_that_nobody_can_have_recorded_are_no_failure_of_ours(path: Path) -> None:
    whole = entries_of(path)
    starts = [place for place, entry in enumerate(whole) if entry[1] == "start"]
    chance = random.Random(5)
    for _ in range(40):
        entries = list(whole)
        for place in (*(chance.randrange(1, len(entries)) for _ in range(8)), *chance.sample(starts, 1)):
            odd: Any = chance.choice(
                [None, 3, "x", b"\x01", [], [1], ["a", {"value": "b"}], {"opened": 1}, {"up": 2}, {}]
            )
            t_s, kind, source, data = entries[place]
            if isinstance(data, dict) and data and chance.random() < 0.7:
                odd = {**data, chance.choice(list(data)): odd}
            entries[place] = (t_s, kind, source, odd)
        play(entries)


@pytest.mark.parametrize("second", [9e8, -9e8])
@pytest.mark.parametrize("path", [DC, CAN], ids=lambda path: path.stem)
def test_a_second_that_is_damaged_does_not_keep_the_replay_for_years(path: Path, second: float) -> None:
    entries = entries_of(path)
    for place in range(len(entries) // 2, len(entries), 7):
        entries[place] = (second, *entries[place][1:])
    began_s = time.process_time()
    play(entries)
    assert time.process_time() - began_s < 10.0


def test_replay_is_a_thousand_times_faster_than_the_session() -> None:
    entries = entries_of()
    began_s = time.process_time()
    play(entries)
    assert time.process_time() - began_s < (entries[-1][0] - entries[1][0]) / 10
