"""Payment by contract in ISO 15118-2: offer, PaymentDetails, the proof of the key, the authorization."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.contracts.types.evse_security import CertificateHashData, HashAlgorithm, OCSPRequestData
from chargebyte_fw.contracts.types.evse_security import CertificateValidationResult as Result
from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.contracts import ContractVerification, pem
from chargebyte_fw.modules.v2g.secc.facts import Settings
from chargebyte_fw.modules.v2g.security import PLAIN
from tests.v2g.contract_chains import EMAID, NOW, Chain, chain, issue, key
from tests.v2g.pair import dc_facts
from tests.v2g.talk import TLS, Talk, authorization, payment_details, selection, talk

BOTH = {"payment_options": ["Contract", "ExternalPayment"], "certificate_service": True}
VERIFY = Settings(verify_contract_cert_chain=True)


# -- the offer


def test_a_contract_is_offered_with_tls_in_the_order_of_the_configuration() -> None:
    it = talk("iso2", State.SERVICE_DISCOVERY, contract=True)
    response = it.ask(iso2.ServiceDiscoveryReq())
    assert response.PaymentOptionList.PaymentOption == ["Contract", "ExternalPayment"]
    (service,) = response.ServiceList.Service
    assert (service.ServiceID, service.ServiceName, service.FreeService) == (2, "Certificate", True)
    assert service.ServiceCategory == "ContractCertificate"
    response = it.ask(iso2.ServiceDetailReq(ServiceID=2))
    assert response.ResponseCode == "OK"
    sets = response.ServiceParameterList.ParameterSet
    assert [(one.ParameterSetID, one.Parameter[0].Name, one.Parameter[0].stringValue) for one in sets] == [
        (1, "Service", "Installation"),
        (2, "Service", "Update"),
    ]


def test_what_was_offered_stays_when_the_station_withdraws_contracts() -> None:
    it = talk("iso2", State.SERVICE_SELECTION, contract=True)
    it.change(payment_options=["ExternalPayment"])
    assert it.ask(selection(iso2, payment="Contract")).ResponseCode == "OK"
    assert it.machine.session.state is State.PAYMENT_DETAILS


def test_the_offer_follows_each_connection() -> None:
    facts = dc_facts(**BOTH)
    for secure in (True, False, True):
        it = Talk(iso2, facts, security=TLS if secure else PLAIN)
        it.ask(iso2.SessionSetupReq(EVCCID=bytes(6)))
        response = it.ask(iso2.ServiceDiscoveryReq())
        assert response.PaymentOptionList.PaymentOption == [*(["Contract"] if secure else []), "ExternalPayment"]
        assert (response.ServiceList is not None) is secure
        detail = it.ask(iso2.ServiceDetailReq(ServiceID=2))
        assert detail.ResponseCode == ("OK" if secure else "FAILED_ServiceIDInvalid")
        it.end()


@pytest.mark.parametrize(
    "facts", [{"certificate_service": False}, {"payment_options": ["ExternalPayment"]}], ids=lambda one: next(iter(one))
)
def test_no_certificate_service_without_its_reason(facts: dict[str, Any]) -> None:
    it = talk("iso2", State.SERVICE_DISCOVERY, contract=True, **facts)
    assert it.ask(iso2.ServiceDiscoveryReq()).ServiceList is None
    assert it.ask(iso2.ServiceDetailReq(ServiceID=2)).ResponseCode == "FAILED_ServiceIDInvalid"
    assert it.ask(selection(iso2, services=(1, 2))).ResponseCode == "FAILED_ServiceSelectionInvalid"


def test_where_only_contracts_pay_a_car_without_tls_is_refused_before_it_shows_one() -> None:
    it = Talk(iso2, dc_facts(payment_options=["Contract"]))
    it.ask(iso2.SessionSetupReq(EVCCID=bytes(6)))
    assert it.ask(iso2.ServiceDiscoveryReq()).ResponseCode == "FAILED"
    secure = Talk(iso2, dc_facts(payment_options=["Contract"]), security=TLS)
    secure.ask(iso2.SessionSetupReq(EVCCID=bytes(6)))
    assert secure.ask(iso2.ServiceDiscoveryReq()).PaymentOptionList.PaymentOption == ["Contract"]
    assert secure.ask(selection(iso2)).ResponseCode == "FAILED_PaymentSelectionInvalid"


def test_a_car_with_tls_may_choose_external_payment() -> None:
    it = talk("iso2", State.SERVICE_SELECTION, contract=True)
    assert it.ask(selection(iso2)).ResponseCode == "OK"
    assert it.machine.session.state is State.AUTHORIZATION
    assert it.ask(authorization(iso2)).EVSEProcessing == "Ongoing_WaitingForCustomerInteraction"
    assert it.charger.names()[-1] == "require_auth_eim"


# -- PaymentDetails


def test_the_contract_is_taken_with_a_challenge() -> None:
    it = talk("iso2", State.PAYMENT_DETAILS)
    response = it.ask(payment_details())
    assert (response.ResponseCode, response.GenChallenge) == ("OK", bytes(range(1, 17)))
    assert response.EVSETimeStamp == int((NOW + timedelta(seconds=it.now)).timestamp())
    assert not [effect for effect in it.charger.log if isinstance(effect, out.VerifyContract)]
    assert "require_auth_pnc" not in it.charger.names()


@pytest.mark.parametrize(
    ("emaid", "ders"),
    [
        ("DEKL2C00012345V", None),
        ("DEXYZC9A1B2C3DB", None),
        ("DEKL2C00012345U", (b"\x30\x00",)),
        ("DEKL2C00012345U", (chain().leaf.der, b"\x30\x00")),
        ("DEKL2C00012345U", (chain().subs[0].der,)),
        ("DEKL2C00012345U", (issue("", None).der,)),
    ],
)
def test_a_chain_that_is_not_the_contract_is_refused(emaid: str, ders: Any) -> None:
    it = talk("iso2", State.PAYMENT_DETAILS)
    response = it.ask(payment_details(emaid, ders))
    assert response.ResponseCode == "FAILED_CertChainError"
    assert response.GenChallenge == bytes(16)
    assert it.machine.session.state is State.PAYMENT_DETAILS, "the car may present another one"


def test_a_certificate_beyond_800_bytes_is_no_message_of_the_schema() -> None:
    long = issue(EMAID, None, padding=700)
    assert len(long.der) > 800
    it = talk("iso2", State.PAYMENT_DETAILS)
    frame = bytearray(it.frame(payment_details(chain=(bytes(800),))))
    assert it.answer_in(it.raw(bytes(frame))).ResponseCode == "FAILED_CertChainError"
    # A longer one than the codec writes: the length, 800 in two octets of an unsigned integer, is raised by one.
    stream = int.from_bytes(frame[8:], "big")
    bits = len(frame[8:]) * 8
    wanted = 0b1010_0000_0000_0110
    places = [at for at in range(bits - 16) if stream >> (bits - 16 - at) & 0xFFFF == wanted]
    assert places
    longer = stream ^ 1 << (bits - 16 - places[0]) + 8
    answer = it.answer_in(it.raw(bytes(frame[:8]) + longer.to_bytes(bits // 8, "big")))
    assert answer.ResponseCode == "FAILED", "the kind of the request is known, so that the car gets an answer"


OCSP = OCSPRequestData(
    certificate_hash_data=CertificateHashData(
        hash_algorithm=HashAlgorithm.SHA256, issuer_name_hash="aa", issuer_key_hash="bb", serial_number="1"
    ),
    responder_url="http://ocsp.example/leaf",
)


def verified(result: Result | None, ders: Any = None) -> ContractVerification:
    return ContractVerification(tuple(ders or chain().der), result, (OCSP,))


@pytest.mark.parametrize(
    ("result", "central", "code"),
    [
        (Result.Valid, False, "OK"),
        (Result.Valid, True, "OK"),
        (Result.Expired, False, "FAILED_CertificateExpired"),
        (Result.Expired, True, "FAILED_CertificateExpired"),
        (Result.IssuerNotFound, False, "FAILED_NoCertificateAvailable"),
        (Result.IssuerNotFound, True, "OK"),
        (Result.InvalidSignature, True, "FAILED_CertChainError"),
        (Result.InvalidLeafSignature, True, "FAILED_CertChainError"),
        (Result.InvalidChain, True, "FAILED_CertChainError"),
        (Result.Unknown, True, "FAILED_CertChainError"),
        (None, False, "FAILED"),
        (None, True, "OK"),
    ],
)
def test_the_certificate_store_decides(result: Result | None, central: bool, code: str) -> None:
    it = talk("iso2", State.PAYMENT_DETAILS, VERIFY, central_contract_validation=central)
    assert it.ask(payment_details()) is None
    assert it.charger.log[-1] == out.VerifyContract(chain().der)
    assert it.change(authorized=None) is None
    response = it.change(contract_verification=verified(result))
    assert response.ResponseCode == code
    assert (it.machine.session.state is State.AUTHORIZATION) is (code == "OK")


@pytest.mark.parametrize(("central", "code"), [(False, "FAILED"), (True, "OK")])
def test_a_certificate_store_that_does_not_answer_is_not_waited_for_longer_than_the_car_waits(
    central: bool, code: str
) -> None:
    it = talk("iso2", State.PAYMENT_DETAILS, VERIFY, central_contract_validation=central)
    assert it.ask(payment_details()) is None
    assert it.answer_in(it.wait(4.4)) is None
    assert it.answer_in(it.wait(0.2)).ResponseCode == code
    assert it.change(contract_verification=verified(Result.Valid)) is None


def test_the_answer_for_another_chain_is_none() -> None:
    it = talk("iso2", State.PAYMENT_DETAILS, VERIFY)
    it.ask(payment_details())
    assert it.change(contract_verification=verified(Result.Valid, [b"another"])) is None
    assert it.answer_in(it.wait(4.6)).ResponseCode == "FAILED"
    assert it.ask(payment_details()) is None, "a second attempt asks again"
    assert it.change(contract_verification=verified(Result.Valid)).ResponseCode == "OK"


def test_a_contract_that_is_presented_again_is_verified_again() -> None:
    it = talk("iso2", State.PAYMENT_DETAILS, VERIFY)
    it.ask(payment_details())
    assert it.change(contract_verification=verified(Result.IssuerNotFound)).ResponseCode.startswith("FAILED")
    assert it.ask(payment_details()) is None
    assert it.change(contract_verification=verified(Result.Valid)).ResponseCode == "OK"


def test_the_hash_data_of_another_chain_go_into_no_token() -> None:
    it = talk("iso2", State.PAYMENT_DETAILS, VERIFY, central_contract_validation=True)
    it.ask(payment_details())
    it.change(contract_verification=verified(Result.Valid, [b"another"]))
    assert it.answer_in(it.wait(4.6)).ResponseCode == "OK", "left to the back end"
    it.ask_signed(proof(it))
    ((_, token),) = it.charger.published("require_auth_pnc")
    assert token.iso15118CertificateHashData is None


def test_a_contract_with_a_wrong_check_digit_is_the_back_end_s_to_judge() -> None:
    """The digit of DEKL2C00012345 would be U: certificate and car agree, and that is all the station asks for."""
    odd = chain("DE-KL2-C00012345-V")
    it = talk("iso2", State.PAYMENT_DETAILS)
    assert it.ask(payment_details("dekl2c00012345v", odd.der)).ResponseCode == "OK"
    assert it.ask_signed(proof(it), odd.leaf.key).ResponseCode == "OK"
    assert it.charger.published("require_auth_pnc")[0][1].id_token.value == "DEKL2C00012345V"


@pytest.mark.parametrize(
    "times",
    [
        {"since": NOW + timedelta(days=1)},
        {"since": NOW - timedelta(days=20), "until": NOW - timedelta(days=1)},
    ],
    ids=["not yet", "no longer"],
)
@pytest.mark.parametrize("central", [True, False])
def test_a_contract_out_of_its_time_is_expired(times: dict[str, Any], central: bool) -> None:
    it = talk("iso2", State.PAYMENT_DETAILS, VERIFY, central_contract_validation=central)
    response = it.ask(payment_details(chain=chain(**times).der))
    assert response.ResponseCode == "FAILED_CertificateExpired"
    assert not [effect for effect in it.charger.log if isinstance(effect, out.VerifyContract)]


def test_sub_cas_in_any_order_go_to_the_store_as_they_came() -> None:
    leaf, *subs = chain().der
    it = talk("iso2", State.PAYMENT_DETAILS, VERIFY)
    it.ask(payment_details(chain=(leaf, *reversed(subs))))
    assert it.charger.log[-1] == out.VerifyContract((leaf, *reversed(subs)))


def test_a_chain_without_responders_is_left_to_the_back_end_without_hash_data() -> None:
    """Field case 32."""
    it = talk("iso2", State.PAYMENT_DETAILS, VERIFY, central_contract_validation=True)
    it.ask(payment_details())
    it.change(contract_verification=ContractVerification(chain().der, Result.IssuerNotFound))
    assert it.ask_signed(proof(it)).ResponseCode == "OK"
    ((_, token),) = it.charger.published("require_auth_pnc")
    assert token.iso15118CertificateHashData is None and token.certificate


# -- Authorization


def proof(it: Talk) -> Any:
    challenge = next(one.GenChallenge for one in reversed(it.charger.sent()) if hasattr(one, "GenChallenge"))
    return iso2.AuthorizationReq(GenChallenge=challenge)


@pytest.mark.parametrize(
    ("emaid", "value"),
    [("DEKL2C00012345U", "DEKL2C00012345U"), ("dekl2c00012345", "DEKL2C00012345")],
)
def test_the_proven_contract_is_put_up_for_authorization(emaid: str, value: str) -> None:
    it = talk("iso2", State.PAYMENT_DETAILS, VERIFY)
    it.ask(payment_details(emaid))
    it.change(contract_verification=verified(Result.Valid))
    assert it.ask_signed(proof(it)).EVSEProcessing == "Ongoing"
    ((_, token),) = it.charger.published("require_auth_pnc")
    assert (token.id_token.value, token.id_token.type) == (value, "eMAID")
    assert token.authorization_type == "PlugAndCharge"
    assert token.certificate == pem(chain().der)
    assert [one.responderURL for one in token.iso15118CertificateHashData] == ["http://ocsp.example/leaf"]
    for _ in range(3):
        response = it.ask(authorization(iso2))
        assert (response.ResponseCode, response.EVSEProcessing) == ("OK", "Ongoing")
    it.change(authorized=True)
    assert it.ask(authorization(iso2)).EVSEProcessing == "Finished"
    assert it.machine.session.state is State.CHARGE_PARAMETERS
    assert len(it.charger.published("require_auth_pnc")) == 1


def test_without_verification_the_token_has_no_hash_data() -> None:
    it = talk("iso2", State.AUTHORIZATION, contract=True)
    it.ask_signed(proof(it))
    ((_, token),) = it.charger.published("require_auth_pnc")
    assert token.iso15118CertificateHashData is None and token.certificate == pem(chain().der)


def test_the_contract_is_not_put_up_before_it_is_proven() -> None:
    """Field case 33: nobody may authorize, and no transaction begin, before the challenge has come back signed."""
    it = talk("iso2", State.AUTHORIZATION, contract=True)
    challenge = it.charger.sent()[-1].GenChallenge
    it.facts.session.authorized = True
    for request, code in (
        (authorization(iso2), "FAILED_ChallengeInvalid"),
        (iso2.AuthorizationReq(Id="id1", GenChallenge=bytes(16)), "FAILED_ChallengeInvalid"),
        (iso2.AuthorizationReq(Id="id1", GenChallenge=challenge), "FAILED_SignatureError"),
        (iso2.AuthorizationReq(GenChallenge=challenge), "FAILED_SignatureError"),
    ):
        assert it.ask(request).ResponseCode == code
    assert it.ask_signed(iso2.AuthorizationReq(GenChallenge=bytes(16))).ResponseCode == "FAILED_ChallengeInvalid"
    assert "require_auth_pnc" not in it.charger.names()
    assert it.ask_signed(iso2.AuthorizationReq(GenChallenge=challenge)).EVSEProcessing == "Ongoing"
    assert it.charger.names()[-1] == "require_auth_pnc"
    assert it.facts.session.authorized is None, "what was answered before the question counts for nothing"


def test_the_signature_of_another_key_is_refused() -> None:
    it = talk("iso2", State.AUTHORIZATION, contract=True)
    assert it.ask_signed(proof(it), key("stranger")).ResponseCode == "FAILED_SignatureError"
    assert it.ask_signed(proof(it), chain().subs[0].key).ResponseCode == "FAILED_SignatureError"
    assert "require_auth_pnc" not in it.charger.names()


def test_the_signature_of_another_request_is_refused() -> None:
    it = talk("iso2", State.AUTHORIZATION, contract=True)
    challenge = it.charger.sent()[-1].GenChallenge
    other = iso2.AuthorizationReq(Id="id1", GenChallenge=bytes(15) + b"\1")
    swapped = signatures.sign("iso2", chain().leaf.key, {"AuthorizationReq": other})
    request = iso2.AuthorizationReq(Id="id1", GenChallenge=challenge)
    assert it.ask(request, signature=swapped).ResponseCode == "FAILED_SignatureError"
    named = signatures.sign("iso2", chain().leaf.key, {"AuthorizationReq": request})
    named.SignedInfo.Reference[0].URI = "#id2"
    assert it.ask(request, signature=named).ResponseCode == "FAILED_SignatureError"


def test_a_replayed_proof_is_worth_nothing_in_another_session() -> None:
    it = talk("iso2", State.AUTHORIZATION, contract=True)
    request = proof(it)
    request.Id = "id1"
    signature = signatures.sign("iso2", chain().leaf.key, {"AuthorizationReq": request})
    assert it.ask(request, signature=signature).ResponseCode == "OK"
    again = talk("iso2", State.PAYMENT_DETAILS)
    again.machine.session.environment.random_bytes = lambda count: bytes(range(2, count + 2))
    again.ask(payment_details())
    assert again.ask(request, signature=signature).ResponseCode == "FAILED_ChallengeInvalid"


@given(place=st.integers(0, 63), change=st.integers(1, 255), which=st.sampled_from(["value", "digest"]))
@settings(max_examples=40, deadline=None)
def test_a_forged_signature_is_refused(place: int, change: int, which: str) -> None:
    it = talk("iso2", State.AUTHORIZATION, contract=True)
    request = proof(it)
    request.Id = "id1"
    signature = signatures.sign("iso2", chain().leaf.key, {"AuthorizationReq": request})
    if which == "value":
        value = bytearray(signature.SignatureValue.value)
        value[place] ^= change
        signature.SignatureValue.value = bytes(value)
    else:
        value = bytearray(signature.SignedInfo.Reference[0].DigestValue)
        value[place % 32] ^= change
        signature.SignedInfo.Reference[0].DigestValue = bytes(value)
    assert it.ask(request, signature=signature).ResponseCode == "FAILED_SignatureError"
    assert "require_auth_pnc" not in it.charger.names()


@given(st.binary(max_size=140))
@settings(max_examples=30, deadline=None)
def test_a_signature_of_any_octets_is_refused(octets: bytes) -> None:
    it = talk("iso2", State.AUTHORIZATION, contract=True)
    request = proof(it)
    request.Id = "id1"
    signature = signatures.sign("iso2", chain().leaf.key, {"AuthorizationReq": request})
    signature.SignatureValue.value = octets
    assert it.ask(request, signature=signature).ResponseCode == "FAILED_SignatureError"


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_proof_with_any_bit_changed_is_none(data: st.DataObject) -> None:
    it = talk("iso2", State.AUTHORIZATION, contract=True)
    request = proof(it)
    request.Id = "id1"
    frame = bytearray(
        it.frame(request, signature=signatures.sign("iso2", chain().leaf.key, {"AuthorizationReq": request}))
    )
    for place in data.draw(st.sets(st.integers(64, len(frame) * 8 - 1), min_size=1, max_size=3)):
        frame[place // 8] ^= 0x80 >> place % 8
    it.raw(bytes(frame))
    assert "require_auth_pnc" not in it.charger.names()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("Accepted", "FAILED"),
        ("SignatureError", "FAILED_SignatureError"),
        ("CertificateExpired", "FAILED_CertificateExpired"),
        ("CertificateRevoked", "FAILED_CertificateRevoked"),
        ("NoCertificateAvailable", "FAILED_NoCertificateAvailable"),
        ("CertChainError", "FAILED_CertChainError"),
        ("ContractCancelled", "FAILED_ContractCanceled"),
    ],
)
def test_a_contract_that_the_back_end_refuses(status: str, code: str) -> None:
    it = talk("iso2", State.AUTHORIZATION, contract=True)
    it.ask_signed(proof(it))
    it.change(certificate_status=status, authorized=False)
    assert it.ask(authorization(iso2)).ResponseCode == code
    assert it.machine.session.state is State.AUTHORIZATION


@pytest.mark.parametrize("limit_s", [55.0, 7.0, 0.0])
def test_the_authorization_of_a_contract_has_a_time_limit(limit_s: float) -> None:
    it = talk("iso2", State.AUTHORIZATION, Settings(auth_timeout_pnc_s=limit_s), contract=True)
    it.ask_signed(proof(it))
    began, last = it.now, None
    while it.now - began < 150.0:
        it.wait(1.0)
        last = it.ask(authorization(iso2))
        if last.ResponseCode != "OK":
            break
    assert last is not None
    if not limit_s:
        assert last.ResponseCode == "OK"
        return
    assert last.ResponseCode == "FAILED" and it.now - began == limit_s
    assert it.ask(authorization(iso2)).EVSEProcessing == "Ongoing", "the time begins anew"
    assert len(it.charger.published("require_auth_pnc")) == 2


def test_a_contract_session_charges_and_ends() -> None:
    for kind in ("iso2", "ac"):
        it = talk(kind, State.ENDED, contract=True)
        assert it.end()[-1] == "dlink_terminate"


def test_whoever_breaks_off_while_paying_has_failed_to_authorize() -> None:
    for state in (State.AUTHORIZATION, State.CONTRACT_INSTALLED):
        it = talk("iso2", state, contract=True)
        it.end()
        assert it.charger.published("hlc_session_failed") == [("hlc_session_failed", "AuthorizationFailed")]


@pytest.mark.parametrize("swapped", [chain("DE-KL2-C99999999-X")])
def test_a_second_presentation_replaces_the_first_one(swapped: Chain) -> None:
    """PaymentDetailsReq belongs before Authorization: the key of the contract that was presented is what counts."""
    it = talk("iso2", State.PAYMENT_DETAILS)
    assert it.ask(payment_details(chain=swapped.der)).ResponseCode == "FAILED_CertChainError"
    it.ask(payment_details())
    assert it.ask_signed(proof(it), swapped.leaf.key).ResponseCode == "FAILED_SignatureError"
    assert it.ask_signed(proof(it)).ResponseCode == "OK"
