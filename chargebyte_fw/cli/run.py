"""`secc run`: start the charger of a configuration and keep it running until a signal comes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.arguments import count
from chargebyte_fw.cli.broker import client_of
from chargebyte_fw.cli.text import add_programs, add_root, configuration_file

if TYPE_CHECKING:
    from chargebyte_fw.kernel.errors import Finding
    from chargebyte_fw.kernel.paths import Root
    from chargebyte_fw.manager.configuration.loading import Configuration
    from chargebyte_fw.manager.mqtt.client import MqttClient
    from chargebyte_fw.manager.wire.carrier import Carrier

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
EXAMPLE = "example: secc run --root . --config bsp-only-dc --broker mqtt://localhost:1883"


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "run", help="run the charger", description=__doc__.partition(": ")[2], epilog=EXAMPLE
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="the configuration, or its short name in etc/everest (default: /etc/everest/config.yaml below the root)",
    )
    add_root(parser)
    add_programs(parser)
    parser.add_argument(
        "--broker",
        metavar="URL",
        help="mqtt://HOST:PORT, unix:///PATH, embedded (bring one) or none (default: as configured, or the one of this "
        "machine)",
    )
    parser.add_argument(
        "--log-level",
        action="append",
        default=[],
        metavar="LEVEL",
        help="DEBUG, INFO, WARNING or ERROR; MODULE_ID=LEVEL for one module; may be repeated (default: INFO)",
    )
    parser.add_argument(
        "--wire",
        choices=("on", "off"),
        default="on",
        help="show modules on the broker in EVerest's protocol, and take commands of declared peers (default: on)",
    )
    parser.add_argument(
        "--wire-commands-from",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="take commands from this origin, too, beside the programs of the configuration; may be repeated",
    )
    parser.add_argument(
        "--retain-topics", action="store_true", help="keep EVerest's metadata topics on the broker, for tools"
    )
    parser.add_argument(
        "--wire-dialect",
        choices=("2026.02", "2026.10"),
        default="2026.10",
        help="EVerest's release whose programs join; a request is answered in its own dialect (default: 2026.10)",
    )
    parser.add_argument(
        "--graceful-shutdown",
        action="store_true",
        help="ask programs to end by EVerest's message before they get SIGTERM",
    )
    parser.add_argument(
        "--restart",
        choices=("alone", "together"),
        default="alone",
        help="together: whichever module ends, all are started again, as by EVerest's manager (default: alone)",
    )
    parser.add_argument(
        "--failures",
        type=count,
        default=10,
        metavar="N",
        help="failures in a row after which a module, group, program or all that charges is not started again; 0: it "
        "always is (default: 10; a groups file has its own)",
    )
    parser.add_argument(
        "--program-memory",
        type=count,
        default=256,
        metavar="MB",
        help="memory that a program of another vendor may take before it is started again (default: 256)",
    )
    parser.add_argument(
        "--grouped",
        nargs="?",
        const="",
        metavar="FILE",
        help="run the modules in process groups, charge and cloud or as the file says: one that fails is started again "
        "alone",
    )
    parser.add_argument(
        "--speed", type=float, default=1.0, metavar="N", help="N times faster than real time, beside a simulated board"
    )
    parser.add_argument(
        "--overlay",
        choices=("strict", "forgiving"),
        default="strict",
        help="forgiving: a user-config that is wrong is set aside with a fault, and charging starts without it",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check, start, run; exit status 0 after a signal, 78 for a wrong configuration."""
    from chargebyte_fw.manager import gc_tuning

    with gc_tuning.put_off():
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.kernel import clock
    from chargebyte_fw.kernel.errors import ConfigError, Finding
    from chargebyte_fw.kernel.log import ModuleLog, set_up
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager.configuration.loading import load
    from chargebyte_fw.manager.configuration.overlay_fallback import load_with_fallback
    from chargebyte_fw.manager.packages import lacking

    if not arguments.speed > 0:
        raise ConfigError([Finding("--speed", f"{arguments.speed:g} is not above zero")])
    levels = _levels(arguments.log_level)
    set_up(levels.pop("", "INFO"))
    for module_id, level in levels.items():
        ModuleLog(module_id).logger.setLevel(level)
    root = root_at(arguments.root)
    path = configuration_file(arguments.config, arguments.root)
    notices: list[str] = []
    if arguments.overlay == "forgiving":
        configuration, notices = load_with_fallback(path, root, arguments.program)
    else:
        configuration = load(path, root, programs=arguments.program)
    configuration.findings += lacking(configuration)
    configuration.findings += _unknown_modules(levels, configuration)
    configuration.require_sound()
    for finding in configuration.findings:
        ModuleLog("manager").warning("%s", finding)
    notices = [*notices, *configuration.notices]
    if arguments.grouped is not None:
        from chargebyte_fw.cli.run_grouped import run_grouped

        return run_grouped(configuration, notices, root, arguments)
    return clock.run(_charge(configuration, notices, root, arguments), speed=arguments.speed)


def _levels(given: list[str]) -> dict[str, str]:
    from chargebyte_fw.kernel.errors import ConfigError, Finding
    from chargebyte_fw.kernel.names import nearest

    levels: dict[str, str] = {}
    for one in given:
        module_id, _equals, level = one.rpartition("=")
        if level.upper() not in LEVELS:
            hint = nearest(level, LEVELS) or "use DEBUG, INFO, WARNING or ERROR"
            raise ConfigError([Finding("--log-level", f"{level} is no level", hint)])
        levels[module_id] = level.upper()
    return levels


def _unknown_modules(levels: dict[str, str], configuration: Configuration) -> list[Finding]:
    """Return a warning for each module of --log-level that the configuration does not have."""
    from chargebyte_fw.kernel.errors import Finding
    from chargebyte_fw.kernel.names import nearest

    known = ["manager", "mqtt", "wire", *(plan.id for plan in configuration.plans)]
    wrong = [name for name in levels if name.partition(".")[0] not in known]
    return [Finding("--log-level", f"there is no module {one}", nearest(one, known), "warning") for one in wrong]


async def _charge(configuration: Configuration, notices: list[str], root: Root, arguments: argparse.Namespace) -> int:
    from chargebyte_fw.kernel.extras import require
    from chargebyte_fw.kernel.runtime import Runtime
    from chargebyte_fw.manager.configuration.changes import Overlay, beside_the_loop
    from chargebyte_fw.manager.mqtt.client import External, MqttClient
    from chargebyte_fw.manager.mqtt.embedded import EmbeddedBroker
    from chargebyte_fw.manager.supervisor import Supervisor
    from chargebyte_fw.manager.wire.publisher import Publisher

    keeper = Overlay(configuration.path, root)
    runtime = Runtime(root=root, keep_value=beside_the_loop(keeper))
    named = str(configuration.path)
    together = arguments.restart == "together"
    if arguments.broker == "none":
        supervisor = Supervisor(
            configuration.plans,
            runtime,
            configuration=named,
            notices=notices,
            together=together,
            failures=arguments.failures,
        )
        return await supervisor.run()
    if arguments.broker == "embedded":
        require("paho", "amqtt", extra="demo")
    require("paho")
    settings = configuration.settings
    broker = EmbeddedBroker(settings.broker_port) if arguments.broker == "embedded" else None
    client = MqttClient(broker.address) if broker is not None else client_of(root, arguments.broker, settings)
    runtime.mqtt = External(client, settings.external_prefix)
    publisher = None
    if arguments.wire == "on":
        publisher = Publisher(
            carrier_of(client, configuration, root, arguments),
            retain_topics=arguments.retain_topics,
            commands_from=arguments.wire_commands_from,
            overlay=keeper,
        )
    try:
        if broker is not None:
            await broker.start()
        return await Supervisor(
            configuration.plans,
            runtime,
            client,
            publisher,
            configuration=named,
            notices=notices,
            together=together,
            failures=arguments.failures,
        ).run()
    finally:
        if broker is not None:
            await broker.stop()


def carrier_of(client: MqttClient, configuration: Configuration, root: Root, arguments: argparse.Namespace) -> Carrier:
    """Return what modules of other processes need, from the settings and the command line."""
    from chargebyte_fw.manager.wire.carrier import LOGGING_FILE, Carrier
    from chargebyte_fw.manager.wire.dialect import Dialect

    settings = configuration.settings
    return Carrier(
        client,
        settings.everest_prefix,
        settings.external_prefix,
        str(root.static / "usr"),
        str(root.read(settings.logging_config_file or LOGGING_FILE)),
        Dialect(arguments.wire_dialect),
        settings.telemetry_prefix,
        settings.telemetry_enabled,
        settings.validate_schema,
        settings.forward_exceptions,
        arguments.graceful_shutdown,
        arguments.program_memory,
        settings.run_as_user,
        None if root.static == root.state == Path("/") else root,
    )
