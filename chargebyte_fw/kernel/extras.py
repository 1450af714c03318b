"""Optional packages: the extra of this product that installs each, and the command line for a missing one."""

from __future__ import annotations

import importlib.util
from typing import NamedTuple

from chargebyte_fw.kernel.errors import Unavailable


class Package(NamedTuple):
    """A distribution, and the extra of `setup.cfg` that installs it."""

    distribution: str
    extra: str


PACKAGES = {
    "OpenSSL": Package("pyOpenSSL", "tls"),
    "aiohttp": Package("aiohttp", "system"),
    "amqtt": Package("amqtt", "demo"),
    "can": Package("python-can", "can"),
    "cbor2": Package("cbor2", "recorder"),
    "cryptography": Package("cryptography", "security"),
    "dbus_fast": Package("dbus-fast", "system"),
    "gpiod": Package("gpiod", "board"),
    "labgrid": Package("labgrid", "rig"),
    "msgpack": Package("msgpack", "can"),
    "paho": Package("paho-mqtt", "mqtt"),
    "paramiko": Package("paramiko", "system"),
    "pyroute2": Package("pyroute2", "slac"),
    "rich": Package("rich", "cli"),
    "websockets": Package("websockets", "api"),
}
"""By the name that is imported."""


class MissingPackage(Unavailable):
    """An optional package is not installed."""


def missing(error: ImportError) -> str:
    """Return what is missing and how to install it, in one line; empty when the error is about something else."""
    top = (error.name or "").partition(".")[0]
    return _line([top]) if top in PACKAGES else ""


def lacking(names: tuple[str, ...], extra: str = "") -> str:
    """Return which of these are missing and how to install them, in one line; empty when all are installed.

    `extra` is the one that has them all, instead of the extra of each.
    """
    absent = [name for name in names if importlib.util.find_spec(name) is None]
    return _line(absent, extra) if absent else ""


def require(*names: str, extra: str = "") -> None:
    """Raise MissingPackage when one of these is not installed."""
    if line := lacking(names, extra):
        raise MissingPackage(line)


def _line(names: list[str], extra: str = "") -> str:
    packages = [PACKAGES[name] for name in names]
    extras = [extra] if extra else sorted({package.extra for package in packages})
    what = ", ".join(package.distribution for package in packages)
    are = "are" if len(packages) > 1 else "is"
    word = "packages" if len(packages) > 1 else "package"
    return f"the Python {word} {what} {are} not installed: pip install 'chargebyte-fw[{','.join(extras)}]'"
