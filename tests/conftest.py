"""What every test may ask for: a loop with a virtual clock, and modules put together without a configuration file."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import Connection, ModulePlan

T = TypeVar("T")

for _name in ("COLUMNS", "LINES"):
    # readline, which pytest loads, exports the size of a terminal to the workers of pytest-xdist.
    os.environ.pop(_name, None)

settings.register_profile("product", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("product")
"""No example is judged by the time that it takes on a busy machine."""

REAL_TIME = (
    "api/test_strangers",
    "board/flash/test_owner",
    "board/test_serial",
    "cli/test_car",
    "cli/test_demo",
    "cli/test_desk",
    "cli/test_installed",
    "cli/test_mcu",
    "cli/test_run",
    "everestpy/",
    "hil/test_bench",
    "hil/test_desk",
    "image/test_fall_back",
    "image/test_first_boot",
    "image/test_start",
    "image/test_stick",
    "manager/grouped/",
    "manager/test_failing",
    "manager/test_foreign",
    "manager/test_hostile",
    "manager/test_life",
    "manager/test_member",
    "manager/grouped/test_catching",
    "manager/test_member",
    "manager/test_mqtt",
    "manager/test_wire",
    "ocpp/connection/test_sockets",
    "session/test_demo_end_to_end",
    "session/test_foreign_supply",
    "session/test_grouped",
    "session/test_grouped",
    "session/test_hostile",
    "session/test_infypower",
    "sim/test_mcu_port",
    "slac/test_link",
    "slac/test_peers",
    "slac/test_tool",
    "system/cb_system/",
    "test_contributing",
    "v2g/mux/test_foreign",
    "v2g/test_link",
    "v2g/tls/test_s_client",
)
"""Tests on the real clock, with processes, pseudo-terminals, sockets: mostly waiting, sensitive to a busy machine."""

SOURCE = ("docs/test_glossary.py", "test_house.py", "test_prose.py", "v2g/test_walls.py")
"""Tests that read every file of the product: on one worker they parse it once."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under `--dist loadgroup` run the real-time tests first, on one worker; any other file is a group of its own."""
    tests = Path(__file__).parent

    def place(item: pytest.Item) -> str:
        return item.path.relative_to(tests).as_posix() if item.path.is_relative_to(tests) else ""

    for item in items:
        name = place(item)
        group = "real-time" if name.startswith(REAL_TIME) else "source" if name in SOURCE else name
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: not place(item).startswith(REAL_TIME))


_niced = False


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give way to the real-time tests, which run on another worker meanwhile: they measure, all others only compute."""
    global _niced
    group = item.get_closest_marker("xdist_group")
    if not _niced and "PYTEST_XDIST_WORKER" in os.environ and group is not None and group.args != ("real-time",):
        os.nice(10)
        _niced = True


@pytest.fixture(autouse=True)
def product_log() -> Iterator[logging.Logger]:
    """Start each test with the product's log as it is before `kernel.log.set_up`: no handler, heard by `caplog`."""
    log = logging.getLogger("secc")
    log.handlers[:] = []
    log.propagate = True
    log.setLevel(logging.NOTSET)
    for name, other in logging.root.manager.loggerDict.items():
        if name.startswith("secc.") and isinstance(other, logging.Logger):
            other.setLevel(logging.NOTSET)
    yield log
    log.handlers[:] = []


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine on a virtual clock: sleeping costs nothing."""

    def run_virtual(main: Coroutine[Any, Any, T]) -> T:
        return clock.run(main, speed=None)

    return run_virtual


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    """Surroundings whose files are under a temporary directory."""
    return Runtime(root=Root(tmp_path, tmp_path))


def assembler(runtime: Runtime) -> Callable[..., Assembly]:
    """Build modules inside a running loop: `assemble(bsp=(Driver, {}), evse=(Manager, {}, {"bsp": "bsp.main"}))`.

    Each value is (class, module config, connections, implementation configs); connections map a requirement to
    `"module.implementation"` or a list of those. Returns the Assembly: `await it.start()`, `it.modules["bsp"]`.
    """

    def build(**modules: tuple[Any, ...]) -> Assembly:
        plans = []
        for module_id, entry in modules.items():
            cls: type[Module] = entry[0]
            config = entry[1] if len(entry) > 1 else {}
            wanted = entry[2] if len(entry) > 2 else {}
            implementations = entry[3] if len(entry) > 3 else {}
            connections = {
                name: [Connection(*end.split(".", 1)) for end in ([ends] if isinstance(ends, str) else ends)]
                for name, ends in wanted.items()
            }
            configs = {name: cls.provisions[name].config(**values) for name, values in implementations.items()}
            plans.append(ModulePlan(module_id, cls, cls.Config(**config), configs, connections))
        assembly = Assembly(runtime)
        assembly.build(plans)
        return assembly

    return build


@pytest.fixture
def assemble(runtime: Runtime) -> Callable[..., Assembly]:
    """Build modules inside a running loop, in the surroundings of `runtime`: see `assembler`."""
    return assembler(runtime)
