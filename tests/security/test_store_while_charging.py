"""The certificate store is lost while a car charges over TLS: it goes on charging, the next car is not misled."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.modules.security.test_pki import Pki, make_test_pki
from tests.security.store import CERTS
from tests.security.test_store_trouble import break_by_cutting, break_by_emptying, break_by_loops
from tests.v2g.tls.test_with_evse_security import StoreWorld


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=VIRTUAL_EPOCH)


@pytest.mark.parametrize("damage", [break_by_emptying, break_by_cutting, break_by_loops])
def test_a_session_survives_the_store(
    run: Any, assemble: Any, runtime: Any, pki: Pki, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Any
) -> None:
    caplog.set_level(logging.INFO, "secc")

    async def main() -> None:
        async with StoreWorld(assemble, runtime, pki, tmp_path) as world:
            car = world.car("ISO15118D20")
            await car.until("charging")
            damage(tmp_path)
            await asyncio.sleep(120)
            assert not car.ended.done(), "the session has ended"
            car.wish(stop=True)
            assert (await car.ended).outcome == "terminated"
            await asyncio.sleep(10)
            assert str((await world.car("ISO15118D20").ended).reason) == "the charger offers no TLS"
            # What is there again is used again.
            for path in sorted((tmp_path / CERTS).rglob("*"), reverse=True):
                path.unlink() if path.is_symlink() or path.is_file() else path.rmdir()
            for source in pki.certs.rglob("*"):
                target = tmp_path / CERTS / source.relative_to(pki.certs)
                if source.is_dir():
                    target.mkdir(exist_ok=True, parents=True)
                else:
                    target.parent.mkdir(exist_ok=True, parents=True)
                    target.write_bytes(source.read_bytes())
            await asyncio.sleep(60)
            await world.car("ISO15118D20").until("charging")

    run(main())
    (line,) = [
        r.getMessage() for r in caplog.records if r.getMessage().startswith("no V2G certificate of this charger")
    ]
    assert line.endswith("there is none any more")


def test_a_vehicle_maker_whose_root_is_installed_meanwhile_is_let_in(
    run: Any, assemble: Any, runtime: Any, pki: Pki, tmp_path: Path
) -> None:
    """Field case 14: OEM roots are trust anchors, and MO roots are none."""

    async def main() -> None:
        it = StoreWorld(assemble, runtime, pki, tmp_path)
        bundle = tmp_path / CERTS / "ca/oem/OEM_ROOT_CA.pem"
        roots = bundle.read_bytes()
        bundle.write_bytes(b"")
        async with it as world:
            refused = str((await world.car("ISO15118D20").ended).reason)
            assert "unknown_ca" in refused
            bundle.write_bytes(roots)
            await asyncio.sleep(60)
            await world.manager.hlc.dlink_ready(True)
            await world.car("ISO15118D20").until("charging")

    run(main())
