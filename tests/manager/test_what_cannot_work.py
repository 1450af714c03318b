"""What each line of a configuration allows, and all of them together do not: two owners, gaps in the energy tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.configuration.everest import everests_modules
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.manager.discovery import discover
from chargebyte_fw.manager.export import contracts
from tests.manager.parts import words_of

ROOT = Path(__file__).parents[2]
INSTALLED = discover([])

DRIVER = "  {id}: {{module: CbChargeSOMDriver, config_module: {{{config}}}}}\n"
EVSE = """\
  {id}:
    module: EvseManager
    config_module: {{connector_id: {number}, disable_authentication: true{more}}}
    connections:
      bsp: [{{module_id: {bsp}, implementation_id: evse_board_support}}]
"""
ENERGY = """\
  grid:
    module: EnergyNode
    config_module: {{fuse_limit_A: {fuse}}}
    connections:
      energy_consumer: [{consumers}]
  manager:
    module: EnergyManager
    connections:
      energy_trunk: [{{module_id: grid, implementation_id: energy_grid}}]
"""
END = "{{module_id: {}, implementation_id: energy_grid}}"


def energy(*consumers: str, fuse: str = "16") -> str:
    return ENERGY.format(fuse=fuse, consumers=", ".join(END.format(one) for one in consumers))


def findings(tmp_path: Path, modules: str) -> list[str]:
    path = tmp_path / "c.yaml"
    path.write_text(f"active_modules:\n{modules}")
    found = load(path, Root(tmp_path, tmp_path), shown="c.yaml", environment={}, installed=INSTALLED).findings
    return [words_of(one) for one in found]


def two(first: str, second: str = "") -> str:
    return (
        DRIVER.format(id="bsp", config=first)
        + DRIVER.format(id="other_bsp", config=second)
        + EVSE.format(id="connector", number=1, bsp="bsp", more="")
        + EVSE.format(id="other", number=2, bsp="other_bsp", more="")
        + energy("connector", "other")
    )


SECOND = "serial_port: /dev/ttyLP3, reset_gpio_line_name: RESET_2"


def test_what_works_has_no_findings(tmp_path: Path) -> None:
    assert findings(tmp_path, two("", SECOND)) == []


def test_two_evses_on_one_board_driver(tmp_path: Path) -> None:
    text = (
        DRIVER.format(id="bsp", config="")
        + EVSE.format(id="connector", number=1, bsp="bsp", more="")
        + EVSE.format(id="other", number=2, bsp="bsp", more="")
        + energy("connector", "other")
    )
    assert findings(tmp_path, text) == [
        "c.yaml:12:13: error: connector and other both use bsp.evse_board_support, but evse_board_support is for one "
        "user (give other one of its own)"
    ]


@pytest.mark.parametrize(
    ("connection", "provider", "severity"),
    [
        ("powersupply_DC", "DCSupplySimulator", "error"),
        ("imd", "IMDSimulator", "error"),
        ("slac", "EvseSlac", "warning"),
        ("hlc", "EvseV2G", "warning"),
    ],
)
def test_two_evses_on_one_of_anything_that_one_drives(
    tmp_path: Path, connection: str, provider: str, severity: str
) -> None:
    implementation = "charger" if provider == "EvseV2G" else "main"
    end = f"      {connection}: [{{module_id: it, implementation_id: {implementation}}}]\n"
    text = (
        DRIVER.format(id="bsp", config="")
        + DRIVER.format(id="other_bsp", config=SECOND)
        + EVSE.format(id="connector", number=1, bsp="bsp", more="")
        + end
        + EVSE.format(id="other", number=2, bsp="other_bsp", more="")
        + end
        + f"  it: {{module: {provider}}}\n"
        + energy("connector", "other")
    )
    told = [one for one in findings(tmp_path, text) if "both use" in one]
    assert len(told) == 1
    assert told[0].startswith(f"c.yaml:15:{10 + len(connection)}: {severity}: connector and other both use it.")


def test_an_evse_in_two_energy_nodes_and_one_that_stands_there_twice(tmp_path: Path) -> None:
    text = two("", SECOND) + (
        "  second:\n    module: EnergyNode\n    config_module: {fuse_limit_A: 16}\n"
        "    connections: {energy_consumer: [{module_id: other, implementation_id: energy_grid}]}\n"
    )
    told = findings(tmp_path, text)
    assert len(told) == 2
    assert any("error: grid and second both use other.energy_grid, but energy is for one user" in one for one in told)
    assert any("warning: second is below no energy node and no energy manager" in one for one in told)
    text = DRIVER.format(id="bsp", config="") + EVSE.format(id="connector", number=1, bsp="bsp", more="")
    told = findings(tmp_path, text + energy("connector", "connector"))
    assert len(told) == 1 and "error: grid uses connector.energy_grid twice" in told[0]


def test_an_evse_in_no_energy_node_and_a_tree_without_a_manager(tmp_path: Path) -> None:
    evse = DRIVER.format(id="bsp", config="") + EVSE.format(id="connector", number=1, bsp="bsp", more="")
    (told,) = findings(tmp_path, evse)
    assert told.startswith("c.yaml:3:3: warning: connector.energy_grid is in no energy node: ")
    assert told.endswith("(connect it as energy_consumer of an EnergyNode: module_id: connector)")
    without = evse + energy("connector").partition("  manager:")[0]
    (told,) = findings(tmp_path, without)
    assert told.startswith("c.yaml:8:3: warning: there is no energy manager: ")
    assert "add an EnergyManager with energy_trunk: grid" in told


@pytest.mark.parametrize(
    ("fuse", "told"),
    [
        ("16", ""),
        ("63.0", ""),
        ("0", ""),
        ("1000", ""),
        ("16000", "warning: grid: a fuse of 16000 A (amperes, not milliamperes: 16?)"),
        ("0.016", "warning: grid: a fuse of 0.016 A (amperes, not kiloamperes: 16? Nothing charges below 6 A)"),
    ],
)
def test_a_fuse_of_another_unit(tmp_path: Path, fuse: str, told: str) -> None:
    text = DRIVER.format(id="bsp", config="") + EVSE.format(id="connector", number=1, bsp="bsp", more="")
    found = findings(tmp_path, text + energy("connector", fuse=fuse))
    assert found == ([f"c.yaml:10:21: {told}"] if told else [])


@pytest.mark.parametrize(
    ("modules", "told"),
    [
        (
            two("", "reset_gpio_line_name: RESET_2"),
            "c.yaml:3:3: error: bsp and other_bsp both use the serial port /dev/ttyLP2 (the first at line 2) "
            "(give other_bsp another one)",
        ),
        (
            two("serial_port: /dev/../dev/ttyLP3", SECOND),
            "c.yaml:3:58: error: bsp and other_bsp both use the serial port /dev/ttyLP3 (the first at line 2) "
            "(give other_bsp another one)",
        ),
        (
            two("", "serial_port: /dev/ttyLP3"),
            "c.yaml:3:3: error: bsp and other_bsp both use the GPIO line nSAFETY_RESET_INT (the first at line 2) "
            "(give other_bsp another one)",
        ),
        (
            two("charge_stop_gpio_line_name: X, grid_phase_count_gpio_line_name: X", SECOND),
            "c.yaml:2:52: error: grid_phase_count_gpio_line_name and charge_stop_gpio_line_name of bsp both use the "
            "GPIO line X (the first at line 2) (use two different ones)",
        ),
        (
            "  a: {module: EvseSlac, config_implementation: {main: {device: eth2}}}\n"
            "  b: {module: EvseSlac, config_implementation: {main: {device: eth2}}}\n",
            "c.yaml:3:56: error: a and b both use the interface for SLAC eth2 (the first at line 2) "
            "(give b another one)",
        ),
        (
            "  a: {module: InfypowerDCSupply, config_module: {can_destination_address: 5}}\n"
            "  b: {module: InfypowerDCSupply, config_module: {can_destination_address: 5}}\n",
            "c.yaml:3:50: error: a and b both use the group address 5 on can0 (the first at line 2) "
            "(give each group an address of its own by its DIP switches)",
        ),
        (
            "  a: {module: InfypowerDCSupply, config_module: {can_destination_address: 5}}\n"
            "  b: {module: InfypowerDCSupply, config_module: {can_destination_address: 6, bitrate: 250000}}\n",
            "c.yaml:3:78: error: a and b do not agree on the CAN bus can0: 125000 bit/s and 250000 bit/s "
            "(use one value for both)",
        ),
        (
            "  a: {module: PersistentStore, config_module: {sqlite_db_file_path: /tmp/x.db}}\n"
            "  b: {module: ErrorHistory, config_implementation: {error_history: {database_path: tmp/./x.db}}}\n",
            "c.yaml:3:69: error: a and b both use the database file /tmp/x.db (the first at line 2) "
            "(give b another one)",
        ),
        (
            "  a: {module: EvseSecurity}\n  b: {module: EvseSecurity}\n",
            "c.yaml:3:3: error: a and b both use the certificate folder /etc/everest/certs/client/cso "
            "(the first at line 2) (give b another one)",
        ),
        (
            "  a: {module: CbSystem}\n  b: {module: CbSystem}\n",
            "c.yaml:3:3: error: a and b both use the system of this machine (the first at line 2) "
            "(take one of them out)",
        ),
    ],
)
def test_two_owners_of_one_thing(tmp_path: Path, modules: str, told: str) -> None:
    found = findings(tmp_path, modules)
    assert told in found, found
    assert all("both use" in one or "agree" in one for one in found)


def test_two_groups_with_addresses_of_their_own_share_a_bus(tmp_path: Path) -> None:
    text = (
        "  a: {module: InfypowerDCSupply, config_module: {can_destination_address: 5}}\n"
        "  b: {module: InfypowerDCSupply, config_module: {can_destination_address: 6}}\n"
        "  c: {module: InfypowerDCSupply, config_module: {can_destination_address: 5, device: can1}}\n"
    )
    assert findings(tmp_path, text) == []


# --- EVerest's names ------------------------------------------------------------------------------------------------


def test_everests_modules_are_known_as_such_with_what_they_are_for(tmp_path: Path) -> None:
    text = (
        "  yeti: {module: YetiDriver}\n"
        + EVSE.format(id="connector", number=1, bsp="yeti", more="").replace(
            "id: evse_board_support", "id: board_support"
        )
        + "      powermeter_grid_side: [{module_id: yeti, implementation_id: powermeter}]\n"
        + energy("connector").replace(
            "connections:",
            "connections:\n      powermeter: [{module_id: yeti, implementation_id: powermeter}]",
            1,
        )
    )
    (told,) = findings(tmp_path, text)
    assert told == (
        "c.yaml:2:18: error: YetiDriver is EVerest's module; not part of this product; it provides "
        "evse_board_support to connector, powermeter to connector and grid (install it as a program of its own, "
        "connect another module in its place, or take it out)"
    )


@pytest.mark.parametrize("name", ["PhyVersoBSP", "DPM1000", "EEBUS", "Winline", "PN532TokenProvider"])
def test_no_spelling_is_guessed_for_a_name_of_everest(tmp_path: Path, name: str) -> None:
    (told,) = findings(tmp_path, f"  a: {{module: {name}}}\n")
    assert f"{name} is EVerest's module; not part of this product" in told and "did you mean" not in told


def test_a_name_that_nobody_has_is_still_compared_with_ours(tmp_path: Path) -> None:
    (told,) = findings(tmp_path, "  a: {module: EvseManger}\n")
    assert "no module EvseManger is installed (did you mean EvseManager?)" in told
    (told,) = findings(tmp_path, "  a: {module: CbTarragonDriver}\n")
    assert "CbTarragonDriver is chargebyte's module for another board; not part of this product" in told


def test_the_list_of_everests_modules_names_interfaces() -> None:
    known = set(contracts())
    listed = everests_modules()
    assert len(listed) > 100 and {"EvseManager", "YetiSimulator", "OCPP201", "PN532TokenProvider"} <= set(listed)
    ours = {name: cls for name in INSTALLED.names() if name in listed for cls in [INSTALLED.by_name[name][0].load()]}
    for name, cls in ours.items():
        provided = {key: one.interface for key, one in cls.provisions.items()}
        own = {key for key, interface in provided.items() if interface.startswith("cb_")}
        assert {key: provided[key] for key in provided if key not in own} == listed[name], name
    interfaces = {interface for provided in listed.values() for interface in provided.values()}
    assert len(interfaces & known) > 30
