"""A user's overlay that no longer fits, as after an update, is set aside: the charger starts with what was shipped."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from chargebyte_fw.kernel.files import oddity
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.configuration.loading import Configuration, load, overlay_path

ASIDE = ".set-aside"


def load_with_fallback(path: Path, root: Root, programs: Collection[str] = ()) -> tuple[Configuration, list[str]]:
    """Load as `load` does. If only the overlay is wrong, rename it and load without; returns what was set aside.

    When the shipped file is wrong, too, everything stays as it is and the findings are those of both.
    """
    configuration = load(path, root, programs=programs)
    overlay = overlay_path(path, root)
    if not configuration.errors or oddity(overlay) or not overlay.is_file():
        return configuration, []
    without = load(path, root, overlay=False, programs=programs)
    if without.errors:
        return configuration, []
    aside = overlay.with_name(overlay.name + ASIDE)
    first = configuration.errors[0]
    try:
        overlay.replace(aside)
    except OSError as error:
        # A file system that is full or read-only: it is set aside again at the next start.
        return without, [f"{overlay} is left out: {first} (it cannot be renamed: {error.strerror})"]
    return without, [f"{overlay} is set aside as {aside.name}: {first}"]
