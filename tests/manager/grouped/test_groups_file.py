"""Which module is in which process; what a groups file may say and may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.manager.grouped.groups_file import (
    MEMORY_MB,
    GroupEntry,
    GroupsFile,
    grouped,
    read_groups_file,
)
from chargebyte_fw.manager.module_restarts import FAILURES
from chargebyte_fw.manager.plan import ModulePlan

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def plans() -> list[ModulePlan]:
    return load(ROOT / "etc/everest/config-ac-ocpp201.yaml", Root(ROOT, ROOT), environment={}, overlay=False).plans


def test_by_default_each_module_is_where_it_declares(plans: list[ModulePlan]) -> None:
    grouping = grouped(plans)
    cloud = {"api", "rpc_api", "charger_info", "kvs", "error_history", "persistent_store", "ocpp", "system"}
    assert set(grouping.modules["cloud"]) == cloud
    assert set(grouping.modules["charge"]) == {plan.id for plan in plans} - cloud
    assert grouping.memory_MB == {"charge": MEMORY_MB, "cloud": MEMORY_MB} and grouping.failures == FAILURES


def test_a_file_has_further_groups_and_bounds(plans: list[ModulePlan], tmp_path: Path) -> None:
    file = tmp_path / "groups.yaml"
    file.write_text(
        "groups:\n  panel: {modules: [api, rpc_api], memory_MB: 64}\n  cloud: {memory_MB: 90}\nfailures: 3\n"
    )
    grouping = grouped(plans, read_groups_file(file))
    assert grouping.modules["panel"] == ["api", "rpc_api"] and "ocpp" in grouping.modules["cloud"]
    assert grouping.memory_MB == {"charge": MEMORY_MB, "cloud": 90, "panel": 64} and grouping.failures == 3


def test_the_power_path_is_one_process(plans: list[ModulePlan]) -> None:
    with pytest.raises(ConfigError) as caught:
        grouped(plans, GroupsFile({"board": GroupEntry(["bsp"])}), "g.yaml")
    (finding,) = caught.value.findings
    drives = "connector (charge) drives bsp (board) by evse_board_support"
    assert finding.what == f"{drives}: the power path may not be split"
    assert finding.hint == "put both into charge"


def test_everything_that_is_wrong_is_named(plans: list[ModulePlan]) -> None:
    wrong = {"a": GroupEntry(["ocp", "api"]), "b": GroupEntry(["api"]), "A b": GroupEntry([])}
    with pytest.raises(ConfigError) as caught:
        grouped(plans, GroupsFile(wrong), "g.yaml")
    found = [finding.what for finding in caught.value.findings]
    assert found == [
        "a: there is no module ocp",
        "api is in a and in b",
        "A b is no name of a group",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("groups: [a]", "this is no groups file"),
        ("groups: {a: {memory_MB: 3}}", "this is no groups file"),
        ("group: {}", "this is no groups file"),
        ("a: [", "this is no groups file"),
    ],
)
def test_a_file_that_is_none_is_a_finding(text: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "groups.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=reason):
        read_groups_file(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_groups_file(tmp_path / "none.yaml")
