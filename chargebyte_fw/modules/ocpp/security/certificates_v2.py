"""Certificates of OCPP 2.x: signing requests (A02, A03), installed certificates (M03 to M05)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.connection.settings import ClientFiles
from chargebyte_fw.modules.ocpp.messages.v2.certificates import (
    CertificateHashDataChainType,
    DeleteCertificateRequest,
    DeleteCertificateResponse,
    DeleteCertificateStatusEnumType,
    GetCertificateIdUseEnumType,
    GetInstalledCertificateIdsRequest,
    GetInstalledCertificateIdsResponse,
    GetInstalledCertificateStatusEnumType,
    InstallCertificateRequest,
    InstallCertificateResponse,
    InstallCertificateStatusEnumType,
    InstallCertificateUseEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.security import (
    CertificateSignedRequest,
    CertificateSignedResponse,
    CertificateSignedStatusEnumType,
    CertificateSigningUseEnumType,
    SignCertificateRequest,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.certificate import CertificateHashDataType, HashAlgorithmEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType
from chargebyte_fw.modules.ocpp.provisioning.events import Registered, SecurityEventRaised
from chargebyte_fw.modules.ocpp.security.csms_root_v2 import CsmsRoot2
from chargebyte_fw.modules.ocpp.security.hashes import issuing_root, of_store
from chargebyte_fw.modules.ocpp.security.renewed_certificate_v2 import RenewedCertificate2
from chargebyte_fw.modules.ocpp.security.request_ids import RequestIds
from chargebyte_fw.modules.ocpp.security.signing import Signing, Subject
from chargebyte_fw.modules.ocpp.station import Block, Deferred, Station, answers, events, receives
from chargebyte_fw.modules.ocpp.station.named import named
from chargebyte_fw.modules.ocpp.variables import Variable
from chargebyte_fw.modules.ocpp.variables.standard.communication import (
    MAX_CERTIFICATE_CHAIN_SIZE,
    ORGANIZATION_NAME,
)
from chargebyte_fw.modules.ocpp.variables.standard.internal import (
    ALLOW_CSMS_ROOT_UNSECURE,
    ALLOW_MF_ROOT_UNSECURE,
    CHARGE_BOX_SERIAL_NUMBER,
    CLIENT_CERTIFICATE_CHECK_DELAY,
    CLIENT_CERTIFICATE_CHECK_INTERVAL,
    USE_TPM,
    USE_TPM_SECC_LEAF_CERTIFICATE,
    V2G_CERTIFICATE_CHECK_DELAY,
    V2G_CERTIFICATE_CHECK_INTERVAL,
)
from chargebyte_fw.modules.ocpp.variables.standard.iso15118 import (
    COUNTRY_NAME,
    SECC_ID,
    V2G_CERTIFICATE_INSTALLATION_ENABLED,
    V2G_ORGANIZATION_NAME,
)
from chargebyte_fw.modules.ocpp.version import Version

SECURE_PROFILE = 2
"""From this security profile on, the connection is TLS."""
CLIENT_CERTIFICATE_PROFILE = 3
EXPIRES_SOON_DAYS = 30
Leaf, Use, Ids = security.LeafCertificateType, CertificateSigningUseEnumType, GetCertificateIdUseEnumType
Roots = InstallCertificateUseEnumType
_ROOTS: dict[InstallCertificateUseEnumType, tuple[security.CaCertificateType, Variable[bool] | None]] = {
    Roots.V2GRootCertificate: (security.CaCertificateType.V2G, None),
    Roots.MORootCertificate: (security.CaCertificateType.MO, None),
    Roots.CSMSRootCertificate: (security.CaCertificateType.CSMS, ALLOW_CSMS_ROOT_UNSECURE),
    Roots.ManufacturerRootCertificate: (security.CaCertificateType.MF, ALLOW_MF_ROOT_UNSECURE),
}
_KINDS = {
    Ids.V2GRootCertificate: security.CertificateType.V2GRootCertificate,
    Ids.MORootCertificate: security.CertificateType.MORootCertificate,
    Ids.CSMSRootCertificate: security.CertificateType.CSMSRootCertificate,
    Ids.V2GCertificateChain: security.CertificateType.V2GCertificateChain,
    Ids.ManufacturerRootCertificate: security.CertificateType.MFRootCertificate,
}
_OF_KIND = {kind: use for use, kind in _KINDS.items()}
_LEAVES = {
    Use.ChargingStationCertificate: Leaf.CSMS,
    Use.V2GCertificate: Leaf.V2G,
    Use.V2G20Certificate: Leaf.V2G,
}


class Certificates2(Block):
    """Signing requests, the certificates of the station, and the roots."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._profile = 0
        self._signings = {
            use: Signing(station, kind, partial(self.send_csr, use))
            for use, kind in ((Use.ChargingStationCertificate, Leaf.CSMS), (Use.V2GCertificate, Leaf.V2G))
        }
        self._request_ids = RequestIds(station.save)

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take the requests of the last run whose certificates may still come."""
        self._request_ids.load(event.tables)

    @receives(events.Connected)
    def connected(self, event: events.Connected) -> None:
        """Take the security profile of the connection."""
        self._profile = event.security_profile

    @receives(Registered)
    def registered(self, event: Registered) -> None:
        """Look at the certificates a while after the start, and then regularly (A03)."""
        self.check_later(Use.ChargingStationCertificate, CLIENT_CERTIFICATE_CHECK_DELAY)
        self.check_later(Use.V2GCertificate, V2G_CERTIFICATE_CHECK_DELAY)

    def check_later(self, use: CertificateSigningUseEnumType, after: Variable[int]) -> None:
        """Look at the expiry of a certificate after the time that a variable has."""
        delay_s = self.station.variables.get(after)
        self.station.start(("expiry", use), self.station.now + delay_s, partial(self._check, use))

    def _check(self, use: CertificateSigningUseEnumType) -> None:
        own = use is Use.ChargingStationCertificate
        if self._profile >= CLIENT_CERTIFICATE_PROFILE if own else self.signs_v2g:
            command = call(EvseSecurity.get_leaf_expiry_days_count, _LEAVES[use])
            self.station.command(command, partial(self._expires_in, use))
        self.check_later(use, CLIENT_CERTIFICATE_CHECK_INTERVAL if own else V2G_CERTIFICATE_CHECK_INTERVAL)

    def _expires_in(self, use: CertificateSigningUseEnumType, days: Any) -> None:
        if isinstance(days, int) and days < EXPIRES_SOON_DAYS and self.why_not_sign(use) is None:
            self.sign(use)

    # Signing requests.

    @property
    def signs_v2g(self) -> bool:
        """Whether V2G certificates are asked for."""
        return self.station.variables.get(V2G_CERTIFICATE_INSTALLATION_ENABLED)

    def subject(self, use: CertificateSigningUseEnumType) -> Subject:
        """Return the subject of a signing request."""
        get = self.station.variables.get
        if use is Use.ChargingStationCertificate:
            common, organization, tpm = get(CHARGE_BOX_SERIAL_NUMBER), get(ORGANIZATION_NAME), get(USE_TPM)
        else:
            common, organization = get(SECC_ID), get(V2G_ORGANIZATION_NAME)
            tpm = get(USE_TPM_SECC_LEAF_CERTIFICATE)
        return Subject(common, organization, get(COUNTRY_NAME), tpm)

    def why_not_sign(self, use: CertificateSigningUseEnumType) -> str | None:
        """Return the reasonCode with which a signing request is refused, None where one can be sent."""
        subject = self.subject(use)
        if use is Use.V2GCertificate and not self.signs_v2g:
            return "NotEnabled"
        if not (subject.common and subject.organization):
            return "MissingDevModelInfo"
        return "RequestPending" if self._signings[use].pending else None

    def sign(self, use: CertificateSigningUseEnumType) -> None:
        """Ask for a new certificate."""
        self._request_ids.new(use)
        self._signings[use].start(self.subject(use))

    def answer(self, deferred: Deferred, response: Any) -> None:
        """Answer a request of the CSMS."""
        self.station.answer(deferred, response)

    def send_csr(self, use: CertificateSigningUseEnumType, csr: str, then: Callable[[Any], None]) -> None:
        """Send a signing request; that for a V2G certificate names the root it is to lead to (2.1)."""
        request = SignCertificateRequest(csr=csr, certificate_type=use, request_id=self._request_ids.of(use))
        if use is Use.ChargingStationCertificate or self.station.version is not Version.V21:
            self.station.send(request, then)
            return
        kinds = [security.CertificateType.V2GRootCertificate, security.CertificateType.V2GCertificateChain]

        def listed(result: Any) -> None:
            found = issuing_root(result) if isinstance(result, security.GetInstalledCertificatesResult) else None
            root = None if found is None else hash_data(found)
            self.station.send(msgspec.structs.replace(request, hash_root_certificate=root), then)

        self.station.command(call(EvseSecurity.get_installed_certificates, kinds), listed)

    @answers(CertificateSignedRequest)
    def certificate_signed(self, request: CertificateSignedRequest) -> CertificateSignedResponse | Deferred:
        """Install a certificate (A02)."""
        use = request.certificate_type or Use.ChargingStationCertificate
        if request.request_id is not None:
            asked = self._request_ids.use_of(request.request_id)
            use = request.certificate_type or asked or use
            if asked is not use:
                # The request that waits goes on: this certificate is not its answer.
                return self.invalid(f"no {use.value} is waited for by requestId {request.request_id}")
        longest = self.station.variables.get(MAX_CERTIFICATE_CHAIN_SIZE)
        if longest and len(request.certificate_chain) > longest:
            return self._refused(use, f"the chain has {len(request.certificate_chain)} bytes, more than {longest}")
        deferred = self.station.defer()
        command = call(EvseSecurity.update_leaf_certificate, request.certificate_chain, _LEAVES[use])

        def install(former: ClientFiles | None) -> None:
            self.station.command(command, partial(self._updated, deferred, use, former))

        if use is Use.ChargingStationCertificate and self._profile >= CLIENT_CERTIFICATE_PROFILE:
            self.before_renewal(install)
        else:
            install(None)
        return deferred

    def before_renewal(self, then: Callable[[ClientFiles | None], None]) -> None:
        """Give `then` the client certificate in use."""
        self.station.block(RenewedCertificate2).in_use(then)

    def use_renewed(self, former: ClientFiles | None) -> None:
        """Connect with the client certificate that was installed ([A02.FR.08])."""
        self.station.block(RenewedCertificate2).renewed(former)

    def _updated(
        self, deferred: Deferred, use: CertificateSigningUseEnumType, former: ClientFiles | None, result: Any
    ) -> None:
        if result is not security.InstallCertificateResult.Accepted:
            reason = result.value if isinstance(result, security.InstallCertificateResult) else "not installed"
            self.answer(deferred, self._refused(use, reason))
            return
        self._ends(use)
        self._request_ids.ended(use)
        self.answer(deferred, CertificateSignedResponse(status=CertificateSignedStatusEnumType.Accepted))
        if use is Use.ChargingStationCertificate and self._profile >= CLIENT_CERTIFICATE_PROFILE:
            self.use_renewed(former)

    def _ends(self, use: CertificateSigningUseEnumType) -> None:
        signing = self._signings.get(use)
        if signing is not None:
            signing.done()

    def _refused(self, use: CertificateSigningUseEnumType, reason: str) -> CertificateSignedResponse:
        """Refuse a certificate; another is asked for when the CSMS wants it ([A02.FR.20])."""
        self._ends(use)
        return self.invalid(reason)

    def invalid(self, reason: str) -> CertificateSignedResponse:
        """Refuse a certificate, and raise the security event for it."""
        self.station.notify(SecurityEventRaised("InvalidChargingStationCertificate", reason))
        info = StatusInfoType(reason_code="InvalidCertificate", additional_info=reason[:500])
        return CertificateSignedResponse(status=CertificateSignedStatusEnumType.Rejected, status_info=info)

    # Roots.

    @answers(InstallCertificateRequest)
    def install(self, request: InstallCertificateRequest) -> InstallCertificateResponse | Deferred:
        """Install a root certificate."""
        rejected = InstallCertificateStatusEnumType.Rejected
        if request.certificate_type not in _ROOTS:
            info = StatusInfoType(reason_code="UnsupportedRequest")
            return InstallCertificateResponse(status=rejected, status_info=info)
        kind, allowed_unsecure = _ROOTS[request.certificate_type]
        unsecure = self._profile < SECURE_PROFILE and allowed_unsecure is not None
        if unsecure and allowed_unsecure is not None and not self.station.variables.get(allowed_unsecure):
            info = StatusInfoType(reason_code="UnsecureConnection")
            return InstallCertificateResponse(status=rejected, status_info=info)
        deferred = self.station.defer()
        self.install_root(request.certificate, kind, partial(self._installed, deferred))
        return deferred

    def install_root(self, pem: str, kind: security.CaCertificateType, then: Callable[[Any], None]) -> None:
        """Install a root; `then` takes the result."""
        roots = self.station.block(CsmsRoot2)
        if kind is security.CaCertificateType.CSMS and roots.checks:
            roots.install(pem, then)
        else:
            self.station.command(call(EvseSecurity.install_ca_certificate, pem, kind), then)

    def _installed(self, deferred: Deferred, result: Any) -> None:
        statuses = InstallCertificateStatusEnumType
        status = statuses.Failed
        if isinstance(result, security.InstallCertificateResult):
            accepted = result is security.InstallCertificateResult.Accepted
            failed = result is security.InstallCertificateResult.WriteError
            status = statuses.Accepted if accepted else statuses.Failed if failed else statuses.Rejected
        # No statusInfo, as in EVerest; the log has the reason.
        self.answer(deferred, InstallCertificateResponse(status=status))

    @answers(GetInstalledCertificateIdsRequest)
    def installed_ids(self, request: GetInstalledCertificateIdsRequest) -> Deferred:
        """Return the hash data of what is installed; without a type of everything (M03)."""
        wanted = request.certificate_type or list(_KINDS)
        kinds = [_KINDS[one] for one in wanted if one in _KINDS]
        deferred = self.station.defer()
        command = call(EvseSecurity.get_installed_certificates, kinds)
        self.station.command(command, partial(self._listed, deferred))
        return deferred

    def _listed(self, deferred: Deferred, result: Any) -> None:
        found: list[CertificateHashDataChainType] = []
        if isinstance(result, security.GetInstalledCertificatesResult):
            found = [_chain(chain) for chain in result.certificate_hash_data_chain]
        statuses = GetInstalledCertificateStatusEnumType
        response = GetInstalledCertificateIdsResponse(
            status=statuses.Accepted if found else statuses.NotFound, certificate_hash_data_chain=found or None
        )
        self.answer(deferred, response)

    @answers(DeleteCertificateRequest)
    def delete(self, request: DeleteCertificateRequest) -> Deferred:
        """Delete a certificate; the store keeps the one that the station identifies itself with (M04)."""
        deferred = self.station.defer()
        command = call(EvseSecurity.delete_certificate, of_store(request.certificate_hash_data))
        self.station.command(command, partial(self._deleted, deferred))
        return deferred

    def _deleted(self, deferred: Deferred, result: Any) -> None:
        status = named(DeleteCertificateStatusEnumType, result, DeleteCertificateStatusEnumType.Failed)
        if status is DeleteCertificateStatusEnumType.Accepted:
            self.station.notify(SecurityEventRaised("ReconfigurationOfSecurityParameters", "a certificate was deleted"))
        self.answer(deferred, DeleteCertificateResponse(status=status))


def hash_data(data: security.CertificateHashData) -> CertificateHashDataType:
    """Return the hashes of a certificate as OCPP 2.x has them."""
    return CertificateHashDataType(
        hash_algorithm=HashAlgorithmEnumType(data.hash_algorithm.value),
        issuer_name_hash=data.issuer_name_hash,
        issuer_key_hash=data.issuer_key_hash,
        serial_number=data.serial_number,
    )


def _chain(chain: security.CertificateHashDataChain) -> CertificateHashDataChainType:
    children = [hash_data(child) for child in chain.child_certificate_hash_data or []][:4]
    return CertificateHashDataChainType(
        certificate_hash_data=hash_data(chain.certificate_hash_data),
        certificate_type=_OF_KIND[chain.certificate_type],
        child_certificate_hash_data=children or None,
    )
