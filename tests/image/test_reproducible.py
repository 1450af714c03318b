"""The same source gives the same root, byte for byte and byte code included, wherever and whenever it is built."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.image.conftest import ROOT, SITE, install_all, make_wheel

EPOCH = "1700000000"
"""BitBake takes it from the sources (SOURCE_DATE_EPOCH)."""


def contents(root: Path) -> dict[str, str]:
    """Every file, link and folder with mode and sum."""
    found = {}
    for path in sorted(root.rglob("*")):
        mode = f"{path.lstat().st_mode:o}"
        what = os.readlink(path) if path.is_symlink() else ""
        if path.is_file() and not path.is_symlink():
            what = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(root))] = f"{mode} {what}"
    return found


@pytest.mark.slow
def test_wheel_and_root_are_the_same_from_another_folder_at_another_time(
    python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels: list[bytes] = []
    roots: list[dict[str, str]] = []
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    for name, zone, seed, language in (("a", "UTC", "1", "C.UTF-8"), ("another-folder/b", "Asia/Tokyo", "2", "C")):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        for variable, value in (("TZ", zone), ("PYTHONHASHSEED", seed), ("LANG", language), ("HOME", str(folder))):
            monkeypatch.setenv(variable, value)
        wheel = make_wheel(folder, tmp_path / "a/source" if roots else ROOT)
        image = install_all(wheel, python, folder / "root")
        done = image.script("bake", image.root, "--site", SITE)
        assert done.returncode == 0, done.stderr
        wheels.append(wheel.read_bytes())
        roots.append(contents(image.root))
    first, second = roots
    assert [path for path in first.keys() | second.keys() if first.get(path) != second.get(path)] == []
    assert wheels[0] == wheels[1]
    assert sum(path.endswith(".pyc") for path in first) > 200
    built = [tmp_path / "a/root" / path for path in first]
    assert [path for path in built if path.is_file() and str(tmp_path).encode() in path.read_bytes()] == []
