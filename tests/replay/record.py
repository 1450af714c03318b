"""Records the sessions of `tests/captures/traces/` that come from the virtual world: `python -m tests.replay.record`.

Needed only when the product is meant to behave differently from then on; traces from the field are never made again.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.trace import Trace
from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

FOLDER = Path(__file__).parents[1] / "captures/traces"
Story = Callable[[Plant], Awaitable[None]]


def model(protocol: str) -> Model:
    """A small battery that is soon full."""
    return Model(protocol, battery_kWh=1.0, soc_percent=70, target_soc_percent=71)


async def full_session(plant: Plant) -> None:
    """Come, charge, leave."""
    await plant.session()


async def cut_uart(plant: Plant) -> None:
    """The link to the safety controller breaks under power and comes back."""
    await plant.charging()
    plant.world.cut_uart(2.0)
    await asyncio.sleep(7)
    plant.world.car.replace("unplug")
    await asyncio.sleep(20)


async def emergency_stop(plant: Plant) -> None:
    """Somebody presses the button under power and releases it later."""
    await plant.charging()
    plant.world.press_emergency_stop(True)
    await asyncio.sleep(5)
    plant.world.car.replace("unplug")
    plant.world.press_emergency_stop(False)
    await asyncio.sleep(20)


async def pulled_cable(plant: Plant) -> None:
    """The car is gone under power, without a word; then another one comes."""
    await plant.charging()
    plant.world.car.replace("unplug")
    await asyncio.sleep(20)
    plant.world.car.battery.soc_percent = 70.0
    await plant.session()


async def vanishing_modules(plant: Plant) -> None:
    """The power modules lose their supply under load and come back; the car has gone by then."""
    await plant.charging()
    modules = plant.world.power_modules.modules
    for module in modules:
        module.powered = False
        module.restart()
    await asyncio.sleep(5)
    plant.world.car.replace("unplug")
    for module in modules:
        module.powered = True
    await asyncio.sleep(20)


CAN = "bsp-only-dc-infypower.yaml"
STORIES: dict[str, tuple[str, Story, str]] = {
    "iso2-dc-session": ("iso2", full_session, ""),
    "din-dc-session": ("din", full_session, ""),
    "ac-session": ("basic", full_session, ""),
    "uart-cut-under-power": ("iso2", cut_uart, ""),
    "emergency-stop": ("din", emergency_stop, ""),
    "cable-pulled-under-power": ("iso2", pulled_cable, ""),
    "can-dc-session": ("iso2", full_session, CAN),
    "can-modules-vanish-under-load": ("iso2", vanishing_modules, CAN),
}
"""What the car speaks, what happens, and the configuration where it is not the car's own."""


async def recorded(
    protocol: str, story: Story, configuration: str, target: Path, ring_bytes: int | None = None, seed: int = 1
) -> None:
    """Play a story in the virtual world and save what the recorder has of it; a small ring loses the beginning."""
    with tempfile.TemporaryDirectory() as state:
        plant = Plant(Path(state), model(protocol), seed=seed, contracts=True, configuration=configuration)
        if ring_bytes is not None:
            plant.runtime.trace = Trace(ring_bytes)
        async with plant:
            await story(plant)
            plant.runtime.trace.save(target, "simulation")


def main(names: list[str]) -> int:
    """Record these stories, or all."""
    for name in names or STORIES:
        clock.run(recorded(*STORIES[name], FOLDER / f"{name}.cbor"), speed=None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
