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
from tests.manager.parts import words_of

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "etc/everest").glob("bsp-only-*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_configuration_has_no_finding(path: Path, tmp_path: Path) -> None:
    configuration = load(path, Root(ROOT, tmp_path), environment={})
    assert [words_of(finding) for finding in configuration.findings] == []
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
    overlay[names["EvseV2G"]] = {"config_module": {"supported_DIN70121": False, "supported_ISO15118_2": False}}
    overlay[names["CbChargeSOMDriver"]] = {"config_module": {"min_current_A": 20, "max_current_A": 10}}
    (tmp_path / "user-config").mkdir()
    (tmp_path / "user-config/two.yaml").write_text(yaml.safe_dump({"active_modules": overlay}))
    configuration = load(file, Root(ROOT, tmp_path), environment={})
    found = "\n".join(words_of(finding) for finding in configuration.errors)
    assert "connector and connector_2 are both EVSE 1 (give each EvseManager its own connector_id)" in found
    assert "no protocol is left to speak (set one of them to true)" in found
    assert "min_current_A 20 is above max_current_A 10" in found
    assert all(finding.where.count(":") == 2 for finding in configuration.errors)


BROKEN = {
    "DC without supply": (
        ("      powersupply_DC:\n        - module_id: powersupply_dc\n          implementation_id: main\n", ""),
        "49:7: error: connector: DC charging needs powersupply_DC (connect it, or charge AC)",
    ),
    "DC without insulation monitor": (
        ("      imd:\n        - module_id: imd\n          implementation_id: main\n", ""),
        "49:7: warning: connector: no insulation monitor is connected: the cable check will not measure anything"
        " (connect imd)",
    ),
    "state of charge before AC": (
        ("      connector_id: 1\n", "      connector_id: 1\n      ac_with_soc: true\n"),
        "49:7: warning: connector: with direct current the EV reports its state of charge anyway: "
        "ac_with_soc has no effect"
        " (set ac_with_soc to false)",
    ),
    "mapped to another EVSE": (
        ("      connector_id: 1\n", "      connector_id: 2\n"),
        "48:7: warning: connector: connector_id is 2, but the mapping says EVSE 1: faults are shown for that one"
        " (use one number for both)",
    ),
    "nobody pays": (
        (
            "      connector_id: 1\n",
            "      payment_enable_eim: false\n      payment_enable_contract: false\n      connector_id: 1\n",
        ),
        "48:7: warning: connector: both payments are off: external payment is offered anyway"
        " (set payment_enable_eim to true)",
    ),
    "the device at the module": (
        ("    config_implementation:\n      main:\n        device: eth1", "    config_module:\n      device: eth1"),
        "112:7: error: EvseSlac has no key device (it belongs below config_implementation: main:)",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_people_do_to_a_shipped_file(case: str, tmp_path: Path) -> None:
    (old, new), expected = BROKEN[case]
    text = (ROOT / "etc/everest/bsp-only-dc.yaml").read_text()
    assert text.count(old) == 1
    (tmp_path / "c.yaml").write_text(text.replace(old, new))
    found = load(tmp_path / "c.yaml", Root(ROOT, tmp_path), shown="c.yaml", environment={}).findings
    assert [words_of(finding) for finding in found] == [f"c.yaml:{expected}"]


OVERLAYS = {
    "a misspelt id": (
        "active_modules:\n  conector:\n    config_module: {connector_id: 2}\n",
        "{o}:2:3: error: the entry conector does not say which module it is (did you mean connector?)",
    ),
    "a module that others need": (
        "active_modules:\n  slac: null\n",
        "c.yaml:60:22: error: there is no module slac (taken out at {o}:2:3)",
    ),
    "ids at the top": (
        "slac: {config_implementation: {main: {device: eth2}}}\n",
        "{o}:1:1: error: the overlay has no key slac (module ids go below active_modules:)",
    ),
    "a list": ("- slac\n", "{o}:1:1: error: the file must be a map with the key active_modules, not a list"),
}


@pytest.mark.parametrize("case", OVERLAYS)
def test_overlays_that_do_not_fit_what_we_ship(case: str, tmp_path: Path) -> None:
    overlay, expected = OVERLAYS[case]
    (tmp_path / "user-config").mkdir()
    (tmp_path / "user-config/c.yaml").write_text(overlay)
    (tmp_path / "c.yaml").write_text((ROOT / "etc/everest/bsp-only-dc.yaml").read_text())
    found = load(tmp_path / "c.yaml", Root(ROOT, tmp_path), shown="c.yaml", environment={}).findings
    assert [words_of(finding) for finding in found] == [expected.format(o=tmp_path / "user-config/c.yaml")]


def test_a_missing_file_names_the_one_beside_it(tmp_path: Path) -> None:
    (tmp_path / "bsp-only-dc.yaml").touch()
    (finding,) = load(tmp_path / "bsp-only-cd.yaml", Root(ROOT, tmp_path)).findings
    assert (finding.what, finding.hint) == ("there is no such file", "did you mean bsp-only-dc.yaml?")
