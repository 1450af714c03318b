"""Every verb and sub-verb has help, a description and an example; errors are in words and name what is nearest."""

from __future__ import annotations

import argparse

import pytest

from chargebyte_fw.cli.main import main
from tests.cli.parser_tree import leaves, verbs

WITHOUT_EXAMPLE = {
    "secc certs check",
    "secc certs install",
    "secc certs csr",
    "secc certs make-test-pki",
    "secc hil",
    "secc hil run",
    "secc hil list",
    "secc hil check",
    "secc ocpp status",
    "secc ocpp variables",
    "secc ocpp get",
    "secc ocpp set",
    "secc ocpp queue",
    "secc ocpp priority",
    "secc ocpp send",
    "secc plc info",
    "secc plc link",
    "secc plc reset",
    "secc trace list",
    "secc trace save",
    "secc trace show",
    "secc trace export",
    "secc trace replay",
}


@pytest.mark.parametrize(("name", "parser", "line"), list(verbs()), ids=lambda one: one if isinstance(one, str) else "")
def test_each_verb_has_help_a_description_and_an_example(name: str, parser: argparse.ArgumentParser, line: str) -> None:
    assert line and not line.endswith(".")
    if name in WITHOUT_EXAMPLE:
        return
    assert parser.description
    assert f"{name} " in f"{parser.epilog} ", f"{name}: no example in its help"


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
