"""Modules that are loaded on first use: nothing runs before an attribute is looked up."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from chargebyte_fw.kernel.lazy_import import with_first_use

COUNTED = "import lazy_sample\nlazy_sample.runs = getattr(lazy_sample, 'runs', 0) + 1\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the folder of a package `lazy_sample` that can be imported."""
    folder = tmp_path / "lazy_sample"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [one for one in sys.modules if one.startswith("lazy_sample")]:
        del sys.modules[name]


def test_the_module_runs_when_its_first_attribute_is_looked_up(package: Path) -> None:
    (package / "late.py").write_text(
        "import lazy_sample\nlazy_sample.runs = getattr(lazy_sample, 'runs', 0) + 1\nx = 5\n"
    )
    with_first_use("lazy_sample.late")
    parent = importlib.import_module("lazy_sample")
    late = importlib.import_module("lazy_sample.late")
    assert not hasattr(parent, "runs")
    assert parent.late is late
    assert late.x == 5
    assert (parent.runs, late.x, hasattr(late, "y"), parent.runs) == (1, 5, False, 1)


def test_a_module_that_was_imported_before_stays(package: Path) -> None:
    (package / "late.py").write_text("x = 5\n")
    module = importlib.import_module("lazy_sample.late")
    with_first_use("lazy_sample.late")
    assert sys.modules["lazy_sample.late"] is module
    assert module.x == 5


def test_a_module_that_fails_is_tried_again_at_the_next_use(package: Path) -> None:
    (package / "late.py").write_text("import lazy_sample\nx = 1 / lazy_sample.divisor\n")
    with_first_use("lazy_sample.late")
    parent, late = importlib.import_module("lazy_sample"), importlib.import_module("lazy_sample.late")
    parent.divisor = 0  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError):
        _ = late.x
    parent.divisor = 2  # type: ignore[attr-defined]
    assert late.x == 0.5


def test_two_threads_run_it_once(package: Path) -> None:
    (package / "late.py").write_text(COUNTED + "import time\ntime.sleep(0.02)\nx = 5\n")
    with_first_use("lazy_sample.late")
    late = importlib.import_module("lazy_sample.late")
    found: list[int] = []
    threads = [Thread(target=lambda: found.append(late.x)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, importlib.import_module("lazy_sample").runs) == ([5] * 4, 1)


def test_a_name_that_does_not_exist_is_an_import_error() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"urllib\.nonsense"):
        with_first_use("urllib.nonsense")


@pytest.mark.parametrize(
    ("name", "importer", "use"),
    [
        ("urllib.request", "paho.mqtt.client", "urllib.request.getproxies()"),
        ("importlib.metadata", "websockets.asyncio.server", "importlib.metadata.version('websockets')"),
    ],
)
def test_a_library_is_imported_without_what_it_does_not_use(name: str, importer: str, use: str) -> None:
    """The heavy part is there on use, and not before: `email.parser` comes with both."""
    code = (
        f"import sys, urllib, importlib\nfrom chargebyte_fw.kernel.lazy_import import with_first_use\n"
        f"with_first_use({name!r})\nimport {importer}\nassert 'email.parser' not in sys.modules\n"
        f"{use}\nassert 'email.message' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
