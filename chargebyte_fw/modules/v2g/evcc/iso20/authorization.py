"""How a car is authorized in ISO 15118-20: by external means or its contract, which it may get first (clause 7.9.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chargebyte_fw.modules.v2g.evcc import plug_and_charge
from chargebyte_fw.modules.v2g.evcc.credentials import Credentials, Identity
from chargebyte_fw.modules.v2g.evcc.effects import NewContract, Step
from chargebyte_fw.modules.v2g.evcc.protocol import Failed
from chargebyte_fw.modules.v2g.messages import iso20_common as common
from chargebyte_fw.modules.v2g.messages import iso20_contracts as contracts
from chargebyte_fw.modules.v2g.messages import iso20_types as types

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.evcc.iso20.session import Iso20CarSession

SET = "iso20_common"
_EIM, _PNC = common.authorizationType.EIM, common.authorizationType.PnC


class Authorization:
    """AuthorizationSetup, CertificateInstallation and Authorization."""

    def __init__(self, session: Iso20CarSession) -> None:
        self.session = session
        self.settings = session.settings
        self.keys: Credentials = session.settings.keys.iso20
        self.offered: list[common.authorizationType] = []
        self.selected = _EIM
        self.challenge = b""
        self._signed: tuple[Any, Any] | None = None
        """The signed element and its signature: a repetition differs in the time stamp alone ([V2G20-2218])."""

    @property
    def contract_used(self) -> bool:
        """Whether the session is authorized by the contract."""
        return self.selected is _PNC

    # -- what the charger offers

    def build_AuthorizationSetup(self, now: float) -> common.AuthorizationSetupReq:
        """Ask how the car may be authorized."""
        return common.AuthorizationSetupReq(Header=self.session.header())

    def take_AuthorizationSetup(self, body: common.AuthorizationSetupRes, now: float) -> float:
        """Take the contract where car and charger can, otherwise external means."""
        session = self.session
        self.offered = list(body.AuthorizationServices)
        if body.PnC_ASResAuthorizationMode is not None:
            self.challenge = body.PnC_ASResAuthorizationMode.GenChallenge
        self._signed = None
        wanted = plug_and_charge.wants_contract(self.settings.install_contract, self.keys)
        able = self.keys.contract is not None or (wanted and body.CertificateInstallationService)
        if self.settings.payment != "external" and _PNC in self.offered and able:
            self.selected = _PNC
        elif self.settings.payment == "contract":
            why = "the car has no contract" if _PNC in self.offered else "the charger takes no contract"
            session.refuse(why)
            return 0.0
        else:
            self._go_external()
            if session.stage == "SessionStop":
                return 0.0
        installs = self.selected is _PNC and wanted and body.CertificateInstallationService
        session.stage = "CertificateInstallation" if installs else "Authorization"
        session.report(Step.CONTRACT if installs else Step.AUTHORIZING, str(self.selected))
        return 0.0

    def _go_external(self) -> None:
        if _EIM not in self.offered:
            self.session.refuse("the charger takes contracts alone")
            return
        self.selected = _EIM
        self.session.stage = "Authorization"

    # -- a contract

    def build_CertificateInstallation(self, now: float) -> common.CertificateInstallationReq:
        """Ask for a contract with the certificate that the car was born with."""
        session, provisioning = self.session, self.keys.provisioning
        if provisioning is None:
            raise Failed("the car has no provisioning certificate to ask for a contract with")
        chain = contracts.SignedCertificateChainType(
            Id="id1",
            Certificate=provisioning.certificate,
            SubCertificates=_below(provisioning) if len(provisioning.chain) > 1 else None,
        )
        session.signature = self._sign(
            provisioning, {"OEMProvisioningCertificateChain": chain}, "CertificateInstallationReq"
        )
        return common.CertificateInstallationReq(
            Header=session.header(),
            OEMProvisioningCertificateChain=chain,
            ListOfRootCertificateIDs=types.ListOfRootCertificateIDsType(
                RootCertificateID=plug_and_charge.root_ids(self.keys.roots)
            ),
            MaximumContractCertificateChains=1,
        )

    def take_CertificateInstallation(self, body: common.CertificateInstallationRes, now: float) -> float:
        """Check who signed the contract, decrypt its key, and keep both."""
        session = self.session
        if str(body.ResponseCode).startswith("WARNING"):
            return self._without_contract(f"no contract: {body.ResponseCode}")
        if session.ongoing(body, "contract installation", now):
            return self.settings.ongoing_pause_s
        try:
            contract = plug_and_charge.installed_iso20(
                body.SignedInstallationData,
                body.Header.Signature,
                (body.CPSCertificateChain.Certificate, *_sub(body.CPSCertificateChain.SubCertificates)),
                self.keys,
                session.unix_s,
            )
        except plug_and_charge.Refused as error:
            return self._without_contract(f"no contract: {error}")
        emaid = plug_and_charge.common_name(contract.certificate)
        self.keys = Credentials(contract, self.keys.provisioning, self.keys.vehicle, self.keys.roots)
        session.effect(NewContract("iso20", contract, emaid))
        session.report(Step.AUTHORIZING, f"new contract {emaid}")
        session.stage = "Authorization"
        return 0.0

    def _without_contract(self, why: str) -> float:
        """Go on with the old contract, or without."""
        session = self.session
        session.stage = "Authorization"
        if self.keys.contract is None:
            if self.settings.payment == "contract":
                session.refuse(why)
                return 0.0
            self._go_external()
        session.report(Step.AUTHORIZING, why)
        return 0.0

    # -- authorization

    def build_Authorization(self, now: float) -> common.AuthorizationReq:
        """Ask for the authorization; a contract is proved by a signature over the charger's challenge."""
        session = self.session
        if self.selected is _EIM:
            return common.AuthorizationReq(
                Header=session.header(),
                SelectedAuthorizationService=_EIM,
                EIM_AReqAuthorizationMode=contracts.EIM_AReqAuthorizationModeType(),
            )
        if self._signed is None:
            contract = self.keys.contract
            if contract is None:
                raise Failed("the car has no contract to be authorized with")
            mode = contracts.PnC_AReqAuthorizationModeType(
                Id="id1",
                GenChallenge=plug_and_charge.answered(self.challenge, session.misbehaves("challenge")),
                ContractCertificateChain=contracts.ContractCertificateChainType(
                    Certificate=contract.certificate, SubCertificates=_below(contract)
                ),
            )
            self._signed = mode, self._sign(contract, {"PnC_AReqAuthorizationMode": mode}, "AuthorizationReq")
        mode, session.signature = self._signed
        return common.AuthorizationReq(
            Header=session.header(), SelectedAuthorizationService=_PNC, PnC_AReqAuthorizationMode=mode
        )

    def take_Authorization(self, body: common.AuthorizationRes, now: float) -> float:
        """Wait for the authorization; a contract that is refused may be followed by external means."""
        session, code = self.session, str(body.ResponseCode)
        if session.ongoing(body, "authorization", now):
            return self.settings.ongoing_pause_s
        if code.startswith("WARNING"):
            if self.selected is _PNC and self.settings.payment == "auto" and _EIM in self.offered:
                session.report(Step.AUTHORIZING, f"the contract was refused: {code}; EIM")
                self._go_external()
            else:
                session.refuse(f"AuthorizationRes {code}")
            return 0.0
        identity = "EIM"
        if self.selected is _PNC and self.keys.contract is not None:
            identity = plug_and_charge.common_name(self.keys.contract.certificate)
        session.facts.charger.identity = identity
        session.report(Step.AUTHORIZED, identity if code == "OK" else f"{identity}, {code}")
        session.stage = "ServiceDiscovery"
        return 0.0

    def _sign(self, identity: Identity, elements: dict[str, Any], request: str) -> Any:
        spoiled = self.session.misbehaves("signature", request) is not None
        try:
            return plug_and_charge.signed(SET, identity, elements, spoiled=spoiled)
        except ValueError as error:
            raise Failed(f"the car cannot sign {request}: {error}") from error


def _below(identity: Identity) -> contracts.SubCertificatesType:
    return contracts.SubCertificatesType(Certificate=list(identity.chain[1:4]))


def _sub(sub: contracts.SubCertificatesType | None) -> tuple[bytes, ...]:
    return () if sub is None else tuple(sub.Certificate)
