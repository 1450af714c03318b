"""The ClientHello parser: what is in it, every way to cut it, and nothing that makes it fail otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.modules.v2g.transport.tls import connection as tls
from chargebyte_fw.modules.v2g.transport.tls.alerts import Alert
from chargebyte_fw.modules.v2g.transport.tls.client import TlsClient
from chargebyte_fw.modules.v2g.transport.tls.client_hello import (
    LONGEST_HELLO,
    ClientHello,
    HelloError,
    HelloReader,
    TrustedAuthority,
    parse,
)
from tests.v2g.tls import pki
from tests.v2g.tls.hellos import certificate_authorities, hello, message, records, stream, trusted_ca_keys, vector

EVERYTHING = hello(
    suites=(0x1302, 0xC023),
    versions=(0x0304, 0x0303),
    groups=(25, 30, 23),
    signatures=(0x0603, 0x0808),
    extensions=(
        trusted_ca_keys((0, b""), (1, b"k" * 20), (2, b"name"), (3, b"c" * 20)),
        (5, b"\x01\0\0\0\0"),
        (17, b"\0"),
        (35, b"ticket"),
        (42, b""),
        certificate_authorities(b"A", b"BC"),
        (51, vector((25).to_bytes(2, "big") + vector(b"x" * 133))),
    ),
    session_id=bytes(32),
)


def test_everything_is_read() -> None:
    found = parse(EVERYTHING)
    assert found == ClientHello(
        legacy_version=0x0303,
        cipher_suites=(0x1302, 0xC023),
        versions=(0x0304, 0x0303),
        groups=(25, 30, 23),
        key_shares=(25,),
        signature_algorithms=(0x0603, 0x0808),
        trusted_authorities=(
            TrustedAuthority(0),
            TrustedAuthority(1, b"k" * 20),
            TrustedAuthority(2, b"name"),
            TrustedAuthority(3, b"c" * 20),
        ),
        certificate_authorities=(b"A", b"BC"),
        status_request=True,
        status_request_v2=True,
        early_data=True,
        resumption=True,
    )
    assert found.tls_versions == ("1.3", "1.2")


def test_openssl_s_own_hello_is_read() -> None:
    client = TlsClient((pki.cas().root.der,), ("1.3", "1.2")).connection(VIRTUAL_EPOCH)
    (first,) = client.feed(tls.Begin(), 0.0)
    found = HelloReader().feed(first.data)
    assert found is not None
    assert found.tls_versions == ("1.3", "1.2") and found.status_request and not found.resumption
    assert {0x1302, 0x1303, 0xC023} <= set(found.cipher_suites)


@pytest.mark.parametrize(
    ("legacy", "versions", "expected"),
    [
        (0x0303, None, ("1.2", "1.1", "1.0", "SSL 3")),
        (0x0301, None, ("1.0", "SSL 3")),
        (0x0304, None, ("1.2", "1.1", "1.0", "SSL 3")),
        (0x0303, (0x7F1C, 0x0304), ("1.3",)),
        (0x0303, (0x0A0A,), ()),
        (0x0200, None, ()),
    ],
)
def test_versions(legacy: int, versions: tuple[int, ...] | None, expected: tuple[str, ...]) -> None:
    assert parse(hello(legacy=legacy, versions=versions)).tls_versions == expected


def test_a_hello_without_extensions_is_one() -> None:
    found = parse(hello(with_extensions=False))
    assert found.cipher_suites == (0xC023,) and found.groups == () and found.versions == ()
    assert parse(hello(groups=None, signatures=None)).signature_algorithms == ()


def test_a_session_id_is_resumption_in_tls_12_alone() -> None:
    assert parse(hello(session_id=bytes(32))).resumption
    assert not parse(hello(session_id=bytes(32), versions=(0x0304,))).resumption
    assert not parse(hello(extensions=[(35, b"")])).resumption
    assert parse(hello(versions=(0x0304,), extensions=[(41, b"\0\0\0\0")])).resumption


@pytest.mark.parametrize("size", [1, 2, 5, 100, 16_384])
def test_it_may_come_in_records_of_any_size(size: int) -> None:
    assert HelloReader().feed(records(message(EVERYTHING), size)) == parse(EVERYTHING)


def test_it_may_come_byte_by_byte_and_is_kept_for_openssl() -> None:
    reader, data = HelloReader(), records(message(EVERYTHING), 50)
    found = [reader.feed(data[at : at + 1]) for at in range(len(data))]
    assert found[:-1] == [None] * (len(data) - 1) and found[-1] == parse(EVERYTHING)
    assert reader.data == data


def read_whole(body: bytes) -> ClientHello | None:
    """Read a message that announces to be complete; None: it is refused."""
    try:
        return HelloReader().feed(records(message(body)))
    except HelloError:
        return None


def test_cut_at_any_byte_it_is_incomplete_or_refused_but_never_read() -> None:
    whole = [read_whole(EVERYTHING[:end]) for end in range(len(EVERYTHING))]
    without_extensions = EVERYTHING.index(b"\x01\x00") + 2
    assert [end for end, found in enumerate(whole) if found is not None] == [without_extensions]
    data = stream()
    for end in range(len(data)):
        assert HelloReader().feed(data[:end]) is None


def test_sixteen_kilobytes_pass_and_more_than_the_limit_do_not() -> None:
    name = b"n" * 1000
    big = hello(extensions=[certificate_authorities(*[name] * 16)])
    assert len(big) > 16_000
    found = HelloReader().feed(records(message(big)))
    assert found is not None and len(found.certificate_authorities) == 16
    endless = b"\x01" + (LONGEST_HELLO + 1).to_bytes(3, "big")
    with pytest.raises(HelloError, match="announced") as caught:
        HelloReader().feed(records(endless))
    assert caught.value.alert is Alert.illegal_parameter


@pytest.mark.parametrize(
    ("data", "text", "alert"),
    [
        (b"\x01\xfe\x80\x01", "V2GTP without TLS", None),
        (b"GET / HTTP/1.1", "no TLS (first byte 0x47)", None),
        (b"\x80\x2e\x01\x03\x01", "no TLS (first byte 0x80)", None),
        (b"\x15\x03\x01\x00\x02\x02\x28", "an alert instead", None),
        (b"\x16\x02\x00\x00\x01", "record version 2.0", Alert.protocol_version),
        (b"\x16\x03\x01\x00\x00", "a record of 0 bytes", Alert.decode_error),
        (b"\x16\x03\x01\x40\x01", "a record of 16385 bytes", Alert.record_overflow),
        (b"\x16\x03\x01\x00\x01\x02", "handshake message 2 comes first", Alert.unexpected_message),
        (records(b"\x01\0\0\xff")[:9] + b"\x17\x03\x03\0\x01", "a record of type 23", Alert.unexpected_message),
        (records(message(hello()) + b"\x01"), "1 bytes after the hello", Alert.unexpected_message),
        (stream(suites=()), "no cipher suites", Alert.decode_error),
        (stream(versions=()), "supported_versions is empty", Alert.decode_error),
        (stream(session_id=bytes(33)), "a session id of 33 bytes", Alert.decode_error),
        (stream(extensions=[(10, b"\0\0")]), "extension 10 twice", Alert.illegal_parameter),
        (stream(extensions=[trusted_ca_keys((4, b""))]), "an identifier of type 4", Alert.illegal_parameter),
        (stream(extensions=[(3, b"\0\0x")]), "1 bytes are left over in trusted_ca_keys", Alert.decode_error),
        (stream(extensions=[(47, b"\0\x03\0\x09a")]), "9 bytes are announced", Alert.decode_error),
        (records(message(hello()[:35] + b"\0\x02\xc0\x23\0")), "no compression methods", Alert.decode_error),
        (records(message(EVERYTHING + b"x")), "1 bytes are left over in the hello", Alert.decode_error),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_hello_has_its_reason_and_its_alert(data: bytes, text: str, alert: Alert | None) -> None:
    with pytest.raises(HelloError) as caught:
        HelloReader().feed(data)
    assert text in str(caught.value) and caught.value.alert is alert


def test_a_hello_in_very_many_records_is_refused() -> None:
    with pytest.raises(HelloError, match="more than 512 records"):
        HelloReader().feed(records(message(EVERYTHING + bytes(600)), 1))


@given(st.binary(max_size=600), st.booleans())
def test_noise_is_a_hello_none_yet_or_refused(noise: bytes, framed: bool) -> None:
    reader = HelloReader()
    try:
        reader.feed(records(message(noise)) if framed else noise)
    except HelloError as error:
        assert error.what


@given(st.data())
def test_changed_bytes_and_segments_give_the_same_as_one_piece(data: st.DataObject) -> None:
    wire = bytearray(records(message(EVERYTHING), data.draw(st.integers(20, 400))))
    for _ in range(data.draw(st.integers(0, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))

    def outcome(pieces: list[bytes]) -> ClientHello | str | None:
        reader = HelloReader()
        found = None
        try:
            for piece in pieces:
                found = reader.feed(piece)
                if found is not None:
                    break
        except HelloError as error:
            return str(error)
        return found

    cut = data.draw(st.integers(0, len(wire)))
    whole, parts = outcome([bytes(wire)]), outcome([bytes(wire[:cut]), bytes(wire[cut:])])
    assert whole == parts or isinstance(whole, str)
