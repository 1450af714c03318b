"""A car charges while its CSMS is gone, and the file of the queue cannot be written or was damaged."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.connection.web_socket import HandshakeFailed
from tests.ocpp.queue.disk import Disk
from tests.session.test_ocpp16 import UnderCsms


def test_csms_and_disk_are_gone_while_a_car_charges(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)

    async def main() -> None:
        async with UnderCsms(tmp_path) as plant:
            csms = plant.csms
            await csms.received("BootNotification", 60)
            await plant.charging()
            await csms.received("StartTransaction")
            csms.refuse_handshake = HandshakeFailed("no route")
            await csms.disconnect(1006)
            for minute in range(20):
                disk.trouble = "database or disk is full" if 5 <= minute < 15 else ""
                await asyncio.sleep(60)
                assert plant.world.car.inlet.power_W > 0, "the car notices nothing"
            plant.world.car.replace("unplug")
            await asyncio.sleep(60)
            csms.refuse_handshake = None
            await csms.connected(120)
            stop = await csms.received("StopTransaction")
            assert stop["transactionId"] == 1
            await asyncio.sleep(60)
            assert len(csms.requests("BootNotification")) == len(csms.requests("StartTransaction")) == 1
            assert plant.tracebacks() == []

    run(main())


def test_a_damaged_file_is_a_fault_that_blocks_nothing(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "var/lib/everest/ocpp"
    folder.mkdir(parents=True)

    async def main() -> None:
        async with UnderCsms(tmp_path) as plant:
            await plant.csms.received("BootNotification", 60)
            assert not [fault for fault in plant.faults() if "VendorWarning" in fault]
        [file] = folder.rglob("*.db")
        file.write_bytes(b"no database" * 1000)
        for rest in folder.rglob("*.db-*"):
            rest.unlink()
        async with UnderCsms(tmp_path) as plant:
            await plant.csms.received("BootNotification", 60)
            await plant.charging()
            await plant.csms.received("StartTransaction")
            assert [fault for fault in plant.faults() if "VendorWarning" in fault]
            assert list(folder.rglob("*.db.damaged-*"))

    run(main())
