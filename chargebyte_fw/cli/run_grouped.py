"""`secc run --grouped`: the modules in process groups under a manager."""

from __future__ import annotations

import argparse
import importlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from chargebyte_fw.cli.broker import client_of
from chargebyte_fw.cli.run import carrier_of

if TYPE_CHECKING:
    from chargebyte_fw.kernel.paths import Root
    from chargebyte_fw.manager.configuration.loading import Configuration
    from chargebyte_fw.manager.grouped.groups_file import Grouping
    from chargebyte_fw.manager.grouped.starter import Request, Starter
    from chargebyte_fw.manager.grouped.wire import ManagerWire

STARTER = "SECC_STARTER"
"""Environment of a starter that takes the place of one that has ended: the descriptor of its requests."""


def run_grouped(configuration: Configuration, notices: list[str], root: Root, arguments: argparse.Namespace) -> int:
    """Run until a signal comes; exit status 0, 78 for a wrong configuration or groups file."""
    from chargebyte_fw.kernel import clock
    from chargebyte_fw.kernel.errors import ConfigError, Finding
    from chargebyte_fw.manager.grouped.groups_file import GroupsFile, grouped, read_groups_file
    from chargebyte_fw.manager.grouped.starter import fork_starter, serve

    if arguments.broker in ("none", "embedded") or arguments.wire == "off":
        what = "process groups need a broker of their own and the wire on"
        raise ConfigError(
            [Finding("--grouped", what, "leave --broker none, --broker embedded and --wire off out", number="C213")]
        )
    file = read_groups_file(Path(arguments.grouped)) if arguments.grouped else GroupsFile(failures=arguments.failures)
    grouping = grouped(configuration.plans, file, arguments.grouped or "the groups file")
    _load()
    run = partial(_run_group, configuration, notices, grouping, root, arguments)
    if (descriptor := os.environ.pop(STARTER, "")).isdigit():
        return serve(socket.socket(fileno=int(descriptor)), run)
    starter = fork_starter(run)
    return clock.run(_manage(configuration, notices, grouping, starter, root, arguments), speed=arguments.speed)


def _load() -> None:
    """Import what each process needs, once for all: a group that is started again is there the sooner."""
    for name in ("grouped.group", "grouped.supervisor", "mqtt.link", "wire.config_service"):
        importlib.import_module(f"chargebyte_fw.manager.{name}")


def _run_group(
    configuration: Configuration,
    notices: list[str],
    grouping: Grouping,
    root: Root,
    arguments: argparse.Namespace,
    request: Request,
    end: socket.socket,
) -> int:
    from chargebyte_fw.kernel import clock
    from chargebyte_fw.kernel.errors import ConfigError

    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        # They are the manager's.
        os.environ.pop(name, None)
    work = _group(configuration, notices, grouping, root, arguments, request, end)
    try:
        return clock.run(work, speed=arguments.speed)
    except ConfigError:
        # The manager has it, and prints it.
        return 78


async def _group(
    configuration: Configuration,
    notices: list[str],
    grouping: Grouping,
    root: Root,
    arguments: argparse.Namespace,
    request: Request,
    end: socket.socket,
) -> int:
    from chargebyte_fw.kernel.runtime import Runtime
    from chargebyte_fw.manager.grouped.group import GroupProcess
    from chargebyte_fw.manager.groups import CHARGE
    from chargebyte_fw.manager.mqtt.client import External

    runtime = Runtime(root=root)
    client = client_of(root, arguments.broker, configuration.settings)
    runtime.mqtt = External(client, configuration.settings.external_prefix)
    members = grouping.modules[request.group]
    return await GroupProcess(
        request.group,
        [plan for plan in configuration.plans if plan.id in members],
        configuration.plans,
        runtime,
        carrier_of(client, configuration, root, arguments),
        end,
        since_s=request.since_s,
        notices=notices if request.group == CHARGE else (),
        together=arguments.restart == "together",
        failures=grouping.failures,
    ).run()


async def _manage(
    configuration: Configuration,
    notices: list[str],
    grouping: Grouping,
    starter: Starter,
    root: Root,
    arguments: argparse.Namespace,
) -> int:
    from chargebyte_fw.kernel.runtime import Runtime
    from chargebyte_fw.manager.configuration.changes import Overlay, beside_the_loop
    from chargebyte_fw.manager.grouped.supervisor import GroupedSupervisor
    from chargebyte_fw.manager.grouped.wire import ManagerWire

    runtime = Runtime(root=root)
    carrier = carrier_of(client_of(root, arguments.broker, configuration.settings), configuration, root, arguments)
    overlay = Overlay(configuration.path, root)

    def wire(asked: Callable[[str], None]) -> ManagerWire:
        return ManagerWire(
            carrier,
            runtime,
            configuration.plans,
            asked=asked,
            retain_topics=arguments.retain_topics,
            commands_from=arguments.wire_commands_from,
            overlay=overlay,
        )

    return await GroupedSupervisor(
        configuration.plans,
        grouping,
        runtime,
        carrier,
        starter,
        _another_starter,
        wire,
        beside_the_loop(overlay),
        configuration=str(configuration.path),
        notices=notices,
        together=arguments.restart == "together",
    ).run()


def _another_starter() -> Starter:
    """Start a starter in the place of one that has ended: this program once more, as it was called."""
    from chargebyte_fw.manager.grouped.channel import pair
    from chargebyte_fw.manager.grouped.starter import Starter

    ours, theirs = pair()
    with theirs:
        environment = {**os.environ, STARTER: str(theirs.fileno())}
        command = [sys.executable, "-m", "chargebyte_fw.cli.main", *sys.argv[1:]]
        subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()])
    return Starter(ours)
