"""Every kind of car that the demo has, at the charger that the demo runs for it: all modules, in memory."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.cli import demo_charger
from chargebyte_fw.cli.demo import PROTOCOLS
from chargebyte_fw.cli.demo_show import EVSE
from chargebyte_fw.cli.demo_state import DemoState, steps_of
from chargebyte_fw.kernel import clock
from chargebyte_fw.sim.car_keys import read_keys
from chargebyte_fw.sim.car_models import PROTOCOLS as CARS
from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

SPEAKS = {"iso2": "ISO15118-2-2013", "iso2-ac": "ISO15118-2-2013", "din": "DIN70121", "basic": ""}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state root with the demo's certificates, valid around the virtual clock's time."""
    root = tmp_path_factory.mktemp("certificates")

    async def make() -> None:
        demo_charger.make_certificates(root)

    clock.run(make(), speed=None)
    return root


def test_the_demo_has_every_car() -> None:
    # AC_DER_IEC is offered where a grid operator's module wants it: the demo has none.
    assert {*PROTOCOLS, "iso20-ac-der"} == set(CARS)


@pytest.mark.parametrize(
    "words",
    [
        *("iso2-ac", "iso20-ac", "iso20-dc-bpt", "iso20-ac-bpt", "mcs"),
        *("iso2 tls", "iso20-dc tls", "iso2 pnc", "iso20-dc pnc"),
    ],
)
def test_the_car_charges_and_leaves(words: str, run: Any, tmp_path: Path, certificates: Path) -> None:
    protocol, _, secured = words.partition(" ")
    tls, pnc = bool(secured), secured == "pnc"
    shutil.copytree(certificates / "etc", tmp_path / "etc")
    name = demo_charger.shipped(protocol)
    demo_charger.write(tmp_path, name, demo_charger.overlay(protocol, tls=tls, pnc=pnc))
    secrets: dict[str, Any] = {}
    if tls:
        payment = "contract" if pnc else "external"
        secrets = {"tls": "require", "payment": payment, "keys": read_keys(certificates / "pki")}
    mode = "Dynamic" if protocol.endswith("bpt") else ""
    model = Model(protocol, battery_kWh=1.0, soc_percent=70, target_soc_percent=75, control_mode=mode, **secrets)
    state = DemoState(protocol, 75.0, steps_of(protocol))

    async def main() -> None:
        async with Plant(tmp_path, model, configuration=name) as plant:
            _follow(plant, state)
            await plant.session()
            state.from_car(plant.world.car.numbers())
            assert plant.failures() == [] and plant.faults() == []

    run(main())
    assert state.succeeded, (state.current_step, state.failure)
    assert list(state.done) == list(state.steps) or set(state.done) == set(state.steps)
    kind = "AC" if "-ac" in protocol else "DC"
    assert state.speaks == SPEAKS.get(protocol, f"ISO15118-20:{kind}")
    assert state.tls_version == ("" if not tls else "1.3" if protocol.startswith("iso20") else "1.2")
    assert state.identity.startswith("DEKL2C" if pnc else "EIM")


def _follow(plant: Plant, state: DemoState) -> None:
    """Take the car's reports as the demo does, and order energy back where the car is ready for it."""
    report = plant.world.car._report

    def reported(one: dict[str, Any]) -> None:
        report(one)
        state.from_car(one)
        if "discharge_W" in one:
            limit_W = -one["discharge_W"] or 11_000.0
            plant.mqtt.receive(f"everest_api/{EVSE}/cmd/set_limit_watts", f"{limit_W:g}")
        if one.get("script") == "ended":
            state.finished = True

    plant.world.car._report = reported


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_laid_over_is_nothing_for_the_shipped_kinds(protocol: str) -> None:
    over = demo_charger.overlay(protocol)
    assert (over == {}) == (protocol in ("iso2", "din", "basic"))
    assert demo_charger.shipped(protocol, "infypower") == demo_charger.INFYPOWER
