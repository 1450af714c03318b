"""Who may import whom within the V2G house: a protocol knows its own messages, the engine knows no protocol."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.source import ROOT
from tests.test_house import imports, within

HOUSE = "chargebyte_fw.modules.v2g"
SIDES = ("secc", "evcc")
PROTOCOLS = ("din", "iso2", "iso20")


def files(folder: str) -> list[str]:
    root = ROOT / HOUSE.replace(".", "/")
    return [str(path.relative_to(ROOT)) for path in sorted((root / folder).rglob("*.py"))]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("protocol", "other"), list(itertools.permutations(PROTOCOLS, 2)))
def test_a_protocol_knows_nothing_of_another_one(side: str, protocol: str, other: str) -> None:
    foreign = tuple(f"{HOUSE}.{place}.{other}" for place in (*SIDES, "messages"))
    if other == "iso20":
        foreign += tuple(
            f"{HOUSE}.messages.{path.stem}" for path in (ROOT / HOUSE.replace(".", "/")).glob("messages/iso20_*")
        )
    if protocol == "iso20":
        foreign += (f"{HOUSE}.{side}.common", f"{HOUSE}.messages.common", f"{HOUSE}.physical")
    for path in files(f"{side}/{protocol}"):
        assert [name for name in imports(path) if within(name, *foreign)] == [], path


@pytest.mark.parametrize("side", SIDES)
def test_machine_and_common_code_know_no_protocol(side: str) -> None:
    protocols = tuple(f"{HOUSE}.{place}.{one}" for place in (*SIDES, "messages") for one in PROTOCOLS)
    loose = [path for path in files(side) if Path(path).parent.name in (side, "common")]
    assert len(loose) > 6
    for path in loose:
        assert [name for name in imports(path) if within(name, *protocols)] == [], path


def test_nothing_of_the_machines_knows_what_carries_its_bytes() -> None:
    carriers = (f"{HOUSE}.transport", f"{HOUSE}.link", f"{HOUSE}.engine")
    for side in SIDES:
        for path in files(side):
            assert [name for name in imports(path) if within(name, *carriers)] == [], path
