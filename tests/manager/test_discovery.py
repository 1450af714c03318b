"""Modules are found by entry point and in directories; nothing is imported that nobody asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chargebyte_fw.manager.discovery import CannotLoad, discover


def distribution(folder: Path, name: str, *lines: str, group: str = "chargebyte_fw.modules") -> None:
    info = folder / name
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text("[console_scripts]\nx = y:z\n\n" + "\n".join([f"[{group}]", *lines]) + "\n")


def directory(folder: Path, name: str, code: str | None = None) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "manifest.yaml").write_text("description: x\n")
    if code is not None:
        (folder / name / "__init__.py").write_text(code)


def test_the_products_own_modules_are_all_there() -> None:
    names = discover([]).names()
    assert {"API", "CbChargeSOMDriver", "EvseManager", "EvseSlac", "EvseV2G", "YamlStore"} <= set(names)
    assert discover([]).doubles() == {}


def test_entry_points_of_any_distribution_count_and_nothing_is_imported(tmp_path: Path) -> None:
    distribution(tmp_path, "acme_meters-1.2.dist-info", "AcmeMeter = acme_not_there.meter:AcmeMeter [extra]")
    distribution(tmp_path, "other-1.dist-info", "x = y:z", group="pytest11")
    found = discover([], [str(tmp_path)])
    assert found.names() == ["AcmeMeter"]
    one = found.by_name["AcmeMeter"][0]
    assert (one.origin, one.target) == ("acme_meters 1.2", "acme_not_there.meter:AcmeMeter")
    with pytest.raises(CannotLoad, match="a library is missing: acme_not_there"):
        one.load()


def test_the_same_distribution_on_two_places_of_the_path_counts_once(tmp_path: Path) -> None:
    distribution(tmp_path / "a", "acme_meters-1.2.dist-info", "M = a:M")
    distribution(tmp_path / "b", "Acme.Meters.egg-info", "M = b:M")
    assert [one.target for one in discover([], [str(tmp_path / "a"), str(tmp_path / "b")]).by_name["M"]] == ["a:M"]


def test_a_name_in_two_distributions_shows_both(tmp_path: Path) -> None:
    distribution(tmp_path, "one-1.dist-info", "M = a:M")
    distribution(tmp_path, "two-1.dist-info", "M = b:M")
    assert [one.origin for one in discover([], [str(tmp_path)]).doubles()["M"]] == ["one 1", "two 1"]


def test_a_package_in_everests_module_directory_joins_the_process(tmp_path: Path) -> None:
    imports = "from chargebyte_fw.kernel.module import Module\nfrom .inner import ANSWER\n"
    code = imports + "class Baked(Module):\n    answer = ANSWER\n"
    directory(tmp_path, "Baked", code)
    (tmp_path / "Baked" / "inner.py").write_text("ANSWER = 42\n")
    found = discover([tmp_path, tmp_path], []).by_name["Baked"]
    assert len(found) == 1 and found[0].origin == str(tmp_path / "Baked")
    assert found[0].load().answer == 42  # type: ignore[attr-defined]
    assert found[0].load() is found[0].load()
    del sys.modules["secc_plugin_Baked"], sys.modules["secc_plugin_Baked.inner"]


def test_a_program_of_everest_becomes_a_class_from_its_manifest(tmp_path: Path) -> None:
    directory(tmp_path, "Native")
    (tmp_path / "Native" / "Native").write_text("a program")
    (tmp_path / "Native" / "manifest.yaml").write_text(
        "description: A meter\n"
        "config: {port: {type: integer, description: Port, default: 5, minimum: 1}}\n"
        "provides: {main: {interface: powermeter, description: x, config: {name: {type: string, description: n}}}}\n"
        "requires: {store: {interface: kvs, min_connections: 0}}\n"
    )
    found = discover([tmp_path], []).by_name["Native"][0]
    assert found.is_program
    cls = found.load()
    assert cls.module_name() == "Native" and cls.Config().port == 5  # type: ignore[attr-defined]
    assert cls.provisions["main"].interface == "powermeter"
    assert (cls.requirements["store"].interface, cls.requirements["store"].minimum) == ("kvs", 0)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("description: x\nprovides: {main: {interface: nonsense}}\n", "the interface nonsense, which"),
        ("- a\n", "not a map"),
        ("provides: [1]\n", "not a map of maps"),
        ("a: [\n", "not YAML"),
        ("config: {x: {type: date}}\n", "no type that EVerest knows"),
        ("requires: {stop: {interface: kvs}}\n", "cannot be the name"),
    ],
)
def test_a_manifest_that_nothing_can_be_made_of_says_why(tmp_path: Path, manifest: str, reason: str) -> None:
    directory(tmp_path, "Native")
    (tmp_path / "Native" / "Native").write_text("a program")
    (tmp_path / "Native" / "manifest.yaml").write_text(manifest)
    with pytest.raises(CannotLoad, match=reason):
        discover([tmp_path], []).by_name["Native"][0].load()


def test_a_directory_with_a_manifest_alone_holds_no_program(tmp_path: Path) -> None:
    """It can only stand for a module that another process starts."""
    directory(tmp_path, "Native")
    missing = discover([tmp_path], []).by_name["Native"][0].load().missing_program()
    assert missing == f"{tmp_path / 'Native'} holds neither Native nor index.js nor module.py"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("class Other: pass\n", "holds no module class Broken"),
        ("Broken = 3\n", "holds no module class Broken"),
        ("import not_there_at_all\n", "a library is missing: not_there_at_all"),
        ("def f(:\n", "SyntaxError"),
        ("1 / 0\n", "ZeroDivisionError"),
    ],
)
def test_code_that_cannot_be_used_says_why(tmp_path: Path, code: str, reason: str) -> None:
    directory(tmp_path, "Broken", code)
    try:
        with pytest.raises(CannotLoad, match=reason):
            discover([tmp_path], []).by_name["Broken"][0].load()
    finally:
        sys.modules.pop("secc_plugin_Broken", None)


def test_folders_that_are_not_there_or_hold_rubbish_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "x-1.dist-info").mkdir()
    (tmp_path / "y-1.dist-info").write_text("a file")
    (tmp_path / "z-1.dist-info").mkdir()
    (tmp_path / "z-1.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe[chargebyte_fw.modules]")
    assert discover([tmp_path / "no"], [str(tmp_path), str(tmp_path / "nowhere")]).names() == []
