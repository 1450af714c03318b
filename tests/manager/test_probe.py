"""`ProbeModule`: EVerest's tests connect it to whatever they look at (framework: 1.7)."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.configuration.loading import Configuration, load
from chargebyte_fw.manager.discovery import Found, Installed
from tests.manager import test_peer

USER = "  user: {module: Using, connections: {imd: [{module_id: probe, implementation_id: fake}]}}\n"
OTHER = "  other: {module: Switch, connections: {of: [{module_id: probe, implementation_id: fake}]}}\n"
PROBE = "  probe: {module: ProbeModule, standalone: true}\n"


def checked(folder: Path, modules: str) -> Configuration:
    (folder / "c.yaml").write_text("active_modules:\n" + modules)
    installed = Installed(
        [Found(name, "tests 1.0", f"{test_peer.__name__}:{name}") for name in ("Supply", "Using", "Switch")]
    )
    return load(folder / "c.yaml", Root(folder, folder), environment={}, installed=installed)


def test_the_probe_provides_what_others_require_and_requires_what_it_is_connected_to(tmp_path: Path) -> None:
    probe = (
        "  probe:\n    module: ProbeModule\n    standalone: true\n"
        "    connections: {supply: [{module_id: supply, implementation_id: main}]}\n"
    )
    found = checked(tmp_path, probe + USER + "  supply: {module: Supply}\n")
    assert found.findings == []
    plan = next(plan for plan in found.plans if plan.id == "probe")
    assert plan.standalone and plan.module.module_name() == "ProbeModule"
    assert {name: one.interface for name, one in plan.module.provisions.items()} == {"fake": "isolation_monitor"}
    assert {name: one.interface for name, one in plan.module.requirements.items()} == {"supply": "power_supply_DC"}
    assert plan.module.own_manifest is not None and plan.module.own_manifest["metadata"]["authors"] == ["everest"]


def test_a_probe_that_is_connected_to_nothing_provides_an_interface_without_members(tmp_path: Path) -> None:
    (plan,) = checked(tmp_path, PROBE).plans
    assert {name: one.interface for name, one in plan.module.provisions.items()} == {"none": "empty"}


@pytest.mark.parametrize(
    ("modules", "finding"),
    [
        ("  probe: {module: ProbeModule}\n", "is played by a test program and is not started from here"),
        (PROBE + PROBE.replace("probe:", "second:"), "there is more than one ProbeModule"),
        (
            PROBE
            + USER
            + "  other: {module: Switch, connections: {of: [{module_id: probe, implementation_id: fake}]}}\n",
            "fake of ProbeModule would be isolation_monitor and power_supply_DC",
        ),
    ],
)
def test_a_probe_that_cannot_be_is_an_error(tmp_path: Path, modules: str, finding: str) -> None:
    errors = [error.what for error in checked(tmp_path, modules).errors]
    assert any(finding in error for error in errors), errors


def test_a_configuration_of_everests_tests_names_who_adds_the_probe(tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, USER).findings
    assert finding.what == "there is no module probe"
    assert finding.hint == "EVerest's tests add it: module ProbeModule, standalone: true"


def test_the_probe_may_look_at_what_has_a_user(tmp_path: Path) -> None:
    probe = (
        "  probe: {module: ProbeModule, standalone: true, connections: "
        "{supply: [{module_id: supply, implementation_id: main}, {module_id: supply, implementation_id: main}]}}\n"
    )
    found = checked(tmp_path, probe + "  supply: {module: Supply}\n")
    assert [finding.severity for finding in found.findings] == ["warning"]
    assert "is for one user" in found.findings[0].what
