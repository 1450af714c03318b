"""The random driver itself: some lives, the same trace from the same seed, and bugs that it must find."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.board.cb_charge_som_driver import CbChargeSOMDriver
from chargebyte_fw.board.driver.events import AllowPowerOn
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.modules.power.dc_supply_simulator import Supply
from tests.soak import acts, faults
from tests.soak.command import main
from tests.soak.life import Life, Step, invent
from tests.soak.play import play
from tests.soak.shrink import kind_of, shrunk
from tests.soak.vocabulary import CAR_ACTIONS, COMMANDS, FAULTS, KINDS

LIVES = (1, 2)


def life(kind: str, *steps: tuple[str, float], **keys: dict[str, Any]) -> Life:
    if kind == "ac-hlc":
        keys["connector"] = {"ac_enforce_hlc": True, **keys.get("connector", {})}
    return Life(1, kind, keys=keys, steps=tuple(Step(what, wait_s) for what, wait_s in steps))


def test_every_word_of_the_vocabulary_can_be_done() -> None:
    assert set(FAULTS) == set(faults.INJECT) == set(faults.CLEAR)
    assert set(CAR_ACTIONS) <= set(acts.CAR)
    assert set(COMMANDS) == set(acts.COMMANDS)
    assert len(FAULTS) >= 50


@pytest.mark.parametrize("kind", KINDS)
def test_lives_of_each_kind_of_charger(kind: str) -> None:
    for seed in LIVES:
        outcome = play(invent(seed, kind))
        assert outcome.findings == [], f"script/soak --life {seed} --config {kind}"


def test_the_same_seed_gives_the_same_trace_and_another_seed_another() -> None:
    first, again, other = (play(invent(seed, "dc")) for seed in (1, 1, 2))
    assert first.story == again.story and first.digest == again.digest
    assert first.digest != other.digest


def test_a_driver_that_does_not_open_contactors_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    order = CbChargeSOMDriver.order

    def only_close(self: CbChargeSOMDriver, event: Any) -> None:
        if event.__class__ is not AllowPowerOn or event.allowed:
            order(self, event)

    monkeypatch.setattr(CbChargeSOMDriver, "order", only_close)
    outcome = play(life("ac", ("car charge", 8.0), ("car draws unasked", 1.0), ("command stop", 13.0)))
    assert "UNSAFE: contactors stay closed after a stop" in outcome.findings


def test_a_supply_that_stays_on_is_found_and_the_story_shrinks(monkeypatch: pytest.MonkeyPatch) -> None:
    set_mode = Supply.setMode

    async def only_on(self: Supply, mode: Mode, phase: ChargingPhase) -> None:
        if mode is not Mode.Off:
            await set_mode(self, mode, phase)

    monkeypatch.setattr(Supply, "setMode", only_on)
    long = life(
        "dc", ("command pause", 0.3), ("car charge", 21.0), ("fault wall clock ahead", 1.0), ("car unplug", 8.0)
    )
    outcome = play(long)
    assert any(finding.startswith("UNSAFE: the supply is on") for finding in outcome.findings)
    short = shrunk(long, kind_of(outcome.findings[0]), lambda other: play(other).findings)
    assert short.steps == (), "the good car at the end is enough"


def test_the_command_ends_with_a_table_and_status_0() -> None:
    lines: list[str] = []
    assert main(["--lives", "2", "--seed", "1", "--config", "ac", "--jobs", "1"], lines.append) == 0
    assert any(line.split() == ["lives", "2"] for line in lines)
    assert any(line.split() == ["unsafe", "0"] for line in lines)
