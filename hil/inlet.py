"""The inlet box of a rig as the control pilot of `secc car` (entry point `inlet` beside the rig's own command)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.sim.pilot import Pilot
from hil.drivers import Resource, Stage
from hil.drivers.bench import InletBox
from hil.recorder import Recorder
from hil.rig import load, rig_file
from hil.scenario import Scenario


async def open_inlet(name: str) -> tuple[Pilot, Callable[[], Awaitable[None]]]:
    """Activate the inlet box of a rig and what it is bound to, nothing else; return its pilot and what lets it go.

    Raises ConfigError for a file that is wrong and Unavailable for a rig without a box, or one that is not there.
    """
    rig = load(rig_file(name))
    made: dict[str, Resource] = {}
    for part in rig.resources:
        bound = {key: made[other] for key, other in part.bindings.items()}
        made[part.name] = part.cls(part.name, part.options, bound)
    box = next((one for one in made.values() if isinstance(one, InletBox)), None)
    if box is None:
        raise Unavailable(f"rig {rig.name} has no InletBox: the car's pilot cannot be worked by it")
    needed = [*box.bound.values(), box]
    lacking = [f"{one.name}: {what}" for one in needed for what in one.lacking()]
    if lacking:
        raise Unavailable("; ".join(lacking))
    stage = Stage(Recorder(), Scenario("secc car", "A car at a charger", "session", "iso2", "idle", ()), Path.cwd())
    active: list[Resource] = []

    async def leave() -> None:
        for one in reversed(active):
            await one.deactivate()

    try:
        for one in needed:
            await one.activate(stage)
            active.append(one)
    except BaseException:
        await leave()
        raise
    return box.pilot, leave
