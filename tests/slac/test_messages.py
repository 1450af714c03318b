"""Every MME: what was captured reads and writes back byte by byte; nothing that arrives can break the reader."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.slac import messages_vendor as vendor
from chargebyte_fw.modules.slac.declare import Mme, declared
from chargebyte_fw.modules.slac.keys import new_nmk, nid_from_nmk, nmk_from_passphrase
from chargebyte_fw.modules.slac.messages import (
    MINIMUM_FRAME,
    CmAttenCharInd,
    CmAttenProfileInd,
    CmMnbcSoundInd,
    CmSetKeyReq,
    CmSlacMatchCnf,
    CmSlacParmReq,
    Frame,
    Unknown,
    decode,
    mac_text,
)
from tests.slac.captures import CAPTURES, frames

EV = bytes.fromhex("ce14171f51b9")
EVSE = bytes.fromhex("fe3c189ca60e")


@pytest.mark.parametrize("capture", CAPTURES)
def test_every_captured_frame_is_known_and_writes_back_as_it_came(capture: str) -> None:
    for raw in frames(capture):
        frame = decode(raw)
        assert not isinstance(frame.message, Unknown), raw.hex()
        assert frame.encode().ljust(len(raw), b"\0") == raw


def test_the_captured_match_has_every_message_of_the_standard_in_order() -> None:
    titles = [decode(raw).message.title for raw in frames("slac-everest-pev.pcap")]
    assert titles[:9] == [
        "VS_OP_ATTRIBUTES.REQ",
        "NSCM_GET_VERSION.REQ",
        "CM_SET_KEY.REQ",
        "CM_SET_KEY.CNF",
        "CM_SET_KEY.REQ",
        "CM_SET_KEY.CNF",
        "CM_SLAC_PARM.REQ",
        "CM_SLAC_PARM.CNF",
        "CM_START_ATTEN_CHAR.IND",
    ]
    assert titles[9:29] == ["CM_MNBC_SOUND.IND", "CM_ATTEN_PROFILE.IND"] * 10
    assert titles[29:33] == ["CM_ATTEN_CHAR.IND", "CM_ATTEN_CHAR.RSP", "CM_SLAC_MATCH.REQ", "CM_SLAC_MATCH.CNF"]


def test_a_captured_match_carries_the_key_that_the_modem_was_given() -> None:
    found = [decode(raw).message for raw in frames("slac-everest-pev.pcap")]
    given_key = next(message for message in found if isinstance(message, CmSetKeyReq))
    match = next(message for message in found if isinstance(message, CmSlacMatchCnf))
    assert (match.nmk, match.nid) == (b"DM98HO0ZX2N2ZIGG", given_key.nid) == (given_key.new_key, given_key.nid)
    assert match.nid == nid_from_nmk(match.nmk)
    assert (mac_text(match.pev_mac), match.evse_mac) == ("CE:14:17:1F:51:B9", EVSE)


def test_a_car_may_leave_off_octets_of_the_random_number_in_a_sound() -> None:
    """Seen with pev of plc-utils: nine of sixteen."""
    sounds = [m for raw in frames("slac-plcutils.pcap") if isinstance(m := decode(raw).message, CmMnbcSoundInd)]
    assert [sound.remaining_sounds for sound in sounds] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert {len(sound.random) for sound in sounds} == {9}


@pytest.mark.parametrize("declaration", declared(), ids=lambda cls: cls.__name__)
def test_every_message_keeps_its_values(declaration: type[Mme]) -> None:
    """Each field with a value of its own, at its declared place, in no other's way."""
    values: dict[str, Any] = {}
    tail = None
    for number, (name, place) in enumerate(declaration.places.items(), 1):
        if place.kind == "number":
            values[name] = number
        elif place.kind == "text":
            values[name] = f"text{number}"[: place.size]
        elif place.kind == "octets":
            values[name] = bytes([number]) * place.size
        else:
            tail = name
            values[name] = bytes([number]) * (place.size or values[place.counter])
    message = declaration(**values)
    payload = message.payload()
    ends = [place.offset + place.size for place in declaration.places.values() if place.kind != "counted"]
    assert len(payload) == max([len(declaration.oui), *ends]) + (
        len(values[tail]) if tail and declaration.places[tail].kind == "counted" else 0
    )
    frame = Frame(EV, EVSE, message)
    assert decode(frame.encode()) == frame
    assert message.title.split(".")[-1] in ("REQ", "CNF", "IND", "RSP")
    assert ("REQ", "CNF", "IND", "RSP")[declaration.mmtype & 3] == message.title.split(".")[-1]


def test_the_types_are_those_of_the_specification() -> None:
    types = {cls.mmtype & ~3 for cls in declared()}
    standard = {0x6008, 0x601C, 0x6064, 0x6068, 0x606C, 0x6074, 0x6078, 0x607C, 0x6084}
    vendors = {0xA000, 0xA01C, 0xA038, 0xA068, 0xA0B8, 0xA14C, 0xAC6C, 0xAC70, 0xAC9C}
    assert types == standard | vendors
    assert all(cls.mmv == (0 if cls.oui else 1) for cls in declared())


@pytest.mark.parametrize("declaration", declared(), ids=lambda cls: cls.__name__)
def test_a_frame_cut_short_is_the_peers_error(declaration: type[Mme]) -> None:
    whole = Frame(EV, EVSE, declaration()).encode()
    start = 19 if declaration.mmv else 17
    needed = start + max(
        [len(declaration.oui)] + [p.offset + p.size for p in declaration.places.values() if p.kind != "rest"]
    )
    for length in range(needed):
        try:
            found = decode(whole[:length])
        except PeerError:
            continue
        assert isinstance(found.message, Unknown), f"{length} octets pass for {found.message}"


def test_more_groups_announced_than_sent_is_the_peers_error() -> None:
    raw = bytearray(Frame(EVSE, EV, CmAttenProfileInd(EV)).encode())
    raw[19 + 6] = 200
    with pytest.raises(PeerError, match=r"CM_ATTEN_PROFILE.IND announces 200 octets"):
        decode(bytes(raw))


def test_what_follows_a_message_is_padding() -> None:
    """evse of plc-utils sends room for 255 groups and fills 58."""
    profile = CmAttenCharInd(source_address=EV)
    raw = Frame(EV, EVSE, profile).encode() + b"\xff" * 197
    assert decode(raw).message == profile


def test_a_fragment_is_left_alone() -> None:
    raw = bytearray(Frame(EVSE, EV, CmSlacParmReq()).encode())
    raw[17] = 0x10
    message = decode(bytes(raw)).message
    assert isinstance(message, Unknown) and message.title == "fragment of MME 6064"
    assert Frame(EVSE, EV, message).encode() == bytes(raw)


@pytest.mark.parametrize(("mmv", "start"), [(0, 17), (1, 19), (2, 19)], ids=["AV 1.0", "AV 1.1", "AV 2.0"])
def test_the_version_that_came_decides_where_the_message_begins(mmv: int, start: int) -> None:
    payload = CmSlacParmReq(run_id=b"12345678").payload()
    raw = (EVSE + EV + bytes([0x88, 0xE1, mmv, 0x64, 0x60]) + bytes(start - 17) + payload).ljust(MINIMUM_FRAME, b"\0")
    assert decode(raw).message == CmSlacParmReq(run_id=b"12345678")


def test_a_foreign_vendors_message_is_not_ours() -> None:
    raw = bytearray(Frame(EV, EVSE, vendor.VsSwVerReq()).encode())
    raw[17:20] = b"\x00\x11\x22"
    assert isinstance(decode(bytes(raw)).message, Unknown)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (CmSlacParmReq(run_id=b"123456789"), "run_id takes 8 octets, not 9"),
        (CmSlacParmReq(application_type=256), "CM_SLAC_PARM.REQ: .*"),
        (CmAttenProfileInd(EV, num_groups=3), "attenuation_dB has 58 octets, num_groups says 3"),
        (CmMnbcSoundInd(random=bytes(17)), "random takes 16 octets, not 17"),
    ],
    ids=["octets", "number", "count", "rest"],
)
def test_a_value_that_does_not_fit_is_our_error(message: Mme, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}$"):
        message.payload()


@pytest.mark.parametrize(
    ("nmk", "nid"),
    [
        ("50D3E4933F855B7040784DF815AA8DB7", "B0F2E695666B03"),
        ("B59319D7E8157BA001B018669CCEE30D", "026BCBA5354E08"),
    ],
)
def test_the_nid_follows_from_the_nmk(nmk: str, nid: str) -> None:
    assert nid_from_nmk(bytes.fromhex(nmk)) == bytes.fromhex(nid)


def test_the_default_key_of_homeplug_follows_from_its_passphrase() -> None:
    assert nmk_from_passphrase("HomePlugAV") == bytes.fromhex("50D3E4933F855B7040784DF815AA8DB7")


def test_new_keys_are_sixteen_characters_and_differ() -> None:
    keys = {new_nmk() for _ in range(50)}
    assert len(keys) == 50
    assert all(len(key) == 16 and key.decode().isalnum() and key.decode().upper() == key.decode() for key in keys)


known_types = st.sampled_from([cls.mmtype for cls in declared()])


@given(
    mmv=st.integers(0, 3),
    mmtype=st.one_of(known_types, st.integers(0, 0xFFFF)),
    oui=st.sampled_from([b"", vendor.QUALCOMM, vendor.LUMISSIL]),
    content=st.binary(max_size=400),
)
@settings(max_examples=300, deadline=None)
def test_anything_decodes_or_is_a_peer_error(mmv: int, mmtype: int, oui: bytes, content: bytes) -> None:
    raw = EVSE + EV + b"\x88\xe1" + bytes([mmv]) + mmtype.to_bytes(2, "little") + oui + content
    try:
        frame = decode(raw)
    except PeerError:
        return
    again = decode(frame.encode()).message
    if isinstance(frame.message, Unknown):
        assert frame.encode().rstrip(b"\0") == raw.rstrip(b"\0")
    else:
        assert again.payload().ljust(400, b"\0") == frame.message.payload().ljust(400, b"\0")


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_noise_decodes_or_is_a_peer_error(raw: bytes) -> None:
    try:
        decode(raw)
    except PeerError as error:
        assert str(error)
