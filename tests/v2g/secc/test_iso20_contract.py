"""Plug and Charge in ISO 15118-20: challenge, signature, chain, the back end's word; contracts that are installed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.contracts.types.evse_security import CertificateValidationResult as Result
from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.iso15118_charger import Iso15118ExtensionsImpl
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.messages import iso20_contracts, xmldsig
from chargebyte_fw.modules.v2g.messages.iso20_types import ListOfRootCertificateIDsType
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.contracts import ContractVerification
from chargebyte_fw.modules.v2g.secc.facts import CertificateResponse, ChargerFacts
from chargebyte_fw.modules.v2g.secc.iso20.refusals import refusal
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from chargebyte_fw.modules.v2g.security import Security
from tests.v2g.contract_chains import NOW, Chain, chain
from tests.v2g.talk20 import (
    DC_PATH,
    Course,
    Talk20,
    authorization,
    contract_authorization,
    dc20_facts,
    dc_loop,
    header,
    of,
    session_setup,
    talk20,
)

TLS = Security("1.3", "TLS_AES_256_GCM_SHA384", (b"vehicle",))
BOTH = ["ExternalPayment", "Contract"]


def contract_talk(**changes: Any) -> tuple[Talk20, bytes]:
    """A session that waits for the authorization, and its challenge."""
    changes.setdefault("payment_options", BOTH)
    it = talk20(S.AUTHORIZATION_SETUP, dc20_facts(**changes), security=TLS)
    response = it.ask(of(m.AuthorizationSetupReq))
    return it, response.PnC_ASResAuthorizationMode.GenChallenge


def by_contract(challenge: bytes, contract: Chain | None = None, key: Any = None, *, signed: bool = True) -> Any:
    contract = contract or chain()
    subs = iso20_contracts.SubCertificatesType(Certificate=[one.der for one in contract.subs])
    mode = iso20_contracts.PnC_AReqAuthorizationModeType(
        Id="id1",
        GenChallenge=challenge,
        ContractCertificateChain=iso20_contracts.ContractCertificateChainType(
            Certificate=contract.leaf.der, SubCertificates=subs
        ),
    )
    request = of(
        m.AuthorizationReq, SelectedAuthorizationService=m.authorizationType.PnC, PnC_AReqAuthorizationMode=mode
    )
    if signed:
        element = {"PnC_AReqAuthorizationMode": mode}
        request.Header.Signature = signatures.sign("iso20_common", key or contract.leaf.key, element)
    return request


def verified(it: Talk20, result: Result | None = Result.Valid, contract: Chain | None = None) -> None:
    """The certificate store has answered."""
    it.change(contract_verification=ContractVerification((contract or chain()).der, result))


def test_a_contract_that_its_issuer_has_revoked_lets_the_car_try_another_way() -> None:
    it, challenge = contract_talk()
    assert codes(it.ask(by_contract(challenge))) == ("OK", "Ongoing")
    it.change(contract_verification=ContractVerification(chain().der, Result.Valid, revoked="it was revoked"))
    assert codes(it.ask(by_contract(challenge))) == ("WARNING_CertificateRevoked", "Finished")
    assert "require_auth_pnc" not in it.charger.names() and not it.closing


def codes(response: Any) -> tuple[str, str]:
    return str(response.ResponseCode), str(response.EVSEProcessing)


def test_a_contract_pays() -> None:
    it, challenge = contract_talk()
    request = by_contract(challenge)
    assert codes(it.ask(request)) == ("OK", "Ongoing")
    assert [one.chain for one in it.charger.log if isinstance(one, out.VerifyContract)] == [chain().der]
    assert "require_auth_pnc" not in it.charger.names()
    verified(it)
    assert codes(it.ask(request)) == ("OK", "Ongoing")
    token = it.value("require_auth_pnc")
    assert (token.id_token.value, token.authorization_type) == ("DEKL2C00012345U", "PlugAndCharge")
    assert it.value("selected_payment_option") == "Contract"
    request.Header.TimeStamp += 1  # a repeat differs in nothing else
    assert codes(it.ask(request)) == ("OK", "Ongoing")
    it.change(authorized=True)
    assert codes(it.ask(request)) == ("OK", "Finished")
    assert it.session.state is S.SERVICE_DISCOVERY
    assert it.charger.names().count("require_auth_pnc") == 1
    assert "require_auth_eim" not in it.charger.names()


def test_what_was_offered_stays_when_the_station_withdraws_contracts() -> None:
    """EvseManager sets external payment alone for an EV that is authorized, while the car is still Ongoing."""
    it, challenge = contract_talk()
    request = by_contract(challenge)
    it.ask(request)
    verified(it)
    assert codes(it.ask(request)) == ("OK", "Ongoing")
    it.change(payment_options=["ExternalPayment"], authorized=True)
    assert codes(it.ask(request)) == ("OK", "Finished")


def test_a_request_without_a_readable_contract() -> None:
    it, challenge = contract_talk()
    request = contract_authorization()
    request.PnC_AReqAuthorizationMode.GenChallenge = challenge
    assert codes(it.ask(request)) == ("WARNING_CertificateValidationError", "Finished")
    external = authorization()
    external.SelectedAuthorizationService = m.authorizationType.PnC
    assert codes(it.ask(external)) == ("WARNING_GeneralPnCAuthorizationError", "Finished")
    assert not it.closing


def test_services_and_challenge_are_offered_with_tls() -> None:
    it = talk20(S.AUTHORIZATION_SETUP, dc20_facts(payment_options=BOTH, certificate_service=True), security=TLS)
    response = it.ask(of(m.AuthorizationSetupReq))
    assert (list(response.AuthorizationServices), response.CertificateInstallationService) == (["EIM", "PnC"], True)
    assert len(response.PnC_ASResAuthorizationMode.GenChallenge) == 16


def test_sessions_have_challenges_of_their_own() -> None:
    drawn = iter(bytes([number]) * 16 for number in range(1, 9))
    challenges = set()
    for _ in range(2):
        it = Talk20(dc20_facts(payment_options=BOTH), security=TLS)
        it.charger.environment.random_bytes = lambda n: next(drawn)[:n]
        it.ask(session_setup())
        challenges.add(it.ask(of(m.AuthorizationSetupReq)).PnC_ASResAuthorizationMode.GenChallenge)
    assert len(challenges) == 2


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda challenge: by_contract(bytes(16)), "WARNING_ChallengeInvalid"),
        (lambda challenge: by_contract(challenge, key=chain().subs[0].key), "FAILED_SignatureError"),
        (lambda challenge: by_contract(challenge, signed=False), "FAILED_SignatureError"),
        (
            lambda challenge: by_contract(challenge, chain(until=NOW - timedelta(days=1))),
            "WARNING_CertificateExpired",
        ),
        (
            lambda challenge: by_contract(challenge, chain(since=NOW + timedelta(days=1))),
            "WARNING_CertificateNotYetValid",
        ),
    ],
)
def test_what_is_wrong_with_a_request(make: Any, code: str) -> None:
    it, challenge = contract_talk()
    assert codes(it.ask(make(challenge))) == (code, "Finished")
    assert "require_auth_pnc" not in it.charger.names()
    assert it.closing is code.startswith("FAILED")
    if not it.closing:
        assert codes(it.ask(authorization()))[0] == "OK", "external means may follow"
        assert "require_auth_eim" in it.charger.names()


@pytest.mark.parametrize(
    ("result", "central", "code"),
    [
        (Result.Expired, True, "WARNING_CertificateExpired"),
        (Result.IssuerNotFound, False, "WARNING_CertificateValidationError"),
        (Result.IssuerNotFound, True, "OK"),
        (Result.InvalidSignature, True, "WARNING_CertificateValidationError"),
        (None, False, "WARNING_CertificateValidationError"),
        (None, True, "OK"),
    ],
)
def test_the_word_of_the_certificate_store(result: Result | None, central: bool, code: str) -> None:
    it, challenge = contract_talk(central_contract_validation=central)
    request = by_contract(challenge)
    it.ask(request)
    verified(it, result)
    assert codes(it.ask(request))[0] == code
    assert ("require_auth_pnc" in it.charger.names()) is (code == "OK")
    assert not it.closing


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("CertificateRevoked", "WARNING_CertificateRevoked"),
        ("CertificateExpired", "WARNING_CertificateExpired"),
        ("NoCertificateAvailable", "WARNING_NoCertificateAvailable"),
        ("ContractCancelled", "WARNING_NoContractMatchingPCIDFound"),
        ("Accepted", "WARNING_GeneralPnCAuthorizationError"),
    ],
)
def test_a_contract_that_the_back_end_refuses(status: str, code: str) -> None:
    it, challenge = contract_talk()
    request = by_contract(challenge)
    it.ask(request)
    verified(it)
    it.ask(request)
    it.change(certificate_status=status, authorized=False)
    assert codes(it.ask(request)) == (code, "Finished")
    assert not it.closing


@pytest.mark.parametrize(("days", "code"), [(13, "OK_CertificateExpiresSoon"), (15, "OK")])
def test_a_contract_that_ends_soon(days: int, code: str) -> None:
    contract = chain(until=NOW + timedelta(days=days, hours=1))
    it, challenge = contract_talk()
    request = by_contract(challenge, contract)
    it.ask(request)
    verified(it, contract=contract)
    it.ask(request)
    it.change(authorized=True)
    assert codes(it.ask(request)) == (code, "Finished")


def test_another_contract_does_not_inherit_the_verdict_of_the_pending_one() -> None:
    it, challenge = contract_talk()
    first, second = by_contract(challenge), by_contract(challenge, chain("DE-KL2-C00099999-X"))
    it.ask(first)
    verified(it)
    it.ask(first)
    it.change(authorized=True)
    assert codes(it.ask(second)) == ("OK", "Ongoing")
    assert it.charger.names().count("require_auth_pnc") == 1
    verified(it, contract=chain("DE-KL2-C00099999-X"))
    it.ask(second)
    assert it.value("require_auth_pnc").id_token.value == "DEKL2C00099999X"


def test_an_authorization_that_never_comes_is_failed_after_55_s() -> None:
    it, challenge = contract_talk()
    request = by_contract(challenge)
    it.ask(request)
    verified(it)
    it.now += 54.0
    assert codes(it.ask(request))[0] == "OK"
    it.now += 1.0
    assert codes(it.ask(request)) == ("FAILED", "Finished")
    assert it.closing


# -- metering confirmation


def confirming(*, reject: bool = False) -> Talk20:
    """A session that a contract pays, in its charge loop, whose readings are confirmed."""
    changes = {"receipt_required": True, "meter_id": "M1", "meter_Wh": 100.0, "meter_is_new": True}
    it, challenge = contract_talk(**changes, meter_signature=b"signed")
    it.session.settings.reject_invalid_receipts = reject
    request = by_contract(challenge)
    it.ask(request)
    verified(it)
    it.ask(request)
    it.change(authorized=True)
    it.ask(request)
    for reached, make in DC_PATH[3:11]:
        it.ask(make(Course()))
        if reached is S.PRECHARGE:
            it.change(cable_check=True)
            it.ask(make(Course()))
    assert it.session.state is S.CHARGING
    return it


def confirmed(it: Talk20, meter: Any, key: Any = None, **changes: Any) -> Any:
    values = {"SessionID": it.session_id, "MeterInfo": meter, **changes}
    data = m.SignedMeteringDataType(Id="id1", Dynamic_SMDTControlMode=m.Dynamic_SMDTControlModeType(), **values)
    request = of(m.MeteringConfirmationReq, SignedMeteringData=data)
    element = {"SignedMeteringData": data}
    request.Header.Signature = signatures.sign("iso20_common", key or chain().leaf.key, element)
    return request


def test_a_reading_is_confirmed_by_the_contract() -> None:
    it = confirming(reject=True)
    response = it.ask(dc_loop())
    assert response.EVSEStatus.EVSENotification == "MeteringConfirmation"
    assert (response.MeterInfo.ChargedEnergyReadingWh, response.MeterInfo.MeterSignature) == (100, b"signed")
    answer = it.ask(confirmed(it, response.MeterInfo), stream="metering")
    assert (answer.ResponseCode, it.types[-1]) == ("OK", 0x8102)
    it.change(meter_Wh=200.0, meter_is_new=True)
    response = it.ask(dc_loop())
    assert (response.EVSEStatus, response.MeterInfo) == (None, None), "not for every reading"
    it.now += 60.0
    response = it.ask(dc_loop())
    assert response.EVSEStatus.EVSENotification == "MeteringConfirmation"
    assert response.MeterInfo.ChargedEnergyReadingWh == 200


def other_reading(it: Talk20, meter: Any) -> Any:
    return confirmed(it, replace(meter, ChargedEnergyReadingWh=99))


def other_session(it: Talk20, meter: Any) -> Any:
    return confirmed(it, meter, SessionID=b"another!")


def other_key(it: Talk20, meter: Any) -> Any:
    return confirmed(it, meter, chain().subs[0].key)


@pytest.mark.parametrize("make", [other_reading, other_session, other_key])
@pytest.mark.parametrize("reject", [True, False])
def test_a_confirmation_that_is_not_valid(make: Any, reject: bool) -> None:
    it = confirming(reject=reject)
    meter = it.ask(dc_loop()).MeterInfo
    code = "FAILED_MeteringSignatureNotValid" if reject else "OK"
    assert it.ask(make(it, meter)).ResponseCode == code
    assert it.closing is reject


# -- certificate installation


def installation() -> Any:
    chain_of_oem = iso20_contracts.SignedCertificateChainType(Id="oem", Certificate=b"\x30\x03\x02\x01\x04")
    issuer = xmldsig.X509IssuerSerialType(X509IssuerName="CN=root", X509SerialNumber=1)
    return of(
        m.CertificateInstallationReq,
        OEMProvisioningCertificateChain=chain_of_oem,
        ListOfRootCertificateIDs=ListOfRootCertificateIDsType(RootCertificateID=[issuer]),
        MaximumContractCertificateChains=1,
    )


def installing(**changes: Any) -> Talk20:
    return contract_talk(certificate_service=True, **changes)[0]


def response(it: Talk20) -> bytes:
    one = header()
    one.SessionID = it.session_id
    return codec("iso20_common").encode(refusal("CertificateInstallationReq", one, "OK", derived=False))  # type: ignore[arg-type]


def test_a_certificate_goes_through_the_back_end_unchanged() -> None:
    it = installing()
    frame = it.frame(installation())
    assert it.answer_in(it.raw(frame)) is None
    asked = it.value("iso15118_certificate_request")
    assert asked.iso15118_schema_version == "urn:iso:std:iso:15118:-20:CommonMessages"
    assert asked.certificate_action == "Install"
    exi = response(it)
    it.facts.session.certificate_response = CertificateResponse(exi)
    (sent,) = (one for one in it.charger.feed(out.FactsChanged(), it.now) if isinstance(one, out.Send))
    assert sent.data[8:] == exi and sent.data[2:4] == b"\x80\x02"
    assert it.session.state is S.AUTHORIZATION
    assert it.ask(authorization()).ResponseCode == "OK"


def test_a_request_in_a_frame_of_iso_15118_2_is_taken() -> None:
    it = installing()
    assert it.ask(installation(), kind=0x8001) is None
    assert "iso15118_certificate_request" in it.charger.names()


def test_a_back_end_that_is_late_is_answered_for_and_its_certificate_dropped() -> None:
    it = installing()
    it.ask(installation())
    late = response(it)
    failed = it.answer_in(it.wait(4.6))
    assert failed.ResponseCode == "FAILED" and failed.SignedInstallationData.DHPublicKey == bytes(133)
    extensions = Iso15118ExtensionsImpl.__new__(Iso15118ExtensionsImpl)
    extensions.module = Owner(it.facts)  # type: ignore[assignment]
    status = iso15118.ResponseExiStreamStatus(
        status=iso15118.ResponseExiStreamStatusStatus.Accepted,
        certificate_action=iso15118.CertificateActionEnum.Install,
        exi_response=late.hex(),
    )
    asyncio.run(extensions.set_get_certificate_response(status))
    assert it.facts.session.certificate_response is None


class Owner:
    """Stands in for module and engine."""

    def __init__(self, facts: ChargerFacts) -> None:
        self.engine = self
        self.log = self
        self.facts = facts

    def warning(self, *_: object) -> None: ...

    def facts_changed(self) -> None: ...


def test_a_certificate_that_is_not_understood_is_passed_on() -> None:
    it = installing()
    it.ask(installation())
    exi = response(it)[:-40]
    it.facts.session.certificate_response = CertificateResponse(exi)
    effects = it.charger.feed(out.FactsChanged(), it.now)
    assert [one.data[8:] for one in effects if isinstance(one, out.Send)] == [exi]
    assert any("is passed on, but not understood" in getattr(one, "text", "") for one in effects)


@pytest.mark.parametrize("exi", [b"", b"\x80\x00", b"\xff" * 40])
def test_an_answer_that_is_no_certificate_is_failed(exi: bytes) -> None:
    it = installing()
    it.ask(installation())
    it.facts.session.certificate_response = CertificateResponse(exi)
    assert it.answer_in(it.charger.feed(out.FactsChanged(), it.now)).ResponseCode == "FAILED"


def test_certificates_are_not_installed_where_the_service_is_not_offered() -> None:
    it, _ = contract_talk()
    assert it.ask(installation()).ResponseCode == "FAILED"
    assert "iso15118_certificate_request" not in it.charger.names()
