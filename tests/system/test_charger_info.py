"""ChargerInfo: who wins, what is made up, and what happens when a source is missing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import chargebyte_fw
from chargebyte_fw.contracts.interfaces.charger_information import ChargerInformation as Contract
from chargebyte_fw.contracts.types.charger_information import ChargerInformation
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import Connection, ModulePlan
from chargebyte_fw.modules.system.charger_info import ChargerInfo
from chargebyte_fw.modules.system.persistent_store import PersistentStore
from chargebyte_fw.modules.system.yaml_store import YamlStore

ROOT = Path(__file__).parents[2]


class Nameplate(Contract):
    module: Upstream

    async def get_charger_information(self) -> ChargerInformation:
        if self.module.gone:
            raise Unavailable("the nameplate cannot be read")
        return ChargerInformation(vendor="upstream", model="U", board_revision="7", firmware_version="0.0.1")


class Upstream(Module):
    main = provides(Nameplate)
    gone = False


def info(run: Any, assemble: Any, tmp_path: Path, *files: str, version: str | None = "1.2.3\n", **more: Any) -> Any:
    """Ask a ChargerInfo over the given YAML files; `more` adds modules and connections."""
    if version is not None:
        (tmp_path / "VERSION").write_text(version)
    stores: dict[str, Any] = {}
    for number, text in enumerate(files):
        (tmp_path / f"{number}.yaml").write_text(text)
        stores[f"kvs{number}"] = (YamlStore, {"file": f"/{number}.yaml"})

    async def main() -> Any:
        wanted: dict[str, Any] = {"kvs": [f"{name}.main" for name in stores]}
        if "upstream" in more:
            wanted["charger_information"] = "upstream.main"
        world = assemble(**stores, **more, charger_info=(ChargerInfo, {"firmware_version_file": "/VERSION"}, wanted))
        await world.start()
        provider: Any = world.provider("charger_info", "main")
        told = await provider.get_charger_information()
        await world.stop()
        return told

    return run(main())


def test_the_values_of_the_store_and_the_version_of_the_file(run: Any, assemble: Any, tmp_path: Path) -> None:
    told = info(
        run,
        assemble,
        tmp_path,
        "vendor: V\nmodel: M\nmodel_revision: 007\nchargepoint_serial: S\nmanufacturer: X GmbH\n",
    )
    assert told == ChargerInformation(
        vendor="V",
        model="M",
        model_revision="007",
        chargepoint_serial="S",
        manufacturer="X GmbH",
        firmware_version="1.2.3",
        friendly_name="V M [S]",
    )


def test_a_later_store_wins_and_upstream_comes_first(run: Any, assemble: Any, tmp_path: Path) -> None:
    told = info(run, assemble, tmp_path, "vendor: A\nmodel: A\n", "model: B\n", upstream=(Upstream,))
    assert (told.vendor, told.model, told.board_revision, told.firmware_version) == ("A", "B", "7", "1.2.3")


def test_an_upstream_that_fails_does_not_keep_the_others_from_answering(
    run: Any, assemble: Any, tmp_path: Path, mocker: Any
) -> None:
    mocker.patch.object(Upstream, "gone", True)
    told = info(run, assemble, tmp_path, "vendor: A\nmodel: A\n", upstream=(Upstream,))
    assert (told.vendor, told.board_revision) == ("A", None)


def test_who_does_not_answer_is_logged_once_and_once_when_it_does_again(
    run: Any, assemble: Any, tmp_path: Path, mocker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    mocker.patch.object(Upstream, "gone", True)
    (tmp_path / "0.yaml").write_text("vendor: A\n")
    caplog.set_level("INFO")

    async def main() -> None:
        wanted = {"kvs": ["kvs.main"], "charger_information": "upstream.main"}
        world = assemble(
            kvs=(YamlStore, {"file": "/0.yaml"}),
            upstream=(Upstream,),
            charger_info=(ChargerInfo, {"firmware_version_file": "/VERSION"}, wanted),
        )
        await world.start()
        for second in range(200):
            if second == 100:
                mocker.patch.object(Upstream, "gone", False)
                (tmp_path / "VERSION").write_text("1.2.3\n")
            await world.provider("charger_info", "main").get_charger_information()
            await asyncio.sleep(1)
        await world.stop()

    run(main())
    lines = [record.getMessage() for record in caplog.records if record.name == "secc.charger_info"]
    assert [line.partition(":")[0] for line in lines] == [
        "upstream does not say who this is",
        "the firmware version is not known from /VERSION",
        "upstream says again who this is",
        "the firmware version is 1.2.3",
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("vendor: V\nmodel: M\n", "V M"),
        ("vendor: V\nmodel: M\nfriendly_name: Garage\n", "Garage"),
        ("model: M\nchargepoint_serial: '1'\n", "unknown M [1]"),
        ("", "unknown unknown"),
    ],
)
def test_a_name_for_listings_is_made_when_nobody_gives_one(
    run: Any, assemble: Any, tmp_path: Path, text: str, name: str
) -> None:
    assert info(run, assemble, tmp_path, text).friendly_name == name


@pytest.mark.parametrize(
    ("version", "shown"),
    [
        ("2.0 beta\nbuilt by\n", "2.0 beta"),
        ("  3\r\n", "3"),
        (None, "store"),
        ("", "store"),
        ("\n3\n", "store"),
        ("x" * 300, "store"),
    ],
)
def test_the_first_line_of_the_version_file_wins_when_it_is_one(
    run: Any, assemble: Any, tmp_path: Path, version: str | None, shown: str
) -> None:
    assert info(run, assemble, tmp_path, "firmware_version: store\n", version=version).firmware_version == shown


def test_numbers_from_a_store_become_texts(run: Any, assemble: Any, tmp_path: Path) -> None:
    async def main() -> None:
        world = assemble(
            db=(PersistentStore,),
            charger_info=(ChargerInfo, {"firmware_version_file": "/none"}, {"kvs": "db.main"}),
        )
        await world.start()
        await world.provider("db", "main").store("model_number", 12)
        await world.provider("db", "main").store("vendor", ["not", "a", "text"])
        provider: Any = world.provider("charger_info", "main")
        told = await provider.get_charger_information()
        assert (told.model_number, told.vendor) == ("12", "unknown")
        await world.stop()

    run(main())


def test_the_shipped_files_name_the_product_and_its_version(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        world = Assembly(Runtime(root=Root(ROOT, tmp_path)))
        file = YamlStore.Config(file="/etc/everest/charger_info.yaml")
        config = ChargerInfo.Config(firmware_version_file="/usr/share/secc/VERSION")
        connections = {"kvs": [Connection("kvs", "main")]}
        world.build(
            [
                ModulePlan("charger_info", ChargerInfo, config, connections=connections),
                ModulePlan("kvs", YamlStore, file),
            ]
        )
        await world.start()
        provider: Any = world.provider("charger_info", "main")
        told = await provider.get_charger_information()
        assert (told.vendor, told.model) == ("chargebyte", "Charge SOM")
        assert told.firmware_version == chargebyte_fw.VERSION
        await world.stop()

    run(main())
