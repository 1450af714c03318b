"""Shipped AC charging with what a user may wire to the board: charge stop, plug lock, contactors for two ways."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path
from typing import Any

import pytest
import yaml

from chargebyte_fw.board.driver.wiring import FeedbackType, PhaseWiring
from chargebyte_fw.board.link.messages.charge_som import InletState
from chargebyte_fw.cli.trace_replay import play
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.mcu_hardware import PLUG_LOCK_FIRMWARE, Contactor, Hardware, PlugLockMotor
from chargebyte_fw.sim.world import MemoryWorld
from tests.session import plant as plants
from tests.session.plant import CONFIGURATIONS, Plant

CAR = Model("basic", battery_kWh=20.0, soc_percent=20.0, target_soc_percent=100.0)
TWO_WAYS = {
    "switch_3ph1ph_wiring": "mutual",
    "contactor_1_feedback_type": "no",
    "contactor_2_feedback_type": "no",
}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Build a plant of the shipped configuration with the user's changes, and this hardware at the board."""

    def build(model: Model, hardware: Hardware, **bsp: Any) -> Plant:
        name = CONFIGURATIONS[model.protocol]
        lock = {"connector_lock": [{"module_id": "bsp", "implementation_id": "connector_lock"}]}
        modules: dict[str, Any] = {"bsp": {"config_module": bsp}}
        if hardware.plug_lock is not None:
            modules["connector"] = {"connections": lock}
        overlay = tmp_path / "etc/everest/user-config" / name
        overlay.parent.mkdir(parents=True)
        overlay.write_text(yaml.safe_dump({"active_modules": modules}))
        monkeypatch.setattr(plants, "MemoryWorld", functools.partial(MemoryWorld, hardware=hardware))
        return Plant(tmp_path, model, contracts=True)

    return build


def test_the_word_no_of_a_configuration_is_a_word(tmp_path: Path) -> None:
    """`no` is no boolean in EVerest's YAML: a contactor's feedback is normally open."""
    name = CONFIGURATIONS["basic"]
    overlay = tmp_path / "etc/everest/user-config" / name
    overlay.parent.mkdir(parents=True)
    overlay.write_text("active_modules: {bsp: {config_module: {contactor_1_feedback_type: no}}}\n")
    plans = load(plants.REPOSITORY / "etc/everest" / name, Root(plants.REPOSITORY, tmp_path), environment={})
    (plan,) = [plan for plan in plans.require_sound().plans if plan.id == "bsp"]
    config: Any = plan.config
    assert config.contactor_1_feedback_type is FeedbackType.no


@pytest.mark.parametrize("protocol", ["basic", "iso2"])
def test_the_charge_stop_ends_the_session_softly(run: Any, built: Any, protocol: str) -> None:
    async def main() -> None:
        model = Model(protocol, battery_kWh=20.0, soc_percent=20.0, target_soc_percent=100.0)
        plant = built(model, Hardware(), charge_stop_gpio_line_name="CHSTOP_IN")
        level = [True]
        plant.runtime.wires.plug("gpio:CHSTOP_IN", lambda: level[0])
        async with plant:
            await asyncio.sleep(2)
            events: list[Any] = []
            plant.assembly.modules["connector"].evse.session_event.subscribe(events.append, replay=False)
            await plant.charging()
            level[0] = False
            await plant.until(lambda: not plant.world.pilot.contactors_closed, 30.0)
            level[0] = True
            await asyncio.sleep(5)
            finished = [one.transaction_finished for one in events if one.transaction_finished is not None]
            assert [one.reason.value for one in finished] == ["Local"]
            assert plant.faults() == []
            plant.world.take("unplug")
            await asyncio.sleep(5)

    run(main())


def test_the_plug_is_locked_while_it_charges_and_free_afterwards(run: Any, built: Any) -> None:
    async def main() -> None:
        motor: Any = PlugLockMotor()
        async with built(CAR, Hardware(firmware=PLUG_LOCK_FIRMWARE, plug_lock=motor)) as plant:
            await plant.charging()
            assert motor.position == InletState.CLOSED
            plant.world.take("unplug")
            await asyncio.sleep(10)
            assert motor.position == InletState.OPEN
            assert plant.faults() == []

    run(main())


def test_one_and_three_phases_are_switched_within_a_session_and_the_recording_replays(run: Any, built: Any) -> None:
    async def main() -> None:
        both = [Contactor(), Contactor(), Contactor(configured=False)]
        hardware = Hardware(
            contactors=both, wiring=PhaseWiring.mutual, firmware=PLUG_LOCK_FIRMWARE, plug_lock=PlugLockMotor()
        )
        async with built(CAR, hardware, **TWO_WAYS) as plant:
            await plant.charging()
            assert hardware.phases_connected == 3
            evse = plant.assembly.modules["connector"]
            for three in (False, True):
                assert evse.requests.switch_phases(three)
                await plant.until(lambda: hardware.phases_connected == 0, 10.0)
                await plant.until(lambda three=three: hardware.phases_connected == (3 if three else 1), 60.0)
                await plant.until(lambda: plant.world.car.inlet.power_W > 0, 30.0)
            assert not plant.world.mcu.mcu.had_short_circuit
            assert plant.faults() == []
            plant.world.take("unplug")
            await asyncio.sleep(10)
        (outcome,) = play(plant.runtime.trace.entries(), "board")
        assert not outcome.remark
        assert outcome.difference is None, outcome.difference

    run(main())
