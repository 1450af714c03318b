"""Keys, bundles and a board with RAUC for the tests that install."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.cb_system import rig


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> rig.Authority:
    """The maker of our firmware."""
    return rig.Authority(tmp_path_factory.mktemp("keys"), "maker")


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory, keys: rig.Authority) -> Path:
    """A good bundle of the maker."""
    if trouble := rig.missing():
        pytest.skip(trouble)
    return rig.make_bundle(tmp_path_factory.mktemp("bundle"), "good", keys)


@pytest.fixture
def board(tmp_path: Path, keys: rig.Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[rig.Board]:
    """A board whose slot A is booted; `tmp_path` is the root of the charger's files."""
    if trouble := rig.missing():
        pytest.skip(trouble)
    (tmp_path / "var/lib/everest").mkdir(parents=True)
    with rig.board(tmp_path / "board", keys.ca_path, tmp_path) as it:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", it.environment["DBUS_SYSTEM_BUS_ADDRESS"])
        yield it


@pytest.fixture
def unused_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
