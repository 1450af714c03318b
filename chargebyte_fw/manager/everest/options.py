"""Command line of EVerest's `manager` (framework: 3.1)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.paths import PrefixRoot, Root
from chargebyte_fw.manager.everest.lifecycle import Policy

USUAL_PREFIX = "/usr"


class Options(msgspec.Struct, frozen=True):
    """What the command line asks for."""

    prefix: Path = Path(USUAL_PREFIX)
    config: str | None = None
    database: Path | None = None
    reset_from_yaml: bool = False
    check: bool = False
    dump: Path | None = None
    dump_manifests: Path | None = None
    standalone: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    status_fifo: Path | None = None
    retain_topics: bool = False
    everest_prefix: str | None = None
    policy: Policy = Policy()

    @property
    def etc(self) -> Path:
        """EVerest's folder of configurations: beside a prefix that ends in `usr`, below any other one."""
        return (self.prefix.parent if self.prefix.name == "usr" else self.prefix) / "etc/everest"

    def configuration_file(self) -> Path:
        """Return the file that `--config` names: a path, or a short name in the folder of configurations."""
        if self.config is None:
            return self.etc / "default.yaml"
        path = Path(self.config)
        if path.suffix == ".json" and (yaml := path.with_suffix(".yaml")).exists():
            return yaml
        if path.exists():
            return path
        return self.etc / (path.name if path.suffix in (".yaml", ".json") else f"{path.name}.yaml")


def root_of(options: Options) -> Root:
    """Return where the files of a prefix are; `/usr` is the machine itself."""
    if options.prefix.name == "usr":
        return Root(options.prefix.parent, options.prefix.parent)
    run = hashlib.sha256(str(options.configuration_file().absolute()).encode()).hexdigest()[:12]
    return PrefixRoot(options.prefix, options.prefix / "var" / run)


def options_of(parsed: Any) -> Options:
    """Return what was read from the command line; raises ConfigError for options that exclude each other."""
    if parsed.config is not None and parsed.conf is not None:
        raise ConfigError([Finding("--conf", "--config and --conf are the same option", "leave --conf out")])
    config = parsed.config if parsed.config is not None else parsed.conf
    if config is None and (parsed.check or parsed.reset_from_yaml):
        name = "--check" if parsed.check else "--reset-from-yaml"
        raise ConfigError([Finding(name, f"{name} needs a configuration", "add --config FILE")])
    return Options(
        prefix=parsed.prefix.absolute(),
        config=config,
        database=parsed.db,
        reset_from_yaml=parsed.reset_from_yaml,
        check=parsed.check,
        dump=parsed.dump,
        dump_manifests=parsed.dumpmanifests,
        standalone=tuple(parsed.standalone),
        ignore=tuple(parsed.ignore),
        status_fifo=parsed.status_fifo,
        retain_topics=parsed.retain_topics,
        everest_prefix=parsed.mqtt_everest_prefix,
        policy=Policy(
            parsed.into_idle, parsed.idle_on_failure, parsed.recover_module_crashes, parsed.graceful_shutdown
        ),
    )
