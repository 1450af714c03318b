"""The process of EVerest's manager: signals, the broker, the status FIFO, modules by the rules of the life cycle."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.configuration.changes import beside_the_loop
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.manager.discovery import MODULES_DIR, CannotLoad, discover
from chargebyte_fw.manager.everest import lifecycle
from chargebyte_fw.manager.everest.lifecycle import Lifecycle
from chargebyte_fw.manager.everest.modules_run import ModulesRun
from chargebyte_fw.manager.everest.options import Options
from chargebyte_fw.manager.everest.source import Source
from chargebyte_fw.manager.everest.status_fifo import StatusFifo
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import External, MqttClient
from chargebyte_fw.manager.status.publishing import publish_status
from chargebyte_fw.manager.status_file import Status as StatusFile
from chargebyte_fw.manager.stray import StrayErrors
from chargebyte_fw.manager.wire.carrier import LOGGING_FILE, Carrier
from chargebyte_fw.manager.wire.publisher import Publisher

if TYPE_CHECKING:
    from chargebyte_fw.kernel.errors import Finding
    from chargebyte_fw.kernel.module import Module
    from chargebyte_fw.manager.configuration.loading import Configuration
    from chargebyte_fw.manager.everest.panel_link import PanelServer

BROKER_LIMIT_S = 10.0
"""How long the broker may take to be there; EVerest's manager ends without it."""


class Manager:
    """EVerest's manager."""

    def __init__(self, options: Options, root: Root, fifo: StatusFifo, source: Source) -> None:
        self._options = options
        self._root = root
        self._fifo = fifo
        self._source = source
        self._log = ModuleLog("manager")
        self._strays = StrayErrors(self._log)
        self._pump = Pump(Lifecycle(options.policy), self._act, self._failed)
        self._status: asyncio.Future[int] | None = None
        self._configuration: Configuration | None = None
        self._modules: ModulesRun | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: MqttClient | None = None
        self._runtime = Runtime(root=root)
        self._publisher: Publisher | None = None
        self._panel: PanelServer | None = None

    async def run(self) -> int:
        """Run until a signal or a failure ends it; returns EVerest's exit status (0 as asked, 1 failed)."""
        loop = asyncio.get_running_loop()
        self._status = loop.create_future()
        loop.set_exception_handler(self._strays.take)
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self._pump.feed, lifecycle.Signalled(number.name))
        try:
            self._pump.feed(lifecycle.Begin())
            return await self._status
        finally:
            await self._close()
            for number in signals:
                loop.remove_signal_handler(number)

    def _act(self, effect: Any) -> None:
        if isinstance(effect, lifecycle.Line):
            self._log.info("%s", effect.text)
            self._fifo.write(effect.text)
        elif isinstance(effect, lifecycle.ReadAgain):
            self._spawn(self._configure())
        elif isinstance(effect, lifecycle.StartModules):
            self._start()
        elif isinstance(effect, lifecycle.StopModules) and self._modules is not None:
            self._modules.stop()
        elif isinstance(effect, lifecycle.Hurry) and self._modules is not None:
            self._modules.hurry()
        elif isinstance(effect, lifecycle.Exit) and self._status is not None and not self._status.done():
            self._status.set_result(effect.status)
        elif isinstance(effect, Unexpected):
            self._log.error("%s in the state %s", type(effect.event).__name__, effect.state.name)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work, name="manager")
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    async def _configure(self) -> None:
        try:
            configuration = await asyncio.to_thread(self._source.read)
        except Unavailable as error:
            self._log.error("%s", error)
            self._pump.feed(lifecycle.Configured(None))
            return
        for finding in configuration.findings:
            self._log.log(40 if finding.severity == "error" else 30, "%s", finding)
        sound = not configuration.errors
        if sound and self._client is None:
            try:
                await self._connect(configuration)
            except Unavailable as error:
                self._log.error("%s", error)
                sound = False
            else:
                await self._open_panel(configuration)
        self._configuration = configuration
        self._pump.feed(lifecycle.Configured(len(configuration.plans) if sound else None))

    async def _open_panel(self, configuration: Configuration) -> None:
        from chargebyte_fw.manager.everest.panel import Panel
        from chargebyte_fw.manager.everest.panel_link import PanelServer

        settings, loop = configuration.settings, asyncio.get_running_loop()
        folder = Path(settings.configs_dir) if settings.configs_dir else self._options.etc

        def restart() -> None:
            loop.call_soon_threadsafe(self._pump.feed, lifecycle.RestartAsked())

        panel = Panel(folder, self._installed, self._check, restart, settings.controller_rpc_timeout_ms)
        server = PanelServer(panel, settings.controller_port)
        try:
            port = await server.open()
        except Unavailable as error:
            self._log.warning("%s", error)
            return
        self._panel = server
        self._log.info("the admin panel listens at port %d of this machine", port)

    def _installed(self) -> dict[str, type[Module]]:
        found = {}
        for name, places in discover([self._root.read(MODULES_DIR)]).by_name.items():
            try:
                found[name] = places[0].load()
            except CannotLoad as error:
                self._log.warning("%s cannot be loaded: %s", name, error)
        return found

    def _check(self, path: Path) -> list[Finding]:
        return load(path, self._root, empty=True).findings

    async def _connect(self, configuration: Configuration) -> None:
        settings, options = configuration.settings, self._options
        address = BrokerAddress(settings.broker_host, settings.broker_port, settings.broker_socket)
        client = self._client = MqttClient(address)
        prefix = settings.everest_prefix if options.everest_prefix is None else options.everest_prefix
        carrier = Carrier(
            client,
            prefix if not prefix or prefix.endswith("/") else f"{prefix}/",
            settings.external_prefix,
            str(options.prefix),
            str(self._root.read(settings.logging_config_file or LOGGING_FILE)),
            telemetry_prefix=settings.telemetry_prefix,
            telemetry_enabled=settings.telemetry_enabled,
            validate_schema=settings.validate_schema,
            forward_exceptions=settings.forward_exceptions,
            graceful_shutdown=options.policy.graceful,
            run_as_user=settings.run_as_user,
        )
        keeper = self._source.keeper()
        self._runtime.keep_value = beside_the_loop(keeper)
        self._publisher = Publisher(carrier, retain_topics=options.retain_topics, overlay=keeper)
        self._runtime.mqtt = External(client, settings.external_prefix)
        self._spawn(publish_status(client, carrier.prefix, self._answer_status))
        client.start()
        try:
            async with asyncio.timeout(BROKER_LIMIT_S):
                await carrier.online()
        except TimeoutError:
            raise Unavailable(f"there is no broker at {address}") from None

    async def _answer_status(self, _: dict[str, Any]) -> dict[str, Any]:
        # Imported only where one looks.
        from chargebyte_fw.manager.status.answering import answer, csms_of

        modules, configuration, client = self._modules, self._configuration, self._client
        now = StatusFile(
            ready=modules is not None and modules.ready,
            configuration="" if configuration is None else str(configuration.path),
            broker="" if client is None else str(client.address),
            on_broker=client is not None and client.online,
        )
        assembly = None if modules is None else modules.assembly
        given = answer(assembly, self._runtime.all_faults, now, await csms_of(self._runtime))
        plain: dict[str, Any] = msgspec.to_builtins(given)
        return plain

    def _start(self) -> None:
        if self._configuration is None or self._publisher is None:
            raise RuntimeError("nothing was configured")

        def outside_next() -> None:
            if self._options.standalone:
                self._act(lifecycle.Line("WAITING_FOR_STANDALONE_MODULES"))

        self._modules = ModulesRun(
            self._configuration.plans, self._runtime, self._publisher, self._pump.feed, outside_next, self._strays
        )

    def _failed(self, error: BaseException) -> None:
        self._log.error("the manager failed", exc_info=error)
        if self._status is not None and not self._status.done():
            self._status.set_result(1)

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._modules is not None:
            self._modules.stop()
            await self._modules.gone()
        self._pump.close()
        if self._panel is not None:
            await self._panel.close()
        if self._client is not None:
            await self._client.stop()
        self._strays.close()
        self._fifo.close()
