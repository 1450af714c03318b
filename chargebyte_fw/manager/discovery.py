"""Finds modules: by entry point, and in directories as EVerest has them. Loads only those that are used."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import msgspec

from chargebyte_fw.kernel import extras
from chargebyte_fw.kernel.decoding import decode_yaml
from chargebyte_fw.kernel.errors import in_words
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.text import text_lines
from chargebyte_fw.manager import index

GROUP = "chargebyte_fw.modules"
MODULES_DIR = "/usr/libexec/everest/modules"


class CannotLoad(Exception):
    """The code of a module cannot be loaded; the text is the reason."""


class Found(msgspec.Struct, frozen=True):
    """One place where a module of a name is."""

    name: str
    origin: str
    """The distribution (`chargebyte_fw 0.1.0`) or the directory."""
    target: str
    """`package.file:Class`, or the path of the directory."""
    directory: Path | None = None

    @property
    def is_program(self) -> bool:
        """Whether it is a program of EVerest (a process of its own) and not a Python module of this process."""
        return self.directory is not None and not (self.directory / "__init__.py").is_file()

    def load(self) -> type[Module]:
        """Import the class; raises CannotLoad."""
        if self.directory is not None and self.is_program:
            return self._program(self.directory)
        try:
            module = self._import()
        except ImportError as error:
            if line := extras.missing(error):
                raise CannotLoad(line) from error
            missing = f" (a library is missing: {error.name})" if isinstance(error, ModuleNotFoundError) else ""
            raise CannotLoad(f"{error}{missing if error.name and not _ours(error.name) else ''}") from error
        except Exception as error:
            # Any error at the import of a plugin is reported with its place.
            raise CannotLoad(f"its code fails: {type(error).__name__}: {error}") from error
        name = self.name if self.directory else self.target.partition(":")[2]
        cls = getattr(module, name, None)
        if not (isinstance(cls, type) and issubclass(cls, Module)):
            raise CannotLoad(f"{self.target} holds no module class {name}")
        return cls

    def _program(self, directory: Path) -> type[Module]:
        from chargebyte_fw.manager.wire.foreign import BadManifest, class_of

        try:
            manifest = decode_yaml((directory / "manifest.yaml").read_bytes())
        except OSError as error:
            raise CannotLoad(f"its manifest cannot be read: {in_words(error)}") from error
        except ValueError as error:
            raise CannotLoad(f"its manifest is {error}") from error
        try:
            return class_of(directory, manifest)
        except BadManifest as error:
            raise CannotLoad(str(error)) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CannotLoad(f"its manifest is not as EVerest declares manifests: {error}") from error

    def _import(self) -> ModuleType:
        if self.directory is None:
            return importlib.import_module(self.target.partition(":")[0])
        package = f"secc_plugin_{self.name}"
        if package in sys.modules:
            return sys.modules[package]
        spec = importlib.util.spec_from_file_location(
            package, self.directory / "__init__.py", submodule_search_locations=[str(self.directory)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{self.directory} is not a Python package")
        module = importlib.util.module_from_spec(spec)
        sys.modules[package] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[package]
            raise
        return module


def _ours(name: str) -> bool:
    return name.split(".")[0] == "chargebyte_fw"


class Installed:
    """All modules in reach, by name; none is imported before it is used."""

    def __init__(self, found: list[Found]) -> None:
        self.by_name: dict[str, list[Found]] = {}
        for one in found:
            self.by_name.setdefault(one.name, []).append(one)

    def names(self) -> list[str]:
        """Return the names, sorted."""
        return sorted(self.by_name)

    def doubles(self) -> dict[str, list[Found]]:
        """Return the names that are in more than one place."""
        return {name: places for name, places in sorted(self.by_name.items()) if len(places) > 1}


def discover(directories: list[Path], path: list[str] | None = None, index_file: Path | None = None) -> Installed:
    """Search the distributions of the Python path and EVerest's module directories.

    `index_file` spares the look for the folders it was made from, as long as their names are still the same.
    """
    made = index.read(index_file) if index_file is not None else None
    folders = [Path(entry or ".") for entry in dict.fromkeys(sys.path if path is None else path)]
    packages = _from_entry_points(folders, made)
    own = {found.name for found in packages}
    return Installed(packages + _from_directories(directories, made, own))


def index_of(site: Path, directory: Path) -> index.Index:
    """Return the index of the modules in a folder of Python packages and in EVerest's module directory."""
    packages = _from_entry_points([site], None)
    programs = _from_directories([directory], None, {found.name for found in packages})
    return index.Index(
        distributions=index.metadata_names(site) or [],
        modules=[index.Entry(found.name, found.origin, found.target) for found in packages],
        directories=index.folder_names(directory),
        programs=[found.name for found in programs],
    )


def _from_entry_points(folders: list[Path], made: index.Index | None) -> list[Found]:
    # importlib.metadata does the same in ten times the time, most of it for its own import.
    found: list[Found] = []
    seen: set[str] = set()
    for folder in folders:
        names = index.metadata_names(folder)
        if names is None:
            continue
        if made is not None and names and names == made.distributions:
            found += [Found(one.name, one.origin, one.target) for one in made.modules]
            seen |= {_key(name) for name in names}
            continue
        for name in names:
            distribution, _, version = name.rpartition(".")[0].partition("-")
            if _key(name) in seen:
                continue
            try:
                text = Path(folder, name, "entry_points.txt").read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            seen.add(_key(name))
            origin = f"{distribution} {version.partition('-')[0] or _version(Path(folder, name, 'PKG-INFO'))}".strip()
            found += [Found(left, origin, right) for left, right in _section(text)]
    return found


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.rpartition(".")[0].partition("-")[0]).lower()


def _section(text: str) -> list[tuple[str, str]]:
    pairs = []
    inside = False
    for line in text_lines(text):
        if line.startswith("["):
            inside = line.strip() == f"[{GROUP}]"
        elif inside and "=" in line:
            name, _, target = line.partition("=")
            pairs.append((name.strip(), target.split("[")[0].strip()))
    return pairs


def _version(info: Path) -> str:
    try:
        lines = text_lines(info.read_text("utf-8", "replace"))
    except OSError:
        return ""
    return next((line.removeprefix("Version: ") for line in lines if line.startswith("Version: ")), "")


def _from_directories(directories: list[Path], made: index.Index | None, own: set[str]) -> list[Found]:
    found = []
    for above in dict.fromkeys(directories):
        names = index.folder_names(above)
        known = made is not None and names == made.directories
        for name in made.programs if made is not None and known else names:
            directory = above / name
            if known or _is_module(directory, own):
                found.append(Found(name, str(directory), str(directory), directory))
    return found


def _is_module(directory: Path, own: set[str]) -> bool:
    """Whether a directory holds a module; with a manifest alone it describes the package of that name."""
    if not (directory / "manifest.yaml").is_file():
        return False
    if directory.name not in own or (directory / "__init__.py").is_file():
        return True
    return any((directory / file).is_file() for file in (directory.name, "index.js", "module.py"))
