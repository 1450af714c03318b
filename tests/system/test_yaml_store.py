"""YamlStore: the texts that stand in the file, and the place of everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.kernel.bus import run_command
from chargebyte_fw.kernel.errors import CommandError, Finding
from chargebyte_fw.modules.system.yaml_file import read_strings
from chargebyte_fw.modules.system.yaml_store import YamlStore
from tests.odd_files import ODD, make_odd


def read(tmp_path: Path, text: str | bytes) -> tuple[dict[str, str], list[Finding]]:
    path = tmp_path / "info.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_strings(path)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("vendor: chargebyte\nmodel: Charge SOM\n", {"vendor": "chargebyte", "model": "Charge SOM"}),
        ("revision: 007\n", {"revision": "007"}),
        (
            "a: no\nb: yes\nc: 1e3\nd: 2024-01-01\ne: 12:30:45\n",
            {"a": "no", "b": "yes", "c": "1e3", "d": "2024-01-01", "e": "12:30:45"},
        ),
        ('a: "quoted"\nb:\n', {"a": "quoted", "b": ""}),
        ("a: 1\na: 2\n", {"a": "2"}),
        ("", {}),
        ("# only a comment\n", {}),
    ],
)
def test_every_scalar_is_the_text_that_stands_there(tmp_path: Path, text: str, values: dict[str, str]) -> None:
    assert read(tmp_path, text) == (values, [])


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("a: 1\nb: [1\n", ":3:1", "is no YAML"),
        ("a: 1\n\tb: 2\n", ":2:1", "is no YAML"),
        ("- a\n- b\n", ":1:1", "must be lines of"),
        ("just words\n", ":1:1", "must be lines of"),
        ("a:\n  b: 1\n", ":2:3", "a must be a text"),
        ("a: 1\nb: [1, 2]\n", ":2:4", "b must be a text"),
        (b"a: \xff\n", "", "is not UTF-8"),
        ("a: *nowhere\n", ":1:4", "is no YAML"),
        ("[" * 5000, "", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str | bytes, where: str, what: str) -> None:
    _, (finding,) = read(tmp_path, text)
    assert finding.where.endswith(f"info.yaml{where}") or not where
    assert what in finding.what
    assert "\n" not in str(finding)


def test_all_findings_come_at_once_and_cost_their_own_value_alone(tmp_path: Path) -> None:
    values, findings = read(tmp_path, "a: [1]\nb: 2\nc: {d: 1}\n")
    assert len(findings) == 2 and values == {"b": "2"}


@given(st.binary(max_size=60))
@settings(max_examples=150, deadline=None)
def test_no_content_raises_anything_else(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(content)
    values, _ = read_strings(path)
    assert all(isinstance(value, str) for value in values.values())


@pytest.mark.timeout(10)
@pytest.mark.parametrize("kind", ODD)
def test_a_file_that_is_none_is_a_line_and_keeps_nobody_from_charging(
    run: Any, assemble: Any, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    make_odd(tmp_path / "etc/everest/charger_info.yaml", kind)

    async def main() -> None:
        world = assemble(kvs=(YamlStore, {"file": "/etc/everest/charger_info.yaml"}))
        await world.start()
        assert await world.provider("kvs", "main").load("vendor") is None
        assert "charger_info.yaml: error: cannot be read: " in caplog.text and "going on without it" in caplog.text
        assert len(world.modules["kvs"].set_aside) == 1
        await world.stop()

    run(main())


def test_a_broken_file_is_told_and_keeps_nobody_from_charging(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "info.yaml").write_text("vendor: chargebyte\nmodel: [Charge, SOM]\n")

    async def main() -> None:
        world = assemble(kvs=(YamlStore, {"file": "/info.yaml"}))
        await world.start()
        kvs = world.provider("kvs", "main")
        assert (await kvs.load("vendor"), await kvs.load("model")) == ("chargebyte", None)
        assert "info.yaml:2:8: error: model must be a text" in caplog.text and "going on without it" in caplog.text
        await world.stop()

    run(main())


def test_the_store_reads_and_refuses_to_write(run: Any, assemble: Any, tmp_path: Path) -> None:
    (tmp_path / "info.yaml").write_text("vendor: chargebyte\n")

    async def main() -> None:
        world = assemble(kvs=(YamlStore, {"file": "/info.yaml"}))
        await world.start()
        kvs = world.provider("kvs", "main")
        assert await kvs.load("vendor") == "chargebyte"
        assert await kvs.load("model") is None
        assert (await kvs.exists("vendor"), await kvs.exists("model")) == (True, False)
        for command, args in [("store", ("vendor", "x")), ("delete", ("vendor",))]:
            with pytest.raises(CommandError, match="only read"):
                await run_command(kvs, command, args, {})
        assert not world.modules["kvs"].failed.done()
        await world.stop()

    run(main())
