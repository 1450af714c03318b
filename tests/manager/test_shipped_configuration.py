"""The configurations that we ship load without a finding; the DC one is as it was ordered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.manager.configuration.reading import read
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.tree import plain

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "etc/everest").glob("bsp-only-*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_configuration_has_no_finding(path: Path, tmp_path: Path) -> None:
    configuration = load(path, Root(ROOT, tmp_path), environment={})
    assert [str(finding) for finding in configuration.findings] == []
    assert configuration.plans


def test_the_default_is_the_dc_configuration() -> None:
    assert (ROOT / "etc/everest/config.yaml").resolve() == ROOT / "etc/everest/bsp-only-dc.yaml"


def test_the_dc_configuration_has_its_eighteen_modules_and_their_values(tmp_path: Path) -> None:
    plans = {plan.id: plan for plan in load(ROOT / "etc/everest/bsp-only-dc.yaml", Root(ROOT, tmp_path)).plans}
    assert len(plans) == 18
    connector: Any = plans["connector"].config
    assert (connector.connector_id, str(connector.charge_mode)) == (1, "DC")
    assert connector.evse_id == "DE*CHB*E123456*1" and connector.evse_id_din == "49A80737A45678"
    token: Any = plans["token_provider"].implementation_configs["main"]
    assert (token.token, token.timeout) == ("DEADBEEF", 10)
    assert plans["evse_security"].config.private_key_password == "123456"  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_our_reader_and_a_common_one_agree_on_what_we_ship(path: Path) -> None:
    """No scalar in a shipped file depends on the dialect."""
    root = read(path, Report())
    assert root is not None and plain(root) == yaml.safe_load(path.read_text())


def test_what_modules_have_against_a_plan_is_found_by_the_check_with_its_place(tmp_path: Path) -> None:
    """Two EVSEs with one number, a safety that is not there, limits that contradict each other."""
    text = (ROOT / "etc/everest/bsp-only-dc.yaml").read_text()
    file = tmp_path / "two.yaml"
    file.write_text(text)
    overlay: dict[str, Any] = {
        "connector_2": yaml.safe_load(text)["active_modules"]["connector"],
        "auth": {"connections": {"evse_manager": [{"module_id": "connector_2", "implementation_id": "evse"}]}},
    }
    patch = yaml.safe_load(text)["active_modules"]["auth"]["connections"]["evse_manager"]
    overlay["auth"]["connections"]["evse_manager"] = [*patch, *overlay["auth"]["connections"]["evse_manager"]]
    names = {entry["module"]: key for key, entry in yaml.safe_load(text)["active_modules"].items()}
    overlay[names["EvseV2G"]] = {"config_module": {"tls_security": "force"}}
    overlay[names["CbChargeSOMDriver"]] = {"config_module": {"min_current_A": 20, "max_current_A": 10}}
    (tmp_path / "user-config").mkdir()
    (tmp_path / "user-config/two.yaml").write_text(yaml.safe_dump({"active_modules": overlay}))
    configuration = load(file, Root(ROOT, tmp_path), environment={})
    found = "\n".join(str(finding) for finding in configuration.errors)
    assert "connector and connector_2 are both EVSE 1 (give each EvseManager its own connector_id)" in found
    assert "TLS is asked for, but this version speaks plain TCP only (use allow or prohibit)" in found
    assert "min_current_A 20 is above max_current_A 10" in found
    assert all(finding.where.count(":") == 2 for finding in configuration.errors)
