"""Every file that people write is cut where editors show the end of a line: NEL, LS, PS and CR hide nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.board.params.yaml_text import read as read_parameters
from chargebyte_fw.cli.version import first_line
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.configuration.reading import parse
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.modules.system.yaml_file import read_strings


def configuration(path: Path) -> Any:
    node = parse(path.read_bytes().decode(), str(path), Report())
    return None if node is None else set(node.entries)


def strings(path: Path) -> Any:
    return set(read_strings(path)[0])


@pytest.mark.parametrize("one", ["\x85", "\u2028", "\u2029", "\r"], ids=["NEL", "LS", "PS", "CR"])
@pytest.mark.parametrize("reader", [configuration, strings])
def test_a_comment_hides_no_key(tmp_path: Path, reader: Callable[[Path], Any], one: str) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(f"a: 1 # comment{one}b: 2\r\n# more{one}b: 3\n".encode())
    assert reader(path) == {"a"}


@pytest.mark.parametrize("one", ["\x85", "\u2028", "\r"], ids=["NEL", "LS", "CR"])
def test_a_comment_hides_no_parameter(one: str) -> None:
    text = "version: 1 # comment{}colour: red\n"
    hidden, plain = (read_parameters(text.format(each).encode(), "p.yaml").findings for each in (one, " "))
    assert hidden == plain and not any("colour" in str(finding) for finding in hidden)


def test_a_version_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_bytes("1.0\u20282.0\n".encode())
    assert first_line(Root(tmp_path, tmp_path), "/VERSION") == "1.0\u20282.0"
