"""Optional files of the root that are missing, or something else than a file: a car charges all the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.configuration.overlay_fallback import load_with_fallback
from chargebyte_fw.sim.car_models import Model
from tests.odd_files import ODD, make_odd
from tests.session.plant import REPOSITORY, Plant

BASIC = Model("basic", battery_kWh=1.0, soc_percent=70, target_soc_percent=71)
FILES = (
    "etc/everest/charger_info.yaml",
    "etc/everest/user-config/bsp-only-ac.yaml",
    "etc/everest/user-config",
    "usr/share/secc/VERSION",
    "var/lib/everest/everest_persistent_store.db",
    "tmp/error_history.db",
    "tmp/everest-logs",
    "etc/everest/certs",
)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("name", FILES)
def test_a_car_charges_whatever_lies_there(run: Any, tmp_path: Path, name: str, kind: str) -> None:
    root = tmp_path / "root"
    for shipped in ("etc/everest", "usr/share/secc"):
        shutil.copytree(REPOSITORY / shipped, root / shipped, symlinks=True)
    make_odd(root / name, kind)
    configuration, notices = load_with_fallback(root / "etc/everest/bsp-only-ac.yaml", Root(root, root))
    configuration.require_sound()
    told = [*notices, *configuration.notices]
    fine = kind == "missing" or "user-config" not in name or (name.endswith("user-config") and kind == "folder")
    assert len(told) == (0 if fine else 1), told

    async def charge() -> None:
        async with Plant(tmp_path, BASIC, root=Root(root, root)) as plant:
            await plant.session()
            assert "charging" in plant.steps() and plant.failures() == []
            assert plant.tracebacks() == []

    run(charge())
