"""EVerest interface `evse_security`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import evse_security
from chargebyte_fw.kernel.contract import Contract, Var


class EvseSecurity(Contract, interface="evse_security", errors=("generic/VendorWarning",)):
    """Certificate and key store. EVerest declares no error; the warning is for a system time that cannot be right."""

    certificate_store_update: Var[evse_security.CertificateStoreUpdate]
    """Install/delete notification."""

    @abstractmethod
    async def install_ca_certificate(
        self, certificate: str, certificate_type: evse_security.CaCertificateType
    ) -> evse_security.InstallCertificateResult:
        """EVerest command `install_ca_certificate`."""

    @abstractmethod
    async def delete_certificate(
        self, certificate_hash_data: evse_security.CertificateHashData
    ) -> evse_security.DeleteCertificateResult:
        """EVerest command `delete_certificate`."""

    @abstractmethod
    async def update_leaf_certificate(
        self, certificate_chain: str, certificate_type: evse_security.LeafCertificateType
    ) -> evse_security.InstallCertificateResult:
        """EVerest command `update_leaf_certificate`."""

    @abstractmethod
    async def verify_certificate(
        self, certificate_chain: str, certificate_types: list[evse_security.LeafCertificateType]
    ) -> evse_security.CertificateValidationResult:
        """certificate_types: accepted kinds."""

    @abstractmethod
    async def get_installed_certificates(
        self, certificate_types: list[evse_security.CertificateType]
    ) -> evse_security.GetInstalledCertificatesResult:
        """EVerest command `get_installed_certificates`."""

    @abstractmethod
    async def get_v2g_ocsp_request_data(self) -> evse_security.OCSPRequestDataList:
        """All V2G leaf + sub-CA, without root."""

    @abstractmethod
    async def get_mo_ocsp_request_data(self, certificate_chain: str) -> evse_security.OCSPRequestDataList:
        """For a presented contract chain."""

    @abstractmethod
    async def update_ocsp_cache(
        self, certificate_hash_data: evse_security.CertificateHashData, ocsp_response: str
    ) -> None:
        """ocsp_response base64 DER."""

    @abstractmethod
    async def is_ca_certificate_installed(self, certificate_type: evse_security.CaCertificateType) -> bool:
        """EVerest command `is_ca_certificate_installed`."""

    @abstractmethod
    async def generate_certificate_signing_request(
        self,
        certificate_type: evse_security.LeafCertificateType,
        country: str,
        organization: str,
        common: str,
        use_tpm: bool,
    ) -> evse_security.GetCertificateSignRequestResult:
        """use_tpm: key stays in TPM."""

    @abstractmethod
    async def get_leaf_certificate_info(
        self,
        certificate_type: evse_security.LeafCertificateType,
        encoding: evse_security.EncodingFormat,
        include_ocsp: bool,
    ) -> evse_security.GetCertificateInfoResult:
        """File paths, not contents."""

    @abstractmethod
    async def get_all_valid_certificates_info(
        self,
        certificate_type: evse_security.LeafCertificateType,
        encoding: evse_security.EncodingFormat,
        include_ocsp: bool,
    ) -> evse_security.GetCertificateFullInfoResult:
        """Newest valid leaf per installed root."""

    @abstractmethod
    async def get_verify_file(self, certificate_type: evse_security.CaCertificateType) -> str:
        """Path of CA bundle."""

    @abstractmethod
    async def get_verify_location(self, certificate_type: evse_security.CaCertificateType) -> str:
        """Path of hashed CA directory."""

    @abstractmethod
    async def get_leaf_expiry_days_count(self, certificate_type: evse_security.LeafCertificateType) -> int:
        """0 = none installed."""

    @abstractmethod
    async def verify_file_signature(self, file_path: str, signing_certificate: str, signature: str) -> bool:
        """Signature base64."""
