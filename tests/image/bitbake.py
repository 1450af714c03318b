"""Recipes read by BitBake's own parser, the `bb` package of PyPI's bitbake-setup; no build, no layers of others."""

from __future__ import annotations

import functools
import re
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "meta-layer"
SERIES = ("scarthgap", "wrynose")
SITE = "/usr/lib/python3.12/site-packages"


def recipes() -> list[Path]:
    """Every recipe of this repository."""
    return sorted([*LAYER.rglob("*.bb"), *(ROOT / "recipes").rglob("*.bb")])


def read(recipe: Path) -> Any:
    """Parse one recipe; classes of other layers are empty, ours are read."""
    return _read(recipe).createCopy()


@functools.cache
def _read(recipe: Path) -> Any:
    for name in ("hashserv", "hashserv.client"):
        sys.modules.setdefault(name, types.ModuleType(name))
    import bb
    import bb.data
    import bb.parse
    import bb.siggen

    data = bb.data.init()
    with tempfile.TemporaryDirectory() as empty:
        classes = Path(empty, "classes")
        classes.mkdir()
        ours = {path.stem for path in LAYER.rglob("*.bbclass")}
        texts = [path.read_text() for path in [*recipes(), *LAYER.rglob("*.bbclass"), *LAYER.rglob("*.inc")]]
        for name in set(re.findall(r"[\w-]+", " ".join(re.findall(r"(?m)^inherit (.*)$", "\n".join(texts))))) - ours | {
            "native",
            "nativesdk",
        }:
            (classes / f"{name}.bbclass").write_text("")
        package, _, version = recipe.stem.partition("_")
        data.setVar("BBPATH", f"{empty}:{LAYER}")
        data.setVar("__bbclasstype", "recipe")
        for name, value in {
            "PN": package, "BPN": package, "PV": version or "1.0", "BP": f"{package}-{version or '1.0'}",
            "S": "/source", "D": "/image", "WORKDIR": "/work", "UNPACKDIR": "/work",
            "THISDIR": str(recipe.parent), "LAYERDIR": str(LAYER), "CHARGEBYTE_FW_DIR": str(ROOT),
            "COMMON_LICENSE_DIR": "/licenses", "COREBASE": "/core", "MACHINE": "board", "MACHINE_ARCH": "board",
            "prefix": "/usr", "bindir": "/usr/bin", "sysconfdir": "/etc", "datadir": "/usr/share",
            "libexecdir": "/usr/libexec", "nonarch_libdir": "/usr/lib", "localstatedir": "/var",
            "systemd_system_unitdir": "/usr/lib/systemd/system", "PYTHON_SITEPACKAGES_DIR": SITE,
            "DISTRO_FEATURES": "systemd usrmerge rauc polkit", "LAYERSERIES_CORENAMES": "scarthgap",
        }.items():  # fmt: skip
            data.setVar(name, value)
        bb.parse.siggen = bb.siggen.init(data)
        return bb.parse.handle(str(recipe), data, include=False)[""]


def words(data: Any, name: str) -> list[str]:
    """Return a variable as words, without version bounds."""
    return re.sub(r"\([^)]*\)", "", data.getVar(name) or "").split()


def packages(data: Any) -> list[str]:
    """Return the packages in the order in which they take files."""
    own = words(data, "PN")[0]
    return words(data, "PACKAGES") or [f"{own}-doc", *words(data, "PACKAGE_BEFORE_PN"), own]


def needs(data: Any) -> set[str]:
    """Return every name that a build of this recipe or its packages wants from elsewhere."""
    own = set(packages(data))
    found = {name for package in own for name in words(data, f"RDEPENDS:{package}")}
    return (found | {name.removesuffix("-native") for name in words(data, "DEPENDS")}) - own
