"""The pages that follow from declarations are current, whole, and about what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from chargebyte_fw.cli.main import command_names
from chargebyte_fw.contracts.errors import ERRORS
from chargebyte_fw.manager.manifest import declarations
from tests.docs import reference
from tests.docs.reference import DOCS, ROOT

WITHOUT_UNIT = re.compile(
    r"\b(number|phases|phase count|tries|EVSE|address|port|slot|decimal places|multiple|sounds|samples|parity|"
    r"how often|no effect)\b",
    re.IGNORECASE,
)
"""Numbers that count or name something, by the words of their description."""


def keys() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, cls in reference.classes().items():
        for config in (cls.Config, *(provision.config for provision in cls.provisions.values())):
            for key, declared in declarations(config).items():
                yield f"{name}.{key}", declared


def test_the_pages_are_current() -> None:
    assert reference.differences() == [], "script/reference --write"


def test_each_key_has_a_description_and_each_quantity_its_unit() -> None:
    for name, declared in keys():
        text = declared["description"]
        assert text != "No description." and text.endswith("."), name
        if declared["type"] in ("integer", "number"):
            assert reference.unit_of(declared) or WITHOUT_UNIT.search(text), f"{name}: {text}"


def test_each_module_and_key_is_on_a_page() -> None:
    text = "".join((DOCS / name).read_text("utf-8") for name in reference.module_pages())
    for name, _ in keys():
        module, _, key = name.partition(".")
        assert f"## {module}\n" in text
        assert re.search(rf"`(\w+\.)?{key}`", text), name


# The page for service.

PAGE = (DOCS / "troubleshooting.md").read_text("utf-8")
SOURCE = "\n".join(path.read_text("utf-8") for path in (ROOT / "chargebyte_fw").rglob("*.py"))


OF_EXAMPLES = ("example", "test_errors")
"""Errors of EVerest's examples and tests: no charger has them."""
DECLARED = {f"{space}/{name}" for space, names in ERRORS.items() if space not in OF_EXAMPLES for name in names}


@pytest.mark.parametrize("error", sorted(DECLARED))
def test_every_error_that_can_be_raised_is_on_the_page(error: str) -> None:
    """`Faults.raise_fault` refuses an error that is not declared: what is raised is among these."""
    assert f"| `{error}` |" in PAGE


def test_errors_in_the_code_are_declared() -> None:
    written = set(re.findall(rf"\"((?:{'|'.join(set(ERRORS) - set(OF_EXAMPLES))})/[A-Z]\w+)\"", SOURCE))
    written |= {f"evse_manager/{name}" for name in re.findall(r"RaiseFault\(\s*\"(\w+)\"", SOURCE)}
    assert len(written) > 20
    assert written <= DECLARED


def seen() -> list[str]:
    """Return what the tables have in their first column as words of a log."""
    by_hand = PAGE.partition(reference.BEGIN)[0]
    cells = [line.split("|")[1] for line in by_hand.splitlines() if line.startswith("| ") and "---" not in line]
    return [word for one in cells for word in re.findall(r"`([^`]+)`", one) if " " in word.strip()]


@pytest.mark.parametrize("words", seen())
def test_each_line_of_a_log_is_one_of_the_product(words: str) -> None:
    if words.startswith("secc "):
        return
    # A value of the line stands for itself: the words around it are in the code.
    parts = [part for part in re.split(r"(?<=matching failed:) ", words) if part]
    assert all(part.rstrip(":") in SOURCE for part in parts), words


@pytest.mark.parametrize("name", ["troubleshooting.md", "findings.md", "integrators.md", "reference/README.md"])
def test_each_verb_of_a_page_is_there(name: str) -> None:
    for verb in re.findall(r"`secc ([a-z]+)", (DOCS / name).read_text("utf-8")):
        assert verb in command_names(), f"secc {verb}"


def test_the_table_at_the_top_leads_to_headings() -> None:
    diagram = PAGE.partition("```mermaid")[2].partition("```")[0]
    headings = set(re.findall(r"(?m)^## (.+)$", PAGE))
    ends = {"The charger does not run", "The car is not seen", "No authorization", "No energy", "No powerline"}
    for end in (*ends, "V2G ends early"):
        assert f" : {end}\n" in diagram and end in headings
