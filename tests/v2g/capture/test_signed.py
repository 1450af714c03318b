"""Signatures of a recorded conversation are checked with the certificates in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from chargebyte_fw.cli.decode_view import Table
from chargebyte_fw.modules.v2g.capture.reading import Reader
from chargebyte_fw.modules.v2g.capture.traffic import Origin, V2gFrame
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import (
    iso2,
    iso20_common,
    iso20_contracts,
    iso20_schedules,
    iso20_types,
    xmldsig,
)
from chargebyte_fw.modules.v2g.messages.model import Type
from chargebyte_fw.modules.v2g.signatures import Elements, sign
from tests.v2g.exi.samples import sample


def party(name: str, curve: str = "P-256") -> tuple[Any, bytes]:
    """Return a key and its certificate, which is trusted nowhere: only the signature counts here."""
    return made(name, curve)


@cache
def made(name: str, curve: str) -> tuple[Any, bytes]:
    key = ec.generate_private_key(ec.SECP521R1() if curve == "P-521" else ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(Encoding.DER)


class Conversation:
    """Signs and sends messages to a reader."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reader = Reader(name)
        self.last: V2gFrame | None = None

    def send(self, body: Any, signer: str = "", elements: Elements = (), curve: str = "P-256") -> str:
        signature = sign(self.name, party(signer, curve)[0], elements) if signer else None
        if self.name == "iso2":
            header: Any = iso2.MessageHeaderType(SessionID=bytes(8), Signature=signature)
            message: Any = iso2.V2G_Message(Header=header, Body=body)
        else:
            message = body
            message.Header = iso20_types.MessageHeaderType(SessionID=bytes(8), TimeStamp=1, Signature=signature)
        self.last = V2gFrame(Origin("here", conversation="a"), 0x8001, codec(self.name).encode(message))
        return self.reader.read(self.last).signature


def chain(name: str, *issuers: str) -> iso2.CertificateChainType:
    subs = iso2.SubCertificatesType(Certificate=[party(one)[1] for one in issuers]) if issuers else None
    return iso2.CertificateChainType(Certificate=party(name)[1], SubCertificates=subs)


def details(*names: str) -> iso2.PaymentDetailsReq:
    return iso2.PaymentDetailsReq(eMAID="DEKL2C00012345U", ContractSignatureCertChain=chain(*names))


def test_an_authorization_is_checked_with_the_contract_that_came_before() -> None:
    stream = Conversation("iso2")
    request = iso2.AuthorizationReq(Id="id1", GenChallenge=bytes(16))
    assert stream.send(request, "contract", {"AuthorizationReq": request}) == (
        "not checked: the certificate of its signer is not in the stream"
    )
    assert stream.send(details("contract")) == ""
    assert stream.send(request, "contract", {"AuthorizationReq": request}) == "valid, signed by contract"
    assert stream.send(request, "somebody", {"AuthorizationReq": request}) == (
        "wrong: the signature was not made with the key of the certificate"
    )
    other = iso2.AuthorizationReq(Id="id1", GenChallenge=bytes([1] * 16))
    assert stream.send(request, "contract", {"AuthorizationReq": other}) == (
        "wrong: the digest of AuthorizationReq is another one"
    )


def test_a_receipt_of_the_meter_is_the_contract_s() -> None:
    stream = Conversation("iso2")
    stream.send(details("contract"))
    receipt = iso2.MeteringReceiptReq(Id="id1", SessionID=bytes(8), MeterInfo=iso2.MeterInfoType(MeterID="M1"))
    assert stream.send(receipt, "contract", {"MeteringReceiptReq": receipt}) == "valid, signed by contract"


def test_an_installation_carries_the_certificates_of_both_signatures() -> None:
    stream = Conversation("iso2")
    issuer = xmldsig.X509IssuerSerialType(X509IssuerName="CN=root", X509SerialNumber=1)
    request = iso2.CertificateInstallationReq(
        Id="id1",
        OEMProvisioningCert=party("car")[1],
        ListOfRootCertificateIDs=iso2.ListOfRootCertificateIDsType(RootCertificateID=[issuer]),
    )
    assert stream.send(request, "car", {"CertificateInstallationReq": request}) == "valid, signed by car"
    installed = chain("contract")
    installed.Id = "id1"
    elements: dict[str, Type] = {
        "ContractSignatureCertChain": installed,
        "ContractSignatureEncryptedPrivateKey": iso2.ContractSignatureEncryptedPrivateKeyType(
            Id="id2", value=bytes(48)
        ),
        "DHpublickey": iso2.DiffieHellmanPublickeyType(Id="id3", value=bytes(65)),
        "eMAID": iso2.EMAIDType(Id="id4", value="DEKL2C00012345U"),
    }
    fields: dict[str, Any] = {
        "ResponseCode": iso2.responseCodeType.OK,
        "SAProvisioningCertificateChain": chain("provisioning"),
        **elements,
    }
    assert stream.send(iso2.CertificateInstallationRes(**fields), "provisioning", elements) == (
        "valid, signed by provisioning"
    )
    assert stream.send(iso2.CertificateUpdateRes(**fields), "contract", elements).startswith("wrong: ")
    update = iso2.CertificateUpdateReq(
        Id="id1",
        ContractSignatureCertChain=chain("contract"),
        eMAID="DEKL2C00012345U",
        ListOfRootCertificateIDs=request.ListOfRootCertificateIDs,
    )
    assert stream.send(update, "contract", {"CertificateUpdateReq": update}) == "valid, signed by contract"


def test_the_tariffs_of_several_schedules_are_the_mobility_operator_s() -> None:
    stream = Conversation("iso2")
    stream.send(details("contract", "operator 2", "operator 1"))
    power = iso2.PhysicalValueType(Multiplier=3, Unit=iso2.unitSymbolType.W, Value=11)
    interval = iso2.RelativeTimeIntervalType(start=0)
    entries = [iso2.PMaxScheduleEntryType(TimeInterval=interval, PMax=power)]
    tuples = [
        iso2.SAScheduleTupleType(
            SAScheduleTupleID=number,
            PMaxSchedule=iso2.PMaxScheduleType(PMaxScheduleEntry=entries),
            SalesTariff=iso2.SalesTariffType(
                Id=f"st{number}",
                SalesTariffID=number,
                SalesTariffEntry=[iso2.SalesTariffEntryType(TimeInterval=interval)],
            ),
        )
        for number in (1, 2, 3)
    ]
    status = iso2.AC_EVSEStatusType(NotificationMaxDelay=0, EVSENotification=iso2.EVSENotificationType.None_, RCD=False)
    volts = iso2.PhysicalValueType(Multiplier=0, Unit=iso2.unitSymbolType.V, Value=230)
    response = iso2.ChargeParameterDiscoveryRes(
        ResponseCode=iso2.responseCodeType.OK,
        EVSEProcessing=iso2.EVSEProcessingType.Finished,
        SASchedules=iso2.SAScheduleListType(SAScheduleTuple=tuples),
        EVSEChargeParameter=iso2.AC_EVSEChargeParameterType(
            AC_EVSEStatus=status, EVSENominalVoltage=volts, EVSEMaxCurrent=volts
        ),
    )
    tariffs: list[tuple[str, Type]] = [("SalesTariff", one.SalesTariff) for one in tuples if one.SalesTariff]
    assert stream.send(response, "operator 2", tariffs) == "valid, signed by operator 2"
    assert stream.send(response, "contract", tariffs).startswith("wrong: ")
    assert "is not signed" in stream.send(response, "operator 2", tariffs[:2])


def contract_20(*names: str) -> iso20_contracts.ContractCertificateChainType:
    leaf, *rest = (party(name, "P-521")[1] for name in names)
    subs = iso20_contracts.SubCertificatesType(Certificate=rest)
    return iso20_contracts.ContractCertificateChainType(Certificate=leaf, SubCertificates=subs)


HEADER = iso20_types.MessageHeaderType(SessionID=bytes(8), TimeStamp=1)


def authorization() -> tuple[iso20_common.AuthorizationReq, dict[str, Type]]:
    mode = iso20_contracts.PnC_AReqAuthorizationModeType(
        Id="id1", GenChallenge=bytes(16), ContractCertificateChain=contract_20("contract", "operator 2")
    )
    request = iso20_common.AuthorizationReq(
        Header=HEADER,
        SelectedAuthorizationService=iso20_common.authorizationType.PnC,
        PnC_AReqAuthorizationMode=mode,
    )
    return request, {"PnC_AReqAuthorizationMode": mode}


def test_the_contract_of_iso_15118_20_comes_with_its_signature_and_signs_the_meter() -> None:
    stream = Conversation("iso20_common")
    request, elements = authorization()
    assert stream.send(request, "contract", elements, "P-521") == "valid, signed by contract"
    data = iso20_common.SignedMeteringDataType(
        Id="id1",
        SessionID=bytes(8),
        MeterInfo=iso20_types.MeterInfoType(MeterID="M1", ChargedEnergyReadingWh=5),
        Dynamic_SMDTControlMode=iso20_common.Dynamic_SMDTControlModeType(),
    )
    confirmation = iso20_common.MeteringConfirmationReq(Header=HEADER, SignedMeteringData=data)
    signed: dict[str, Type] = {"SignedMeteringData": data}
    assert stream.send(confirmation, "contract", signed, "P-521") == "valid, signed by contract"


def test_an_installation_of_iso_15118_20() -> None:
    stream = Conversation("iso20_common")
    issuer = xmldsig.X509IssuerSerialType(X509IssuerName="CN=root", X509SerialNumber=1)
    provisioning = iso20_contracts.SignedCertificateChainType(Id="oem", Certificate=party("car", "P-521")[1])
    request = iso20_common.CertificateInstallationReq(
        Header=HEADER,
        OEMProvisioningCertificateChain=provisioning,
        ListOfRootCertificateIDs=iso20_types.ListOfRootCertificateIDsType(RootCertificateID=[issuer]),
        MaximumContractCertificateChains=1,
    )
    found = stream.send(request, "car", {"OEMProvisioningCertificateChain": provisioning}, "P-521")
    assert found == "valid, signed by car"
    data = iso20_contracts.SignedInstallationDataType(
        Id="id1",
        ContractCertificateChain=contract_20("contract", "operator 2"),
        ECDHCurve=iso20_contracts.ecdhCurveType.SECP521,
        DHPublicKey=bytes(133),
        SECP521_EncryptedPrivateKey=bytes(94),
    )
    response = iso20_common.CertificateInstallationRes(
        Header=HEADER,
        ResponseCode=iso20_types.responseCodeType.OK,
        EVSEProcessing=iso20_types.processingType.Finished,
        CPSCertificateChain=iso20_contracts.CertificateChainType(Certificate=party("provisioning", "P-521")[1]),
        SignedInstallationData=data,
        RemainingContractCertificateChains=0,
    )
    signed: dict[str, Type] = {"SignedInstallationData": data}
    assert stream.send(response, "provisioning", signed, "P-521") == "valid, signed by provisioning"


def test_a_price_schedule_of_iso_15118_20() -> None:
    stream = Conversation("iso20_common")
    stream.send(*authorization()[:1])
    zero = iso20_types.RationalNumberType(Exponent=0, Value=0)
    rule = iso20_schedules.PriceRuleType(EnergyFee=zero, PowerRangeStart=zero)
    price = iso20_schedules.AbsolutePriceScheduleType(
        Id="p1",
        TimeAnchor=1,
        PriceScheduleID=1,
        Currency="EUR",
        Language="eng",
        PriceAlgorithm="urn:iso:std:iso:15118:-20:PriceAlgorithm:1-Power",
        PriceRuleStacks=iso20_schedules.PriceRuleStackListType(
            PriceRuleStack=[iso20_schedules.PriceRuleStackType(Duration=60, PriceRule=[rule])]
        ),
    )
    response = iso20_common.ScheduleExchangeRes(
        Header=HEADER,
        ResponseCode=iso20_types.responseCodeType.OK,
        EVSEProcessing=iso20_types.processingType.Finished,
        Dynamic_SEResControlMode=iso20_schedules.Dynamic_SEResControlModeType(AbsolutePriceSchedule=price),
    )
    signed: dict[str, Type] = {"AbsolutePriceSchedule": price}
    assert stream.send(response, "operator 2", signed, "P-521") == "valid, signed by operator 2"


def test_price_levels_of_iso_15118_20_beside_a_schedule_without_prices() -> None:
    stream = Conversation("iso20_common")
    stream.send(*authorization()[:1])

    def levels(identity: str | None) -> iso20_schedules.PriceLevelScheduleType:
        entry = iso20_schedules.PriceLevelScheduleEntryType(Duration=60, PriceLevel=0)
        entries = iso20_schedules.PriceLevelScheduleEntryListType(PriceLevelScheduleEntry=[entry])
        return iso20_schedules.PriceLevelScheduleType(
            Id=identity, TimeAnchor=1, PriceScheduleID=1, NumberOfPriceLevels=1, PriceLevelScheduleEntries=entries
        )

    def schedule(identity: str | None) -> iso20_schedules.ChargingScheduleType:
        power = iso20_schedules.PowerScheduleEntryType(
            Duration=60, Power=iso20_types.RationalNumberType(Exponent=0, Value=1)
        )
        entries = iso20_schedules.PowerScheduleEntryListType(PowerScheduleEntry=[power])
        return iso20_schedules.ChargingScheduleType(
            PowerSchedule=iso20_schedules.PowerScheduleType(TimeAnchor=1, PowerScheduleEntries=entries),
            PriceLevelSchedule=levels(identity),
        )

    one = iso20_schedules.ScheduleTupleType(
        ScheduleTupleID=1, ChargingSchedule=schedule("p1"), DischargingSchedule=schedule(None)
    )
    response = iso20_common.ScheduleExchangeRes(
        Header=HEADER,
        ResponseCode=iso20_types.responseCodeType.OK,
        EVSEProcessing=iso20_types.processingType.Finished,
        Scheduled_SEResControlMode=iso20_schedules.Scheduled_SEResControlModeType(ScheduleTuple=[one]),
    )
    price = one.ChargingSchedule.PriceLevelSchedule
    assert price is not None
    signed: dict[str, Type] = {"PriceLevelSchedule": price}
    assert stream.send(response, "operator 2", signed, "P-521") == "valid, signed by operator 2"


def test_a_signature_over_something_unknown_is_not_checked() -> None:
    stream = Conversation("iso2")
    request = iso2.AuthorizationReq(Id="id1")
    found = stream.send(
        iso2.SessionStopReq(ChargingSession=iso2.chargingSessionType.Pause), "contract", {"AuthorizationReq": request}
    )
    assert found == "not checked: nothing of this message is known to be signed"


@pytest.mark.parametrize("der", [b"", b"\x30\x03\x02\x01\x04", bytes(800)])
def test_a_certificate_that_is_none(der: bytes) -> None:
    stream = Conversation("iso2")
    broken = details("contract")
    broken.ContractSignatureCertChain.Certificate = der
    stream.send(broken)
    request = iso2.AuthorizationReq(Id="id1")
    found = stream.send(request, "contract", {"AuthorizationReq": request})
    assert found.startswith("not checked: the certificate of its signer cannot be read: ")


@pytest.mark.parametrize("name", ["iso2", "iso20_common"])
def test_any_message_with_any_signature_is_judged(name: str) -> None:
    """Random messages, each with a signature of random content: nothing raises."""
    stream = Conversation(name)
    random = Random(1)
    roots = iso2.BODY_ELEMENTS if name == "iso2" else iso20_common.MESSAGES
    signature = sign("iso2", party("contract")[0], {"AuthorizationReq": iso2.AuthorizationReq(Id="id1")})
    for cls in roots:
        for _ in range(3):
            body = sample(cls, random)
            message: Any = body
            if name == "iso2":
                header = iso2.MessageHeaderType(SessionID=bytes(8), Signature=signature)
                message = iso2.V2G_Message(Header=header, Body=body)
            else:
                body.Header = iso20_types.MessageHeaderType(SessionID=bytes(8), TimeStamp=1, Signature=signature)
            payload = codec(name).encode(message)
            reading = stream.reader.read(V2gFrame(Origin("here", conversation="a"), 0x8001, payload))
            assert reading.signature.startswith(("not checked", "wrong")), reading


def test_the_table_has_the_verdict_in_words_and_not_the_octets() -> None:
    stream = Conversation("iso2")
    stream.send(details("contract"))
    request = iso2.AuthorizationReq(Id="id1", GenChallenge=bytes(16))
    stream.send(request, "contract", {"AuthorizationReq": request})
    assert stream.last is not None
    view = Table(stream.reader)
    _, line = view.lines(stream.last)
    assert "signature valid, signed by contract, Id id1, GenChallenge 0000" in line and "SignedInfo" not in line
    full = Table(stream.reader, full=True).lines(stream.last)
    assert any("signature valid, signed by contract" in line for line in full)
    assert any("DigestValue" in line for line in full)
