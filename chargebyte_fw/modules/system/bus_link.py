"""The system's D-Bus: one connection that is opened when the first call needs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from chargebyte_fw.kernel.errors import Unavailable, in_words

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

CALL_LIMIT_S = 25.0
"""A service that D-Bus starts for the call has this long."""
_DAEMON = "org.freedesktop.DBus"
_GONE = ("ServiceUnknown", "NameHasNoOwner", "NoReply", "Disconnected", "Spawn.", "Timeout", "TimedOut", "NoServer")


class Refused(Exception):
    """A service answered with an error. `name` is the error's D-Bus name."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        super().__init__(text or name)


class SystemBus:
    """Calls and signals; every trouble with the bus itself, or a service that is not there, is Unavailable."""

    def __init__(self) -> None:
        self._bus: MessageBus | None = None
        self._opening = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._mourners: list[Callable[[str], None]] = []
        """Called with the reason when the connection breaks."""

    async def call(
        self, destination: str, path: str, interface: str, member: str, signature: str = "", *body: Any
    ) -> list[Any]:
        """Call a method, return what it returns (variants unpacked). Raises Refused, Unavailable."""
        from dbus_fast import Message, MessageType, unpack_variants

        bus = await self._open()
        message = Message(
            destination=destination,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                answer = await bus.call(message)
        except TimeoutError as error:
            raise Unavailable(f"{destination} does not answer {member}") from error
        except (OSError, EOFError) as error:
            self.close()
            raise Unavailable(f"the D-Bus broke: {in_words(error)}") from error
        if answer is None:
            raise Unavailable("the D-Bus broke")
        if answer.message_type is not MessageType.ERROR:
            return [unpack_variants(value) for value in answer.body]
        name = answer.error_name or ""
        text = str(answer.body[0]) if answer.body else name
        if any(part in name for part in _GONE):
            raise Unavailable(f"{destination} is not there: {text}")
        raise Refused(name, text)

    async def get(self, destination: str, path: str, interface: str, name: str) -> Any:
        """Return a property."""
        properties = "org.freedesktop.DBus.Properties"
        return (await self.call(destination, path, properties, "Get", "ss", interface, name))[0]

    @asynccontextmanager
    async def listening(
        self, service: str, on_signal: Callable[[str, list[Any]], None], lost: Callable[[str], None]
    ) -> AsyncIterator[None]:
        """While inside: `on_signal(member, body)` for each signal of `service`, `lost(why)` when it or the bus ends."""
        from dbus_fast import MessageType, unpack_variants

        bus = await self._open()
        rules = (
            f"type='signal',sender='{service}'",
            f"type='signal',sender='{_DAEMON}',member='NameOwnerChanged',arg0='{service}'",
        )

        def take(message: Message) -> None:
            if message.message_type is not MessageType.SIGNAL:
                return
            body = [unpack_variants(value) for value in message.body]
            if message.member == "NameOwnerChanged" and body[0] == service:
                if not body[2]:
                    lost(f"{service} ended")
            elif message.sender != _DAEMON:
                on_signal(message.member or "", body)

        bus.add_message_handler(take)
        self._mourners.append(lost)
        try:
            for rule in rules:
                await self.call(_DAEMON, "/org/freedesktop/DBus", _DAEMON, "AddMatch", "s", rule)
            yield
        finally:
            self._mourners.remove(lost)
            bus.remove_message_handler(take)
            if bus.connected:
                for rule in rules:
                    await self.call(_DAEMON, "/org/freedesktop/DBus", _DAEMON, "RemoveMatch", "s", rule)

    def close(self) -> None:
        """Let go of the bus."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        if self._bus is not None:
            bus, self._bus = self._bus, None
            if bus.connected:
                bus.disconnect()

    async def _open(self) -> MessageBus:
        from dbus_fast import AuthError, BusType, InvalidAddressError
        from dbus_fast.aio import MessageBus

        async with self._opening:
            if self._bus is not None and self._bus.connected:
                return self._bus
            try:
                bus = MessageBus(bus_type=BusType.SYSTEM)
                async with asyncio.timeout(CALL_LIMIT_S):
                    self._bus = await bus.connect()
            except (OSError, EOFError, AuthError, InvalidAddressError) as error:
                raise Unavailable(f"no system D-Bus: {in_words(error)}") from error
            # One watcher a connection: what it awaits belongs to the connection and does not survive a cancellation.
            self._watching = asyncio.get_running_loop().create_task(self._watch(self._bus), name="watch D-Bus")
            return self._bus

    async def _watch(self, bus: MessageBus) -> None:
        why = "the D-Bus broke"
        try:
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call,unused-ignore]
        except (OSError, EOFError) as error:
            why = f"the D-Bus broke: {in_words(error)}"
        for lost in tuple(self._mourners):
            lost(why)
