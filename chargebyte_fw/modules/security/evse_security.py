"""EvseSecurity: the certificates and keys of the charger, what it trusts, and what others may know of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity as EvseSecurityContract
from chargebyte_fw.contracts.revocation import RevocationCheck
from chargebyte_fw.contracts.types.evse_security import (
    CaCertificateType,
    CertificateHashData,
    CertificateStoreUpdateOperation,
    CertificateType,
    CertificateValidationResult,
    DeleteCertificateResult,
    EncodingFormat,
    GetCertificateFullInfoResult,
    GetCertificateInfoResult,
    GetCertificateInfoStatus,
    GetCertificateSignRequestResult,
    GetInstalledCertificatesResult,
    GetInstalledCertificatesStatus,
    InstallCertificateResult,
    LeafCertificateType,
    OCSPRequestDataList,
)
from chargebyte_fw.kernel.clock import loop_speed, utc_now
from chargebyte_fw.kernel.errors import ConfigError, Finding, Unavailable, in_words
from chargebyte_fw.kernel.module import Claim, Module, ModuleConfig, provides
from chargebyte_fw.kernel.paths import normal
from chargebyte_fw.modules.security import layout
from chargebyte_fw.modules.security.layout import OEM_BUNDLE, Layout, Preference
from chargebyte_fw.modules.security.upkeep import Upkeep

if TYPE_CHECKING:
    from chargebyte_fw.modules.security.changes import Changes
    from chargebyte_fw.modules.security.queries import Queries

COMPLAINTS_KEPT = 100
"""So many different warnings are known to have been logged."""
Operation = CertificateStoreUpdateOperation


class EvseSecurityImpl(EvseSecurityContract, RevocationCheck):
    """The store. Paths in answers are absolute paths of this machine."""

    module: EvseSecurity

    async def install_ca_certificate(
        self, certificate: str, certificate_type: CaCertificateType
    ) -> InstallCertificateResult:
        """Install a root (PEM) of a kind."""
        result = self.module.changes.install_root(certificate, certificate_type, utc_now())
        if result is InstallCertificateResult.Accepted:
            self.module.upkeep.publish(Operation.Installed, certificate_type)
        self.module.log.info("%s root: %s", certificate_type.value, result.value)
        return result

    async def delete_certificate(self, certificate_hash_data: CertificateHashData) -> DeleteCertificateResult:
        """Delete a root, or one of the charger's own chains with its key; the one towards the backend stays."""
        result, kinds = self.module.changes.delete(certificate_hash_data)
        for kind in kinds:
            self.module.upkeep.publish(Operation.Deleted, kind)
        self.module.log.info("delete a certificate: %s", result.value)
        return result

    async def update_leaf_certificate(
        self, certificate_chain: str, certificate_type: LeafCertificateType
    ) -> InstallCertificateResult:
        """Install the certificate (PEM, leaf first) for a key that was made here."""
        result = self.module.changes.install_leaf(certificate_chain, certificate_type, utc_now())
        if result is InstallCertificateResult.Accepted:
            self.module.upkeep.publish(Operation.Installed, certificate_type)
        self.module.log.info("%s certificate: %s", certificate_type.value, result.value)
        return result

    async def verify_certificate(
        self, certificate_chain: str, certificate_types: list[LeafCertificateType]
    ) -> CertificateValidationResult:
        """Return whether a chain (PEM, leaf first) leads to an installed root of one of the kinds."""
        return self.module.queries.verify(certificate_chain, certificate_types, utc_now())

    async def get_installed_certificates(
        self, certificate_types: list[CertificateType]
    ) -> GetInstalledCertificatesResult:
        """List what is installed, by the names that OCPP and OCSP use."""
        if self.module.layout.is_empty():
            status = GetInstalledCertificatesStatus.NotFound
            return GetInstalledCertificatesResult(status=status, certificate_hash_data_chain=[])
        return self.module.queries.installed(certificate_types, utc_now())

    async def get_v2g_ocsp_request_data(self) -> OCSPRequestDataList:
        """Return what to ask which OCSP responder about the charger's own chains."""
        if self.module.layout.is_empty():
            return OCSPRequestDataList(ocsp_request_data_list=[])
        return self.module.queries.own_ocsp_requests(utc_now())

    async def get_mo_ocsp_request_data(self, certificate_chain: str) -> OCSPRequestDataList:
        """Return what to ask which OCSP responder about a contract's chain (PEM)."""
        return self.module.queries.contract_ocsp_requests(certificate_chain)

    async def update_ocsp_cache(self, certificate_hash_data: CertificateHashData, ocsp_response: str) -> None:
        """Keep an OCSP response (base64 of the DER); raises Unavailable when it cannot be written."""
        try:
            places = self.module.changes.keep_ocsp(certificate_hash_data, ocsp_response, utc_now())
        except OSError as error:
            raise Unavailable(f"the OCSP response cannot be kept: {in_words(error)}") from error
        if not places:
            self.module.log.warning("an OCSP response came for a certificate that is not here")
            return
        # A TLS server staples what is there when it reads the store.
        self.module.upkeep.publish(Operation.Installed, LeafCertificateType.V2G)

    async def is_ca_certificate_installed(self, certificate_type: CaCertificateType) -> bool:
        """Return whether a valid root of a kind is there."""
        if self.module.layout.is_empty():
            return False
        return bool(self.module.changes.store.roots(certificate_type, utc_now()))

    async def generate_certificate_signing_request(
        self, certificate_type: LeafCertificateType, country: str, organization: str, common: str, use_tpm: bool
    ) -> GetCertificateSignRequestResult:
        """Make a new key and a PKCS#10 request (PEM) for it."""
        return self.module.changes.request_signature(
            certificate_type, country, organization, common, utc_now(), _now_s(), use_tpm=use_tpm
        )

    async def get_leaf_certificate_info(
        self, certificate_type: LeafCertificateType, encoding: EncodingFormat, include_ocsp: bool
    ) -> GetCertificateInfoResult:
        """Return where the charger's certificate of a kind is, with its chain, key and OCSP responses."""
        if self.module.has_no_leaf(certificate_type):
            return GetCertificateInfoResult(status=GetCertificateInfoStatus.NotFound)
        return self.module.queries.leaf_info(certificate_type, encoding, utc_now(), include_ocsp=include_ocsp)

    async def get_all_valid_certificates_info(
        self, certificate_type: LeafCertificateType, encoding: EncodingFormat, include_ocsp: bool
    ) -> GetCertificateFullInfoResult:
        """Return the same for each root that one of them leads to."""
        if self.module.has_no_leaf(certificate_type):
            return GetCertificateFullInfoResult(status=GetCertificateInfoStatus.NotFound, info=[])
        return self.module.queries.all_infos(certificate_type, encoding, utc_now(), include_ocsp=include_ocsp)

    async def get_verify_file(self, certificate_type: CaCertificateType) -> str:
        """Return the path of a file with roots of a kind."""
        return self.module.queries.verify_file(certificate_type, utc_now())

    async def get_verify_location(self, certificate_type: CaCertificateType) -> str:
        """Return the path of the file or folder with roots of a kind, as a TLS library takes it; empty without one."""
        if self.module.layout.is_empty():
            return ""
        try:
            return self.module.queries.verify_location(certificate_type, utc_now())
        except OSError as error:
            raise Unavailable(
                f"the folder of the {certificate_type.value} roots cannot be prepared: {in_words(error)}"
            ) from error

    async def get_leaf_expiry_days_count(self, certificate_type: LeafCertificateType) -> int:
        """Return the whole days until the charger's certificate of a kind expires, 0 without one."""
        if self.module.layout.is_empty():
            return 0
        return self.module.queries.days_left(certificate_type, utc_now())

    async def verify_file_signature(self, file_path: str, signing_certificate: str, signature: str) -> bool:
        """Return whether a signature (base64, over SHA-256) of a file was made with the certificate's (PEM) key."""
        return await self.module.check_signature(file_path, signing_certificate, signature)

    async def revoked(self, certificate_chain: str) -> str:
        """Return why a contract's chain counts as revoked; empty where nothing is known of it, or none is asked."""
        if not self.module.config.contract_revocation:
            return ""
        from chargebyte_fw.modules.security.revocation import revoked_in

        module = self.module
        return await revoked_in(certificate_chain, module.queries, module.runtime.wires, utc_now(), module.log)


class EvseSecurity(Module):
    """Keeps certificates and keys, and answers questions about them."""

    enable_telemetry = True
    packages = ("cryptography",)

    class Config(ModuleConfig):
        """Places, relative to `/etc/everest/certs` unless absolute, and the password of the keys."""

        csms_ca_bundle: Annotated[str, Meta(description="Roots of the backend (a file or a folder).")] = (
            "ca/csms/CSMS_ROOT_CA.pem"
        )
        mf_ca_bundle: Annotated[str, Meta(description="Roots of the manufacturer, for firmware.")] = (
            "ca/mf/MF_ROOT_CA.pem"
        )
        mo_ca_bundle: Annotated[str, Meta(description="Roots of the mobility operators.")] = "ca/mo/MO_ROOT_CA.pem"
        v2g_ca_bundle: Annotated[str, Meta(description="Roots of V2G.")] = "ca/v2g/V2G_ROOT_CA.pem"
        csms_leaf_cert_directory: Annotated[str, Meta(description="Certificates towards the backend.")] = "client/csms"
        csms_leaf_key_directory: Annotated[str, Meta(description="Keys towards the backend.")] = "client/csms"
        secc_leaf_cert_directory: Annotated[str, Meta(description="Certificates towards cars.")] = "client/cso"
        secc_leaf_key_directory: Annotated[str, Meta(description="Keys towards cars.")] = "client/cso"
        private_key_password: Annotated[str, Meta(description="Password of every encrypted key.")] = ""
        oem_ca_bundle: Annotated[
            str, Meta(description="Roots of vehicle certificates (ISO 15118-20), for which EVerest has no type.")
        ] = OEM_BUNDLE
        ocsp_renewal: Annotated[
            bool,
            Meta(
                description="Ask the OCSP responders that the certificates of this charger name, by HTTP. Without, a "
                "CSMS has to renew the responses (OCPP 2.0.1)."
            ),
        ] = False
        contract_revocation: Annotated[
            bool,
            Meta(
                description="Ask the OCSP responders that the certificates of a contract name, by HTTP, whether it was "
                "revoked, for 3 s at most. Without, or without an answer, that is the back end's question."
            ),
        ] = False
        preferred_leaf: Annotated[
            Preference,
            Meta(
                description="Which of several valid certificates of this charger is used: latest_begin, the one that "
                "became valid last, or latest_end, the one that is valid longest (EVerest's rule)."
            ),
        ] = Preference.LATEST_BEGIN

    config: Config
    main = provides(EvseSecurityImpl, description="The store.")

    layout: Layout

    @classmethod
    def claims(cls, config: Config, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """The folders in which it installs and deletes."""
        for folder in dict.fromkeys((config.csms_leaf_cert_directory, config.secc_leaf_cert_directory)):
            about = (
                "csms_leaf_cert_directory" if folder == config.csms_leaf_cert_directory else "secc_leaf_cert_directory"
            )
            yield Claim("certificate folder", normal(layout.absolute(folder)), about)

    async def init(self) -> None:
        """Make the folders and files that are missing; a ConfigError when places of roots and leaves coincide."""
        self._changes: Changes | None = None
        self._complained: set[str] = set()
        self.layout = layout.layout_of(self.config, self._place)
        if shared := layout.overlapping(self.layout):
            raise ConfigError(
                [
                    Finding(self.id, f"{path} is a place for roots and for leaf certificates", number="C212")
                    for path in shared
                ]
            )
        self.upkeep = Upkeep(self.layout, lambda: self.changes, self.main, self.log)
        try:
            for change in layout.prepare(self.layout):
                self.log.warning("%s", change)
        except OSError as error:
            # Charging over plain TCP needs no certificate.
            self.log.error("the certificate store cannot be prepared: %s", error)

    def _place(self, path: str) -> Path:
        try:
            return layout.resolve(self.runtime.root, path)
        except OSError as error:
            self.log.error("%s is only read: %s", path, error)
            return self.runtime.root.read(layout.absolute(path))

    async def ready(self) -> None:
        """Notice what changes by itself, and make room in the store from time to time."""
        self.on_wall_set(self.upkeep.clock_was_set)
        self.spawn(self.upkeep.watch(), "watch")
        self.spawn(self.upkeep.make_room(_now_s), "retention")
        if self.config.ocsp_renewal:
            from chargebyte_fw.modules.security.ocsp_renewal import renew

            renewal = renew(self.layout, lambda: self.changes, self.runtime.wires, self.upkeep.publish, self.log)
            self.spawn(renewal, "OCSP renewal")

    @property
    def changes(self) -> Changes:
        """What reads and changes the store; the cryptography library is loaded when first needed, not at the start."""
        if self._changes is None:
            from chargebyte_fw.modules.security.certificate_store import CertificateStore
            from chargebyte_fw.modules.security.changes import Changes

            config = self.config
            store = CertificateStore(self.layout, config.private_key_password, self._complain, config.preferred_leaf)
            self._changes = Changes(store, self.runtime.random, self._complain)
        return self._changes

    @property
    def queries(self) -> Queries:
        """What only looks at the store."""
        from chargebyte_fw.modules.security.queries import Queries

        return Queries(self.changes.store)

    def has_no_leaf(self, kind: LeafCertificateType) -> bool:
        """Return, without the cryptography library, whether there is no certificate of a kind that has a folder."""
        place = self.layout.leaves.get(kind)
        return place is not None and not layout.files_in(place.certificates, *layout.CERTIFICATE_SUFFIXES)

    async def check_signature(self, file_path: str, certificate: str, signature: str) -> bool:
        """Check the signature of a file, which may be large: beside the event loop unless time is virtual."""
        from chargebyte_fw.modules.security import certificates, keys

        try:
            signer = certificates.parse(certificate.encode())[0]
        except (ValueError, IndexError):
            self.log.warning("a file signature cannot be checked: the signing certificate is not readable")
            return False
        path = self.runtime.root.read(file_path)
        if loop_speed() is None:
            return keys.file_is_signed(path, signer, signature)
        return await asyncio.to_thread(keys.file_is_signed, path, signer, signature)

    def _complain(self, text: str) -> None:
        if len(self._complained) >= COMPLAINTS_KEPT:
            # What comes from a back end could otherwise fill the memory.
            self._complained.clear()
        if text not in self._complained:
            self._complained.add(text)
            self.log.warning("%s", text)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
