"""`secc manager`: EVerest's `manager` on this stack, with its options, status lines and exit statuses."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.outputs import output_folder

if TYPE_CHECKING:
    from chargebyte_fw.kernel.paths import Root
    from chargebyte_fw.manager.configuration.loading import Configuration
    from chargebyte_fw.manager.everest.options import Options

EXAMPLE = "example: secc manager --prefix /tmp/p --config config-sil-dc --check"


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "manager",
        help="EVerest's manager, for its tools and tests",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLE,
        allow_abbrev=False,
    )
    add_options(parser)
    parser.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add EVerest's options; those that have no effect there any more have none here."""

    def flag(*names: str, text: str) -> None:
        parser.add_argument(*names, action="store_true", help=text)

    from chargebyte_fw import VERSION

    parser.add_argument("--version", action="version", version=f"chargebyte_fw {VERSION}")
    parser.add_argument("--prefix", type=Path, default=Path("/usr"), metavar="DIR", help="EVerest's prefix")
    parser.add_argument("--config", metavar="FILE", help="the configuration, or its short name in etc/everest")
    parser.add_argument("--conf", metavar="FILE", help="the same, by its older name")
    parser.add_argument("--db", type=Path, metavar="FILE", help="SQLite file of stored configurations")
    flag("--db-init", text="no effect")
    flag("--reset-from-yaml", text="replace the stored configuration by that of --config")
    flag("--check", text="check the configuration of --config, then exit: 0 sound, 1 not")
    parser.add_argument(
        "--dump", type=output_folder, metavar="DIR", help="write the configuration and its manifests as JSON"
    )
    parser.add_argument(
        "--dumpmanifests", type=output_folder, metavar="DIR", help="write every manifest as JSON, then exit"
    )
    parser.add_argument(
        "--standalone", "-s", nargs="+", action="extend", default=[], metavar="ID", help="wait for these modules"
    )
    parser.add_argument(
        "--ignore", nargs="+", action="extend", default=[], metavar="ID", help="neither start nor wait for these"
    )
    flag("--dontvalidateschema", text="no effect")
    flag("--into-idle", text="begin without modules")
    flag("--idle-on-failure", text="stay without modules where nothing can be started")
    flag("--recover-module-crashes", text="start all modules again after one has ended, three times at most")
    flag("--graceful-shutdown", text="ask modules to end before they are ended")
    parser.add_argument("--status-fifo", type=Path, metavar="FILE", help="FIFO for status lines")
    flag("--retain-topics", text="keep the metadata topics on the broker")
    parser.add_argument("--mqtt_everest_prefix", metavar="PREFIX", help="in place of the configured one")


def run(arguments: argparse.Namespace) -> int:
    """Run as EVerest's manager; exit status 0 as asked, 1 for any failure."""
    from chargebyte_fw.kernel.errors import ConfigError, Unavailable
    from chargebyte_fw.kernel.log import set_up
    from chargebyte_fw.manager.everest.options import options_of

    set_up("INFO")
    try:
        return _run(options_of(arguments))
    except (ConfigError, Unavailable) as error:
        print(error, file=sys.stderr)
        return 1


def _run(options: Options) -> int:
    from chargebyte_fw.kernel import clock
    from chargebyte_fw.manager import gc_tuning
    from chargebyte_fw.manager.everest.options import root_of
    from chargebyte_fw.manager.everest.process import Manager
    from chargebyte_fw.manager.everest.source import FileSource, source_of
    from chargebyte_fw.manager.everest.status_fifo import StatusFifo

    root = root_of(options)
    if options.dump_manifests is not None:
        return _dump_manifests(options.dump_manifests, root)
    if options.check:
        configuration = FileSource(options, root).read()
        if options.dump is not None:
            _dump(configuration, options.dump)
        return _report(configuration)
    fifo = StatusFifo(options.status_fifo)
    source = source_of(options, root)
    if options.dump is not None:
        _dump(source.read(), options.dump)
    with gc_tuning.put_off():
        return clock.run(Manager(options, root, fifo, source).run())


def _report(configuration: Configuration) -> int:
    for finding in configuration.findings:
        print(finding, file=sys.stderr)
    return 1 if configuration.errors else 0


def _dump(configuration: Configuration, folder: Path) -> None:
    from chargebyte_fw.manager.everest.dump import module_configurations
    from chargebyte_fw.manager.manifest import manifest_of

    files = {"config": module_configurations(configuration)}
    for plan in configuration.plans:
        files[plan.module.module_name()] = plan.module.own_manifest or manifest_of(plan.module)
    _write(files, folder)


def _dump_manifests(folder: Path, root: Root) -> int:
    from chargebyte_fw.manager.discovery import MODULES_DIR, CannotLoad, discover
    from chargebyte_fw.manager.manifest import manifest_of

    files: dict[str, Any] = {}
    status = 0
    for name, places in discover([root.read(MODULES_DIR)]).by_name.items():
        try:
            cls = places[0].load()
        except CannotLoad as error:
            print(f"{name} cannot be loaded: {error}", file=sys.stderr)
            status = 1
            continue
        files[name] = cls.own_manifest or manifest_of(cls)
    _write(files, folder)
    return status


def _write(files: dict[str, Any], folder: Path) -> None:
    from chargebyte_fw.kernel.errors import Unavailable

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise Unavailable(f"cannot write {error.filename}: {error.strerror}") from error
