"""The wheel in an environment of its own: without extras it names what is missing, with `demo` a car charges."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.sim.net_cable import way_into_a_namespace

ROOT = Path(__file__).parents[2]
FOLDERS = ("chargebyte_fw", "hil", "etc", "usr")
FILES = ("setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
OURS = ("chargebyte_fw", "hil", "__editable__", "_editable", "_distutils_hack", "distutils-precedence")
BASE = ("msgspec", "yaml", "_yaml", "serial")
"""What `install_requires` brings."""
CONFIG = 78


class Installed:
    """A virtual environment with the wheel, an empty folder, and a home of its own."""

    def __init__(self, folder: Path, wheel: Path, wanted: Callable[[str], bool]) -> None:
        venv.create(folder / "venv", with_pip=False)
        self.site = next(folder.glob("venv/lib/python*/site-packages"))
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if wanted(entry.name):
                (self.site / entry.name).symlink_to(entry)
        python = folder / "venv/bin/python"
        # This environment's installer lays out the wheel as pip does, and needs no network.
        (folder / "tools").mkdir()
        (folder / "tools/installer").symlink_to(Path(sysconfig.get_path("purelib")) / "installer")
        command = [str(python), "-m", "installer", "--compile-bytecode=0", str(wheel)]
        tools = {**os.environ, "PYTHONPATH": str(folder / "tools")}
        subprocess.run(command, env=tools, check=True, capture_output=True, timeout=100)
        self.secc = folder / "venv/bin/secc"
        self.here, self.home = folder / "empty", folder / "home"
        self.here.mkdir()
        self.home.mkdir()

    def files(self) -> dict[Path, bytes]:
        """Return what was installed of ours; what Python compiles is its own."""
        files = (path for path in (self.site / "chargebyte_fw").rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in files if path.parent.name != "__pycache__"}

    def run(self, *arguments: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "XDG_"))}
        return subprocess.run(
            [str(self.secc), *arguments],
            cwd=self.here,
            env={**environment, "HOME": str(self.home)},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
        )


def built(folder: Path) -> Path:
    """Build sdist and, from it alone, the wheel, as `python -m build` does."""
    source = folder / "source"
    source.mkdir()
    for part in FOLDERS:
        shutil.copytree(ROOT / part, source / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for part in FILES:
        shutil.copy(ROOT / part, source / part)
    (source / "etc/everest/user-config").mkdir(exist_ok=True)
    (source / "etc/everest/user-config/bsp-only-dc.yaml").write_text("active_modules: {}\n")
    build = "import setuptools.build_meta as b, sys; b.build_{0}(sys.argv[1])"

    def make(what: str, where: Path) -> None:
        command = [sys.executable, "-c", build.format(what), str(folder)]
        subprocess.run(command, cwd=where, check=True, capture_output=True, timeout=100)

    make("sdist", source)
    (archive,) = folder.glob("*.tar.gz")
    shutil.unpack_archive(archive, folder / "unpacked", filter="data")
    make("wheel", next((folder / "unpacked").iterdir()))
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """`pip install chargebyte-fw`: no extra."""
    return Installed(tmp_path_factory.mktemp("bare"), wheel, lambda name: name.partition(".")[0] in BASE)


@pytest.fixture(scope="module")
def full(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """`pip install 'chargebyte-fw[demo]'` (and what this environment has beside that)."""
    return Installed(tmp_path_factory.mktemp("full"), wheel, lambda name: not name.startswith(OURS))


def test_the_shipped_configurations_are_in_the_wheel_and_nothing_that_a_run_left(bare: Installed) -> None:
    shipped = bare.site / "chargebyte_fw/shipped"
    for top in ("etc/everest", "usr/share/secc"):
        ours = {path.relative_to(ROOT) for path in (ROOT / top).rglob("*") if path.is_file()}
        ours = {path for path in ours if "user-config" not in path.parts}
        assert {path.relative_to(shipped) for path in (shipped / top).rglob("*") if path.is_file()} == ours
        for path in ours:
            assert (shipped / path).read_bytes() == (ROOT / path).read_bytes()


@pytest.mark.parametrize(
    ("command", "status", "package", "extra"),
    [
        (["run"], CONFIG, "websockets", "api"),
        (["run"], CONFIG, "cryptography", "security"),
        (["check", "bsp-only-dc"], CONFIG, "websockets", "api"),
        (["check", "bsp-only-dc-infypower"], CONFIG, "python-can", "can"),
        (["demo"], 1, "rich", "demo"),
        (["demo", "--plain", "--broker", "embedded"], 1, "paho-mqtt", "demo"),
        (["trace", "show", "x.cbor"], 1, "cbor2", "recorder"),
        (["run", "--config", "core.yaml"], CONFIG, "paho-mqtt", "mqtt"),
        (["run", "--config", "core.yaml", "--broker", "embedded"], CONFIG, "paho-mqtt, amqtt", "demo"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else str(given),
)
def test_without_extras_one_line_names_package_and_extra(
    bare: Installed, command: list[str], status: int, package: str, extra: str
) -> None:
    (bare.here / "x.cbor").write_bytes(b"")
    (bare.here / "core.yaml").write_text("active_modules: {kvs: {module: YamlStore, config_module: {file: x.yaml}}}\n")
    done = bare.run(*command)
    said = done.stdout + done.stderr
    assert done.returncode == status, said
    assert "Traceback" not in said
    (line,) = [line for line in said.splitlines() if package in line and "not installed" in line]
    assert f"pip install 'chargebyte-fw[{extra}]'" in line


def test_without_extras_what_needs_none_works(bare: Installed) -> None:
    assert bare.run("decode", "01fe80010000000480400040").returncode == 0
    assert bare.run("can", "dbc").returncode == 0
    assert bare.run("--help").returncode == 0


def test_with_its_extras_the_shipped_configurations_are_sound_wherever_one_is(full: Installed) -> None:
    done = full.run("check", "bsp-only-dc")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(full.here.iterdir()) == []


def test_in_an_empty_folder_a_car_charges(full: Installed) -> None:
    try:
        way_into_a_namespace()
    except Unavailable as error:
        pytest.skip(str(error))
    before = full.files()
    done = full.run("demo", "--plain", "--speed", "5", "--broker", "embedded", timeout=100.0)
    assert done.returncode == 0, done.stdout + done.stderr
    energy_Wh = re.search(r"Energy into the car +([0-9.]+) Wh", done.stdout)
    assert energy_Wh is not None and float(energy_Wh[1]) > 50
    assert full.files() == before
    assert list(full.here.iterdir()) == []


def test_a_start_keeps_its_state_in_the_users_own_folder(full: Installed) -> None:
    """Without hardware and broker it waits for both, and ends on a signal."""
    environment = {**os.environ, "HOME": str(full.home)}
    environment.pop("XDG_STATE_HOME", None)
    process = subprocess.Popen(
        [str(full.secc), "run", "--broker", "none"],
        cwd=full.here,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "modules are ready" in line or "ready" in line:
            break
    process.terminate()
    rest = process.communicate(timeout=60)[0]
    assert process.returncode == 0, "".join(lines) + rest
    assert "Traceback" not in "".join(lines) + rest
    assert [path.name for path in (full.home / ".local/state/secc").iterdir()] != []
    assert not (full.site / "chargebyte_fw/shipped/var").exists()
