"""A root file system in miniature: wheel and install rules, as the recipe lays them out, then baked as an image."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.image import bitbake

ROOT = bitbake.ROOT
WHEEL_PARTS = ("chargebyte_fw", "usr", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
SITE = f"/usr/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


@dataclass
class Image:
    """A root, and the Python that stands for the target's: it has the libraries and nothing of ours."""

    root: Path
    python: Path

    def run(self, *arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        """Run something with the root's packages in reach."""
        given = dict(options)
        environment = {**os.environ, "PYTHONPATH": f"{self.root}{SITE}", **given.pop("env", {})}  # type: ignore[dict-item]
        command = [str(self.python), "-P", *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, **given)  # type: ignore[call-overload]

    def secc(self, *arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        """Run the root's command on the root."""
        return self.run(self.root / "usr/bin/secc", *arguments, "--root", self.root, **options)

    def script(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run install-root as BitBake does: with the build's Python, which knows nothing of the root."""
        command = [str(builder(self.python)), str(ROOT / "script/install-root"), *map(str, arguments)]
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def builder(python: Path) -> Path:
    """Return the Python of BitBake beside the target's: it has what chargebyte-image.bbclass asks for, and no more."""
    return python.parents[1] / "builder/bin/python"


def _link_libraries(folder: Path, wanted: Callable[[str], bool]) -> None:
    site = next(folder.glob("lib/python*/site-packages"))
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if wanted(entry.name) and not (site / entry.name).exists():
            (site / entry.name).symlink_to(entry)


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with this environment's libraries, without the product."""
    folder = tmp_path_factory.mktemp("python")
    venv.create(folder, with_pip=False)
    # A path file of an editable install would bring the checkout back.
    _link_libraries(folder, lambda name: not name.startswith(("chargebyte_fw", "__editable__", "_editable")))
    venv.create(folder / "builder", with_pip=False)
    text = (bitbake.LAYER / "classes-recipe/chargebyte-image.bbclass").read_text()
    native = re.findall(r"python3-(\w+)-native", text)
    tops = {name for entry in native for name in {"pyyaml": ("yaml", "_yaml")}.get(entry, (entry,))}
    _link_libraries(folder / "builder", lambda name: name in tops)
    return folder / "bin/python"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    return make_wheel(tmp_path_factory.mktemp("wheel"))


def make_wheel(folder: Path, checkout: Path = ROOT) -> Path:
    """Build the wheel from a copy, so that the checkout stays clean."""
    source = folder / "source"
    source.mkdir()
    for part in WHEEL_PARTS:
        if (checkout / part).is_dir():
            shutil.copytree(checkout / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
        elif (checkout / part).exists():
            shutil.copy(checkout / part, source / part)
    build = "import setuptools.build_meta as b, sys; print(b.build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=source, check=True, capture_output=True, timeout=120)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel: Path, python: Path, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What do_install of both recipes leaves."""
    return install_all(wheel, python, tmp_path_factory.mktemp("installed"))


def install_all(wheel: Path, python: Path, root: Path) -> Image:
    """Install the wheel by the installer of the recipe's class, then by the install rules."""
    image = Image(root, python)
    options = ["--compile-bytecode=0", "--prefix", "/usr", "--destdir", str(root), str(wheel)]
    done = subprocess.run([str(python), "-m", "installer", *options], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (root / SITE.lstrip("/") / "chargebyte_fw").is_dir(), "the scheme of this Python is not the target's"
    for verb in ("files", "update"):
        more = ["--site", SITE] if verb == "files" else []
        done = image.script(verb, root, "--version", "1.2.3+4.gabcdef0", *more)
        assert done.returncode == 0, done.stderr
    return image


@pytest.fixture(scope="session")
def pristine(installed: Image, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """A whole root, baked; not for changing."""
    root = tmp_path_factory.mktemp("baked") / "root"
    shutil.copytree(installed.root, root, symlinks=True)
    image = Image(root, installed.python)
    done = image.script("bake", root, "--site", SITE)
    assert done.returncode == 0, done.stderr
    return image


@pytest.fixture
def baked(pristine: Image, tmp_path: Path) -> Image:
    """A baked root of one's own."""
    shutil.copytree(pristine.root, tmp_path / "root", symlinks=True)
    return Image(tmp_path / "root", pristine.python)


@pytest.fixture(scope="session")
def packages(installed: Image) -> dict[str, set[str]]:
    """The files of `installed` by package, taken as BitBake takes them: the first pattern that fits wins."""
    recipe = next(path for path in bitbake.recipes() if path.stem.startswith("chargebyte-fw_"))
    data = bitbake.read(recipe)
    data.setVar("PYTHON_SITEPACKAGES_DIR", SITE)
    rest = {
        "/" + str(path.relative_to(installed.root))
        for path in installed.root.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    update = next(path for path in bitbake.recipes() if path.stem.startswith("chargebyte-update_"))
    found: dict[str, set[str]] = {}
    for name, source in [(name, data) for name in bitbake.packages(data)] + [
        ("chargebyte-update", bitbake.read(update))
    ]:
        patterns = bitbake.words(source, f"FILES:{name}")
        if name == "chargebyte-fw":
            # The defaults of bitbake.conf that matter here.
            patterns += ["/usr/bin/*", SITE]
        if name == "chargebyte-fw-doc":
            patterns += ["/usr/share/man"]
        if name == "chargebyte-update":
            patterns += ["/etc"]
        found[name] = {path for path in rest if any(_fits(path, pattern) for pattern in patterns)}
        if name == "chargebyte-fw":
            found[name] -= {path for path in found[name] if _of_the_update(path)}
        rest -= found[name]
    assert rest == set(), "files that no package takes: BitBake would refuse them (installed-vs-shipped)"
    return found


def _fits(path: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path, pattern.rstrip("/") + "/*")


def _of_the_update(path: str) -> bool:
    return re.search(r"^/(etc/rauc|usr/lib/rauc)/|mark-good|chargebyte-usb", path) is not None


def copy_of(image: Image, files: set[str], target: Path) -> Image:
    """Make a root of some files alone."""
    for name in sorted(files):
        place = target / name.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(image.root / name.lstrip("/"), place, follow_symlinks=False)
    return Image(target, image.python)


__all__ = ["SITE", "Image", "copy_of"]
