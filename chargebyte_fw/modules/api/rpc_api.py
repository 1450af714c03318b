"""RpcApi: EVerest's JSON-RPC over WebSocket. A client sends API.Hello, then requests, and is notified of changes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw import VERSION
from chargebyte_fw.contracts.interfaces.charger_information import ChargerInformation
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.kernel.errors import CommandError, Unavailable
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.kernel.lasting_condition import LastingConditions
from chargebyte_fw.kernel.module import Claim, ConfigIssue, End, Module, ModuleConfig, requires_many, requires_optional
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.modules.api import jsonrpc, rpc_objects
from chargebyte_fw.modules.api.evse_view import EvseView
from chargebyte_fw.modules.api.link import MAX_CLIENTS, RETRY_S, Connection, WebSocketServer
from chargebyte_fw.modules.api.orders import EvseControl
from chargebyte_fw.modules.api.origins import listed
from chargebyte_fw.modules.api.rpc_methods import Methods

HELLO_WITHIN_S = 5.0
PENDING_PER_CLIENT = 16
PROTOCOL_ERROR, TRY_LATER = 1002, 1013


class RpcApiConfig(ModuleConfig):
    """Configuration of RpcApi."""

    websocket_enabled: Annotated[bool, Meta(description="Whether the server listens at all.")] = True
    websocket_port: Annotated[int, Meta(ge=0, le=65535, description="TCP port; 0 for any free one.")] = 8080
    websocket_interface: Annotated[
        str, Meta(description="Network interface to listen on; `all` for every interface.")
    ] = "lo"
    websocket_tls_enabled: Annotated[bool, Meta(description="TLS on the WebSocket; not available.")] = False
    authentication_required: Annotated[bool, Meta(description="Ask clients for credentials; not available.")] = False
    websocket_allowed_origins: Annotated[
        str,
        Meta(
            description="Web pages that may connect beside those of this host, as `https://name`, separated by commas; "
            "`null` for pages without an origin. Programs need no entry."
        ),
    ] = ""
    max_decimal_places_other: Annotated[int, Meta(ge=0, description="Decimal places of numbers; 0 for all.")] = 2


class RpcApi(Module):
    """Serves JSON-RPC over WebSocket to applications outside: state, meter values, limits, pause and resume."""

    packages = ("websockets",)

    Config = RpcApiConfig
    enable_global_errors = True
    group = "cloud"

    config: RpcApiConfig
    evse_manager = requires_many(EvseManager, 1)
    evse_energy_sink = requires_many(ExternalEnergyLimits)
    charger_information = requires_optional(ChargerInformation)

    @classmethod
    def config_issues(cls, config: RpcApiConfig, ends: Mapping[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """What is not available."""
        hints = {
            "websocket_tls_enabled": "leave it false and put a TLS proxy in front of the port",
            "authentication_required": "leave it false and keep websocket_interface on `lo`",
        }
        for key, hint in hints.items():
            if getattr(config, key):
                yield ConfigIssue(key, f"{key}: true is not available", hint, number="C112")
        try:
            listed(config.websocket_allowed_origins)
        except ValueError as error:
            hint = "write https://name or http://name:port, without a path"
            yield ConfigIssue("websocket_allowed_origins", f"websocket_allowed_origins: {error}", hint, number="C113")

    @classmethod
    def claims(cls, config: RpcApiConfig, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """The port."""
        if config.websocket_enabled and config.websocket_port:
            where = "every interface" if config.websocket_interface == "all" else config.websocket_interface
            yield Claim("TCP port", f"{config.websocket_port} on {where}", "websocket_port")

    async def init(self) -> None:
        """Follow every EVSE and every fault."""
        self._clients: set[Any] = set()
        self._complaints = RateLimitedLog(self.log, "%d more clients were turned away within %g s")
        self._not_held = LastingConditions(self.log)
        self._stale: set[tuple[int, str]] = set()
        self._last_status: dict[int, Any] = {}
        self._flush_scheduled = False
        self.server: WebSocketServer | None = None
        views = [
            EvseView(
                manager,
                position,
                partial(self._on_fact, position - 1),
                self.kept,
                phase_switching_is_a_state=True,
            )
            for position, manager in enumerate(self.evse_manager, 1)
        ]
        self.methods = Methods(
            views,
            self.evse_energy_sink,
            self.charger_information,
            f"chargebyte_fw {VERSION}",
            self.config.max_decimal_places_other,
        )
        self._controls = [self.methods.controls[view.index] for view in views]
        self._dispatcher = jsonrpc.Dispatcher(self.methods.table, self._method_failed)

    async def ready(self) -> None:
        """Ask for the connectors, listen to faults, open the server."""
        for book in self.runtime.all_faults:
            book.subscribe(self._on_raised, self._on_cleared)
        for control in self._controls:
            if control.sink is not None:
                control.sink.capabilities.subscribe(partial(self._on_node, control), replay=False)
        self.spawn(self._ask_connectors(), "connectors")
        if self.config.websocket_enabled:
            self.spawn(self._open_server(), "server")

    async def stop(self) -> None:
        """Close the server."""
        self._complaints.close()
        self._not_held.close()
        if self.server is not None:
            await self.server.close()

    def _complain(self, text: str) -> None:
        self._complaints.write("a client was turned away: %s", text)

    async def _ask_connectors(self) -> None:
        for control in self._controls:
            try:
                control.view.connectors = (await control.view.manager.get_evse()).connectors
            except CommandError as error:
                self.log.warning("%s does not tell its connectors: %s", control.view.manager.module_id, error)

    async def _open_server(self) -> None:
        wire = self.runtime.wires.find(f"websocket:{self.config.websocket_port}")
        if wire is not None:
            wire(self.serve)
            return
        interface, port = self.config.websocket_interface, self.config.websocket_port
        origins = listed(self.config.websocket_allowed_origins)
        server = WebSocketServer(interface, port, self.serve, self._complain, origins)
        logged = False
        while True:
            try:
                await server.open()
                break
            except Unavailable as error:
                if not logged:
                    self.log.warning("cannot listen: %s; trying again every %g s", error, RETRY_S)
                    logged = True
                await asyncio.sleep(RETRY_S)
        self.server = server
        if logged:
            self.log.info("listening on port %d", server.port)

    async def serve(self, client: Connection) -> None:
        """Serve one client until it goes."""
        from websockets.exceptions import ConnectionClosed

        if len(self._clients) >= MAX_CLIENTS:
            await client.close(TRY_LATER, f"{MAX_CLIENTS} clients are connected already")
            return
        try:
            if not await self._greet(client):
                return
            if not self._clients:
                # Without a client no change was notified: from now on they count from the present.
                self._last_status = {one.view.index: self.methods.status_of(one) for one in self._controls}
            self._clients.add(client)
            await self._converse(client)
        except ConnectionClosed:
            self.log.debug("a client is gone")
        finally:
            self._clients.discard(client)

    async def _greet(self, client: Connection) -> bool:
        try:
            async with asyncio.timeout(HELLO_WITHIN_S):
                first = await client.recv()
        except TimeoutError:
            await client.close(PROTOCOL_ERROR, "Disconnected due to timeout")
            return False
        if not jsonrpc.is_call_of(first, "API.Hello"):
            await client.close(PROTOCOL_ERROR, "Disconnected due to missing API.Hello request")
            return False
        await self._answer(client, first)
        return True

    async def _converse(self, client: Connection) -> None:
        turns = asyncio.Semaphore(PENDING_PER_CLIENT)

        async def answer(text: bytes | str) -> None:
            try:
                await self._answer(client, text)
            except Exception as error:
                # A defect of ours that any client could use must not end a session.
                self.log.error("a request failed", exc_info=error)
            finally:
                turns.release()

        while True:
            text = await client.recv()
            await turns.acquire()
            self.spawn(answer(text), "request")

    async def _answer(self, client: Connection, text: bytes | str) -> None:
        from websockets.exceptions import ConnectionClosed

        reply = await self._dispatcher.answer(text)
        if reply is not None:
            try:
                await client.send(reply)
            except ConnectionClosed:
                self.log.debug("a client left before its answer")

    def _method_failed(self, name: str, error: Exception) -> None:
        self.log.error("%s failed: %r", name, error)

    def _notify(self, method: str, params: dict[str, Any]) -> None:
        message = jsonrpc.notification(method, params)
        if self.server is not None:
            self.server.send_all(self._clients, message)
        else:
            for client in self._clients:
                self.spawn(client.send(message), "notify")

    def _on_fact(self, at: int, name: str) -> None:
        if name == "powermeter":
            self._mark(at, "meter")
        elif name == "hw_capabilities":
            self._mark(at, "capabilities")
        elif name == "session_event" and not self._controls[at].orders.charging_allowed:
            self.spawn(self._hold(self._controls[at]), "charging not allowed")
        self._mark(at, "status")

    def _on_node(self, control: EvseControl, _capabilities: object) -> None:
        self.spawn(control.restore(), "limits")

    async def _hold(self, control: EvseControl) -> None:
        evse = control.view.manager.module_id
        try:
            await control.hold()
        except CommandError as error:
            self._not_held.set(evse, True, f"charging is not allowed, but {evse} is not paused: {error}")
        else:
            self._not_held.set(evse, False, f"{evse} takes the order to pause again")

    def _mark(self, at: int, what: str) -> None:
        """Notify clients of `what` at the end of this turn of the loop; facts of one moment are one notification."""
        if not self._clients:
            return
        self._stale.add((at, what))
        if not self._flush_scheduled:
            self._flush_scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_scheduled = False
        stale, self._stale = self._stale, set()
        for at, what in sorted(stale):
            control = self._controls[at]
            if what == "status":
                self._notify_status(control)
            elif what == "meter" and (meter := self.methods.meter_of(control)) is not None:
                self._notify("EVSE.MeterDataChanged", {"evse_index": control.view.index, "meter_data": meter})
            elif what == "capabilities":
                capabilities = rpc_objects.hardware_capabilities(control.view)
                self._notify(
                    "EVSE.HardwareCapabilitiesChanged",
                    {"evse_index": control.view.index, "hardware_capabilities": capabilities},
                )

    def _notify_status(self, control: EvseControl) -> None:
        status = self.methods.status_of(control)
        if status is None or status == self._last_status.get(control.view.index):
            return
        self._last_status[control.view.index] = status
        self._notify("EVSE.StatusChanged", {"evse_index": control.view.index, "evse_status": status})

    def _on_raised(self, fault: Fault) -> None:
        self.methods.active_faults[fault.uuid] = fault
        self._errors_changed()

    def _on_cleared(self, fault: Fault) -> None:
        self.methods.active_faults.pop(fault.uuid, None)
        self._errors_changed()

    def _errors_changed(self) -> None:
        if not self._clients:
            return
        self._notify("ChargePoint.ActiveErrorsChanged", {"active_errors": self.methods.errors()})
        for at in range(len(self._controls)):
            self._mark(at, "status")
