"""ISO 15118-20: the sets agree with the grammar walked by hand, and with streams of other encoders."""

from __future__ import annotations

import subprocess
import sys
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.modules.v2g.exi import AnyCodec, EncodeError, Iso20Set, codec
from chargebyte_fw.modules.v2g.messages import (
    iso20_ac,
    iso20_ac_der_iec,
    iso20_ac_der_sae,
    iso20_acdp,
    iso20_common,
    iso20_contracts,
    iso20_dc,
    iso20_schedules,
    iso20_types,
)
from tests.v2g.exi import naive
from tests.v2g.exi.samples import sample
from tests.v2g.exi.test_errors import read

SETS = get_args(Iso20Set)


def roots(chosen: AnyCodec) -> list[Any]:
    return list(chosen._codes)


@pytest.mark.parametrize(
    ("name", "root"),
    [(name, root) for name in SETS for root in roots(codec(name))],
    ids=lambda value: getattr(value, "__name__", value),
)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=6, deadline=None)
def test_every_message_agrees_with_the_grammar_walked_by_hand(name: str, root: Any, seed: int) -> None:
    chosen = codec(name)
    message = sample(root, Random(seed))
    written = chosen.encode(message)
    assert written.hex() == naive.encode(chosen.schema, message).hex(), message
    assert chosen.decode(written) == message


@pytest.mark.parametrize("name", SETS)
@given(seed=st.integers(0, 2**32), data=st.data())
@settings(max_examples=40, deadline=None)
def test_changed_and_cut_messages_are_read_or_refused(name: str, seed: int, data: st.DataObject) -> None:
    random = Random(seed)
    payload = bytearray(codec(name).encode(sample(random.choice(roots(codec(name))), random))[:4000])
    for place in data.draw(st.lists(st.integers(1, len(payload) - 1), max_size=3)):
        payload[place] ^= data.draw(st.integers(1, 255))
    read(name, bytes(payload[: data.draw(st.integers(0, len(payload)))] if data.draw(st.booleans()) else payload))


@pytest.mark.parametrize("name", SETS)
@given(octets=st.binary(max_size=120))
@settings(max_examples=60, deadline=None)
def test_random_octets_behind_each_root(name: str, octets: bytes) -> None:
    bits, codes = codec(name).root_bits
    for code in codes:
        read(name, bytes([0x80, code << 8 - bits | 1]) + octets)
        read(name, bytes([0x80, code << 8 - bits]) + octets)


@pytest.mark.parametrize(
    ("name", "bits", "codes"),
    [
        ("iso20_common", 6, {0, 1, 2, 3, 7, 8, 16, 17, 21, 22, *range(27, 39), *range(49, 53)}),
        ("iso20_ac", 6, {2, 3, 4, 5}),
        ("iso20_ac_der_iec", 6, {2, 3, 4, 5}),
        ("iso20_ac_der_sae", 6, {2, 3, 4, 5}),
        ("iso20_dc", 6, set(range(11, 21))),
        ("iso20_wpt", 6, set(range(25, 37))),
        ("iso20_acdp", 6, set(range(8))),
    ],
)
def test_the_first_event_opens_a_message(name: str, bits: int, codes: set[int]) -> None:
    assert codec(name).root_bits == (bits, frozenset(codes))


@pytest.mark.parametrize(
    ("name", "element", "code", "bits"),
    [
        ("iso20_common", "AbsolutePriceSchedule", 0, 9),
        ("iso20_common", "CertificateInstallationReq", 27, 9),
        ("iso20_common", "MeteringConfirmationReq", 119, 9),
        ("iso20_common", "OEMProvisioningCertificateChain", 128, 9),
        ("iso20_common", "PnC_AReqAuthorizationMode", 151, 9),
        ("iso20_common", "SignedInstallationData", 231, 9),
        ("iso20_common", "SignedMeteringData", 232, 9),
        ("iso20_common", "SignedInfo", 230, 9),
        ("iso20_dc", "SignedInfo", 129, 8),
        ("iso20_ac", "SignedInfo", 135, 8),
    ],
)
def test_what_gets_signed_has_its_code_in_the_fragment_grammar(name: str, element: str, code: int, bits: int) -> None:
    assert codec(name).fragment_code(element) == (code, bits)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("iso20_common", 282),
        ("iso20_dc", 150),
        ("iso20_ac", 155),
        ("iso20_ac_der_iec", 246),
        ("iso20_ac_der_sae", 354),
        ("iso20_wpt", 194),
        ("iso20_acdp", 130),
    ],
)
def test_the_end_of_a_fragment_has_its_code(name: str, end: int) -> None:
    """It follows from the number of elements of the set, those of types that no message has included."""
    assert len(codec(name)._fragments) + 1 == end


def test_a_signed_certificate_chain_as_a_fragment() -> None:
    chain = iso20_contracts.SignedCertificateChainType(
        Id="oem",
        Certificate=bytes.fromhex("3003020104"),
        SubCertificates=iso20_contracts.SubCertificatesType(Certificate=[bytes.fromhex("3003020105")]),
    )
    written = codec("iso20_common").encode_fragment(chain, "OEMProvisioningCertificateChain")
    assert written.hex() == "8040015bd95b405300302010400298018100829468"


@pytest.mark.parametrize(
    ("name", "message", "payload"),
    [
        (
            "iso20_common",
            "SessionSetupReq",
            "808c040000000000000000080f2d6ca0620a2ba6a4ab182098a1192199a21a229aa31b1800",
        ),
        ("iso20_common", "AuthorizationSetupReq", "8008042d61f0f806cdb9230808081b184e991032"),
        ("iso20_common", "AuthorizationSetupReq", "8008042d61f0f806cdb923080f2d6ca062"),
        ("iso20_common", "ServiceDiscoveryReq", "807c042d61f0f806cdb923080f2d6ca06280"),
        ("iso20_common", "SessionStopReq", "8094042d61f0f806cdb923080f2d6ca06248"),
        ("iso20_common", "PowerDeliveryReq", "8054042d61f0f806cdb923080f2d6ca0620240"),
        ("iso20_common", "PowerDeliveryReq", "80540402479ad7c263fda60a2a7e4a70620000000480e04007c2a924"),
        ("iso20_dc", "DC_ChargeLoopReq", "8034042d61f0f806cdb923080f2d6ca062810012206463f8738482002680ca"),
        ("iso20_dc", "DC_ChargeLoopReq", "8034042d61f0f806cdb923080f2d6ca062a10012206463f8738482002680ca"),
        (
            "iso20_dc",
            "DC_ChargeParameterDiscoveryReq",
            "803c042d61f0f806cdb923080f2d6ca0628830a61d04000002002e05c1000000800e20904007a01880",
        ),
    ],
)
def test_streams_from_the_field(name: Iso20Set, message: str, payload: str) -> None:
    read = codec(name).decode(bytes.fromhex(payload))
    assert type(read).__name__ == message
    assert codec(name).encode(read).hex() == payload


def test_a_group_names_the_member_where_its_head_is_a_member_too() -> None:
    """DC_CPDReqEnergyTransferMode is no abstract head: three event codes would be one too many."""
    chosen = codec("iso20_dc")
    payload = bytes.fromhex("803c042d61f0f806cdb923080f2d6ca0628830a61d04000002002e05c1000000800e20904007a01880")
    plain: Any = chosen.decode(payload).DC_CPDReqEnergyTransferMode  # type: ignore[attr-defined]
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    zero = iso20_types.RationalNumberType(Exponent=0, Value=0)
    both = iso20_dc.BPT_DC_CPDReqEnergyTransferModeType(
        **fields,
        EVMaximumDischargePower=zero,
        EVMinimumDischargePower=zero,
        EVMaximumDischargeCurrent=zero,
        EVMinimumDischargeCurrent=zero,
    )
    header = iso20_types.MessageHeaderType(SessionID=bytes(8), TimeStamp=0)
    message = iso20_dc.DC_ChargeParameterDiscoveryReq(Header=header, DC_CPDReqEnergyTransferMode=both)
    read: Any = chosen.decode(chosen.encode(message))
    assert type(read.DC_CPDReqEnergyTransferMode) is iso20_dc.BPT_DC_CPDReqEnergyTransferModeType
    assert read == message


def test_the_grid_codes_share_the_types_of_ac_charging() -> None:
    """Amendment 1 repeats them word by word in namespaces of its own."""
    mode = iso20_ac.Dynamic_AC_CLResControlModeType(
        EVSETargetActivePower=iso20_types.RationalNumberType(Exponent=3, Value=11)
    )
    header = iso20_types.MessageHeaderType(SessionID=bytes(8), TimeStamp=0)
    code = iso20_types.responseCodeType.OK
    for module in (iso20_ac, iso20_ac_der_iec, iso20_ac_der_sae):
        response = module.AC_ChargeLoopRes(Header=header, ResponseCode=code, CLResControlMode=mode)
        chosen: AnyCodec = codec(module.SCHEMA.name)
        assert chosen.decode(chosen.encode(response)) == response


def test_disconnect_is_another_message_than_connect() -> None:
    header = iso20_types.MessageHeaderType(SessionID=bytes(8), TimeStamp=0)
    state = iso20_acdp.electricalChargingDeviceStatusType.State_B
    connect = iso20_acdp.ACDP_ConnectReq(Header=header, EVElectricalChargingDeviceStatus=state)
    disconnect = iso20_acdp.ACDP_DisconnectReq(Header=header, EVElectricalChargingDeviceStatus=state)
    chosen = codec("iso20_acdp")
    assert type(chosen.decode(chosen.encode(connect))) is iso20_acdp.ACDP_ConnectReq
    assert type(chosen.decode(chosen.encode(disconnect))) is iso20_acdp.ACDP_DisconnectReq


def test_megawatts_in_a_charge_parameter_request() -> None:
    payload = "803c042d61f0f806cdb923080f2d6ca0628830a61d04000002002e05c1000000800e20904007a01880"
    read: Any = codec("iso20_dc").decode(bytes.fromhex(payload))
    mode = read.DC_CPDReqEnergyTransferMode
    assert type(mode) is iso20_dc.DC_CPDReqEnergyTransferModeType
    assert mode.EVMaximumChargePower == iso20_types.RationalNumberType(Exponent=3, Value=3750)
    assert mode.EVMaximumVoltage == iso20_types.RationalNumberType(Exponent=0, Value=1250)


def test_a_percentage_above_100_is_read_where_it_is_only_shown() -> None:
    """Seven bits let 101 to 127 through; a charge loop does not end for what the car shows its driver."""
    payload = bytes.fromhex("8034042d61f0f806cdb923080f2d6ca06201c8594e02002440c8c7f0e70904004d0194")
    read: Any = codec("iso20_dc").decode(payload)
    assert read.DisplayParameters.TargetSOC == 101
    needs = iso20_schedules.Dynamic_SEResControlModeType(TargetSOC=101)
    header = iso20_types.MessageHeaderType(SessionID=bytes(8), TimeStamp=0)
    response = iso20_common.ScheduleExchangeRes(
        Header=header,
        ResponseCode=iso20_types.responseCodeType.OK,
        EVSEProcessing=iso20_types.processingType.Finished,
        Dynamic_SEResControlMode=needs,
    )
    with pytest.raises(EncodeError, match="TargetSOC"):
        codec("iso20_common").encode(response)


def test_an_empty_control_mode_is_one_bit() -> None:
    payload = bytes.fromhex("80540402479ad7c263fda60a2a7e4a70620000000480e04007c2a924")
    read: Any = codec("iso20_common").decode(payload)
    assert read.EVPowerProfile.Dynamic_EVPPTControlMode is not None
    assert read.EVPowerProfile.Scheduled_EVPPTControlMode is None


def test_a_session_that_is_none_of_iso_15118_20_does_not_load_its_declarations() -> None:
    program = (
        "import sys, chargebyte_fw.modules.v2g.evse_v2g\n"
        "from chargebyte_fw.modules.v2g.exi import codec\n"
        "[codec(name).prepare() for name in ('sap', 'din', 'iso2')]\n"
        "assert not [name for name in sys.modules if 'iso20' in name]\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
