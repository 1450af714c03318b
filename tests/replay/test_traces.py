"""Every trace in `tests/captures/traces/` goes through today's machines, which must do what was recorded.

A field problem becomes a test by adding its file: as recorded it shows the problem, with the machine put right the
trace is recorded anew.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import cbor2
import pytest

from chargebyte_fw.board import timing as board_timing
from chargebyte_fw.cli.main import main
from chargebyte_fw.cli.trace_replay import play
from chargebyte_fw.kernel.replay import Outcome
from chargebyte_fw.kernel.trace import PIECE_BYTES, Entry
from chargebyte_fw.manager.recording import read
from chargebyte_fw.modules.slac.messages import CmAttenCharInd, decode
from tests.replay import record

TRACES = sorted(record.FOLDER.glob("*.cbor"))
DC = record.FOLDER / "iso2-dc-session.cbor"


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_the_recorded_inputs_lead_to_the_recorded_outputs(path: Path) -> None:
    recording = read(path)
    outcomes = play(recording.entries)
    assert outcomes, "nothing in this trace can be played"
    for outcome in outcomes:
        assert not outcome.remark, f"{outcome.what}: {outcome.remark}"
        assert outcome.difference is None, f"{outcome.what}: {outcome.difference}"
        assert outcome.inputs > 0 and outcome.outputs > 0


def entries_of(path: Path = DC) -> list[Entry]:
    return list(read(path).entries)


def outcome_of(house: str, entries: list[Entry]) -> Outcome:
    (outcome,) = play(entries, house)
    return outcome


def place_of(entries: list[Entry], kind: str, source: str, number: int = 0) -> int:
    """Find an entry; a negative number counts from the end."""
    return [place for place, entry in enumerate(entries) if entry[1:3] == (kind, source)][number]


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


def test_a_machine_with_other_times_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_timing, "RECEIVE_TIMEOUT_S", 0.2)
    assert outcome_of("board", entries_of(record.FOLDER / "uart-cut-under-power.cbor")).difference is not None


# -- traces as they come from the field


def test_a_board_whose_start_has_left_the_ring_goes_on_from_what_was_known(run: Any, tmp_path: Path) -> None:
    async def story(plant: Any) -> None:
        for _ in range(3):
            await plant.session()
            plant.world.car.battery.soc_percent = 70.0

    run(record.recorded("iso2", story, tmp_path / "t.cbor", ring_bytes=6 * PIECE_BYTES))
    entries = entries_of(tmp_path / "t.cbor")
    past = entries[0][3]["past"]
    assert ("start", "bsp") in {entry[1:3] for entry in entries[1 : past + 1]}
    outcomes = {outcome.what: outcome for outcome in play(entries)}
    assert outcomes["bsp"].outputs >= 5 and outcomes["slac"].outputs >= 5
    assert any("connection" in what for what in outcomes)
    assert [str(outcome.difference) for outcome in outcomes.values() if outcome.difference] == []


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
    for _ in range(40):
        damaged = bytearray(octets)
        for _ in range(20):
            damaged[chance.randrange(len(damaged) // 2, len(damaged))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        play(read(path).entries)
    for _ in range(200):
        entries = entries_of()
        for _ in range(5):
            place = chance.randrange(1, len(entries))
            odd = chance.choice([None, 3, "x", b"\x01", [], [1], ["a", {"value": "b"}], {"opened": 1}, {"up": 2}, {}])
            entries[place] = (*entries[place][:3], odd)
        play(entries)


def test_replay_is_a_thousand_times_faster_than_the_session() -> None:
    entries = entries_of()
    began_s = time.perf_counter()
    play(entries)
    assert time.perf_counter() - began_s < (entries[-1][0] - entries[1][0]) / 10
