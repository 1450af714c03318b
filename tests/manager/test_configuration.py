"""Every way to break a configuration has its finding: file, line, column, and what to type instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.faults import Mapping
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.configuration.loading import Configuration, load
from chargebyte_fw.manager.configuration.reading import SIZE_LIMIT_BYTES, parse
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.tree import plain
from chargebyte_fw.manager.discovery import Found
from chargebyte_fw.manager.plan import Connection
from tests.manager.parts import Mode, Pump, installed, words_of
from tests.odd_files import make_odd

SOUND = """\
active_modules:
  pump:
    module: Pump
    mapping:
      module: {evse: 1}
      implementations:
        tank: {evse: 1, connector: 2}
    config_module:
      power_W: 5
      mode: Fast
    config_implementation:
      main:
        name: no
  user:
    module: User
    connections:
      valve: [{module_id: pump, implementation_id: main}]
      levels:
        - {module_id: pump, implementation_id: tank}
        - {module_id: pump, implementation_id: tank}
"""


def checked(tmp_path: Path, text: str | bytes, overlay: str | None = None, **more: Any) -> Configuration:
    file = tmp_path / "c.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    if overlay is not None:
        (tmp_path / "user-config").mkdir(exist_ok=True)
        (tmp_path / "user-config" / "c.yaml").write_text(overlay)
    more.setdefault("installed", installed())
    return load(file, Root(tmp_path, tmp_path), shown="c.yaml", environment=more.pop("environment", {}), **more)


def test_a_sound_file_becomes_plans_with_every_default_filled_in(tmp_path: Path) -> None:
    configuration = checked(tmp_path, SOUND)
    assert configuration.findings == []
    pump, user = configuration.plans
    assert (pump.id, pump.module) == ("pump", Pump)
    assert pump.config == Pump.Config(power_W=5.0, speed=3, quiet=False, mode=Mode.Fast, label="pump")
    assert isinstance(pump.config.power_W, float)
    assert pump.implementation_configs["main"].name == "no"  # type: ignore[attr-defined]
    assert pump.mapping == Mapping(1) and pump.implementation_mappings == {"tank": Mapping(1, 2)}
    assert user.connections["valve"] == [Connection("pump", "main")]
    assert [end.implementation_id for end in user.connections["levels"]] == ["tank", "tank"]


def changed(old: str, new: str) -> str:
    assert SOUND.count(old) >= 1
    return SOUND.replace(old, new, 1)


BROKEN: dict[str, tuple[str | bytes, list[str]]] = {
    "unknown module": (
        changed("module: Pump", "module: Pmp"),
        ["c.yaml:3:13: error: no module Pmp is installed (did you mean Pump?)"],
    ),
    "no module named": (
        changed("module: Pump", "modul: Pump"),
        [
            "c.yaml:3:5: error: the entry pump has no key modul (did you mean module?)",
        ],
    ),
    "unknown configuration key": (
        changed("mode: Fast", "mood: Fast"),
        ["c.yaml:10:7: error: Pump has no key mood (did you mean mode?)"],
    ),
    "mandatory value missing": (
        changed("      power_W: 5\n", ""),
        ["c.yaml:2:3: error: Pump needs a value for power_W (add power_W: <a number>)"],
    ),
    "number out of bounds": (
        changed("power_W: 5", "power_W: 5000"),
        ["c.yaml:9:16: error: power_W must be at most 1000, not the number 5000"],
    ),
    "fraction for an integer": (
        changed("mode: Fast", "speed: 16.0"),
        ["c.yaml:10:14: error: speed must be an integer, not the number 16.0 (write 16)"],
    ),
    "text for an integer": (
        changed("mode: Fast", 'speed: "5"'),
        ['c.yaml:10:14: error: speed must be an integer, not the text "5" (write it without quotes)'],
    ),
    "yes is text": (
        changed("mode: Fast", "quiet: yes"),
        ['c.yaml:10:14: error: quiet must be true or false, not the text "yes" (write true)'],
    ),
    "number for text": (
        changed("name: no", "name: 12"),
        ['c.yaml:13:15: error: name must be text, not the number 12 (write "12" in quotes)'],
    ),
    "too short": (
        changed("name: no", "name: x"),
        ['c.yaml:13:15: error: name must be at least 2 characters long, not the text "x"'],
    ),
    "text of another form": (
        changed("mode: Fast", "label: A1"),
        ["c.yaml:10:14: error: label must be text of the form '^[a-z]+$', not the text \"A1\""],
    ),
    "wrong choice": (
        changed("mode: Fast", "mode: fast"),
        ['c.yaml:10:13: error: mode must be one of Slow, Fast, not the text "fast" (did you mean Fast?)'],
    ),
    "list as a value": (
        changed("mode: Fast", "mode: [Fast]"),
        ["c.yaml:10:13: error: mode must be one of Slow, Fast, not a list"],
    ),
    "nothing as a value": (
        changed("power_W: 5", "power_W:"),
        ["c.yaml:9:15: error: power_W must be a number, not nothing"],
    ),
    "integer beyond 32 bits": (
        changed("mode: Fast", "speed: 3000000000"),
        ["c.yaml:10:14: error: 3000000000 does not fit into 32 bits (write it in quotes if it is text)"],
    ),
    "unknown implementation to configure": (
        changed("      main:\n        name", "      man:\n        name"),
        ["c.yaml:12:7: error: Pump provides no man (did you mean main?)"],
    ),
    "unknown requirement": (
        changed("valve: [", "valves: ["),
        ["c.yaml:17:7: error: User has no requirement valves (did you mean valve?)"],
    ),
    "unknown module id": (
        changed("valve: [{module_id: pump,", "valve: [{module_id: pmup,"),
        ["c.yaml:17:27: error: there is no module pmup (did you mean pump?)"],
    ),
    "unknown implementation": (
        changed("implementation_id: main}]", "implementation_id: mian}]"),
        ["c.yaml:17:52: error: pump (Pump) provides no mian (did you mean main?)"],
    ),
    "wrong interface": (
        changed("implementation_id: main}]", "implementation_id: tank}]"),
        ["c.yaml:17:15: error: valve wants interface valve, pump.tank is level (provided by pump.main)"],
    ),
    "too few connections": (
        changed("        - {module_id: pump, implementation_id: tank}\n", ""),
        ["c.yaml:18:7: error: levels has 1 connection, User needs at least 2"],
    ),
    "too many connections": (
        SOUND + "        - {module_id: pump, implementation_id: tank}\n" * 2,
        ["c.yaml:18:7: error: levels has 4 connections, User takes at most 3"],
    ),
    "half a connection": (
        changed(", implementation_id: main}]", "}]"),
        ["c.yaml:17:15: error: a connection of valve has no implementation_id (add implementation_id: <id>)"],
    ),
    "connection that is no list": (
        changed(
            "valve: [{module_id: pump, implementation_id: main}]", "valve: {module_id: pump, implementation_id: main}"
        ),
        [
            "c.yaml:17:14: error: the connections of valve must be a list, not a map"
            " (write '- ' before module_id, and two spaces before the rest)",
        ],
    ),
    "unknown top-level key": (
        "active_module: {}\n" + SOUND,
        ["c.yaml:1:1: error: the configuration has no key active_module (did you mean active_modules?)"],
    ),
    "unknown setting": (
        "settings: {mqtt_broker_prt: 1}\n" + SOUND,
        ["c.yaml:1:12: error: settings has no key mqtt_broker_prt (did you mean mqtt_broker_port?)"],
    ),
    "port out of range": (
        "settings: {mqtt_broker_port: 70000}\n" + SOUND,
        ["c.yaml:1:30: error: mqtt_broker_port must be from 1 to 65535, not 70000"],
    ),
    "socket and host": (
        "settings: {mqtt_broker_host: a, mqtt_broker_socket_path: /b}\n" + SOUND,
        ["c.yaml:1:33: error: mqtt_broker_socket_path and mqtt_broker_host exclude each other (leave one of them out)"],
    ),
    "one prefix for two things": (
        "settings: {mqtt_external_prefix: everest/}\n" + SOUND,
        ["c.yaml:1:12: error: mqtt_external_prefix is the same as mqtt_everest_prefix (everest/)"],
    ),
    "setting that does nothing": (
        "settings: {www_dir: /w}\n" + SOUND,
        ["c.yaml:1:12: warning: www_dir has no effect in this product (it can be left out)"],
    ),
    "rights that are none": (
        changed(
            "module: Pump\n",
            "module: Pump\n    access: {config: {allow_everything: true, modules: {user: {allow_read: yes}}}}\n",
        ),
        [
            "c.yaml:4:23: error: access.config has no key allow_everything (known: allow_global_read, "
            "allow_global_write, allow_set_read_only, modules)",
            'c.yaml:4:76: error: allow_read must be true or false, not the text "yes" (write true)',
        ],
    ),
    "telemetry of nobody": (
        changed("module: Pump\n", "module: Pump\n    telemetry: {ident: 3}\n"),
        ["c.yaml:4:17: error: telemetry has no key ident (known: id)"],
    ),
    "the same key twice": (
        changed("      mode: Fast\n", "      mode: Fast\n      mode: Slow\n"),
        ["c.yaml:11:7: warning: mode is here for the second time (the first, in line 10, does not count)"],
    ),
    "mapping of nobody": (
        changed("tank: {evse: 1, connector: 2}", "tnak: {evse: 1}"),
        ["c.yaml:7:9: warning: Pump provides no tnak to map (did you mean tank?)"],
    ),
    "two mappings": (
        changed("tank: {evse: 1, connector: 2}", "tank: {evse: 2}"),
        ["c.yaml:7:9: warning: tank is mapped to EVSE 2, its module to EVSE 1 (the first wins)"],
    ),
    "mapping without EVSE": (
        changed("tank: {evse: 1, connector: 2}", "tank: {connector: 2}"),
        ["c.yaml:7:15: error: the mapping of tank does not say which EVSE (add evse: <number>)"],
    ),
    "standalone": (
        changed("module: Pump\n", "module: Pump\n    standalone: true\n"),
        ["c.yaml:4:5: error: Pump is a part of this program: it cannot be started from outside (leave standalone out)"],
    ),
    "impossible module id": (
        changed("  pump:\n", "  9pump:\n").replace("module_id: pump", "module_id: 9pump"),
        ["c.yaml:2:3: error: \"9pump\" cannot be a module id (use letters, digits, '_', '-' and '.')"],
    ),
    "a ring": (
        "active_modules:\n"
        "  a: {module: Chain, connections: {source: [{module_id: b, implementation_id: out}]}}\n"
        "  b: {module: Chain, connections: {source: [{module_id: a, implementation_id: out}]}}\n",
        ["c.yaml:2:45: error: a ring of level: a -> b -> a (cut one of these connections)"],
    ),
    "an empty file": ("", ["c.yaml:1:1: error: no module is configured (add modules below active_modules:)"]),
    "null": ("null", ["c.yaml:1:1: error: no module is configured (add modules below active_modules:)"]),
    "a list": ("- a\n", ["c.yaml:1:1: error: the file must be a map with the key active_modules, not a list"]),
    "text": ("hello", ['c.yaml:1:1: error: the file must be a map with the key active_modules, not the text "hello"']),
    "no modules": (
        "active_modules: {}\n",
        ["c.yaml:1:17: error: no module is configured (add modules below active_modules:)"],
    ),
    "two documents": (
        SOUND + "---\na: 1\n",
        ["c.yaml:21:1: error: a second document begins here; only one is read"],
    ),
    "unknown alias": (
        "active_modules: *all\n",
        ["c.yaml:1:17: error: no anchor &all stands before this alias"],
    ),
    "unknown alias for a value": (
        changed("power_W: 5", "power_W: &watts 5").replace("mode: Fast", "speed: *wats"),
        ["c.yaml:10:14: error: no anchor &wats stands before this alias (did you mean watts?)"],
    ),
    "a unit behind the number": (
        changed("power_W: 5", "power_W: 5 W"),
        ['c.yaml:9:16: error: power_W must be a number, not the text "5 W" (write 5, the unit is fixed)'],
    ),
    "a decimal comma": (
        changed("power_W: 5", "power_W: 5,5"),
        ['c.yaml:9:16: error: power_W must be a number, not the text "5,5" (write 5.5)'],
    ),
    "a module's key in the entry": (
        changed(
            "    config_module:\n      power_W: 5\n      mode: Fast\n",
            "    config_module: {power_W: 5}\n    mode: Fast\n",
        ),
        ["c.yaml:9:5: error: the entry pump has no key mode (it belongs below config_module:)"],
    ),
    "a requirement in the entry": (
        changed("    connections:\n", "    valve: []\n    connections:\n"),
        ["c.yaml:16:5: error: the entry user has no key valve (it belongs below connections:)"],
    ),
    "an implementation's key at the module": (
        changed("      mode: Fast\n", "      name: no\n"),
        ["c.yaml:10:7: error: Pump has no key name (it belongs below config_implementation: main:)"],
    ),
    "a module's key at an implementation": (
        changed("        name: no\n", "        speed: 4\n"),
        ["c.yaml:13:9: error: Pump.main has no key speed (it belongs below config_module:)"],
    ),
    "a list for a map": (
        changed("      power_W: 5\n      mode: Fast\n", "      - power_W: 5\n      - mode: Fast\n"),
        ["c.yaml:9:7: error: config_module must be a map, not a list (leave out each '- ')"],
    ),
    "a connection as one word": (
        changed("valve: [{module_id: pump, implementation_id: main}]", "valve: pump.main"),
        [
            'c.yaml:17:14: error: the connections of valve must be a list, not the text "pump.main"'
            " (write - {module_id: pump, implementation_id: main})"
        ],
    ),
    "EVSE without its level": (
        changed("      module: {evse: 1}\n", "      evse: 1\n"),
        ["c.yaml:5:7: error: mapping has no key evse (write module: {evse: ...})"],
    ),
    "EVSE as a word": (
        changed("module: {evse: 1}", "module: {evse: one}"),
        ['c.yaml:5:22: error: evse must be an integer, not the text "one"'],
    ),
    "modules at the top": (
        "".join(line[2:] for line in SOUND.splitlines(keepends=True)[1:]),
        [
            "c.yaml:1:1: error: pump and other modules stand at the top"
            " (write active_modules: above, and indent the modules below it)"
        ],
    ),
    "one module at the top": (
        SOUND + "more:\n  module: Pump\n",
        [
            "c.yaml:21:1: error: the configuration has no key more (a module? indent it below active_modules:)",
        ],
    ),
    "UTF-16": (SOUND.encode("utf-16"), ["c.yaml:1:1: error: this is UTF-16 text (save the file as UTF-8)"]),
    "UTF-16 without a mark": (
        SOUND.encode("utf-16-le"),
        ["c.yaml:1:1: error: this is UTF-16 text (save the file as UTF-8)"],
    ),
    "a page from a server": (
        "<html><body>404</body></html>\n",
        [
            "c.yaml:1:1: error: the file must be a map with the key active_modules,"
            ' not the text "<html><body>404</body></html>"'
        ],
    ),
    "a tag": (
        changed("mode: Fast", "mode: !!python/name:os.system Fast"),
        ["c.yaml:10:13: error: the tag tag:yaml.org,2002:python/name:os.system is not used here (leave it out)"],
    ),
    "not UTF-8": (
        b"active_modules:\n  p\xff: 1\n",
        ["c.yaml:2:4: error: this is not UTF-8 text: the byte 0xFF (save the file as UTF-8)"],
    ),
    "binary": (
        b"\x7fELF\x02\x01\x01\x00\x00",
        ["c.yaml:1:1: error: a character that YAML does not allow (is this a text file?)"],
    ),
    "deep": (
        "a: " + "[" * 100_000,
        ["c.yaml:1:67: error: the file is nested deeper than 64 levels"],
    ),
    "many aliases": (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(f'*{chr(97 + i)}' for _ in range(10))}]\n" for i in range(9)
        ),
        ["c.yaml:5:17: error: the file has more than 50000 values (are aliases multiplied here?)"],
    ),
    "huge": (
        b"# " + b"x" * SIZE_LIMIT_BYTES,
        ["c.yaml:1:1: error: the file is larger than 256 KiB (is it a configuration?)"],
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_named_with_its_place_and_the_nearest_right_name(case: str, tmp_path: Path) -> None:
    text, expected = BROKEN[case]
    found = [words_of(finding) for finding in checked(tmp_path, text).findings]
    assert found == expected


def test_all_findings_come_at_once(tmp_path: Path) -> None:
    text = (
        changed("power_W: 5", "power_W: -1").replace("name: no", "nmae: no").replace("module_id: pump", "module_id: p")
    )
    configuration = checked(tmp_path, text)
    assert len(configuration.errors) == 5
    with pytest.raises(ConfigError) as raised:
        configuration.require_sound()
    assert len(raised.value.findings) == 5


def test_a_name_found_twice_is_an_error_that_shows_both_places(tmp_path: Path) -> None:
    twice = installed(Found("Pump", "/usr/libexec/everest/modules/Pump", "/usr/libexec/everest/modules/Pump"))
    found = checked(tmp_path, SOUND, installed=twice).errors
    assert len(found) == 1
    assert "tests 1.0" in found[0].what and "/usr/libexec/everest/modules/Pump" in found[0].what


def test_a_module_whose_library_is_missing_says_so(tmp_path: Path) -> None:
    gone = Found("Gone", "tests 1.0", "tests.manager.not_there:Gone")
    found = checked(tmp_path, "active_modules: {g: {module: Gone}}\n", installed=installed(gone)).errors
    assert [words_of(f) for f in found] == [
        "c.yaml:1:30: error: module Gone cannot be loaded: No module named 'tests.manager.not_there'"
        " (a library is missing: tests.manager.not_there)"
    ]


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    configuration = load(tmp_path / "no.yaml", Root(tmp_path, tmp_path), shown="no.yaml", installed=installed())
    assert [words_of(f) for f in configuration.findings] == ["no.yaml:1:1: error: there is no such file"]
    configuration = load(tmp_path, Root(tmp_path, tmp_path), shown="dir", installed=installed())
    assert [words_of(f) for f in configuration.findings] == ["dir:1:1: error: the file cannot be read: Is a directory"]


# --- EVerest's scalars ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("yes", "yes"),
        ("no", "no"),
        ("Off", "Off"),
        ("on", "on"),
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", "Null"),
        ("12", 12),
        ("-3", -3),
        ("007", 7),
        ("1e3", 1000.0),
        ("2.5", 2.5),
        (".5", 0.5),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        (".inf", ".inf"),
        ('"12"', "12"),
        ("'true'", "true"),
        ("!!str 12", "12"),
        ("|\n  12\n", "12\n"),
        ("49A80737A45678", "49A80737A45678"),
        ("DE*CHB*E123456*1", "DE*CHB*E123456*1"),
    ],
)
def test_scalars_are_read_as_everest_reads_them(written: str, value: Any) -> None:
    report = Report()
    root = parse(f"key: {written}\n", "c.yaml", report)
    assert root is not None and report.findings == []
    read = plain(root)["key"]
    assert read == value and type(read) is type(value)


def test_keys_are_text_and_anchors_and_merge_keys_work() -> None:
    report = Report()
    root = parse("base: &b {x: 1, y: 2}\n12: *b\ntrue: {<<: *b, y: 3}\nlist: [{<<: [*b]}]\n", "c.yaml", report)
    assert root is not None and report.findings == []
    x = {"x": 1, "y": 2}
    assert plain(root) == {"base": x, "12": x, "true": {"y": 3, "x": 1}, "list": [x]}


# --- the user's overlay --------------------------------------------------------------------------------------------


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("folder", "a folder"),
        ("link to nothing", "a link to nothing"),
        ("link to itself", "unreachable (Too many levels of symbolic links)"),
        ("pipe", "a pipe"),
        ("socket", "a socket"),
        ("device", "a device"),
    ],
)
@pytest.mark.parametrize("beside", ["user-config/c.yaml", "user-config"])
def test_what_lies_in_the_overlays_place_and_is_none_is_a_warning(
    tmp_path: Path, kind: str, what: str, beside: str
) -> None:
    make_odd(tmp_path / beside, kind)
    configuration = checked(tmp_path, SOUND)
    assert configuration.errors == [] and len(configuration.plans) == len(checked(tmp_path, SOUND).plans)
    if (beside, kind) == ("user-config", "folder"):
        assert configuration.findings == []
        return
    (finding,) = configuration.findings
    odd = what if beside != "user-config" or "link" in kind else "no folder"
    assert finding.where == f"{tmp_path}/{beside}:1:1" and finding.severity == "warning"
    assert finding.what == f"the user's changes are left out: this is {odd}"
    assert configuration.notices == [f"{tmp_path}/{beside}: {finding.what}"]


def test_the_overlay_changes_adds_and_deletes(tmp_path: Path) -> None:
    overlay = "active_modules:\n  pump:\n    config_module: {power_W: 7, speed: 9, mode: null}\n    mapping: ~\n"
    configuration = checked(tmp_path, SOUND, overlay)
    assert configuration.findings == []
    assert configuration.plans[0].config == Pump.Config(power_W=7.0, speed=9)
    assert configuration.plans[0].mapping is None


def test_what_is_wrong_in_the_overlay_is_shown_there(tmp_path: Path) -> None:
    found = checked(tmp_path, SOUND, "active_modules:\n  pump:\n    config_module:\n      power_W: a lot\n").findings
    place = tmp_path / "user-config" / "c.yaml"
    assert [words_of(f) for f in found] == [f'{place}:4:16: error: power_W must be a number, not the text "a lot"']


def test_settings_of_the_overlay_do_not_count(tmp_path: Path) -> None:
    configuration = checked(tmp_path, SOUND, "settings: {mqtt_broker_port: 9}\n")
    assert configuration.settings.broker_port == 1883
    assert [f.what for f in configuration.findings] == ["settings in the overlay have no effect"]


def test_an_overlay_without_active_modules_is_told_where_its_keys_go(tmp_path: Path) -> None:
    found = checked(tmp_path, SOUND, "pump: {config_module: {speed: 1}}\n").errors
    assert [(f.what, f.hint) for f in found] == [("the overlay has no key pump", "module ids go below active_modules:")]


# --- settings ------------------------------------------------------------------------------------------------------


def test_prefixes_get_their_slash_and_the_environment_wins(tmp_path: Path) -> None:
    text = "settings: {mqtt_everest_prefix: ev, mqtt_external_prefix: ext, mqtt_broker_host: a}\n" + SOUND
    environment = {"MQTT_SERVER_ADDRESS": "b", "MQTT_SERVER_PORT": "1999"}
    read = checked(tmp_path, text, environment=environment).settings
    assert (read.everest_prefix, read.external_prefix) == ("ev/", "ext")
    assert (read.broker_host, read.broker_port) == ("b", 1999)


def test_a_port_in_the_environment_that_is_none_is_a_warning(tmp_path: Path) -> None:
    configuration = checked(tmp_path, SOUND, environment={"MQTT_SERVER_PORT": "x"})
    assert configuration.settings.broker_port == 1883 and not configuration.errors
    assert [f.severity for f in configuration.findings] == ["warning"]


# --- whatever a file holds -----------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_raise(tmp_path: Path, data: bytes) -> None:
    assert checked(tmp_path, data).findings


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_edit_of_a_sound_file_makes_the_checks_raise(tmp_path: Path, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(SOUND)))
    length = data.draw(st.integers(0, 30))
    insert = data.draw(st.text(alphabet="ab:{}[],&*!-#'\"\n \t1.~<é", max_size=12))
    configuration = checked(tmp_path, SOUND[:at] + insert + SOUND[at + length :])
    for finding in configuration.findings:
        file, line, column = finding.where.rsplit(":", 2)
        assert file == "c.yaml" and int(line) >= 1 and int(column) >= 1
    assert configuration.plans or configuration.errors


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_tree_makes_the_checks_raise(tmp_path: Path, data: st.DataObject) -> None:
    import yaml

    words = st.sampled_from(
        ["active_modules", "settings", "module", "Pump", "User", "connections", "valve", "config_module", "mapping",
         "implementations", "main", "module_id", "implementation_id", "evse", "pump", 1, 2.5, True, None]
    )  # fmt: skip
    keys = words.filter(lambda word: isinstance(word, str))
    tree = data.draw(
        st.recursive(
            words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=25
        )
    )
    document = {"active_modules": {"pump": tree, "x": {"module": "Pump", "mapping": tree, "connections": tree}}}
    assert checked(tmp_path, yaml.safe_dump(document)).findings
