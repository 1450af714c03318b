"""Where EVerest's manager has its configuration from: a file, a database, or the one seeded by the other."""

from __future__ import annotations

from typing import Protocol

from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.configuration.changes import Keeper, Overlay
from chargebyte_fw.manager.configuration.loading import Configuration, load, load_stored
from chargebyte_fw.manager.everest.options import Options
from chargebyte_fw.manager.everest.slots import SlotKeeper, Slots


class Source(Protocol):
    """Reads the configuration to start from, and keeps what is changed in it while modules run."""

    def read(self) -> Configuration:
        """Return the configuration as it is now; raises Unavailable."""

    def keeper(self) -> Keeper:
        """Return what keeps changed values for the next start."""


class FileSource:
    """The file of `--config` with the user's overlay, where changes are kept."""

    def __init__(self, options: Options, root: Root) -> None:
        self._options = options
        self._root = root
        self._path = options.configuration_file()

    def read(self) -> Configuration:
        """Return what the file and its overlay have now."""
        options = self._options
        return load(self._path, self._root, standalone=options.standalone, ignored=options.ignore, empty=True)

    def keeper(self) -> Keeper:
        """Return the overlay."""
        return Overlay(self._path, self._root)


class DatabaseSource:
    """The slot of `--db` for the next start, filled from `--config` where it is not there; changes are kept in it."""

    def __init__(self, options: Options, root: Root, slots: Slots) -> None:
        self._options = options
        self._root = root
        self._slots = slots
        self._slot = slots.next_boot()
        self._reset = options.reset_from_yaml

    def read(self) -> Configuration:
        """Return what the slot has now; the file is read when the slot is not there, or is to be made anew."""
        slots, options = self._slots, self._options
        self._slot = slots.next_boot()
        if options.config is not None and (self._reset or not slots.exists(self._slot)):
            configuration = FileSource(options, self._root).read()
            if not configuration.errors:
                slots.fill(self._slot, configuration.plans, str(configuration.path))
                self._reset = False
            return configuration
        file = options.configuration_file() if options.config is not None else None
        modules = slots.read(self._slot)
        return load_stored(modules, slots.path, file, self._root, standalone=options.standalone, ignored=options.ignore)

    def keeper(self) -> Keeper:
        """Return the slot."""
        return SlotKeeper(self._slots, self._slot)


def source_of(options: Options, root: Root) -> Source:
    """Return what the options name; raises Unavailable for a database that cannot be used."""
    if options.database is None:
        return FileSource(options, root)
    return DatabaseSource(options, root, Slots(options.database))
