"""Every verb and sub-verb has help, a description and an example; errors are in words and name what is nearest."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from chargebyte_fw.cli.main import main
from tests.cli.parser_tree import leaves, options, verbs

ROOT = Path(__file__).parents[2]
CONFIGS = ("add", "choose", "delete", "list", "validate")
WITHOUT_JSON = {
    "secc auth add": "changes a file and prints one line",
    "secc auth remove": "changes a file and prints one line",
    "secc can": "writes a file in a format of its own",
    "secc car": "prints its course; the exit status is the verdict",
    "secc certs install": "changes the store and prints one line",
    "secc certs csr": "prints a request in PEM",
    "secc certs make-test-pki": "writes files",
    "secc configs add": "changes a file and prints one line",
    "secc configs choose": "changes a file and prints one line",
    "secc configs delete": "changes a file and prints one line",
    "secc configs validate": "`secc check --json` has the findings",
    "secc demo": "a screen, or lines for people",
    "secc graph": "a drawing in Mermaid; `secc check --json` has modules and connections",
    "secc hil run": "writes a report",
    "secc index": "writes a file",
    "secc manager": "has the options of EVerest's manager",
    "secc manifests": "writes files",
    "secc mcu reset": "changes the controller and prints one line",
    "secc mcu hold": "changes the controller and prints one line",
    "secc mcu bootloader": "changes the controller and prints one line",
    "secc mcu flash": "changes the controller and prints its steps",
    "secc mcu erase": "changes the controller and prints its steps",
    "secc mcu dump": "writes octets",
    "secc mcu auto-update": "changes the controller and prints one line",
    "secc mcu monitor": "a screen",
    "secc mcu params create": "writes octets",
    "secc mcu params dump": "writes YAML",
    "secc mcu params write": "changes the controller and prints one line",
    "secc module": "has the options of EVerest's modules",
    "secc plc reset": "resets the modem and prints one line",
    "secc prefix": "writes files",
    "secc run": "runs; `secc selftest --json` shows its state",
    "secc update": "installs and prints its steps",
}
WITHOUT_ROOT = {
    "secc can": "depends on no file",
    "secc car": "is no charger: it charges at one",
    "secc certs make-test-pki": "writes into the folder that is named",
    **{f"secc configs {one}": "has --prefix, as EVerest's tool" for one in CONFIGS},
    "secc decode": "reads the file that is named",
    "secc hil list": "rigs and scenarios are in the package",
    "secc hil check": "rigs and scenarios are in the package",
    "secc logs": "the journal is this machine's; --file names a log",
    "secc manager": "has --prefix, as EVerest's manager",
    "secc mcu params create": "reads and writes the files that are named",
    "secc mcu params check": "reads the file that is named",
    "secc module": "has --prefix, as EVerest's modules",
    "secc plc info": "asks a modem on an interface of this machine",
    "secc plc link": "asks a modem on an interface of this machine",
    "secc prefix": "writes into the folder that is named",
}


@pytest.mark.parametrize(("name", "parser", "line"), list(verbs()), ids=lambda one: one if isinstance(one, str) else "")
def test_each_verb_has_help_a_description_and_an_example(name: str, parser: argparse.ArgumentParser, line: str) -> None:
    assert line and not line.endswith(".")
    assert parser.description
    assert f"{name} " in f"{parser.epilog} ".replace("\n", " "), f"{name}: no example in its help"


def test_each_argument_has_a_line_in_the_help() -> None:
    for name, parser, _ in verbs():
        for action in parser._actions:
            assert action.help or isinstance(action, argparse._SubParsersAction), (name, action.dest)


def test_what_has_no_json_or_no_root_is_known_with_its_reason() -> None:
    executed = dict(leaves())
    assert {name for name, parser in executed.items() if "--json" not in options(parser)} == set(WITHOUT_JSON)
    assert {name for name, parser in executed.items() if "--root" not in options(parser)} == set(WITHOUT_ROOT)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("chek x", "secc: error: there is no command 'chek' (did you mean check?)"),
        ("auth ad A", "secc auth: error: there is no command 'ad' (did you mean add?)"),
        ("mcu params chekc x", "secc mcu params: error: there is no command 'chekc' (did you mean check?)"),
        ("check --jsno x", "secc check: error: there is no option --jsno (did you mean --json?)"),
        ("check --rooot=/ x", "secc check: error: there is no option --rooot (did you mean --root?)"),
        ("certs install --ass v2g x", "secc certs install: error: there is no option --ass (did you mean --as?)"),
        ("decode --protocol iso3", "secc decode: error: argument --protocol: 'iso3' is none of its values (did you"),
        ("certs install x --as vv2g", "argument --as: 'vv2g' is none of its values (did you mean v2g?)"),
        ("version 1.0", "secc version: error: '1.0' is one argument too many"),
        ("version -x", "secc version: error: there is no option -x"),
        ("demo --speed fast", "secc demo: error: argument --speed: 'fast' is not a number"),
        ("run --failures 1.5", "secc run: error: argument --failures: '1.5' is not a whole number"),
    ],
)
def test_what_does_not_exist_is_named_with_what_is_nearest_and_the_usage_of_its_verb(
    capsys: pytest.CaptureFixture[str], line: str, text: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    printed = capsys.readouterr().err
    assert ended.value.code == 2 and text in printed
    assert printed.startswith(f"usage: {text.partition(':')[0] if text.startswith('secc') else 'secc'} ")


@pytest.mark.parametrize("line", ["", *(name.removeprefix("secc ") for name, *_ in verbs())])
def test_a_verb_that_needs_a_sub_verb_prints_its_help(capsys: pytest.CaptureFixture[str], line: str) -> None:
    if any(name == f"secc {line}" for name, _ in leaves()):
        return
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    printed = capsys.readouterr().err
    assert ended.value.code == 2 and printed.startswith(f"usage: {f'secc {line}'.strip()} ") and "options:" in printed


def test_no_name_of_a_function_is_in_the_error_of_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    for name, parser in leaves():
        for action in parser._actions:
            if not action.option_strings or action.type in (None, str) or action.nargs == 0:
                continue
            try:
                parser._get_value(action, "\x01no value")
            except argparse.ArgumentError as error:
                for word in ("invalid", "could not", "literal", "_", "Errno"):
                    assert word not in error.message, (name, action.option_strings, error.message)
            except SystemExit:
                assert "Errno" not in capsys.readouterr().err


PLURAL = re.compile(
    r"\{[^{}]+\} (entries|databases|files|modules|frames|mismatches|packets|messages|tokens|errors|warnings|problems|"
    r"variables|inputs|outputs|certificates|scenarios|sessions|traces)\b"
)


@pytest.mark.parametrize("path", sorted((ROOT / "chargebyte_fw/cli").glob("*.py")), ids=lambda path: path.stem)
def test_a_number_of_things_is_counted_in_words(path: Path) -> None:
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        assert not PLURAL.search(line), f"line {number}: cli/text.py has `counted`"
