"""Checks the signatures of a recorded conversation with the certificates that it carries itself.

Whether a certificate leads to a trusted root is not asked: there is no store here.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.messages.model import Type

NOT_IN_THE_STREAM = "not checked: the certificate of its signer is not in the stream"


@dataclass(frozen=True, slots=True)
class _Signed:
    """What a message signs, and the certificates (DER) of those who may have signed it."""

    elements: list[tuple[str, Type]]
    certificates: list[bytes]


class Signers:
    """Keeps the contract chain of each conversation, and judges its signatures."""

    def __init__(self) -> None:
        self._contracts: dict[Hashable, list[bytes]] = {}

    def judge(self, conversation: Hashable, name: str, message: Any) -> str:
        """Return what the signature of a message is worth: `valid`, `wrong` or `not checked`; nothing without one."""
        if not hasattr(message, "Header"):
            return ""
        body = getattr(message, "Body", message)
        chain = _contract(body)
        if chain:
            self._contracts[conversation] = chain
        signature = message.Header.Signature
        if signature is None:
            return ""
        find = _SIGNED.get(name, {}).get(type(body).__name__)
        found = find(body, self._contracts.get(conversation, [])) if find is not None else None
        if found is None or not found.elements:
            return "not checked: nothing of this message is known to be signed"
        return _verdict(name, signature, found)


def _verdict(name: str, signature: Any, found: _Signed) -> str:
    # Most captures have no signature.
    from cryptography import x509

    wrong = ""
    for der in found.certificates:
        try:
            certificate = x509.load_der_x509_certificate(der)
            key, subject = certificate.public_key(), certificate.subject
        except Exception as error:  # the library has no common base of what it raises for odd content
            wrong = wrong or f"not checked: the certificate of its signer cannot be read: {error}"
            continue
        reason = signatures.verify(name, signature, key, found.elements)
        names = [str(one.value) for rdn in subject.rdns for one in rdn if one.oid.dotted_string == "2.5.4.3"]
        signer = f"signed by {names[0] if names else 'a certificate without a name'}"
        if not reason:
            return f"valid, {signer}"
        wrong = wrong or f"wrong: {reason}"
    return wrong or NOT_IN_THE_STREAM


def _contract(body: Any) -> list[bytes]:
    """Return the contract chain that a message carries."""
    chain = getattr(body, "ContractSignatureCertChain", None)
    mode = getattr(body, "PnC_AReqAuthorizationMode", None)
    if mode is not None:
        return _of_chain(mode.ContractCertificateChain)
    return _of_chain(chain) if type(body).__name__ == "PaymentDetailsReq" and chain is not None else []


def _of_chain(chain: Any) -> list[bytes]:
    return [chain.Certificate, *(chain.SubCertificates.Certificate if chain.SubCertificates is not None else [])]


# -- what each message signs


def _itself(body: Any, contract: list[bytes]) -> _Signed:
    return _Signed([(type(body).__name__, body)], contract[:1])


def _provisioning(body: Any, contract: list[bytes]) -> _Signed:
    return _Signed([(type(body).__name__, body)], [body.OEMProvisioningCert])


def _update(body: Any, contract: list[bytes]) -> _Signed:
    return _Signed([(type(body).__name__, body)], [body.ContractSignatureCertChain.Certificate])


def _installation(body: Any, contract: list[bytes]) -> _Signed:
    names = ("ContractSignatureCertChain", "ContractSignatureEncryptedPrivateKey", "DHpublickey", "eMAID")
    return _Signed([(name, getattr(body, name)) for name in names], [body.SAProvisioningCertificateChain.Certificate])


def _sales_tariffs(body: Any, contract: list[bytes]) -> _Signed:
    tuples = body.SASchedules.SAScheduleTuple if body.SASchedules is not None else []
    tariffs = [one.SalesTariff for one in tuples if one.SalesTariff is not None]
    # By the mobility operator, with the key of the CA that issued the contract certificate.
    return _Signed([("SalesTariff", tariff) for tariff in tariffs], contract[1:])


def _authorization(body: Any, contract: list[bytes]) -> _Signed | None:
    mode = body.PnC_AReqAuthorizationMode
    return None if mode is None else _Signed([("PnC_AReqAuthorizationMode", mode)], contract[:1])


def _provisioning_chain(body: Any, contract: list[bytes]) -> _Signed:
    chain = body.OEMProvisioningCertificateChain
    return _Signed([("OEMProvisioningCertificateChain", chain)], [chain.Certificate])


def _installation_data(body: Any, contract: list[bytes]) -> _Signed:
    return _Signed([("SignedInstallationData", body.SignedInstallationData)], [body.CPSCertificateChain.Certificate])


def _metering_data(body: Any, contract: list[bytes]) -> _Signed:
    return _Signed([("SignedMeteringData", body.SignedMeteringData)], contract[:1])


def _price_schedules(body: Any, contract: list[bytes]) -> _Signed:
    scheduled, dynamic = body.Scheduled_SEResControlMode, body.Dynamic_SEResControlMode
    tuples = [] if scheduled is None else scheduled.ScheduleTuple
    holders = [one for each in tuples for one in (each.ChargingSchedule, each.DischargingSchedule)] + [dynamic]
    names = ("AbsolutePriceSchedule", "PriceLevelSchedule")
    prices = [(name, getattr(one, name)) for one in holders if one is not None for name in names]
    # A schedule without an Id cannot be referred to: prices of nothing are beside those that are signed.
    return _Signed([(name, one) for name, one in prices if one is not None and one.Id], contract[1:])


_SIGNED: dict[str, dict[str, Any]] = {
    "iso2": {
        "AuthorizationReq": _itself,
        "MeteringReceiptReq": _itself,
        "CertificateInstallationReq": _provisioning,
        "CertificateUpdateReq": _update,
        "CertificateInstallationRes": _installation,
        "CertificateUpdateRes": _installation,
        "ChargeParameterDiscoveryRes": _sales_tariffs,
    },
    "iso20_common": {
        "AuthorizationReq": _authorization,
        "CertificateInstallationReq": _provisioning_chain,
        "CertificateInstallationRes": _installation_data,
        "MeteringConfirmationReq": _metering_data,
        "ScheduleExchangeRes": _price_schedules,
    },
}
