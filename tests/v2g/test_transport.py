"""V2GTP frames and SDP datagrams (ISO 15118-2 clauses 7.8.3, 7.10.1)."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.v2g import sdp, v2gtp
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import iso2, iso20_common, iso20_contracts, iso20_types
from chargebyte_fw.modules.v2g.physical import number, physical

LOCAL = ipaddress.IPv6Address("fe80::f2ad:4eff:fe01:203")


def test_a_request_is_ten_octets() -> None:
    assert sdp.Request().to_bytes() == bytes.fromhex("01fe9000000000021000")
    assert sdp.parse_request(bytes.fromhex("01fe9000000000020000")) == sdp.Request(sdp.SECURITY_TLS)


def test_a_response_names_address_port_and_security() -> None:
    octets = bytes.fromhex("01fe900100000014fe80000000000000f2ad4efffe010203ef9d1000")
    assert sdp.Response(LOCAL, 61341).to_bytes() == octets
    assert sdp.parse_response(octets) == sdp.Response(LOCAL, 61341)


@given(st.binary(max_size=40))
def test_datagrams_of_any_kind_are_read_or_refused(data: bytes) -> None:
    for parse in (sdp.parse_request, sdp.parse_response):
        try:
            assert parse(data).to_bytes() == data
        except PeerError:
            pass


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=50)), max_size=5), st.data())
def test_frames_come_out_of_a_stream_however_it_is_cut(frames: list[tuple[int, bytes]], data: st.DataObject) -> None:
    wanted = [v2gtp.Frame(*frame) for frame in frames]
    stream = b"".join(frame.to_bytes() for frame in wanted)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    receiver = v2gtp.Receiver()
    got = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += receiver.feed(stream[begin:end])
    assert got == wanted


def test_a_frame_too_long_is_refused_from_its_header_on() -> None:
    with pytest.raises(PeerError, match="8185 bytes"):
        v2gtp.Receiver().feed(bytes.fromhex("01fe800100001ff9"))
    with pytest.raises(PeerError, match="65529 bytes"):
        v2gtp.Receiver().feed(bytes.fromhex("01fe80020000fff9"))


def test_the_longest_certificate_installation_of_iso_15118_20_is_one_frame() -> None:
    """Two chains of a certificate and three of CAs, each of 1600 octets, in segments of one octet at first."""
    rest = iso20_contracts.SubCertificatesType(Certificate=[bytes(1600)] * 3)
    data = iso20_contracts.SignedInstallationDataType(
        Id="id1",
        ContractCertificateChain=iso20_contracts.ContractCertificateChainType(
            Certificate=bytes(1600), SubCertificates=rest
        ),
        ECDHCurve=iso20_contracts.ecdhCurveType.SECP521,
        DHPublicKey=bytes(133),
        TPM_EncryptedPrivateKey=bytes(206),
    )
    response = iso20_common.CertificateInstallationRes(
        Header=iso20_types.MessageHeaderType(SessionID=bytes(8), TimeStamp=1),
        ResponseCode=iso20_types.responseCodeType.OK,
        EVSEProcessing=iso20_types.processingType.Finished,
        CPSCertificateChain=iso20_contracts.CertificateChainType(Certificate=bytes(1600), SubCertificates=rest),
        SignedInstallationData=data,
        RemainingContractCertificateChains=0,
    )
    octets = v2gtp.Frame(v2gtp.EXI_ISO20_MAIN, codec("iso20_common").encode(response)).to_bytes()
    assert len(octets) > 13_000
    receiver = v2gtp.Receiver()
    assert not any(receiver.feed(octets[at : at + 1]) for at in range(100))
    (frame,) = receiver.feed(octets[100:])
    assert codec("iso20_common").decode(frame.payload) == response


@pytest.mark.parametrize(
    ("value", "multiplier", "whole"),
    [
        *((0.0, 0, 0), (400.0, 0, 400), (55.2, -1, 552), (-12.5, -1, -125), (3276.8, 0, 3277)),
        *((150_000.0, 1, 15_000), (1_000_000.0, 2, 10_000), (1e9, 3, 32_767), (-1e9, 3, -32_768)),
    ],
)
def test_physical_values_keep_one_decimal_where_sixteen_bits_can(value: float, multiplier: int, whole: int) -> None:
    written = physical(iso2.PhysicalValueType, value, iso2.unitSymbolType.V)
    assert (written.Multiplier, written.Value) == (multiplier, whole)


@given(st.floats(-32_000, 32_000))
def test_physical_values_are_as_near_as_their_wire_form_allows(value: float) -> None:
    written = physical(iso2.PhysicalValueType, round(value, 1), iso2.unitSymbolType.A)
    assert abs(number(written) - value) <= (0.06 if abs(value) <= 3276 else 0.56)


def test_a_value_that_is_not_there_is_zero() -> None:
    assert number(None) == 0.0
