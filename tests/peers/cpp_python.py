"""Modules in Python, on `everest.framework` of this product, beside EVerest's own in C++ under its manager in C++.

The manager starts two programs in Python (a supply, a key-value store that calls the one in C++ behind it) and four in
C++; this process joins as EVerest's probe module does. Each command, variable and error here goes from one language to
the other.
"""

from __future__ import annotations

import contextlib
import queue
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chargebyte_fw.everestpy import SEARCH_PATH
from chargebyte_fw.everestpy.everest.framework import CommandFailed, Module, RuntimeSession, error
from tests.peers.cpp_process import READY, START_LIMIT_S, CppManager, cpp_manager, own_broker
from tests.peers.josev import Failed
from tests.session.plant import REPOSITORY

LIMIT_S = 10.0
IN_CPP = ("EnergyNode", "ErrorHistory", "OVMSimulator", "PersistentStore")
IN_PYTHON = ("ForeignStore", "ForeignSupply")
NEEDED = ("bin/manager", *(f"libexec/everest/modules/{name}" for name in IN_CPP))
"""What a prefix has to have."""
OVER_VOLTAGE = "over_voltage_monitor/MREC5OverVoltage"
METER_FAULT = "powermeter/CommunicationFault"
VOLTAGE_V, ENERGY_WH = 400.0, 1234.5
LIMITS = {"uuid": "somewhere below", "valid_for": 10, "schedule": [], "limits_root_side": {}}


def configuration(folder: Path) -> dict[str, Any]:
    """Return the configuration: every message is checked on both ends; `probe` is this process."""

    def to(module_id: str, implementation_id: str = "main") -> list[dict[str, str]]:
        return [{"module_id": module_id, "implementation_id": implementation_id}]

    modules: dict[str, Any] = {
        "supply": {"module": "ForeignSupply"},
        "relay": {"module": "ForeignStore", "connections": {"behind": to("store")}},
        "store": {"module": "PersistentStore", "config_module": {"sqlite_db_file_path": str(folder / "store.db")}},
        "history": {
            "module": "ErrorHistory",
            "config_implementation": {"error_history": {"database_path": str(folder / "errors.db")}},
        },
        "monitor": {
            "module": "OVMSimulator",
            "config_implementation": {"main": {"simulate_error_shutdown": True, "simulate_error_delay": 0}},
            "connections": {"power_supply": to("supply")},
        },
        "node": {
            "module": "EnergyNode",
            "config_module": {"fuse_limit_A": 32},
            "connections": {"energy_consumer": to("probe", "consumer"), "powermeter": to("probe", "meter")},
        },
        "probe": {
            "module": "ProbeModule",
            "access": {"config": {"modules": {"node": {"allow_read": True}}}},
            "connections": {
                "relay": to("relay"),
                "supply": to("supply"),
                "monitor": to("monitor"),
                "node": to("node", "energy_grid"),
                "history": to("history", "error_history"),
            },
        },
    }
    return {"settings": {"validate_schema": True}, "active_modules": modules}


def lay_out(prefix: Path, ours: Path) -> None:
    """Lay out a prefix that has EVerest's modules, and the programs and the package in Python of this repository."""
    modules = ours / "libexec/everest/modules"
    modules.mkdir(parents=True)
    for name in IN_CPP:
        (modules / name).symlink_to(prefix / "libexec/everest/modules" / name)
    for name in IN_PYTHON:
        shutil.copytree(REPOSITORY / "tests/manager/foreign" / name, modules / name)
    (ours / "share").symlink_to(prefix / "share")
    shutil.copytree(prefix / "etc", ours / "etc")
    (ours / "lib/everest").mkdir(parents=True)
    (ours / "lib/everest/everestpy").symlink_to(SEARCH_PATH)


@dataclass
class Probe:
    """This process as a module: what it has received, by kind."""

    module: Module
    ready: queue.Queue[bool]
    limits: queue.Queue[Any]
    requests: queue.Queue[Any]
    voltages: queue.Queue[Any]
    errors: queue.Queue[tuple[str, str, str]]

    def call(self, requirement: str, command: str, **arguments: Any) -> Any:
        """Call a command of what is connected as `requirement`."""
        (at,) = self.module.fulfillments[requirement]
        return self.module.call_command(at, command, arguments)


def join(prefix: Path, config: Path) -> Probe:
    """Join as the module `probe`."""
    module = Module("probe", RuntimeSession(str(prefix), str(config)))
    probe = Probe(module, *(queue.Queue() for _ in range(5)))
    (monitor,), (node,) = module.fulfillments["monitor"], module.fulfillments["node"]

    def note(found: error.Error) -> None:
        probe.errors.put((found.type, found.severity.name, found.state.name))

    module.subscribe_error(monitor, OVER_VOLTAGE, note, note)
    module.subscribe_variable(monitor, "voltage_measurement_V", probe.voltages.put)
    module.subscribe_variable(node, "energy_flow_request", probe.requests.put)
    module.implement_command("consumer", "enforce_limits", lambda args: probe.limits.put(args["value"]))
    for command in module.implementations["meter"].commands:
        module.implement_command("meter", command, lambda args: {"status": "NOT_SUPPORTED"})
    module.init_done(lambda: probe.ready.put(True))
    return probe


def supply_gives_what_cpp_reads(probe: Probe) -> None:
    """A program in Python is commanded, and a module in C++ receives its variable."""
    probe.call("supply", "setMode", mode="Export", phase="Charging")
    probe.call("supply", "setExportVoltageCurrent", voltage=VOLTAGE_V, current=10.0)
    probe.call("monitor", "set_limits", emergency_over_voltage_limit_V=500.0, error_over_voltage_limit_V=450.0)
    probe.call("monitor", "start")
    expect(probe.voltages, lambda volt: abs(volt - VOLTAGE_V) < 1, f"the monitor in C++ does not read {VOLTAGE_V:g} V")
    with contextlib.suppress(CommandFailed):
        probe.call("supply", "setImportVoltageCurrent", voltage=1.0, current=1.0)
        raise Failed("a command that fails in Python has a result")


def store_keeps_what_is_handed_on(probe: Probe) -> None:
    """A program in Python calls a module in C++ while it is called itself."""
    for value in (None, True, 3, 2.5, "a µ", [1, {"b": []}], {"of": {"car": 1e300}}):
        probe.call("relay", "store", key="k.1", value=value)
        if (found := probe.call("relay", "load", key="k.1")) != value or type(found) is not type(value):
            raise Failed(f"the store in C++ has {found!r} for {value!r}")
    probe.call("relay", "delete", key="k.1")
    if probe.call("relay", "exists", key="k.1"):
        raise Failed("the store in C++ still has what was deleted")


def node_passes_on_what_python_says(probe: Probe) -> None:
    """A module in C++ receives a variable of this process, publishes it, and calls a command of this process."""
    meter = {"timestamp": "2026-01-01T00:00:00.000Z", "energy_Wh_import": {"total": ENERGY_WH}}
    probe.module.publish_variable("meter", "powermeter", meter)
    expect(
        probe.requests,
        lambda request: request.get("energy_usage_root", {}).get("energy_Wh_import") == {"total": ENERGY_WH},
        f"the node in C++ does not publish {ENERGY_WH:g} Wh",
    )
    probe.call("node", "enforce_limits", value=LIMITS)
    expect(probe.limits, lambda limits: limits["uuid"] == LIMITS["uuid"], "the node in C++ passes no limits on")
    answer = probe.module.get_config_value("node", "fuse_limit_A")
    if answer != {"status": "Ok", "status_info": "", "value": 32.0}:
        raise Failed(f"the manager answers {answer} for a parameter")


def errors_reach_the_other_language(probe: Probe) -> None:
    """An error that a module in C++ raises and clears comes here; one that is raised here is in its history."""
    expect(probe.errors, lambda found: found == (OVER_VOLTAGE, "Medium", "Active"), "no error of the monitor in C++")
    probe.call("monitor", "reset_over_voltage_error")
    # EVerest's monitor aborts if it still measures when it ends.
    probe.call("monitor", "stop")
    cleared = (OVER_VOLTAGE, "Medium", "ClearedByModule")
    expect(probe.errors, lambda found: found == cleared, "the error of the monitor in C++ is not cleared")
    made = probe.module.get_error_factory("meter").create_error(METER_FAULT, "bus", "no answer", error.Severity.High)
    probe.module.raise_error("meter", made)
    end_s = time.monotonic() + LIMIT_S
    while (found := _in_history(probe)) != {
        ("monitor", OVER_VOLTAGE, "ClearedByModule"),
        ("probe", METER_FAULT, "Active"),
    }:
        if time.monotonic() > end_s:
            raise Failed(f"the history in C++ has {sorted(found)}")
        time.sleep(0.1)
    probe.module.clear_error("meter", METER_FAULT, "bus")


def _in_history(probe: Probe) -> set[tuple[str, str, str]]:
    found = probe.call("history", "get_errors", filters={})
    return {(one["origin"]["module_id"], one["type"], one["state"]) for one in found}


def expect(values: queue.Queue[Any], wanted: Callable[[Any], bool], otherwise: str) -> None:
    """Wait for a value; raises Failed."""
    end_s = time.monotonic() + LIMIT_S
    with contextlib.suppress(queue.Empty):
        while not wanted(values.get(timeout=max(0.0, end_s - time.monotonic()))):
            pass
        return
    raise Failed(f"{otherwise} within {LIMIT_S:g} s")


STEPS = (
    supply_gives_what_cpp_reads,
    store_keeps_what_is_handed_on,
    node_passes_on_what_python_says,
    errors_reach_the_other_language,
)


def trial(prefix: Path, folder: Path, log: Path) -> str:
    """Run them; returns the figures, raises Failed."""
    ours = folder / "p"
    lay_out(prefix, ours)
    config = folder / "python.yaml"
    config.write_text(yaml.safe_dump(configuration(folder)))
    arguments: list[str | Path] = ["--config", config, "--standalone", "probe", "--graceful-shutdown"]
    with own_broker(folder), cpp_manager(prefix / "bin/manager", ours, arguments, log) as manager:
        try:
            ready_s = _serve(manager, ours, config)
        except RuntimeError as problem:
            # Of the Python API.
            raise Failed(str(problem)) from problem
        manager.stop()
    if b"shut down properly" not in log.read_bytes():
        raise Failed("not every program has ended by itself when it was asked to")
    return f"{len(IN_PYTHON)} programs in Python, {len(IN_CPP)} in C++ ready after {ready_s:.1f} s, {len(STEPS)} steps"


def _serve(manager: CppManager, prefix: Path, config: Path) -> float:
    began_s = time.monotonic()
    manager.until_logged(b"waiting for standalone", START_LIMIT_S, "the programs are not ready")
    probe = join(prefix, config)
    manager.until_logged(READY, START_LIMIT_S, "not all modules are ready")
    ready_s = time.monotonic() - began_s
    expect(probe.ready, lambda ready: ready, "this process is not told that all modules are ready")
    for step in STEPS:
        step(probe)
    return ready_s
