"""RAUC's answers are input, too: what is not as its interface declares is one line, whatever it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.system.bus_link import SystemBus
from chargebyte_fw.modules.system.update.rauc_link import BundleRefused, RaucLink

SLOTS = [
    ("rootfs.0", {"class": "rootfs", "bootname": "A", "state": "booted", "boot-status": "good"}),
    ("rootfs.1", {"class": "rootfs", "bootname": "B", "state": "inactive", "boot-status": "bad"}),
]


class Bus:
    """Answers each method with what the test gives."""

    def __init__(self, signals: list[tuple[str, list[Any]]] | None = None, **answers: list[Any]) -> None:
        self.answers = {"InstallBundle": [], "GetPrimary": ["rootfs.0"], **answers}
        self.signals = signals or []

    async def call(self, destination: str, path: str, interface: str, member: str, *_: Any) -> list[Any]:
        return self.answers[member]

    async def get(self, destination: str, path: str, interface: str, name: str) -> Any:
        return {"Compatible": "board", "LastError": "", "Operation": "idle"}[name]

    @asynccontextmanager
    async def listening(
        self, service: str, hear: Callable[[str, list[Any]], None], lost: Callable[[str], None]
    ) -> AsyncIterator[None]:
        for member, body in self.signals:
            hear(member, body)
        yield


def rauc(signals: list[tuple[str, list[Any]]] | None = None, **answers: list[Any]) -> RaucLink:
    return RaucLink(cast(SystemBus, Bus(signals, **answers)))


@pytest.mark.parametrize("answer", [[], [None], [7], [["rootfs.0"]], [[("rootfs.0", 7)]], [{"rootfs.0": {}}]])
def test_slots_that_make_no_sense(run: Any, answer: list[Any]) -> None:
    with pytest.raises(PeerError, match=r"GetSlotStatus is not as its interface declares|no bootable slot"):
        run(rauc(GetSlotStatus=answer).slots())


@pytest.mark.parametrize("answer", [[], [7], ["board"], ["board", 7], [["board", "1"]]])
def test_a_bundle_that_makes_no_sense(run: Any, answer: list[Any]) -> None:
    with pytest.raises(PeerError, match="Info is not as its interface declares"):
        run(rauc(Info=answer).examine(Path("/bundle")))


def test_what_is_declared_is_read(run: Any) -> None:
    found = run(rauc(GetSlotStatus=[SLOTS]).slots())
    assert (found.booted, found.other, found.primary, found.bad) == ("rootfs.0", "rootfs.1", "rootfs.0", ("rootfs.1",))
    assert run(rauc(GetSlotStatus=[SLOTS], GetPrimary=[]).slots()).primary == ""
    assert run(rauc(Info=["board", "1.2"]).examine(Path("/bundle"))) == "1.2"
    with pytest.raises(BundleRefused):
        run(rauc(Info=["other", "1.2"]).examine(Path("/bundle")))


@pytest.mark.parametrize("body", [[], ["0"], [None], [{}]])
def test_an_end_that_makes_no_sense_ends_the_wait(run: Any, body: list[Any]) -> None:
    with pytest.raises(PeerError, match="Completed is not as its interface declares"):
        run(rauc([("Completed", body)]).install(Path("/bundle"), lambda *_: None))


def test_a_progress_that_makes_no_sense_is_left_out(run: Any) -> None:
    told: list[tuple[int, str]] = []
    changes: list[Any] = [{"Progress": [7]}, {"Progress": "x"}, {"Progress": [50, "writing", 1]}, {}, 7]
    signals = [("PropertiesChanged", ["Installer", change, []]) for change in changes]
    signals += [("PropertiesChanged", []), ("Completed", [0])]
    run(rauc(signals).install(Path("/bundle"), lambda percentage, step: told.append((percentage, step))))
    assert told == [(50, "writing")]
