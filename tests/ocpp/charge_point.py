"""A charge point with a few rows of a station, for tests of what is between the station and its CSMS."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.ocpp.charge_point import ChargePoint
from chargebyte_fw.modules.ocpp.charge_point_link import ChargePointRunner
from chargebyte_fw.modules.ocpp.connection.events import Start
from chargebyte_fw.modules.ocpp.connection.machine import connection
from chargebyte_fw.modules.ocpp.connection.settings import ConnectionSettings, Profile
from chargebyte_fw.modules.ocpp.connection.tls_link import Certificates, NoCertificates
from chargebyte_fw.modules.ocpp.dispatcher import Dispatcher
from chargebyte_fw.modules.ocpp.messages.v2 import provisioning as v2
from chargebyte_fw.modules.ocpp.messages.v16 import core as v16
from chargebyte_fw.modules.ocpp.queue.settings import Settings
from chargebyte_fw.modules.ocpp.station import Block, Station, answered, answers, failed, receives
from chargebyte_fw.modules.ocpp.station.effects import RegistrationChanged
from chargebyte_fw.modules.ocpp.station.events import (
    Connected,
    Disconnected,
    Loaded,
    SecurityEventFound,
    SecurityProfileSwitched,
    SlotConfirmed,
)
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.version import Version

BOOT_RETRY_S = 60.0


class Recorder(Block):
    """Keeps what the station was given."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.events: list[Any] = []

    @receives(Connected)
    @receives(Disconnected)
    @receives(Loaded)
    @receives(SlotConfirmed)
    @receives(SecurityEventFound)
    @receives(SecurityProfileSwitched)
    def note(self, event: Any) -> None:
        self.events.append(event)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class Boot16(Block):
    """BootNotification until it is accepted, and a few answers."""

    registration: str | None = None

    @receives(Connected)
    def connected(self, event: Connected) -> None:
        if self.registration != "Accepted":
            self.boot()

    def boot(self) -> None:
        self.station.send(v16.BootNotificationRequest(charge_point_vendor="V", charge_point_model="M"))

    @answered(v16.BootNotificationRequest)
    def booted(self, request: Any, response: Any) -> None:
        self.registration = str(response.status)
        self.station.effect(RegistrationChanged(self.registration))
        if self.registration != "Accepted":
            self.station.start("boot", self.station.now + (response.interval_s or BOOT_RETRY_S), self.boot)

    @failed(v16.BootNotificationRequest)
    def not_booted(self, request: Any, failure: Any) -> None:
        if failure.code != "Offline":
            self.station.start("boot", self.station.now + BOOT_RETRY_S, self.boot)

    @answers(v16.ChangeAvailabilityRequest)
    def change(self, request: v16.ChangeAvailabilityRequest) -> v16.ChangeAvailabilityResponse:
        return v16.ChangeAvailabilityResponse(status=v16.AvailabilityStatus.Accepted)


class Boot2(Block):
    """The same for 2.x."""

    registration: str | None = None

    @receives(Connected)
    def connected(self, event: Connected) -> None:
        if self.registration != "Accepted":
            station = v2.ChargingStationType(model="M", vendor_name="V")
            self.station.send(
                v2.BootNotificationRequest(reason=v2.BootReasonEnumType.PowerUp, charging_station=station)
            )

    @answered(v2.BootNotificationRequest)
    def booted(self, request: Any, response: Any) -> None:
        self.registration = str(response.status)
        self.station.effect(RegistrationChanged(self.registration))


class Point:
    """A charge point that runs on the loop of the test. `station.send` is followed by `poke()`."""

    def __init__(
        self,
        runtime: Runtime,
        url: str,
        *versions: Version,
        path: Path | None = None,
        profile: dict[str, Any] | None = None,
        connection_settings: dict[str, Any] | None = None,
        queue: dict[str, Any] | None = None,
        certificates: Certificates | None = None,
        last_slot: int | None = None,
        blocks: tuple[type[Block], ...] = (),
        kinds: tuple[type[Block], ...] | None = None,
        variables: Variables | None = None,
        layout: Layout | None = None,
    ) -> None:
        """`blocks` are added to a few rows that boot; `kinds` are all that the station has."""
        versions = versions or (Version.V16,)
        ids = count(1)
        self.lines: list[str] = []
        self.outward: list[Any] = []
        self.trouble: list[str] = []
        self.crashes: list[BaseException] = []
        new_id: Callable[[], str] = lambda: f"cp-{next(ids)}-{runtime.random.getrandbits(32)}"  # noqa: E731
        one = Profile(**{"slot": 1, "url": url, "identity": "cp001", "security_profile": 0, **(profile or {})})
        how = {"allow_security_level_zero": True, **(connection_settings or {})}
        settings = ConnectionSettings(**{"profiles": {1: one}, "versions": versions, **how})
        few = (Boot2 if versions[0].is_2 else Boot16, *blocks)
        self.station = Station(versions[0], [Recorder, *(kinds or few)], new_id, variables, layout)
        self.recorder = self.station.block(Recorder)
        self.connection = connection(settings, last_slot, 0, random.Random(1))
        dispatcher = Dispatcher(versions[0], Settings(**(queue or {})), new_id)
        self.queue = dispatcher.queue
        self.machine = ChargePoint(self.connection, dispatcher, self.station)
        self.tasks: set[asyncio.Task[Any]] = set()
        self.runner = ChargePointRunner(
            self.machine,
            name="ocpp",
            path=path or runtime.root.write("/ocpp/cp.db"),
            wires=runtime.wires,
            trace=runtime.trace,
            log=ModuleLog("ocpp"),
            certificates=certificates or NoCertificates(),
            spawn=self.spawn,
            guard=self.crashes.append,
            act=self.outward.append,
            trouble=lambda kind, text: self.trouble.append(text),
        )

    def spawn(self, work: Any, name: str = "") -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.crashes.append(error)

    async def start(self) -> None:
        await self.runner.load()
        await self.start_connection()

    async def start_connection(self) -> None:
        self.runner.feed(Start())

    def send(self, request: Any, **how: Any) -> str:
        message_id = self.station.send(request, **how)
        self.runner.feed(_Poke())
        return message_id

    async def stop(self) -> None:
        await self.runner.close()
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        assert self.crashes == []

    def cut_power(self) -> None:
        """End without closing anything; what was not on the disk is gone."""
        self.runner._pump.close()
        for task in tuple(self.tasks):
            task.cancel()


class _Poke(msgspec.Struct, frozen=True):
    """Lets the station's effects out; of the module `station.events`, as those are."""


_Poke.__module__ = "chargebyte_fw.modules.ocpp.station.events"
