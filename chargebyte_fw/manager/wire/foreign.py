"""Foreign modules (C++, Rust, Python programs of EVerest): started as EVerest's manager does, used over MQTT.

A program's manifest becomes a class like any module of ours; its instance is a proxy whose facts, faults and commands
are those of the process. Only configurations that name such a program load this file.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar, cast

import msgspec

from chargebyte_fw.contracts.lookup import contract_of
from chargebyte_fw.everestpy import SEARCH_PATH
from chargebyte_fw.kernel.children import ends_with_us
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.errors import ConfigError, Finding, Unavailable
from chargebyte_fw.kernel.module import ModuleConfig, Provision, Requirement
from chargebyte_fw.manager.manifest import LICENSE
from chargebyte_fw.manager.watched_process import exceeds
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.remote import RemoteModule, proxy

BROKER_LIMIT_S = 10.0
READY_LIMIT_S = 30.0
GRACE_LIMIT_S = 2.0
"""From EVerest's shutdown message to SIGTERM."""
STOP_LIMIT_S = 2.5
"""From SIGTERM to SIGKILL."""
HEARTBEAT_LIMIT_S = 10.0
"""From one heartbeat of a program to the next; most of EVerest's send none, and nothing is expected of those."""
FLAGS = ("enable_external_mqtt", "enable_global_errors", "enable_telemetry")
_TYPES: dict[str, Any] = {"boolean": bool, "integer": int, "number": float, "string": str}
_BOUNDS = {"minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt"}
_LENGTHS = {"minLength": "min_length", "maxLength": "max_length", "pattern": "pattern"}


class BadManifest(ValueError):
    """A manifest that cannot be used; the text is the reason."""


class ForeignModule(RemoteModule):
    """The proxy of a program. The manager sets `carrier` before it starts."""

    directory: ClassVar[Path]
    name: ClassVar[str]
    is_program = True
    takes_in = True
    """Whether modules of this process use it; else it is only started and watched."""

    shut_down: Callable[[], None] | None = None
    """Asks every program to end, or None: they get SIGTERM alone."""

    @classmethod
    def module_name(cls) -> str:
        """EVerest's name of the module: the directory's."""
        return cls.name

    @classmethod
    def missing_program(cls) -> str:
        """Return what EVerest's manager would start and does not find; nothing if it is there."""
        if any((cls.directory / file).is_file() for file in (cls.name, "index.js", "module.py")):
            return ""
        return f"{cls.directory} holds neither {cls.name} nor index.js nor module.py"

    def __init__(self) -> None:
        super().__init__()
        self._process: asyncio.subprocess.Process | None = None
        self._ready = asyncio.Event()
        self._beats = asyncio.Event()

    async def possible(self) -> None:
        """Wait for the broker, without which no program can be started."""
        if self.carrier is not None:
            await self.carrier.online()

    async def init(self) -> None:
        """Start the program."""
        carrier = self.carrier
        if carrier is None:
            what = f"{self.name} is a program of its own and needs a broker with the wire on"
            raise ConfigError(
                [Finding(f"module {self.id}", what, "leave --broker none and --wire off out", number="C213")]
            )
        try:
            async with asyncio.timeout(BROKER_LIMIT_S):
                await carrier.online()
        except TimeoutError:
            raise Unavailable(f"{self.name} needs the broker, which is not there") from None
        if self.takes_in:
            self.listen(carrier)
        ready = f"{carrier.prefix}modules/{self.id}/ready"
        self._stops.append(carrier.client.subscribe(ready, lambda _topic, _payload: self._ready.set()))
        beat = f"{carrier.prefix}modules/{self.id}/heartbeat"
        self._stops.append(carrier.client.subscribe(beat, lambda _topic, _payload: self._beats.set()))
        self.spawn(self._watch_heartbeat(carrier), "heartbeat")
        if self.standalone:
            self.log.info("waiting for %s, which is started from outside", self.name)
            return
        arguments, environment = command_line(self.directory, self.name, self.id, carrier)
        self._process = await asyncio.create_subprocess_exec(
            *arguments, env=environment, preexec_fn=self._before_the_program(carrier)
        )
        self.spawn(self._watch(self._process), "process")
        self.spawn(self._watch_memory(self._process.pid, carrier.program_memory_MB), "memory")

    def _before_the_program(self, carrier: Carrier) -> Callable[[], None]:
        ends = ends_with_us()
        if not carrier.run_as_user and not self.capabilities:
            return ends
        # Imported only where a program runs with rights of its own.
        from chargebyte_fw.kernel.child_rights import CannotBecome, child_rights

        try:
            rights = child_rights(carrier.run_as_user, self.capabilities)
        except CannotBecome as error:
            raise ConfigError([Finding(f"module {self.id}", str(error), number="C214")]) from error

        def in_the_child() -> None:
            rights()
            # Last: a change of the user ends it (prctl(2)).
            ends()

        return in_the_child

    @property
    def pid(self) -> int | None:
        """The id of the process, None without one of this process' own."""
        return None if self._process is None else self._process.pid

    async def joined(self) -> None:
        """Wait until the program reports ready; for one that is started from outside, without a limit."""
        if not self.awaited:
            return
        try:
            async with asyncio.timeout(None if self.standalone else READY_LIMIT_S):
                await self._ready.wait()
        except TimeoutError:
            raise Unavailable(f"{self.name} is not ready after {READY_LIMIT_S:g} s") from None

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        status = await process.wait()
        raise Unavailable(f"the program {self.name} has ended (status {status})")

    async def _watch_memory(self, pid: int, bound_MB: int) -> None:
        raise Unavailable(await exceeds(pid, bound_MB))

    async def _watch_heartbeat(self, carrier: Carrier) -> None:
        """Expect the heartbeat of a program that has sent one, while there is a broker."""
        await self._beats.wait()
        while self._beats.is_set() or not carrier.client.online:
            self._beats.clear()
            await asyncio.sleep(HEARTBEAT_LIMIT_S)
        raise Unavailable(f"the program {self.name} hangs: no heartbeat for {HEARTBEAT_LIMIT_S:g} s")

    async def stop(self) -> None:
        """End the program: SIGTERM first, then SIGKILL."""
        self.unlisten()
        process, self._process = self._process, None
        await self.cancel_tasks()
        gracefully = self.shut_down is not None and not self.failed.done()
        if self.shut_down is not None and gracefully:
            self.shut_down()
        if process is None or process.returncode is not None:
            return
        if gracefully and await _ended(process, GRACE_LIMIT_S):
            return
        process.terminate()
        if not await _ended(process, STOP_LIMIT_S):
            self.log.error("the program %s does not end; killing it", self.name)
            process.kill()
            await process.wait()


async def _ended(process: asyncio.subprocess.Process, limit_s: float) -> bool:
    """Wait until the process has ended, `limit_s` at most."""
    try:
        async with asyncio.timeout(limit_s):
            await process.wait()
    except TimeoutError:
        return False
    return True


def command_line(directory: Path, name: str, module_id: str, carrier: Carrier) -> tuple[list[str], dict[str, str]]:
    """Return arguments and environment as EVerest's manager gives them to a program, a script or Node.

    Of the variables only those that name the module replace what is there (framework: 3.2).
    """
    address = carrier.client.address
    etc, root = carrier.logging_file, carrier.everest_root
    given = {
        "EV_PREFIX": root,
        "EV_LOG_CONF_FILE": etc,
        "EV_MQTT_EVEREST_PREFIX": carrier.prefix,
        "EV_MQTT_EXTERNAL_PREFIX": carrier.external_prefix,
    }
    if address.socket_path is not None:
        broker = ["--mqtt_broker_socket_path", address.socket_path]
        given["EV_MQTT_BROKER_SOCKET_PATH"] = address.socket_path
    else:
        broker = ["--mqtt_broker_host", address.host, "--mqtt_broker_port", str(address.port)]
        given |= {"EV_MQTT_BROKER_HOST": address.host, "EV_MQTT_BROKER_PORT": str(address.port)}
    program = directory / name
    if program.is_file():
        arguments = [str(program), "--prefix", root, "--module", module_id, "--log_config", etc]
        prefixes = ["--mqtt_everest_prefix", carrier.prefix, "--mqtt_external_prefix", carrier.external_prefix]
        return [*arguments, *prefixes, *broker], dict(os.environ)
    environment = {**given, **os.environ, "EV_MODULE": module_id}
    environment.pop("EV_VALIDATE_SCHEMA", None)
    if carrier.validate_schema:
        environment["EV_VALIDATE_SCHEMA"] = "1"
    if (directory / "index.js").is_file():
        environment.setdefault("NODE_PATH", f"{root}/lib/everest/node_modules")
        return ["node", "--unhandled-rejections=strict", str(directory / "index.js")], environment
    python = sys.executable
    if (own := directory / ".venv/bin/python3").exists():
        python = str(own)
        environment.pop("PYTHONHOME", None)
        environment |= {"VIRTUAL_ENV": str(directory / ".venv"), "VIRTUAL_ENV_PROMPT": "venv"}
        environment["PATH"] = f"{own.parent}:{environment.get('PATH', os.defpath)}"
    # Last, our own `everest.framework`: a binding that is installed comes first.
    path = [f"{root}/lib/everest/everestpy", *filter(None, [environment.get("PYTHONPATH")]), str(SEARCH_PATH)]
    environment["PYTHONPATH"] = ":".join(path)
    return [python, str(directory / "module.py")], environment


def class_of(directory: Path, manifest: Any) -> type[ForeignModule]:
    """Make the class of a program from its manifest; raises BadManifest."""
    name = directory.name
    if not isinstance(manifest, dict):
        raise BadManifest("its manifest is not a map")
    provisions = {
        key: Provision(proxy(_contract(entry)), _config(entry.get("config") or {}, f"{name}_{key}"))
        for key, entry in _section(manifest, "provides").items()
    }
    requirements = {key: _requirement(entry, _contract(entry)) for key, entry in _section(manifest, "requires").items()}
    for key in (*provisions, *requirements):
        if hasattr(ForeignModule, key) or key in ("id", "log", "config", "runtime"):
            raise BadManifest(f"{key} cannot be the name of an implementation or requirement here")
    namespace = {
        "__doc__": str(manifest.get("description", "")),
        "Config": _config(_section(manifest, "config"), name),
        "directory": directory,
        "name": name,
        "own_manifest": everest_manifest(manifest),
        **{flag: manifest.get(flag, False) is True for flag in FLAGS},
    }
    cls = cast("type[ForeignModule]", type(name, (ForeignModule,), namespace))
    cls.provisions, cls.requirements = provisions, requirements
    return cls


def everest_manifest(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a program's manifest as EVerest completes it by its schema."""
    provides = {key: {"config": {}, **entry} for key, entry in _section(manifest, "provides").items()}
    least = {"min_connections": 1, "max_connections": 1}
    requires = {key: {**least, **entry} for key, entry in _section(manifest, "requires").items()}
    metadata = {"license": LICENSE, "authors": ["Unknown"], **(manifest.get("metadata") or {})}
    flags = dict.fromkeys(FLAGS, False)
    config = _section(manifest, "config")
    return {**flags, **manifest, "config": config, "provides": provides, "requires": requires, "metadata": metadata}


def _section(manifest: dict[str, Any], key: str) -> dict[str, dict[str, Any]]:
    section = manifest.get(key) or {}
    if not isinstance(section, dict) or not all(isinstance(entry, dict) for entry in section.values()):
        raise BadManifest(f"{key} in its manifest is not a map of maps")
    return section


def _contract(entry: dict[str, Any]) -> type[Contract]:
    interface = entry.get("interface")
    contract = contract_of(interface) if isinstance(interface, str) else None
    if contract is None:
        raise BadManifest(f"its manifest names the interface {interface}, which this product does not know")
    return contract


def _requirement(entry: dict[str, Any], contract: type[Contract]) -> Requirement:
    least, most = entry.get("min_connections", 1), entry.get("max_connections", 1)
    if not (isinstance(least, int) and isinstance(most, int)):
        raise BadManifest("min_connections and max_connections must be integers")
    return Requirement(contract, least, most, many=True)


def _config(declared: dict[str, Any], name: str) -> type[ModuleConfig]:
    fields: list[Any] = []
    for key, entry in declared.items():
        if entry.get("type") not in _TYPES:
            raise BadManifest(f"the configuration key {key} has no type that EVerest knows")
        notes: dict[str, Any] = {"description": str(entry.get("description", ""))}
        bounds = _BOUNDS if entry["type"] in ("integer", "number") else _LENGTHS if entry["type"] == "string" else {}
        notes.update({ours: entry[theirs] for theirs, ours in bounds.items() if theirs in entry})
        notes["extra_json_schema"] = {"mutability": entry.get("mutability", "ReadOnly")}
        kind: Any = Annotated[_TYPES[entry["type"]], msgspec.Meta(**notes)]
        if "default" not in entry:
            fields.append((key, kind))
            continue
        # A number keeps its fraction in JSON: a C++ module ends on 5 in place of 5.0.
        default = float(entry["default"]) if entry["type"] == "number" else entry["default"]
        fields.append((key, kind, default))
    return cast("type[ModuleConfig]", msgspec.defstruct(f"{name}_Config", fields, bases=(ModuleConfig,), kw_only=True))
