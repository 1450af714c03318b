"""MQTT on the event loop: it comes by itself, survives the broker, and never stands in the way of charging."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

import pytest

from chargebyte_fw.manager.mqtt import machine
from chargebyte_fw.manager.mqtt.address import BrokerAddress, parse_address
from chargebyte_fw.manager.mqtt.client import WAITING_LIMIT, External, MqttClient
from chargebyte_fw.manager.mqtt.embedded import EmbeddedBroker
from chargebyte_fw.manager.mqtt.topics import is_filter, matches
from tests.manager.broker import Mosquitto, free_port

# --- the machine: when to connect ----------------------------------------------------------------------------------


def test_the_first_loss_is_told_once_and_the_pauses_grow_up_to_a_limit() -> None:
    reconnect = machine.Reconnect()
    assert reconnect.feed(machine.Start(), 0.0) == [machine.Connect()]
    now, pauses, told = 0.0, [], 0
    for _ in range(10):
        effects = reconnect.feed(machine.Lost("refused"), now)
        told += machine.WentAway("refused") in effects
        assert reconnect.deadline is not None
        pauses.append(reconnect.deadline - now)
        now = reconnect.deadline
        assert reconnect.wake(now) == [machine.Connect()]
    assert told == 1
    assert pauses == [0.5, 1, 2, 4, 5, 5, 5, 5, 5, 5]
    assert reconnect.feed(machine.Accepted(), now) == [machine.CameUp(again=True)]


def test_a_broker_that_accepts_and_says_nothing_is_given_up() -> None:
    reconnect = machine.Reconnect()
    reconnect.feed(machine.Start(), 0.0)
    effects = reconnect.wake(machine.ANSWER_LIMIT_S)
    assert effects == [machine.Disconnect(), machine.WentAway("no answer in 10 s")]
    assert reconnect.state is machine.State.Waiting


def test_after_a_good_connection_the_pause_is_short_again_after_a_bad_one_it_is_not() -> None:
    reconnect = machine.Reconnect()
    reconnect.feed(machine.Start(), 0.0)
    for lasted_s, pause_s in ((1.0, 0.5), (1.0, 1.0), (machine.STEADY_S, 0.5)):
        reconnect.feed(machine.Accepted(), 100.0)
        reconnect.feed(machine.Lost("closed"), 100.0 + lasted_s)
        assert reconnect.deadline == 100.0 + lasted_s + pause_s
        reconnect.wake(reconnect.deadline)


@pytest.mark.parametrize("state", list(machine.State))
def test_every_input_has_an_answer_in_every_state(state: Enum) -> None:
    for event in (machine.Start(), machine.Accepted(), machine.Lost("x"), machine.Stop()):
        reconnect = machine.Reconnect()
        reconnect.state = state
        reconnect.feed(event, 1.0)
    reconnect = machine.Reconnect()
    reconnect.state = state
    assert reconnect.feed(machine.Stop(), 1.0) == [machine.Disconnect()] and reconnect.deadline is None


# --- topics and addresses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic_filter", "topic", "meets"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("+/b", "a/b", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("a/+/c", "a//c", True),
        ("a", "a/b", False),
    ],
)
def test_topic_filters_as_mqtt_3_1_1_4_7(topic_filter: str, topic: str, meets: bool) -> None:
    assert matches(topic_filter, topic) is meets


def test_unsound_filters_are_known() -> None:
    assert all(is_filter(text) for text in ("a", "+", "#", "a/+/b", "a/#"))
    assert not any(is_filter(text) for text in ("", "a+", "#/a", "a/b#", "a\0"))


def test_addresses_as_people_write_them() -> None:
    assert parse_address("mqtt://box:1999") == BrokerAddress("box", 1999)
    assert parse_address("box") == BrokerAddress("box", 1883)
    assert parse_address("unix:///run/m.sock") == BrokerAddress(socket_path="/run/m.sock")
    for wrong in ("http://box", "unix://", "mqtt://", "mqtt://box:x"):
        with pytest.raises(ValueError, match=r"."):
            parse_address(wrong)


# --- with a real broker --------------------------------------------------------------------------------------------


async def until(condition: Callable[[], bool], limit_s: float = 10.0) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.005)


def with_client(broker: Mosquitto, test: Callable[[MqttClient], Awaitable[None]], *, unix: bool = False) -> None:
    async def main() -> None:
        path = str(broker.socket_path) if unix else None
        client = MqttClient(BrokerAddress("127.0.0.1", broker.port, path))
        client.start()
        try:
            await test(client)
        finally:
            await client.stop()

    asyncio.run(main())


@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
def test_text_goes_to_the_broker_and_back(mosquitto: Mosquitto, unix: bool) -> None:
    async def test(client: MqttClient) -> None:
        external = External(client, "ext_")
        heard: list[tuple[str, str]] = []
        external.subscribe("a/+", lambda topic, payload: heard.append((topic, payload)))
        await until(lambda: client.online)
        external.publish("a/b", "größer")
        external.publish("b/b", "nobody")
        external.publish("a/c", "2")
        await until(lambda: len(heard) == 2)
        assert heard == [("ext_a/b", "größer"), ("ext_a/c", "2")]

    with_client(mosquitto, test, unix=unix)


def test_the_socket_has_no_nagle(mosquitto: Mosquitto) -> None:
    async def test(client: MqttClient) -> None:
        await until(lambda: client.online)
        sock: Any = client._link._client.socket()  # type: ignore[union-attr]
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    with_client(mosquitto, test)


def test_a_broker_that_is_killed_and_comes_back(mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture) -> None:
    """Retained values are there again, subscriptions work, what was said meanwhile is heard: one line each way."""
    caplog.set_level(logging.INFO)

    async def test(client: MqttClient) -> None:
        external = External(client)
        heard: list[tuple[str, str]] = []
        external.subscribe("state/#", lambda topic, payload: heard.append((topic, payload)))
        await until(lambda: client.online)
        external.publish("state/kept", "1", retain=True)
        external.publish("state/deleted", "1", retain=True)
        await until(lambda: len(heard) == 2)
        heard.clear()
        mosquitto.kill()
        await until(lambda: not client.online)
        external.publish("state/said", "meanwhile")
        external.publish("state/kept", "2", retain=True)
        external.publish("state/deleted", "", retain=True)
        await asyncio.sleep(1.0)
        mosquitto.start()
        await until(lambda: len(heard) == 3)
        assert sorted(heard) == [("state/deleted", ""), ("state/kept", "2"), ("state/said", "meanwhile")]
        late = MqttClient(client.address)
        found: dict[str, bytes] = {}
        late.subscribe("state/#", found.__setitem__)
        late.start()
        await until(lambda: found == {"state/kept": b"2"})
        await late.stop()

    with_client(mosquitto, test)
    lines = [record.getMessage() for record in caplog.records if record.name == "secc.mqtt"]
    assert [line for line in lines if "away" in line] == [
        f"broker 127.0.0.1:{mosquitto.port} is away (the broker closed the connection); charging goes on without it"
    ]
    assert [line for line in lines if "is back" in line] == [f"broker 127.0.0.1:{mosquitto.port} is back"]


def test_what_waits_for_the_broker_is_bounded_and_the_loss_is_told(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def test(client: MqttClient) -> None:
        heard: list[bytes] = []
        client.subscribe("n", lambda _, payload: heard.append(payload))
        for number in range(WAITING_LIMIT + 5):
            client.publish("n", b"%d" % number)
        await until(lambda: len(heard) == WAITING_LIMIT)
        assert heard[0] == b"5" and heard[-1] == b"%d" % (WAITING_LIMIT + 4)

    with_client(mosquitto, test)
    assert any("5 messages were lost" in record.getMessage() for record in caplog.records)


def test_a_subscription_ends_when_it_is_stopped(mosquitto: Mosquitto) -> None:
    async def test(client: MqttClient) -> None:
        external = External(client)
        first: list[str] = []
        second: list[str] = []
        stop = external.subscribe("x", lambda _, payload: first.append(payload))
        external.subscribe("x", lambda _, payload: second.append(payload))
        await until(lambda: client.online)
        external.publish("x", "1")
        await until(lambda: len(second) == 1)
        stop()
        external.publish("x", "2")
        await until(lambda: len(second) == 2)
        external.forget()
        external.publish("x", "3")
        await asyncio.sleep(0.1)
        assert (first, second) == (["1"], ["1", "2"])

    with_client(mosquitto, test)


def test_payload_that_is_no_text_does_not_hurt(mosquitto: Mosquitto) -> None:
    async def test(client: MqttClient) -> None:
        heard: list[str] = []
        External(client).subscribe("x", lambda _, payload: heard.append(payload))
        await until(lambda: client.online)
        client.publish("x", b"\xff\xfe")
        await until(lambda: heard == ["\ufffd\ufffd"])

    with_client(mosquitto, test)


def test_without_a_broker_nothing_waits_and_stopping_is_quick() -> None:
    async def main() -> None:
        client = MqttClient(BrokerAddress("127.0.0.1", free_port()))
        client.start()
        client.publish("a", b"1")
        await asyncio.sleep(0.1)
        assert not client.online
        async with asyncio.timeout(1.0):
            await client.stop()
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    asyncio.run(main())


def test_something_that_is_no_broker_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def main() -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        client = MqttClient(BrokerAddress("127.0.0.1", server.sockets[0].getsockname()[1]))
        client.start()
        await asyncio.sleep(1.2)
        assert not client.online
        await client.stop()
        server.close()

    asyncio.run(main())
    assert len([record for record in caplog.records if "is away" in record.getMessage()]) == 1


def test_the_embedded_broker_serves_and_ends() -> None:
    async def main() -> None:
        broker = EmbeddedBroker(free_port())
        await broker.start()
        client = MqttClient(broker.address)
        heard: list[str] = []
        External(client).subscribe("x", lambda _, payload: heard.append(payload))
        client.start()
        External(client).publish("x", "1")
        await until(lambda: heard == ["1"])
        process = broker._process
        await client.stop()
        await broker.stop()
        assert process is not None and process.returncode is not None

    asyncio.run(main())


def test_an_embedded_broker_whose_port_is_taken_says_so() -> None:
    from chargebyte_fw.kernel.errors import Unavailable

    async def main() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            broker = EmbeddedBroker(taken.getsockname()[1])
            with pytest.raises(Unavailable, match=r"address already in use|in use"):
                await broker.start()

    asyncio.run(main())


def test_a_broker_that_takes_nothing_is_given_up_before_memory_is(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def main() -> None:
        async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(2)
            writer.write(b"\x20\x02\x00\x00")
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(60)

        server = await asyncio.start_server(stall, "127.0.0.1", 0)
        client = MqttClient(BrokerAddress("127.0.0.1", server.sockets[0].getsockname()[1]))
        client.start()
        await until(lambda: client.online)
        for _ in range(30):
            for _ in range(1000):
                client.publish("x", b"y" * 400, wait=False)
            await asyncio.sleep(0)
        await until(lambda: any("does not take what we send" in record.getMessage() for record in caplog.records))
        await client.stop()
        server.close()

    asyncio.run(main())


def test_subscriptions_hold_once_the_broker_has_confirmed_them(mosquitto: Mosquitto) -> None:
    async def main() -> None:
        client, other = (MqttClient(BrokerAddress("127.0.0.1", mosquitto.port)) for _ in range(2))
        for one in (client, other):
            one.start()
        await client.subscribed()
        await until(lambda: client.online and other.online)
        got: list[str] = []
        for number in range(50):
            client.subscribe(f"at/{number}", lambda topic, _: got.append(topic))
        await client.subscribed()
        other.publish("at/49", b"now")
        await until(lambda: got == ["at/49"])
        await client.stop()
        await other.stop()

    asyncio.run(main())
