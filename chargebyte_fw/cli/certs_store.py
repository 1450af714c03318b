"""Which certificate store `secc certs` is about, and which modules of the configuration use what of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw.cli.text import configuration_file

if TYPE_CHECKING:
    from chargebyte_fw.manager.configuration.loading import Configuration
    from chargebyte_fw.modules.security.certificate_store import CertificateStore

MODULE = "EvseSecurity"
EVERYTHING = ("V2G", "MO", "OEM", "CSMS", "MF")
NEEDS = {"ISO15118_charger": ("V2G", "MO"), "ocpp": ("CSMS", "MF", "V2G", "MO")}
"""What a module that provides this interface uses a store for, by the kinds of `survey.Place`."""
VERIFY_VEHICLES = ("Evse15118D20", "IsoMux")
"""Modules that ask a car for a certificate of its manufacturer (ISO 15118-20)."""


class Chosen(msgspec.Struct, kw_only=True):
    """A store, where it is from and who uses it."""

    store: Any
    """A `CertificateStore`."""
    about: str
    users: dict[str, list[str]] = {}
    """Modules of the configuration by the kind of certificate that they use."""
    notes: list[str] = []
    """What could not be read, in a line each; grows while the store is read."""


def choose(arguments: argparse.Namespace, *, writing: bool = False) -> Chosen:
    """Return the store that the options name; raises ConfigError or Unavailable when there is none.

    With `writing` what was shipped is copied to where this root writes, and missing places are made.
    """
    from chargebyte_fw.kernel.errors import Unavailable, in_words
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.modules.security import layout

    root = root_at(arguments.root)
    notes: list[str] = []
    users: dict[str, list[str]] = {}
    if arguments.certs is not None:
        if not arguments.certs.is_dir():
            raise Unavailable(f"{arguments.certs} is no folder")
        config, about = _defaults(root), str(arguments.certs)
        places = layout.layout_of(config, lambda path: Path(arguments.certs, path))
    else:
        config, users, about = _configured(arguments, root)
        if writing:
            places = layout.layout_of(config, lambda path: layout.resolve(root, path))
        else:
            places = layout.layout_of(config, lambda path: root.read(layout.absolute(path)))
    if writing:
        try:
            notes += layout.prepare(places)
        except OSError as error:
            raise Unavailable(f"the certificate store cannot be prepared: {in_words(error)}") from error
    password = config.private_key_password if arguments.password is None else arguments.password
    return Chosen(store=_store(places, password, notes, config.preferred_leaf), about=about, users=users, notes=notes)


def _store(places: Any, password: str, notes: list[str], preference: Any) -> CertificateStore:
    from chargebyte_fw.modules.security.certificate_store import CertificateStore

    return CertificateStore(
        places, password, lambda text: notes.append(text) if text not in notes else None, preference
    )


def _defaults(root: Any) -> Any:
    from chargebyte_fw.manager.discovery import MODULES_DIR, discover

    return discover([root.read(MODULES_DIR)]).by_name[MODULE][0].load().Config()


def _configured(arguments: argparse.Namespace, root: Any) -> tuple[Any, dict[str, list[str]], str]:
    from chargebyte_fw.kernel.errors import ConfigError, Finding
    from chargebyte_fw.manager.configuration.loading import load

    file = configuration_file(arguments.config, arguments.root)
    configuration = load(file, root)
    plans = [plan for plan in configuration.plans if plan.module.module_name() == MODULE]
    if arguments.id is not None:
        plans = [plan for plan in plans if plan.id == arguments.id]
    if not plans:
        if configuration.errors:
            raise ConfigError(configuration.errors)
        name = f" {arguments.id}" if arguments.id is not None else ""
        raise ConfigError([Finding(str(file), f"it has no module EvseSecurity{name}", "name a folder by --certs DIR")])
    plan = plans[0]
    return plan.config, _users(configuration, plan.id), f"{plan.id} of {file}"


def _users(configuration: Configuration, store_id: str) -> dict[str, list[str]]:
    """Return the modules that are connected to the store, by what they use."""
    found: dict[str, list[str]] = {}
    for plan in configuration.plans:
        ends = [end.module_id for group in plan.connections.values() for end in group]
        if store_id not in ends:
            continue
        interfaces = {provision.interface for provision in plan.module.provisions.values()}
        kinds = [kind for name, needs in NEEDS.items() if name in interfaces for kind in needs] or list(EVERYTHING)
        if plan.module.module_name() in VERIFY_VEHICLES:
            kinds.append("OEM")
        for kind in kinds:
            found.setdefault(kind, []).append(f"{plan.id} ({plan.module.module_name()})")
    return found
