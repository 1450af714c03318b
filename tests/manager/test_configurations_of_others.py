"""A module of this process reads and changes the configuration of others, as far as `access` goes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import ConfigurationKey, Configurations, KeepValue, Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.configuration.changes import Overlay, beside_the_loop
from chargebyte_fw.manager.plan import Access, ModulePlan, Rights
from tests.manager.parts import Chain, Pump


async def access_of(access: Access | None, keep: KeepValue | None = None) -> Configurations | None:
    """Build a module that has this access beside a pump; returns what it is given."""
    assembly = Assembly(Runtime(root=Root(Path("/"), Path("/")), keep_value=keep))
    assembly.build(
        [ModulePlan("pump", Pump, Pump.Config(power_W=5)), ModulePlan("me", Chain, Chain.Config(), access=access)]
    )
    return assembly.modules["me"].runtime.configurations


def test_without_access_there_is_nothing_of_others() -> None:
    assert asyncio.run(access_of(None)) is None
    others = asyncio.run(access_of(Access()))
    assert others is not None and others.readable() == []


def test_keys_are_writable_with_the_right_to_write_and_a_place_to_keep_them(tmp_path: Path) -> None:
    keep = beside_the_loop(Overlay(tmp_path / "charger.yaml", Root(tmp_path, tmp_path)))
    whole = Access(allow_global_read=True, allow_global_write=True, allow_set_read_only=True)
    single = Access(modules={"pump": Rights(allow_read=True)})
    for access, kept, writable in ((whole, keep, True), (whole, None, False), (single, keep, False)):
        others = asyncio.run(access_of(access, kept))
        assert others is not None
        keys = {one.key: one for one in others.readable()}
        assert keys["power_W"] == ConfigurationKey("Pump", "pump", "power_W", "number", 5.0, writable)
        assert keys["quiet"].kind == "boolean" and set(keys) == {"power_W", "speed", "quiet", "mode", "label"}


def test_a_changed_value_is_checked_and_kept_for_the_next_start(tmp_path: Path) -> None:
    keep = beside_the_loop(Overlay(tmp_path / "charger.yaml", Root(tmp_path, tmp_path)))
    access = Access(allow_global_read=True, allow_global_write=True, allow_set_read_only=True)
    others = asyncio.run(access_of(access, keep))
    assert others is not None
    for bad in ("-1", "much"):
        with pytest.raises(ValueError, match="power_W cannot be"):
            others.check("pump", "power_W", bad)
    others.check("pump", "power_W", "7.5")
    asyncio.run(others.keep("pump", "power_W", "7.5"))
    assert '"power_W": 7.5' in (tmp_path / "user-config/charger.yaml").read_text()


def test_what_may_only_be_read_is_not_taken_whoever_asks(tmp_path: Path) -> None:
    """An integrator, who may set what the CSMS may only read, has no more rights than the module."""
    keep = beside_the_loop(Overlay(tmp_path / "charger.yaml", Root(tmp_path, tmp_path)))
    for access in (
        Access(allow_global_read=True),
        Access(modules={"pump": Rights(allow_read=True, allow_set_read_only=True)}),
    ):
        others = asyncio.run(access_of(access, keep))
        assert others is not None
        with pytest.raises(ValueError, match="me may not change pump"):
            others.check("pump", "power_W", "7.5")


def test_values_that_come_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    """One SetVariables has several, each written by the side."""
    keep = beside_the_loop(Overlay(tmp_path / "charger.yaml", Root(tmp_path, tmp_path)))

    async def main() -> None:
        await asyncio.gather(*(keep(f"pump{number}", "!module", "power_W", number) for number in range(30)))

    asyncio.run(main())
    kept = json.loads((tmp_path / "user-config/charger.yaml").read_text())["active_modules"]
    assert {name: entry["config_module"]["power_W"] for name, entry in kept.items()} == {
        f"pump{number}": number for number in range(30)
    }


def test_modules_of_other_processes_are_shown_like_those_of_this_one(tmp_path: Path) -> None:
    keep = beside_the_loop(Overlay(tmp_path / "charger.yaml", Root(tmp_path, tmp_path)))
    access = Access(allow_global_read=True, allow_global_write=True)
    me = ModulePlan("me", Chain, Chain.Config(), access=access)
    pump = ModulePlan("pump", Pump, Pump.Config(power_W=5))

    async def main() -> tuple[Configurations | None, Configurations | None]:
        together = Assembly(Runtime(root=Root(tmp_path, tmp_path), keep_value=keep))
        together.build([pump, me])
        apart = Assembly(Runtime(root=Root(tmp_path, tmp_path), keep_value=keep), everyone=[pump, me])
        apart.build([me])
        return together.modules["me"].runtime.configurations, apart.modules["me"].runtime.configurations

    whole, part = asyncio.run(main())
    assert whole is not None and part is not None
    assert part.readable() == whole.readable() and {one.module_id for one in part.readable()} == {"pump"}
