"""Certificates of OCPP 1.6 (security whitepaper A02, A05, M03 to M05)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.messages.v16.security import (
    CertificateHashDataType,
    CertificateSignedRequest,
    CertificateSignedResponse,
    CertificateSignedStatusEnumType,
    CertificateUseEnumType,
    DeleteCertificateRequest,
    DeleteCertificateResponse,
    DeleteCertificateStatusEnumType,
    GetInstalledCertificateIdsRequest,
    GetInstalledCertificateIdsResponse,
    GetInstalledCertificateStatusEnumType,
    HashAlgorithmEnumType,
    InstallCertificateRequest,
    InstallCertificateResponse,
    InstallCertificateStatusEnumType,
    SignCertificateRequest,
)
from chargebyte_fw.modules.ocpp.provisioning.events import Registered, SecurityEventRaised
from chargebyte_fw.modules.ocpp.security.hashes import of_store
from chargebyte_fw.modules.ocpp.security.signing import Signing, Subject
from chargebyte_fw.modules.ocpp.station import Block, Deferred, Station, answers, effects, events, receives
from chargebyte_fw.modules.ocpp.station.named import named
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
)
from chargebyte_fw.modules.ocpp.variables.standard.iso15118 import COUNTRY_NAME

SECURE_PROFILE = 2
"""From this security profile on, the connection is TLS."""
CLIENT_CERTIFICATE_PROFILE = 3
EXPIRES_SOON_DAYS = 30
_ROOTS = {
    CertificateUseEnumType.CentralSystemRootCertificate: (
        security.CaCertificateType.CSMS,
        security.CertificateType.CSMSRootCertificate,
        ALLOW_CSMS_ROOT_UNSECURE,
    ),
    CertificateUseEnumType.ManufacturerRootCertificate: (
        security.CaCertificateType.MF,
        security.CertificateType.MFRootCertificate,
        ALLOW_MF_ROOT_UNSECURE,
    ),
}
_INSTALLED = {
    security.InstallCertificateResult.Accepted: InstallCertificateStatusEnumType.Accepted,
    security.InstallCertificateResult.WriteError: InstallCertificateStatusEnumType.Failed,
    security.InstallCertificateResult.CertificateStoreMaxLengthExceeded: InstallCertificateStatusEnumType.Rejected,
}


class Certificates16(Block):
    """Signing requests, the certificate of the station, and the roots."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._profile = 0
        self._signing = Signing(station, security.LeafCertificateType.CSMS, self._send_csr)

    @receives(events.Connected)
    def connected(self, event: events.Connected) -> None:
        """Take the security profile of the connection."""
        self._profile = event.security_profile

    @receives(Registered)
    def registered(self, event: Registered) -> None:
        """Look at the client certificate a while after the start, and then regularly."""
        delay_s = self.station.variables.get(CLIENT_CERTIFICATE_CHECK_DELAY)
        self.station.start("client certificate", self.station.now + delay_s, self._check_client_certificate)

    def _check_client_certificate(self) -> None:
        if self._profile >= CLIENT_CERTIFICATE_PROFILE:
            command = call(EvseSecurity.get_leaf_expiry_days_count, security.LeafCertificateType.CSMS)
            self.station.command(command, self._expires_in)
        interval_s = self.station.variables.get(CLIENT_CERTIFICATE_CHECK_INTERVAL)
        self.station.start("client certificate", self.station.now + interval_s, self._check_client_certificate)

    def _expires_in(self, days: Any) -> None:
        if isinstance(days, int) and days < EXPIRES_SOON_DAYS and self.can_sign and not self._signing.pending:
            self.sign()

    # Signing requests.

    @property
    def can_sign(self) -> bool:
        """Whether there is what a signing request needs: CpoName and a serial number."""
        get = self.station.variables.get
        return bool(get(ORGANIZATION_NAME) and get(CHARGE_BOX_SERIAL_NUMBER))

    def sign(self) -> None:
        """Ask for a new certificate of the station."""
        get = self.station.variables.get
        self._signing.start(
            Subject(get(CHARGE_BOX_SERIAL_NUMBER), get(ORGANIZATION_NAME), get(COUNTRY_NAME), get(USE_TPM))
        )

    def _send_csr(self, csr: str, then: Callable[[Any], None]) -> None:
        self.station.send(SignCertificateRequest(csr=csr), then)

    @answers(CertificateSignedRequest)
    def certificate_signed(self, request: CertificateSignedRequest) -> CertificateSignedResponse | Deferred:
        """Install the certificate that was asked for, or a new one."""
        longest = self.station.variables.get(MAX_CERTIFICATE_CHAIN_SIZE)
        if longest and len(request.certificate_chain) > longest:
            return self._invalid(f"the chain has {len(request.certificate_chain)} bytes, more than {longest}")
        deferred = self.station.defer()
        kind = security.LeafCertificateType.CSMS
        command = call(EvseSecurity.update_leaf_certificate, request.certificate_chain, kind)
        self.station.command(command, partial(self._updated, deferred))
        return deferred

    def _updated(self, deferred: Deferred, result: Any) -> None:
        if result is not security.InstallCertificateResult.Accepted:
            reason = result.value if isinstance(result, security.InstallCertificateResult) else "not installed"
            self.station.answer(deferred, self._invalid(reason))
            return
        self._signing.done()
        accepted = CertificateSignedResponse(status=CertificateSignedStatusEnumType.Accepted)
        self.station.answer(deferred, accepted)
        if self._profile >= CLIENT_CERTIFICATE_PROFILE:
            # The new certificate is used from the next connection on (A02).
            self.station.effect(effects.Reconnect("the station has a new certificate"))

    def _invalid(self, reason: str) -> CertificateSignedResponse:
        self.station.notify(SecurityEventRaised("InvalidChargePointCertificate", reason))
        return CertificateSignedResponse(status=CertificateSignedStatusEnumType.Rejected)

    # Roots.

    @answers(InstallCertificateRequest)
    def install(self, request: InstallCertificateRequest) -> InstallCertificateResponse | Deferred:
        """Install a root certificate."""
        kind, _, allowed_unsecure = _ROOTS[request.certificate_type]
        if self._profile < SECURE_PROFILE and not self.station.variables.get(allowed_unsecure):
            return InstallCertificateResponse(status=InstallCertificateStatusEnumType.Rejected)
        deferred = self.station.defer()
        command = call(EvseSecurity.install_ca_certificate, request.certificate, kind)
        self.station.command(command, partial(self._installed, deferred))
        return deferred

    def _installed(self, deferred: Deferred, result: Any) -> None:
        status = InstallCertificateStatusEnumType.Failed
        if isinstance(result, security.InstallCertificateResult):
            status = _INSTALLED.get(result, InstallCertificateStatusEnumType.Rejected)
        self.station.answer(deferred, InstallCertificateResponse(status=status))

    @answers(GetInstalledCertificateIdsRequest)
    def installed_ids(self, request: GetInstalledCertificateIdsRequest) -> Deferred:
        """Return the hash data of the roots of a kind."""
        _, kind, _ = _ROOTS[request.certificate_type]
        deferred = self.station.defer()
        command = call(EvseSecurity.get_installed_certificates, [kind])
        self.station.command(command, partial(self._listed, deferred))
        return deferred

    def _listed(self, deferred: Deferred, result: Any) -> None:
        found: list[CertificateHashDataType] = []
        if isinstance(result, security.GetInstalledCertificatesResult):
            found = [_hash_data(chain.certificate_hash_data) for chain in result.certificate_hash_data_chain]
        statuses = GetInstalledCertificateStatusEnumType
        response = GetInstalledCertificateIdsResponse(
            status=statuses.Accepted if found else statuses.NotFound, certificate_hash_data=found or None
        )
        self.station.answer(deferred, response)

    @answers(DeleteCertificateRequest)
    def delete(self, request: DeleteCertificateRequest) -> Deferred:
        """Delete a certificate."""
        deferred = self.station.defer()
        command = call(EvseSecurity.delete_certificate, of_store(request.certificate_hash_data))
        self.station.command(command, partial(self._deleted, deferred))
        return deferred

    def _deleted(self, deferred: Deferred, result: Any) -> None:
        status = named(DeleteCertificateStatusEnumType, result, DeleteCertificateStatusEnumType.Failed)
        self.station.answer(deferred, DeleteCertificateResponse(status=status))


def _hash_data(data: security.CertificateHashData) -> CertificateHashDataType:
    return CertificateHashDataType(
        hash_algorithm=HashAlgorithmEnumType(data.hash_algorithm.value),
        issuer_name_hash=data.issuer_name_hash,
        issuer_key_hash=data.issuer_key_hash,
        serial_number=data.serial_number,
    )
