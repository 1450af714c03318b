"""Plug and Charge in ISO 15118-2 (clause 8.4.3): payment, a contract where the car has none, receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chargebyte_fw.modules.v2g.evcc import plug_and_charge
from chargebyte_fw.modules.v2g.evcc.credentials import Credentials, Identity
from chargebyte_fw.modules.v2g.evcc.effects import NewContract, Step
from chargebyte_fw.modules.v2g.evcc.protocol import Failed
from chargebyte_fw.modules.v2g.messages import iso2

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.evcc.iso2.session import Iso2CarSession

CERTIFICATE_SERVICE = 2
INSTALLATION, UPDATE = 1, 2
"""Service id and parameter sets of the certificate service (table 105)."""
_LONGEST_EMAID = 15
_CONTRACT, _EXTERNAL = iso2.paymentOptionType.Contract, iso2.paymentOptionType.ExternalPayment


class Payment:
    """The stages from the choice of the payment to the signed authorization, and the receipts in the charge loop."""

    def __init__(self, session: Iso2CarSession) -> None:
        self.session = session
        self.settings = session.settings
        self.keys: Credentials = session.settings.keys.iso2
        self.option = _EXTERNAL
        self.certificate_set: int | None = None
        """Parameter set of the certificate service that the car uses; None: it does not."""
        self.challenge = b""
        self._sent = False
        """The signed AuthorizationReq is sent: what follows while the charger works is empty (field case 33)."""
        self._due: iso2.MeterInfoType | None = None
        self._loop = ""

    @property
    def contract(self) -> Identity | None:
        """The contract that pays, None where external means do."""
        return self.keys.contract if self.option is _CONTRACT else None

    # -- the choice

    def choose(self, body: iso2.ServiceDiscoveryRes) -> None:
        """Choose the payment option, and whether a contract is asked for."""
        options = body.PaymentOptionList.PaymentOption
        services = [] if body.ServiceList is None else body.ServiceList.Service
        certificates = any(one.ServiceID == CERTIFICATE_SERVICE for one in services)
        policy, keys = self.settings.install_contract, self.keys
        installs = certificates and plug_and_charge.wants_contract(policy, keys)
        updates = certificates and policy == "update" and keys.contract is not None
        able = keys.contract is not None or installs
        if self.settings.payment != "external" and _CONTRACT in options and able:
            self.option = _CONTRACT
            self.certificate_set = INSTALLATION if installs else UPDATE if updates else None
        elif self.settings.force_payment and self.settings.payment != "auto":
            self.option = _CONTRACT if self.settings.payment == "contract" else _EXTERNAL
        elif self.settings.payment == "contract":
            raise Failed("the car has no contract" if _CONTRACT in options else "the charger takes no contract")
        elif _EXTERNAL not in options:
            raise Failed("the charger takes no external payment")
        self.session.stage = "PaymentServiceSelection" if self.certificate_set is None else "ServiceDetail"

    def build_ServiceDetail(self, now: float) -> iso2.ServiceDetailReq:
        """Ask what the certificate service can do."""
        return iso2.ServiceDetailReq(ServiceID=CERTIFICATE_SERVICE)

    def take_ServiceDetail(self, body: iso2.ServiceDetailRes, now: float) -> float:
        """Use it only for what it can."""
        sets = [] if body.ServiceParameterList is None else body.ServiceParameterList.ParameterSet
        if self.certificate_set not in [one.ParameterSetID for one in sets]:
            if self.keys.contract is None:
                raise Failed("the charger installs no contract")
            self.session.report(Step.CONTRACT, "the charger updates no contract")
            self.certificate_set = None
        self.session.stage = "PaymentServiceSelection"
        return 0.0

    def selected(self) -> list[iso2.SelectedServiceType]:
        """Return the selected services besides the charge service."""
        if self.certificate_set is None:
            return []
        return [iso2.SelectedServiceType(ServiceID=CERTIFICATE_SERVICE, ParameterSetID=self.certificate_set)]

    def after_selection(self) -> str:
        """Return the stage after PaymentServiceSelection."""
        if self.option is _EXTERNAL:
            return "Authorization"
        if self.certificate_set is None:
            return "PaymentDetails"
        self.session.report(Step.CONTRACT)
        return "CertificateInstallation" if self.certificate_set == INSTALLATION else "CertificateUpdate"

    # -- a contract

    def build_CertificateInstallation(self, now: float) -> iso2.CertificateInstallationReq:
        """Ask for a contract with the certificate that the car was born with."""
        provisioning = self.keys.provisioning
        if provisioning is None:
            raise Failed("the car has no provisioning certificate to ask for a contract with")
        request = iso2.CertificateInstallationReq(
            Id="id1", OEMProvisioningCert=provisioning.certificate, ListOfRootCertificateIDs=self._roots()
        )
        self._sign(provisioning, request)
        return request

    def build_CertificateUpdate(self, now: float) -> iso2.CertificateUpdateReq:
        """Ask for a new contract with the old one."""
        contract = self._contract
        request = iso2.CertificateUpdateReq(
            Id="id1",
            ContractSignatureCertChain=_chain(contract),
            eMAID=self.emaid,
            ListOfRootCertificateIDs=self._roots(),
        )
        self._sign(contract, request)
        return request

    def _roots(self) -> iso2.ListOfRootCertificateIDsType:
        return iso2.ListOfRootCertificateIDsType(RootCertificateID=plug_and_charge.root_ids(self.keys.roots))

    def take_CertificateInstallation(self, body: iso2.CertificateInstallationRes, now: float) -> float:
        """Keep the contract; without one the car cannot pay."""
        assert self.keys.provisioning is not None
        return self._install(body, self.keys.provisioning, now)

    def take_CertificateUpdate(self, body: iso2.CertificateUpdateRes, now: float) -> float:
        """Keep the new contract; its key was encrypted for the old one's."""
        return self._install(body, self._contract, now)

    def _install(self, body: Any, receiver: Identity, now: float) -> float:
        session = self.session
        unix_s = now + session.facts.wall_offset_s
        try:
            contract = plug_and_charge.installed_iso2(body, session.received_signature, self.keys, receiver, unix_s)
        except plug_and_charge.Refused as error:
            if self.keys.contract is None:
                raise Failed(f"no contract: {error}") from error
            session.report(Step.CONTRACT, f"the old contract stays: {error}")
        else:
            self.keys = Credentials(contract, self.keys.provisioning, self.keys.vehicle, self.keys.roots)
            session.effect(NewContract("iso2", contract, self.emaid))
            session.report(Step.CONTRACT, f"new contract {self.emaid}")
        session.stage = "PaymentDetails"
        return 0.0

    # -- authorization

    @property
    def _contract(self) -> Identity:
        if self.keys.contract is None:
            raise Failed("the car has no contract")
        return self.keys.contract

    @property
    def emaid(self) -> str:
        """The contract's eMAID as messages carry it: without dashes."""
        return plug_and_charge.common_name(self._contract.certificate).replace("-", "")[:_LONGEST_EMAID]

    def build_PaymentDetails(self, now: float) -> iso2.PaymentDetailsReq:
        """Present the contract."""
        return iso2.PaymentDetailsReq(eMAID=self.emaid, ContractSignatureCertChain=_chain(self._contract))

    def take_PaymentDetails(self, body: iso2.PaymentDetailsRes, now: float) -> float:
        """Take the charger's challenge."""
        self.challenge = body.GenChallenge
        self.session.stage = "Authorization"
        return 0.0

    def build_Authorization(self, now: float) -> iso2.AuthorizationReq:
        """Ask for the authorization; the first request proves the contract by a signature over the challenge."""
        if self.option is _EXTERNAL or self._sent:
            return iso2.AuthorizationReq()
        self._sent = True
        challenge = plug_and_charge.answered(self.challenge, self.session.misbehaves("challenge"))
        request = iso2.AuthorizationReq(Id="id1", GenChallenge=challenge or None)
        self._sign(self._contract, request)
        return request

    @property
    def identity(self) -> str:
        """How the session is authorized."""
        return "EIM" if self.option is _EXTERNAL else self.emaid

    # -- receipts

    def receipt_due(self, meter: iso2.MeterInfoType | None, required: bool | None) -> None:
        """Go and sign a receipt where the charger requires one ([V2G2-691]); then back to the loop."""
        if required and meter is not None:
            self._due, self._loop = meter, self.session.stage
            self.session.stage = "MeteringReceipt"

    def build_MeteringReceipt(self, now: float) -> iso2.MeteringReceiptReq:
        """Return the reading with the car's signature."""
        if self._due is None:
            raise Failed("there is no meter reading to sign")
        request = iso2.MeteringReceiptReq(
            Id="id1",
            SessionID=self.session.session_id,
            SAScheduleTupleID=self.session.schedule_id,
            MeterInfo=self._due,
        )
        self._sign(self._contract, request)
        return request

    def take_MeteringReceipt(self, body: iso2.MeteringReceiptRes, now: float) -> float:
        """Go back to the charge loop."""
        self.session.take_status(body.EVSEStatus)
        self.session.stage = self._loop
        return 0.0

    def _sign(self, identity: Identity, request: Any) -> None:
        name = type(request).__name__
        spoiled = self.session.misbehaves("signature", name) is not None
        try:
            self.session.signature = plug_and_charge.signed("iso2", identity, {name: request}, spoiled=spoiled)
        except ValueError as error:
            raise Failed(f"the car cannot sign {name}: {error}") from error


def _chain(identity: Identity) -> iso2.CertificateChainType:
    below = iso2.SubCertificatesType(Certificate=list(identity.chain[1:5])) if len(identity.chain) > 1 else None
    return iso2.CertificateChainType(Certificate=identity.certificate, SubCertificates=below)
