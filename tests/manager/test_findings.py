"""Each finding has a number of its own, and each number a paragraph whose example really has the finding."""

from __future__ import annotations

import ast
import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chargebyte_fw.board.flash.parameters import negotiate
from chargebyte_fw.board.params import layout, rules, yaml_text
from chargebyte_fw.cli.main import main, parser_for
from chargebyte_fw.contracts.types.evse_manager import Connector, Evse
from chargebyte_fw.kernel import extras
from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.module import ModuleConfig
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.yaml_text import Place
from chargebyte_fw.manager.configuration.findings import Explanation, explanations
from chargebyte_fw.manager.configuration.loading import Configuration, load
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.tree import MapNode
from chargebyte_fw.manager.configuration.values import fill
from chargebyte_fw.manager.discovery import Found, Installed, discover
from chargebyte_fw.manager.grouped.groups_file import GroupEntry, GroupsFile, grouped, read_groups_file
from chargebyte_fw.manager.packages import lacking
from chargebyte_fw.modules.auth import token_list, token_list_edit
from chargebyte_fw.modules.ocpp.adapters.module import OcppModule
from chargebyte_fw.modules.ocpp.variables.files.json_file import Findings
from chargebyte_fw.modules.v2g.service_file import read_services
from hil import rig, scenario

ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "chargebyte_fw"
NUMBER = re.compile(r"C\d{3}")
PASSED_ON = "passed on"
"""The number is a value, which is checked where it comes from."""
INSTALLED = discover([])
"""Looked for once: no example has a program."""
HISTORY = "active_modules: {history: {module: ErrorHistory}}\n"

UNNUMBERED = (
    "manager/everest/options.py",
    "manager/member_process.py",
    "manager/grouped/supervisor.py",  # what another process has refused, with its own numbers
    "modules/system/yaml_file.py",  # the values of a store, which no one writes by hand
)
"""Where findings are about something else than a file that people write."""
MORE = (
    *("board/driver/config.py", "board/params/rules.py", "board/params/yaml_text.py", "board/flash/parameters.py"),
    *("cli/mcu_params.py", "../hil/command.py", "../hil/findings.py", "../hil/rig.py", "../hil/scenario.py"),
)
"""Files that make findings beside the manager and its modules."""


CALLS = {"Finding", "ConfigIssue", "add", "self._warn", "_wrong"} | {
    f"{at}report.{kind}" for at in ("", "self.") for kind in ("error", "warning")
}


OWN_CALLS = {"report.py": "self.error", "yaml_text.py": "self._error"}


def sources() -> list[Path]:
    """Return the files that make findings."""
    files = [path for place in ("manager", "modules", "sim/modules") for path in (PRODUCT / place).rglob("*.py")]
    files += [PRODUCT / name for name in MORE]
    return [path for path in files if not str(path.relative_to(PRODUCT)).startswith(UNNUMBERED)]


def numbers_of(path: Path) -> Iterator[str]:
    """Yield the numbers of a file, and an empty one for each call that makes a finding without one."""
    text = path.read_text("utf-8")
    if not re.search(r"\b(Finding|ConfigIssue|Report)\b", text):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NUMBER.fullmatch(node.value):
            yield node.value
        if not isinstance(node, ast.Call) or not (node.args or node.keywords):
            continue
        name = ast.unparse(node.func)
        if name in CALLS or name == OWN_CALLS.get(path.name):
            given = " ".join(ast.unparse(one) for one in node.args[4:]) + " ".join(
                ast.unparse(one.value) for one in node.keywords if one.arg == "number"
            )
            found = NUMBER.search(given)
            yield found[0] if found else PASSED_ON if "number" in given else ""


def test_each_finding_has_a_number_with_a_paragraph() -> None:
    given = {number: path for path in sources() for number in numbers_of(path)}
    assert "" not in given, f"{given['']}: a finding without a number"
    numbers = set(given) - {PASSED_ON}
    numbers |= {number for path in (PRODUCT / "cli").glob("run*.py") for number in NUMBER.findall(path.read_text())}
    assert numbers == set(explanations())


def test_no_number_is_used_twice() -> None:
    text = (PRODUCT / "manager/configuration/findings.yaml").read_text("utf-8")
    written = re.findall(r"(?m)^(C\d{3}):$", text)
    assert written == sorted(set(written))
    titles = Counter(one.title for one in explanations().values())
    assert not [title for title, count in titles.items() if count > 1]


@pytest.mark.parametrize("number", explanations())
def test_each_number_has_one_way_to_show_it(number: str) -> None:
    one = explanations()[number]
    assert one.title and one.cause.endswith((".", "`")) and one.remedy.endswith(".")
    assert [bool(one.example), bool(one.overlay), bool(one.situation)].count(True) == 1


def configured(one: Explanation, folder: Path) -> Configuration:
    """Check the example of an explanation."""
    if not one.overlay:
        (folder / "c.yaml").write_text(one.example)
        return load(folder / "c.yaml", Root(ROOT, folder), environment={}, installed=INSTALLED)
    (folder / "user-config").mkdir()
    (folder / "user-config" / f"{one.base}.yaml").write_text(one.overlay)
    (folder / f"{one.base}.yaml").write_text((ROOT / f"etc/everest/{one.base}.yaml").read_text())
    return load(folder / f"{one.base}.yaml", Root(ROOT, folder), environment={}, installed=INSTALLED)


def tokens(path: Path) -> list[Finding]:
    """Read a list of tokens that is wrong."""
    return refused(lambda: token_list.parse(path.read_text(), path.name))


def reported(read: Callable[[Path, Report], Any], path: Path) -> list[Finding]:
    """Read a file of a rig or a scenario."""
    report = Report()
    read(path, report)
    return report.findings


READERS: dict[str, Callable[[Path], list[Finding]]] = {
    "parameters.yaml": lambda path: yaml_text.read_file(path).findings,
    "tokens.yaml": tokens,
    "tokens.csv": tokens,
    "rig.yaml": lambda path: reported(rig.check, path),
    "scenario.yaml": lambda path: reported(scenario.load, path),
}
"""How an example that is no configuration is read, by its name."""


@pytest.mark.parametrize("number", [number for number, one in explanations().items() if not one.situation])
def test_the_example_has_the_finding(number: str, tmp_path: Path) -> None:
    one = explanations()[number]
    if one.file:
        (tmp_path / one.file).write_text(one.shown)
        found = READERS[one.file](tmp_path / one.file)
    else:
        found = configured(one, tmp_path).findings
    assert number in {one.number for one in found}, found


# Situations: what no example can show.


def written(folder: Path, data: bytes | str, **options: Any) -> list[Finding]:
    """Check a file with this content."""
    file = folder / "c.yaml"
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return load(file, Root(ROOT, folder), environment=options.pop("environment", {}), **options).findings


def program(folder: Path, name: str, entry: str = "", **options: Any) -> list[Finding]:
    """Check a file with a program that is not there, but for its manifest."""
    place = folder / "modules" / name
    place.mkdir(parents=True)
    manifest = {"description": "d", "provides": {}, "metadata": {"license": "x", "authors": ["y"]}}
    (place / "manifest.yaml").write_text(json.dumps(manifest))
    text = f"settings: {{modules_dir: /modules}}\nactive_modules: {{one: {{module: {name}{entry}}}}}\n"
    return written(folder, text, **options)


def odd_overlay(folder: Path) -> list[Finding]:
    (folder / "user-config/c.yaml").mkdir(parents=True)
    return written(folder, HISTORY)


def own_rule(_: Path) -> list[Finding]:
    class Config(ModuleConfig):
        def __post_init__(self) -> None:
            raise ValueError("these two exclude each other")

    report = Report()
    fill(Config, MapNode(Place("c")), "Pump", Place("c"), report)
    return report.findings


def without_package(folder: Path) -> list[Finding]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extras, "lacking", lambda packages: "pip install it" if packages else "")
        return lacking(load(ROOT / "etc/everest/bsp-only-dc.yaml", Root(ROOT, folder), environment={}))


def groups(content: dict[str, list[str]], probe: bool = False) -> Callable[[Path], list[Finding]]:
    """Return what divides the modules of a shipped file by a groups file."""

    def divide(folder: Path) -> list[Finding]:
        (folder / "user-config").mkdir()
        more = "active_modules: {probe: {module: ProbeModule, standalone: true}}\n" if probe else "{}"
        (folder / "user-config/c.yaml").write_text(more)
        (folder / "c.yaml").write_text((ROOT / "etc/everest/bsp-only-dc.yaml").read_text())
        plans = load(folder / "c.yaml", Root(ROOT, folder), environment={}).plans
        with pytest.raises(ConfigError) as caught:
            grouped(plans, GroupsFile({name: GroupEntry(ids) for name, ids in content.items()}))
        return list(caught.value.findings)

    return divide


def refused(call: Callable[[], Any]) -> list[Finding]:
    """Return the findings with which a call fails."""
    with pytest.raises(ConfigError) as caught:
        call()
    return list(caught.value.findings)


def ocpp_files(_: Path) -> list[Finding]:
    found = Findings()
    found.error("file", "wrong")
    found.warning("file", "ignored")
    return found.found


def evses_with_a_gap(_: Path) -> list[Finding]:
    async def evse(number: int) -> Evse:
        return Evse(id=number, connectors=[Connector(id=1)])

    station: Any = SimpleNamespace(id="ocpp", evse_manager=[1, 3], _evse=evse)
    return refused(lambda: asyncio.run(OcppModule.ready(station)))


def parameters(folder: Path, text: str, version: int) -> list[Finding]:
    """Check parameters as a block of a version."""
    (folder / "p.yaml").write_text(text)
    read = yaml_text.read_file(folder / "p.yaml")
    return rules.fit(read.parameters, version, "p.yaml", leave_out=False)


def called(line: str) -> list[Finding]:
    """Run a command that refuses what it is given."""
    parsed = parser_for([line.split()[0]]).parse_args(line.split())
    return refused(lambda: parsed.run(parsed))


def other_layout(folder: Path) -> list[Finding]:
    (folder / "p.yaml").write_text("version: 9\n")
    return called(f"mcu params create {folder}/p.yaml -o {folder}/p.bin")


def changed_byte(folder: Path) -> list[Finding]:
    block = bytearray(layout.encode(layout.Parameters(), layout.NEWEST))
    block[-1] ^= 1
    (folder / "p.bin").write_bytes(block)
    return called(f"mcu params write {folder}/p.bin --sim {folder}")


def in_brackets(_: Path) -> list[Finding]:
    text = "tokens: [A, # of Ada\n  B] # of Bob\n"
    return refused(lambda: token_list_edit._checked(text, "tokens.yaml", {}))


TWICE = Installed([Found("ErrorHistory", origin, "x:ErrorHistory") for origin in ("a", "b")])
SITUATIONS: dict[str, Callable[[Path], list[Finding]]] = {
    "C001": lambda folder: load(folder / "no-such-file.yaml", Root(ROOT, folder), environment={}).findings,
    "C002": lambda folder: load(folder, Root(ROOT, folder), environment={}).findings,
    "C003": lambda folder: written(folder, HISTORY + "#" * 300_000),
    "C004": lambda folder: written(folder, HISTORY.encode("utf-16")),
    "C006": lambda folder: written(folder, "a: " + "[" * 65 + "]" * 65),
    "C029": own_rule,
    "C032": lambda folder: written(folder, HISTORY, environment={"MQTT_SERVER_PORT": "abc"}),
    "C035": odd_overlay,
    "C047": lambda folder: written(folder, HISTORY, installed=TWICE),
    "C048": lambda folder: program(folder, "Gone"),
    "C049": without_package,
    "C056": lambda folder: program(folder, "Gone", ", capabilities: [net_admn]"),
    "C200": lambda folder: refused(lambda: read_groups_file(folder)),
    "C201": groups({"My Group": []}),
    "C202": groups({"cloud": ["nothing"]}),
    "C203": groups({"cloud": ["probe"]}, probe=True),
    "C204": groups({"a": ["api"], "b": ["api"]}),
    "C205": groups({"cloud": ["bsp"]}),
    "C210": lambda _: refused(lambda: read_services(b"5", "services.yaml")),
    "C220": evses_with_a_gap,
    "C221": ocpp_files,
    "C222": ocpp_files,
    "C310": other_layout,
    "C311": lambda folder: parameters(folder, "contactors: [with-feedback-normally-open]\n", 0),
    "C312": lambda folder: parameters(folder, "pluglock: {type: without-feedback}\n", 0),
    "C313": changed_byte,
    "C314": lambda _: negotiate(1, 2, "p.bin"),
    "C408": in_brackets,
    "C500": lambda _: refused(lambda: rig.rig_file("dsk")),
    "C501": lambda _: called("hil run iso2-emergncy-stop"),
    "C502": lambda _: called("hil run"),
}
ELSEWHERE = {
    "C211": "tests/meter/test_generic_powermeter.py",
    "C212": "tests/security/test_evse_security.py",
    "C213": "tests/manager/test_foreign.py",
    "C214": "tests/manager/test_member.py",
}
"""Findings of the start whose tests are with their module."""


@pytest.mark.parametrize("number", SITUATIONS)
def test_the_situation_has_the_finding(number: str, tmp_path: Path) -> None:
    found = SITUATIONS[number](tmp_path)
    assert number in {one.number for one in found}, found


def test_each_situation_is_tried() -> None:
    wanted = {number for number, one in explanations().items() if one.situation}
    assert wanted == SITUATIONS.keys() | ELSEWHERE.keys()
    assert all(rf"\[{number}\]" in (ROOT / path).read_text("utf-8") for number, path in ELSEWHERE.items())


# The verb.


def test_a_number_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--explain", "c046"]) == 0
    assert capsys.readouterr().out.startswith("C046: The module is not installed\n")
    assert main(["check", "--explain", "C046", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["number"] == "C046"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_an_explanation_fits_the_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["check", "--explain", "C101"]) == 0
    text = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("    ")]
    assert max(map(len, text)) <= columns < max(map(len, text)) + 25


def test_a_number_that_is_none_has_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--explain", "C47"]) == 2
    assert "did you mean C047?" in capsys.readouterr().err


def test_the_number_is_in_the_line_and_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("active_modules: {history: {module: ErorHistory}}\n")
    assert main(["check", str(file)]) == 78
    assert capsys.readouterr().out.splitlines()[0].endswith("(did you mean ErrorHistory?) [C046]")
    assert main(["check", str(file), "--json"]) == 78
    assert [one["number"] for one in json.loads(capsys.readouterr().out)["findings"]] == ["C046"]
