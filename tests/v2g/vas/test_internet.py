"""Iso15118InternetVas: what it offers, and the script that opens and closes the way."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum
from chargebyte_fw.contracts.types.iso15118_vas import SelectedService
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.modules.v2g import iso15118_internet_vas
from chargebyte_fw.modules.v2g.iso15118_internet_vas import InternetVasConfig, Iso15118InternetVas
from chargebyte_fw.modules.v2g.setup_script_link import run_script
from chargebyte_fw.sim.idle import idle


class Evse(Module):
    """An EVSE that begins and ends sessions."""

    evse = provides(idle(EvseManager))

    def report(self, event: str) -> None:
        value = SessionEvent(uuid="s", timestamp="2026-01-01T00:00:00Z", event=SessionEventEnum(event))
        self.evse.session_event.publish(value)


class Station:
    """The module, its EVSE, and the script's calls."""

    def __init__(self, assemble: Any, monkeypatch: Any, tmp_path: Path, **config: Any) -> None:
        script = tmp_path / "usr/libexec/chargebyte/vas-internet-setup.sh"
        script.parent.mkdir(parents=True)
        script.write_text("#!/bin/sh\n")
        self.calls: list[str] = []
        self.fail: set[str] = set()
        self.takes_s = 0.5
        self.running = 0
        monkeypatch.setattr(iso15118_internet_vas, "run_script", self.run_script)
        self.vas = (Iso15118InternetVas, config, {"evse_manager": "evse.evse"})
        self.assemble = assemble

    async def run_script(self, path: Path, arguments: tuple[str, ...]) -> None:
        assert path.name == "vas-internet-setup.sh" and not self.running
        self.running += 1
        await asyncio.sleep(self.takes_s)
        self.running -= 1
        self.calls.append(" ".join(arguments))
        if arguments[0] in self.fail:
            raise Unavailable("it failed")

    async def __aenter__(self) -> Station:
        self.assembly = self.assemble(vas=self.vas, evse=(Evse,))
        await self.assembly.start()
        self.provider = self.assembly.provider("vas", "iso15118_vas")
        self.evse = self.assembly.modules["evse"]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.assembly.stop()

    async def select(self, *sets: int) -> None:
        await self.provider.selected_services([SelectedService(service_id=3, parameter_set_id=one) for one in sets])


def session(run: Any, *args: Any, **config: Any) -> Any:
    """Run `body(station)` in an assembly."""

    def runs(body: Any) -> Station:
        station = Station(*args, **config)

        async def main() -> None:
            async with station:
                await body(station)

        run(main())
        return station

    return runs


@pytest.mark.parametrize(
    ("config", "offered"),
    [
        ({}, [(3, "http", 80), (4, "https", 443)]),
        ({"http_support": False}, [(4, "https", 443)]),
        ({"https_support": False}, [(3, "http", 80)]),
    ],
)
def test_what_is_offered(
    run: Any, assemble: Any, monkeypatch: Any, tmp_path: Path, config: dict[str, Any], offered: list[Any]
) -> None:
    async def body(it: Station) -> None:
        heard: list[Any] = []
        it.provider.offered_vas.subscribe(heard.append)
        await asyncio.sleep(0)
        assert [one.service_id for one in heard[-1].services] == [3]
        sets = await it.provider.get_service_parameters(3)
        assert [
            (one.set_id, one.parameters[0].value.finite_string, one.parameters[1].value.int_value) for one in sets
        ] == offered
        assert [parameter.name for parameter in sets[0].parameters] == ["Protocol", "Port"]
        assert await it.provider.get_service_parameters(65) == []

    session(run, assemble, monkeypatch, tmp_path, **config)(body)


def test_the_way_is_open_for_the_session(run: Any, assemble: Any, monkeypatch: Any, tmp_path: Path) -> None:
    async def body(it: Station) -> None:
        it.evse.report("SessionStarted")
        await asyncio.sleep(1)
        await it.select(4)
        await asyncio.sleep(2)
        assert it.calls == ["up eth1 wwan0 443"]
        await it.select(4)
        await asyncio.sleep(2)
        assert it.calls == ["up eth1 wwan0 443"], "it is open already"
        it.evse.report("SessionFinished")
        await asyncio.sleep(2)
        assert it.calls[1:] == ["down eth1 wwan0 443"]

    session(run, assemble, monkeypatch, tmp_path, modem_interface="wwan0")(body)


def test_the_next_selection_replaces_the_one_before(run: Any, assemble: Any, monkeypatch: Any, tmp_path: Path) -> None:
    async def body(it: Station) -> None:
        await it.select(3)
        await it.select(3, 4)
        await asyncio.sleep(3)

    it = session(run, assemble, monkeypatch, tmp_path)(body)
    assert it.calls == ["up eth1 eth0 80,443", "down eth1 eth0 80,443"] or it.calls == [
        "up eth1 eth0 80",
        "down eth1 eth0 80",
        "up eth1 eth0 80,443",
        "down eth1 eth0 80,443",
    ]


def test_an_end_while_the_script_runs_is_not_lost(run: Any, assemble: Any, monkeypatch: Any, tmp_path: Path) -> None:
    async def body(it: Station) -> None:
        await it.select(3)
        await asyncio.sleep(0.2)
        it.evse.report("SessionFinished")
        await asyncio.sleep(3)
        assert it.calls == ["up eth1 eth0 80", "down eth1 eth0 80"]

    session(run, assemble, monkeypatch, tmp_path)(body)


def test_the_end_of_the_module_closes_the_way(run: Any, assemble: Any, monkeypatch: Any, tmp_path: Path) -> None:
    async def body(it: Station) -> None:
        await it.select(3)
        await asyncio.sleep(1)

    assert session(run, assemble, monkeypatch, tmp_path)(body).calls[-1] == "down eth1 eth0 80"


def test_a_script_that_fails_leaves_nothing_open(run: Any, assemble: Any, monkeypatch: Any, tmp_path: Path) -> None:
    async def body(it: Station) -> None:
        it.fail = {"up"}
        await it.select(3)
        await asyncio.sleep(3)
        assert it.calls == ["up eth1 eth0 80", "down eth1 eth0 80"]
        it.fail = set()
        await it.select(3)
        await asyncio.sleep(3)
        assert it.calls[2:] == ["up eth1 eth0 80"]

    session(run, assemble, monkeypatch, tmp_path)(body)


def test_a_set_that_is_not_offered_opens_nothing(
    run: Any, assemble: Any, monkeypatch: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(it: Station) -> None:
        await it.select(1)
        await asyncio.sleep(1)

    assert session(run, assemble, monkeypatch, tmp_path)(body).calls == []
    assert "not offered" in caplog.text


def test_without_its_script_the_service_is_not_offered(
    run: Any, assemble: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        assembly = assemble(vas=(Iso15118InternetVas, {"vas_setup_script": "/nowhere/script"}, {}))
        await assembly.start()
        heard: list[Any] = []
        assembly.provider("vas", "iso15118_vas").offered_vas.subscribe(heard.append)
        await asyncio.sleep(0)
        assert heard[-1].services == []
        await assembly.stop()

    run(main())
    assert "/nowhere/script is not there" in caplog.text


def test_the_configuration_is_checked() -> None:
    def issues(ends: dict[str, Any], **config: Any) -> list[tuple[str, str]]:
        found = Iso15118InternetVas.config_issues(InternetVasConfig(**config), ends)
        return [(one.about, one.severity) for one in found]

    connected: dict[str, Any] = {"evse_manager": [object()]}
    assert issues(connected) == []
    assert issues({}) == [("evse_manager", "warning")]
    assert issues(connected, http_support=False, https_support=False) == [("http_support", "error")]
    assert issues(connected, ev_interface="eth0") == [("modem_interface", "error")]


# -- the script


def script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "script.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_script_gets_its_arguments(tmp_path: Path) -> None:
    path = script(tmp_path, f'echo "$@" >{tmp_path}/out')
    asyncio.run(run_script(path, ("up", "eth1", "eth0", "80,443")))
    assert (tmp_path / "out").read_text() == "up eth1 eth0 80,443\n"


def test_a_script_that_fails_is_reported_with_its_words(tmp_path: Path) -> None:
    path = script(tmp_path, "echo radvd is missing >&2; exit 3")
    with pytest.raises(Unavailable, match=r"script.sh up: exit status 3: radvd is missing"):
        asyncio.run(run_script(path, ("up",)))
    with pytest.raises(Unavailable, match="No such file"):
        asyncio.run(run_script(tmp_path / "none.sh", ()))


def test_a_script_that_hangs_dies_with_its_children(tmp_path: Path) -> None:
    path = script(tmp_path, f"sleep 60 & echo $! >{tmp_path}/pid; wait")
    with pytest.raises(Unavailable, match=r"not done within 0.3 s"):
        asyncio.run(run_script(path, (), 0.3))
    pid = int((tmp_path / "pid").read_text())
    stat = Path(f"/proc/{pid}/stat")
    until = time.monotonic() + 5
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < until
        time.sleep(0.01)
