"""eMAID of ISO 15118-2 as a fragment: the only element in use whose name has two types (EXI 1.0 section 8.5.3)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.modules.v2g.exi import EncodeError, ExiError, codec
from chargebyte_fw.modules.v2g.messages import iso2

CODEC = codec("iso2")


def emaid(value: str, identity: str = "id9") -> iso2.EMAIDType:
    return iso2.EMAIDType(Id=identity, value=value)


@pytest.mark.parametrize(
    ("element", "standard", "by_type"),
    [
        (
            emaid("DEKL2C00012345U"),
            "80ec0202b4b21cc004511152d30c90cc0c0c0c4c8ccd0d557d3d00",
            "80ec02b4b21c84511152d30c90cc0c0c0c4c8ccd0d555e80",
        ),
        (
            emaid("DEABCC123ABC56", "id4"),
            "80ec0202b4b21a40041111505090d0cc4c8cd05090cd4dbd3d00",
            "80ec02b4b21a041111505090d0cc4c8cd05090cd4d9e80",
        ),
    ],
)
def test_both_forms_as_others_write_them(element: iso2.EMAIDType, standard: str, by_type: str) -> None:
    assert [form.hex() for form in CODEC.fragment_forms(element, "eMAID")] == [standard, by_type]
    assert CODEC.encode_fragment(element, "eMAID").hex() == standard
    for form in (standard, by_type):
        assert CODEC.decode_fragment(bytes.fromhex(form)) == ("eMAID", element)


def test_another_element_has_one_form() -> None:
    request = iso2.AuthorizationReq(Id="id1", GenChallenge=bytes(16))
    assert CODEC.fragment_forms(request) == [CODEC.encode_fragment(request)]


@given(st.text(min_size=14, max_size=15), st.text(max_size=300))
@settings(max_examples=50, deadline=None)
def test_there_and_back(value: str, identity: str) -> None:
    element = emaid(value, identity)
    for form in CODEC.fragment_forms(element, "eMAID"):
        assert CODEC.decode_fragment(form) == ("eMAID", element)


@pytest.mark.parametrize("value", ["DEKL2C", "DEKL2C00012345UU"])
def test_a_value_out_of_bounds_is_not_written(value: str) -> None:
    with pytest.raises(EncodeError, match="characters are out of bounds"):
        CODEC.encode_fragment(emaid(value), "eMAID")
    with pytest.raises(EncodeError, match="not a EMAIDType"):
        CODEC.encode_fragment(value, "eMAID")


def test_an_id_is_needed() -> None:
    with pytest.raises(EncodeError, match="Id is missing"):
        CODEC.encode_fragment(iso2.EMAIDType(Id=None, value="DEKL2C00012345U"), "eMAID")  # type: ignore[arg-type]


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_changed_and_cut_fragments_raise_nothing_else(data: st.DataObject) -> None:
    octets = bytearray(CODEC.encode_fragment(emaid("DEKL2C00012345U"), "eMAID"))
    for place in data.draw(st.lists(st.integers(0, len(octets) - 1), max_size=4)):
        octets[place] ^= data.draw(st.integers(1, 255))
    cut = bytes(octets[: data.draw(st.integers(0, len(octets)))])
    try:
        name, element = CODEC.decode_fragment(cut)
    except ExiError:
        return
    assert element in [CODEC.decode_fragment(form)[1] for form in CODEC.fragment_forms(element, name)]
