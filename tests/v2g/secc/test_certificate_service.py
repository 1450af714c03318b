"""CertificateInstallation and CertificateUpdate of ISO 15118-2: to the back end and back, within the car's time."""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import Any

import pytest

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.iso15118_charger import Iso15118ExtensionsImpl
from chargebyte_fw.modules.v2g.messages import iso2, xmldsig
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.facts import CertificateResponse, ChargerFacts
from tests.v2g.contract_chains import chain
from tests.v2g.talk import Talk, certificate_response, installation, payment_details, selection, talk

INSTALL, UPDATE = "CertificateInstallationReq", "CertificateUpdateReq"
KINDS = {INSTALL: iso2.CertificateInstallationRes, UPDATE: iso2.CertificateUpdateRes}
ACTIONS = {INSTALL: "Install", UPDATE: "Update"}


def answered(it: Talk, exi: bytes) -> list[out.Send]:
    """The frames that go out when the back end answers."""
    it.facts.session.certificate_response = CertificateResponse(exi)
    return [effect for effect in it.charger.feed(out.FactsChanged(), it.now) if isinstance(effect, out.Send)]


@pytest.mark.parametrize("name", [INSTALL, UPDATE])
def test_request_and_response_pass_unchanged(name: str) -> None:
    it = talk("iso2", State.PAYMENT_DETAILS)
    frame = it.frame(installation(name))
    assert it.answer_in(it.raw(frame)) is None
    ((_, request),) = it.charger.published("iso15118_certificate_request")
    assert base64.b64decode(request.exi_request) == frame[8:]
    assert request.iso15118_schema_version == "urn:iso:15118:2:2013:MsgDef"
    assert request.certificate_action == ACTIONS[name]
    it.wait(4.4)
    exi = certificate_response(it.session_id, kind=KINDS[name])
    (sent,) = answered(it, exi)
    assert sent.data[8:] == exi and sent.message == name[:-3] + "Res"
    assert it.machine.session.state is State.CONTRACT_INSTALLED
    assert it.ask(payment_details()).ResponseCode == "OK"


def test_a_response_of_the_greatest_length_passes_byte_for_byte() -> None:
    """Field case 34: 4.1 kB, and the 5,600 characters of base64 that the contract carries."""
    for size in (4_100, 4_200):
        it = talk("iso2", State.PAYMENT_DETAILS)
        it.ask(installation())
        exi = certificate_response(it.session_id)
        longer = exi[:-1] + bytes(size - len(exi)) + exi[-1:]
        (sent,) = answered(it, longer)
        assert sent.data[8:] == longer
        assert len(base64.b64encode(longer)) <= 5_600
        assert any("not understood" in effect.text for effect in it.charger.log if isinstance(effect, out.Log))


@pytest.mark.parametrize("name", [INSTALL, UPDATE])
def test_a_late_back_end_costs_the_car_its_certificate_but_not_its_answer(name: str) -> None:
    it = talk("iso2", State.PAYMENT_DETAILS)
    assert it.ask(installation(name)) is None
    began = it.now
    assert it.answer_in(it.wait(4.4)) is None
    response = it.answer_in(it.wait(0.2))
    assert response.ResponseCode == "FAILED" and isinstance(response, KINDS[name])
    assert it.now - began == pytest.approx(4.6)
    assert len(response.eMAID.value) >= 14 and response.eMAID.Id, "whole as the schema wants it ([V2G2-736])"
    assert it.facts.session.certificate_request == ""
    assert answered(it, certificate_response(it.session_id, kind=KINDS[name])) == []
    assert it.machine.session.state is State.PAYMENT_DETAILS
    assert it.ask(payment_details()).ResponseCode == "OK"


def test_an_answer_for_an_earlier_car_is_dropped() -> None:
    it = talk("iso2", State.PAYMENT_DETAILS)
    first = it.session_id
    it.ask(installation())
    it.wait(5.0)
    it.end()
    other = Talk.__new__(Talk)
    other.__dict__.update(talk("iso2", State.PAYMENT_DETAILS).__dict__)
    other.machine.session.session_id = other.session_id = b"\7" * 8
    other.facts.unanswered_certificates.extend(it.facts.unanswered_certificates)
    assert first in other.facts.unanswered_certificates
    other.ask(installation())
    assert answered(other, certificate_response(first)) == []
    assert other.facts.session.certificate_response is None
    (sent,) = answered(other, certificate_response(other.session_id))
    assert sent.data[8:] == certificate_response(other.session_id)


def test_no_more_sessions_are_remembered_than_may_matter() -> None:
    it = talk("iso2", State.PAYMENT_DETAILS)
    it.facts.unanswered_certificates[:] = [bytes([number]) * 8 for number in range(40)]
    it.ask(installation())
    it.wait(5.0)
    assert len(it.facts.unanswered_certificates) == 16
    assert it.facts.unanswered_certificates[-1] == it.session_id


@pytest.mark.parametrize(
    "exi",
    [
        b"",
        b"\x80",
        b"no exi at all",
        codec("iso2").encode(
            iso2.V2G_Message(
                Header=iso2.MessageHeaderType(SessionID=bytes(8)),
                Body=iso2.SessionStopRes(ResponseCode=iso2.responseCodeType.OK),
            )
        ),
        certificate_response(bytes(8), kind=iso2.CertificateUpdateRes),
    ],
    ids=["none", "cut", "rubbish", "another response", "the other action's response"],
)
def test_what_is_no_response_to_the_request_is_not_passed_on(exi: bytes) -> None:
    it = talk("iso2", State.PAYMENT_DETAILS)
    it.ask(installation())
    (sent,) = answered(it, exi)
    response = it.answer_in([sent])
    assert response.ResponseCode == "FAILED" and isinstance(response, iso2.CertificateInstallationRes)
    assert it.machine.session.state is State.PAYMENT_DETAILS


def test_the_refusal_of_the_back_end_passes_and_installs_nothing() -> None:
    it = talk("iso2", State.PAYMENT_DETAILS)
    it.ask(installation())
    exi = certificate_response(it.session_id, "FAILED_NoCertificateAvailable")
    (sent,) = answered(it, exi)
    assert sent.data[8:] == exi
    assert it.machine.session.state is State.PAYMENT_DETAILS


@pytest.mark.parametrize("name", [INSTALL, UPDATE])
def test_without_the_service_there_is_no_certificate(name: str) -> None:
    it = talk("iso2", State.PAYMENT_DETAILS, certificate_service=False)
    response = it.ask(installation(name))
    assert response.ResponseCode == "FAILED" and isinstance(response, KINDS[name])
    assert "iso15118_certificate_request" not in it.charger.names()


def test_a_request_that_the_contract_cannot_carry_is_refused() -> None:
    it = talk("iso2", State.PAYMENT_DETAILS)
    request = installation(UPDATE)
    subs = iso2.SubCertificatesType(Certificate=[bytes(800)] * 4)
    request.ContractSignatureCertChain = iso2.CertificateChainType(Certificate=bytes(800), SubCertificates=subs)
    root = xmldsig.X509IssuerSerialType(X509IssuerName="CN=" + 60 * "x", X509SerialNumber=2**60)
    request.ListOfRootCertificateIDs.RootCertificateID = [root] * 20
    assert it.ask(request).ResponseCode == "FAILED"
    assert "iso15118_certificate_request" not in it.charger.names()


def test_external_payment_has_no_certificates() -> None:
    it = talk("iso2", State.SERVICE_SELECTION, contract=True)
    it.ask(selection(iso2))
    assert it.ask(installation()).ResponseCode == "FAILED_SequenceError"


def test_a_connection_that_ends_while_the_back_end_thinks_leaves_nothing() -> None:
    it = talk("iso2", State.PAYMENT_DETAILS)
    it.ask(installation())
    it.end()
    assert it.facts.session.certificate_request == "" and it.machine.deadline is None


# -- the command


class Owner:
    """A module with an engine, as far as the command looks."""

    def __init__(self) -> None:
        self.log = logging.getLogger("v2g")
        self.engine = self
        self.facts = ChargerFacts()
        self.changes = 0

    def facts_changed(self) -> None:
        self.changes += 1


def command(owner: Owner, **fields: Any) -> None:
    extensions = Iso15118ExtensionsImpl.__new__(Iso15118ExtensionsImpl)
    extensions.module = owner  # type: ignore[assignment]
    values = {"status": "Accepted", "certificate_action": "Install", "exi_response": "gJg="} | fields
    response = iso15118.ResponseExiStreamStatus(
        status=iso15118.ResponseExiStreamStatusStatus(values["status"]),
        certificate_action=iso15118.CertificateActionEnum(values["certificate_action"]),
        exi_response=values["exi_response"],
    )
    asyncio.run(extensions.set_get_certificate_response(response))


@pytest.mark.parametrize(
    ("fields", "exi"),
    [
        ({}, b"\x80\x98"),
        ({"status": "Failed"}, b""),
        ({"exi_response": None}, b""),
        ({"exi_response": "no base64!"}, b""),
        ({"exi_response": "gJg"}, b""),
    ],
)
def test_the_command_takes_the_answer(fields: dict[str, Any], exi: bytes) -> None:
    owner = Owner()
    owner.facts.session.certificate_request = "Install"
    command(owner, **fields)
    assert owner.facts.session.certificate_response == CertificateResponse(exi) and owner.changes == 1


@pytest.mark.parametrize("waiting", ["", "Update"])
def test_an_answer_that_no_car_waits_for_is_dropped(waiting: str, caplog: pytest.LogCaptureFixture) -> None:
    owner = Owner()
    owner.facts.session.certificate_request = waiting
    command(owner)
    assert owner.facts.session.certificate_response is None and not owner.changes
    assert "no car waits for it" in caplog.text


def test_the_chain_of_the_response_is_whole() -> None:
    """The builder above writes what a car can use, so that the tests above are about a real response."""
    message: Any = codec("iso2").decode(certificate_response(bytes(8)))
    assert message.Body.ContractSignatureCertChain.Certificate == chain().leaf.der
