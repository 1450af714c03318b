"""What anybody on the broker can send: too much, too deep, under topics and origins that are none."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.bounded import PACKET_LIMIT_BYTES, BoundedSocket
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.mqtt.topics import is_topic
from chargebyte_fw.manager.wire import calls, envelope
from chargebyte_fw.manager.wire.publisher import Publisher
from tests.manager.broker import Mosquitto
from tests.manager.test_mqtt import until, with_client
from tests.manager.test_wire import VALVE, Onlooker, with_wire

CALL = {"id": "1", "args": {}, "origin": "tool"}


def packet(body: bytes, command: int = 0x30) -> bytes:
    length, octets = len(body), bytearray()
    while True:
        length, octet = divmod(length, 128)
        octets.append(octet | (0x80 if length else 0))
        if not length:
            return bytes([command, *octets]) + body


def read_packets(stream: bytes, limit_bytes: int, cuts: list[int]) -> tuple[list[bytes], list[int]]:
    """Read as paho does (one octet, the length octet by octet, the rest) while the stream comes in pieces."""
    theirs, ours = socket.socketpair()
    theirs.settimeout(5)
    left_out: list[int] = []
    bounded = BoundedSocket(ours, left_out.append, limit_bytes)
    pieces = [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    read = bytearray()
    with theirs, bounded:
        for piece in pieces:
            theirs.sendall(piece)
            while True:
                try:
                    data = bounded.recv(3)
                except BlockingIOError:
                    break
                if not data:
                    break
                read += data
    packets, at = [], 0
    while at < len(read):
        length = shift = 0
        end = at + 1
        while True:
            length |= (read[end] & 127) << shift
            shift += 7
            end += 1
            if not read[end - 1] & 128:
                break
        packets.append(bytes(read[at : end + length]))
        at = end + length
    return packets, left_out


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(0, 400), max_size=5))
def test_packets_within_the_limit_come_through_whole_and_others_are_left_out(
    bodies: list[bytes], at: list[int]
) -> None:
    sent = [packet(body) for body in bodies]
    stream = b"".join(sent)
    packets, left_out = read_packets(stream, 150, sorted(min(cut, len(stream)) for cut in at))
    assert packets == [one for one, body in zip(sent, bodies, strict=True) if len(body) <= 150]
    assert left_out == [len(body) for body in bodies if len(body) > 150]


def test_a_length_that_is_none_and_the_end_of_the_stream_end_the_connection() -> None:
    theirs, ours = socket.socketpair()
    bounded = BoundedSocket(ours, lambda _: None)
    with theirs, bounded:
        theirs.sendall(b"\x30\xff\xff\xff\xff\xff")
        with pytest.raises(OSError, match="four octets"):
            bounded.recv(1)
    theirs, ours = socket.socketpair()
    bounded = BoundedSocket(ours, lambda _: None, 10)
    with theirs, bounded:
        theirs.sendall(packet(b"x" * 11)[:-1])
        theirs.shutdown(socket.SHUT_WR)
        assert bounded.recv(1) == b""


def test_a_message_that_is_too_large_is_left_out_and_the_connection_stays(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker that is not the shipped one may let 256 MB pass."""

    async def test(client: MqttClient) -> None:
        heard: list[int] = []
        client.subscribe("a/b", lambda _topic, payload: heard.append(len(payload)))
        await until(lambda: client.online)
        sender = MqttClient(BrokerAddress("127.0.0.1", mosquitto.port))
        sender.start()
        await until(lambda: sender.online)
        for size in (10, PACKET_LIMIT_BYTES - 5, PACKET_LIMIT_BYTES - 4, 20_000_000, 11):
            sender.publish("a/b", b"x" * size)
        await until(lambda: 11 in heard, 20)
        assert heard == [10, PACKET_LIMIT_BYTES - 5, 11] and client.online
        lines = [record.getMessage() for record in caplog.records if "not read" in record.getMessage()]
        assert len(lines) == 2 and "a message of 20000005 bytes is not read" in lines[1]
        await sender.stop()

    caplog.set_level(logging.INFO)
    with_client(mosquitto, test)


def test_a_listener_that_opens_while_we_connect_to_another_is_taken_instead(mosquitto: Mosquitto) -> None:
    port, path = BrokerAddress("127.0.0.1", mosquitto.port), BrokerAddress(socket_path=str(mosquitto.socket_path))
    answers = [port, path]

    async def main() -> None:
        client = MqttClient(port, lambda: answers.pop(0) if len(answers) > 1 else answers[0])
        ups: list[BrokerAddress] = []
        client.on_up.append(lambda: ups.append(client.address))
        client.start()
        await until(lambda: client.online and bool(ups))
        assert ups == [path]
        await client.stop()

    asyncio.run(main())


@pytest.mark.parametrize(
    "topic", ["a" * 70_000, "é" * 40_000, "a\0b", "a\x01b", "a\x7f", "a\x85", "a\ud800", "", "a/+", "a#", "a\uffff"]
)
def test_what_is_no_topic_is_left_out_and_the_connection_stays(mosquitto: Mosquitto, topic: str) -> None:
    async def test(client: MqttClient) -> None:
        heard: list[str] = []
        client.subscribe("a/good", lambda topic, _: heard.append(topic))
        await until(lambda: client.online)
        link = client._link
        client.publish(topic, b"x")
        client.publish("a/good", b"x")
        await until(lambda: bool(heard))
        assert client.online and client._link is link
        assert not is_topic(topic)

    with_client(mosquitto, test)


def test_a_receiver_that_fails_on_a_message_fails_alone(mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture) -> None:
    async def test(client: MqttClient) -> None:
        heard: list[bytes] = []
        stray: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: stray.append(context))

        def fail(_topic: str, payload: bytes) -> None:
            heard.append(payload)
            raise RuntimeError("on purpose")

        client.subscribe("a", fail)
        await until(lambda: client.online)
        for number in range(50):
            client.publish("a", b"%d" % number)
        await until(lambda: len(heard) == 50)
        assert stray == [] and client.online
        assert sum(record.levelno >= logging.ERROR for record in caplog.records) == 5

    caplog.set_level(logging.INFO)
    with_client(mosquitto, test)


@pytest.mark.parametrize(
    "data",
    [
        {**CALL, "origin": "o" * 65_000},
        {**CALL, "origin": "a\x01b"},
        {**CALL, "origin": "a\nb"},
        {**CALL, "origin": "tool\n"},
        {**CALL, "origin": ""},
        {**CALL, "origin": "a/b"},
        {**CALL, "origin": "\ud800"},
        {**CALL, "id": "i" * 1000},
        {**CALL, "args": json.loads("[" * 400 + "]" * 400)},
        {**CALL, "args": {"to": 10**25, "mode": "Fast"}},
    ],
    ids=lambda data: ascii(data)[:60],
)
def test_a_command_that_is_none_is_a_line_and_the_next_one_is_carried_out(
    mosquitto: Mosquitto, runtime: Runtime, data: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        link = wire.client._link
        onlooker.client.publish(f"{VALVE}/cmd/turn", json.dumps({"msg_type": "Cmd", "data": data}).encode())
        answer = await onlooker.call("close", {}, "id-2")
        assert answer["data"]["data"]["retval"] is None
        assert wire.client._link is link, "the broker hung up"
        assert onlooker.at(f"{VALVE}/cmd/turn/response/tool") == []
        assert all(module.failed is not None and not module.failed.done() for module in assembly.modules.values())
        assert all(len(record.getMessage()) < 600 for record in caplog.records)

    caplog.set_level(logging.INFO)
    with_wire(mosquitto, runtime, test)


@pytest.mark.parametrize("payload", [b"[" * 5000, b"[]", b'"\xff"', b'{"data": ' + b"[" * 900 + b"]" * 900 + b"}"])
def test_a_request_for_configuration_that_is_none_is_a_line(
    mosquitto: Mosquitto, runtime: Runtime, payload: bytes
) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        assert wire.configuration is not None
        wire.configuration.take("everest/config/request", payload)
        await onlooker.call("close", {})

    with_wire(mosquitto, runtime, test)


def test_a_handler_that_fails_costs_a_caller_on_the_wire_its_answer_only(
    mosquitto: Mosquitto, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        async def fail(*_: Any, **__: Any) -> None:
            raise OverflowError("on purpose")

        pump = assembly.modules["pump"]
        monkeypatch.setattr(type(pump.main), "close", fail)  # type: ignore[attr-defined]
        answer = await onlooker.call("close", {})
        assert answer["data"]["data"]["error"]["__everest__error_type"] == "HandlerException"
        assert pump.failed is not None and not pump.failed.done()

    with_wire(mosquitto, runtime, test)


def test_calls_beyond_the_limit_of_waiting_ones_are_refused_at_once_and_the_others_answered_in_order(
    mosquitto: Mosquitto, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        release = asyncio.Event()

        async def wait(*_: Any, **__: Any) -> None:
            await release.wait()

        monkeypatch.setattr(type(assembly.modules["pump"].main), "close", wait)  # type: ignore[attr-defined]
        for number in range(calls.CALLS_WAITING_LIMIT + 6):
            data = {**CALL, "id": str(number)}
            onlooker.client.publish(f"{VALVE}/cmd/close", json.dumps({"msg_type": "Cmd", "data": data}).encode())
        topic = f"{VALVE}/cmd/close/response/tool"
        # One runs, a hundred wait, five are too many.
        await until(lambda: len(onlooker.at(topic)) == 5)
        await asyncio.sleep(0.1)
        refused = [message["data"]["data"] for message in onlooker.at(topic)]
        assert [one["id"] for one in refused] == ["101", "102", "103", "104", "105"]
        assert {one["error"]["__everest__error_type"] for one in refused} == {"NotReady"}
        release.set()
        await until(lambda: len(onlooker.at(topic)) == 106)
        answered = [message["data"]["data"]["id"] for message in onlooker.at(topic)[5:]]
        assert answered == [str(number) for number in range(101)]
        assert wire.calls.waiting_bytes == 0

    with_wire(mosquitto, runtime, test)


def test_calls_that_are_too_large_together_are_refused(
    mosquitto: Mosquitto, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        monkeypatch.setattr(calls, "WAITING_LIMIT_BYTES", 1_000_000)
        release = asyncio.Event()

        async def wait(*_: Any, **__: Any) -> None:
            await release.wait()

        monkeypatch.setattr(type(assembly.modules["pump"].main), "close", wait)  # type: ignore[attr-defined]
        for number in range(11):
            data = {**CALL, "id": str(number), "args": {"x": "y" * 200_000} if number else {}}
            onlooker.client.publish(f"{VALVE}/cmd/close", json.dumps({"msg_type": "Cmd", "data": data}).encode())
        topic = f"{VALVE}/cmd/close/response/tool"
        await until(lambda: len(onlooker.at(topic)) == 6)
        release.set()
        await until(lambda: len(onlooker.at(topic)) == 11)
        errors = [message["data"]["data"].get("error", {}) for message in onlooker.at(topic)]
        kinds = [error.get("__everest__error_type") for error in errors]
        assert kinds == ["NotReady"] * 6 + [None] + ["MessageParsingError"] * 4
        assert wire.calls.waiting_bytes == 0

    with_wire(mosquitto, runtime, test)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
NEARLY = st.fixed_dictionaries(
    {
        "msg_type": st.sampled_from(["Cmd", "Var", "CmdResult", "RaiseError"]) | PLAIN,
        "data": PLAIN | st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "origin", "args", "data"), PLAIN)),
    }
)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | (NEARLY | PLAIN).map(lambda value: json.dumps(value).encode()))
def test_no_payload_makes_an_envelope_fail_otherwise(payload: bytes) -> None:
    for read in (envelope.read_call, envelope.read_variable, envelope.read_error, envelope.read_result):
        try:
            read(payload)
        except msgspec.MsgspecError as error:
            assert len(str(error)) < 300 and "\n" not in str(error)
