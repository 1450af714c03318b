"""Signatures in ISO 15118-20 sessions: forged, swapped, replayed, of any octets; none of them authorizes anything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.exi import codec
from tests.v2g.contract_chains import chain
from tests.v2g.secc.test_iso20_contract import by_contract, contract_talk, verified


def asks_for_nothing(it: Any) -> None:
    verified(it)
    assert "require_auth_pnc" not in it.charger.names()


@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_a_proof_with_any_bit_changed_is_none(data: st.DataObject) -> None:
    it, challenge = contract_talk()
    request = by_contract(challenge)
    frame = bytearray(it.frame(request))
    for place in data.draw(st.sets(st.integers(64, len(frame) * 8 - 1), min_size=1, max_size=3)):
        frame[place // 8] ^= 0x80 >> place % 8
    it.raw(bytes(frame))
    if it.session.contract is None:
        asks_for_nothing(it)
        return
    # What is no part of the proof: the time stamp of the header, and ids that nothing refers to.
    taken: Any = codec("iso20_common").decode(bytes(frame[8:]))
    assert taken.PnC_AReqAuthorizationMode == request.PnC_AReqAuthorizationMode
    assert taken.Header.Signature.SignedInfo == request.Header.Signature.SignedInfo
    assert taken.Header.Signature.SignatureValue.value == request.Header.Signature.SignatureValue.value


@given(octets=st.binary(max_size=140), which=st.sampled_from(["value", "digest"]))
@settings(max_examples=60, deadline=None)
def test_a_signature_of_any_octets_is_refused(octets: bytes, which: str) -> None:
    it, challenge = contract_talk()
    request = by_contract(challenge)
    signature = request.Header.Signature
    if which == "value":
        signature.SignatureValue.value = octets
    else:
        signature.SignedInfo.Reference[0].DigestValue = octets
    assert it.ask(request).ResponseCode == "FAILED_SignatureError"
    asks_for_nothing(it)


def test_a_proof_is_worth_nothing_in_another_session() -> None:
    it, challenge = contract_talk()
    request = by_contract(challenge)
    assert it.ask(request).ResponseCode == "OK"
    other, _ = contract_talk()
    other.session.challenge = bytes(range(2, 18))
    assert other.ask(request).ResponseCode == "WARNING_ChallengeInvalid"
    asks_for_nothing(other)


def test_the_signature_of_another_contract_is_refused() -> None:
    it, challenge = contract_talk()
    request, other = by_contract(challenge), by_contract(challenge, chain("DE-KL2-C00099999-X"))
    request.Header.Signature = other.Header.Signature
    assert it.ask(request).ResponseCode == "FAILED_SignatureError"
    asks_for_nothing(it)


@pytest.mark.parametrize("change", ["another id", "another reference", "no reference", "two references"])
def test_a_signature_over_something_else_is_refused(change: str) -> None:
    it, challenge = contract_talk()
    request = by_contract(challenge)
    mode, signature = request.PnC_AReqAuthorizationMode, request.Header.Signature
    match change:
        case "another id":
            mode.Id = "id2"
        case "another reference":
            signature.SignedInfo.Reference[0].URI = "#id2"
        case "no reference":
            mode.Id = "id9"
            request.Header.Signature = signatures.sign(
                "iso20_common", chain().leaf.key, {"PnC_AReqAuthorizationMode": mode}
            )
            request.Header.Signature.SignedInfo.Reference[0].URI = "#id1"
        case "two references":
            signature.SignedInfo.Reference.append(signature.SignedInfo.Reference[0])
    assert it.ask(request).ResponseCode == "FAILED_SignatureError"
    asks_for_nothing(it)
