"""A provisioning service behind the charger: answers the contract requests of cars as a mobility operator's does.

`Provisioning` holds one contract and the key that signs it; `answer` takes the EXI of a CertificateInstallationReq or
CertificateUpdateReq of ISO 15118-2, or of a CertificateInstallationReq of -20, and returns the EXI of the response.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.evcc import Identity, plug_and_charge
from chargebyte_fw.modules.v2g.evcc.ed448 import ScalarKey
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import iso2, iso20_common, iso20_contracts, iso20_types
from chargebyte_fw.sim.car_keys import read_identity

_AES_BLOCK_BYTES, _GCM_NONCE_BYTES, _X448_BYTES = 16, 12, 56


class Provisioning(msgspec.Struct, frozen=True):
    """A service for one standard (`iso2`, `iso20`)."""

    standard: str
    service: Identity
    """Signs what is installed (CPS)."""
    contract: Identity
    """What every car gets."""

    @classmethod
    def of(cls, folder: Path, standard: str) -> Provisioning:
        """Read `cps.pem` and `contract.pem` with their keys; raises Unavailable."""
        return cls(standard, read_identity(folder / "cps.pem"), read_identity(folder / "contract.pem"))

    def answer(self, request: bytes, *, unix_s: float = 0.0) -> bytes:
        """Return the response to a request, both EXI; raises ExiError for one that is no request for a contract."""
        if self.standard == "iso2":
            message = codec("iso2").decode(request)
            return self._answer_iso2(message)
        return self._answer_iso20(codec("iso20_common").decode(request), unix_s)

    def _answer_iso2(self, message: iso2.V2G_Message) -> bytes:
        body: Any = message.Body
        update = isinstance(body, iso2.CertificateUpdateReq)
        receiver = body.ContractSignatureCertChain.Certificate if update else body.OEMProvisioningCert
        public, secret = self._exchange(receiver)
        emaid = plug_and_charge.common_name(self.contract.certificate).replace("-", "")
        elements = {
            "ContractSignatureCertChain": iso2.CertificateChainType(
                Id="id1",
                Certificate=self.contract.certificate,
                SubCertificates=iso2.SubCertificatesType(Certificate=list(self.contract.chain[1:])),
            ),
            "ContractSignatureEncryptedPrivateKey": iso2.ContractSignatureEncryptedPrivateKeyType(
                Id="id2", value=self._encrypted_iso2(plug_and_charge.session_key(secret, "iso2"))
            ),
            "DHpublickey": iso2.DiffieHellmanPublickeyType(Id="id3", value=public),
            "eMAID": iso2.EMAIDType(Id="id4", value=emaid),
        }
        kind: Any = iso2.CertificateUpdateRes if update else iso2.CertificateInstallationRes
        response = kind(
            ResponseCode=iso2.responseCodeType.OK,
            SAProvisioningCertificateChain=iso2.CertificateChainType(
                Certificate=self.service.certificate,
                SubCertificates=iso2.SubCertificatesType(Certificate=list(self.service.chain[1:])),
            ),
            **elements,
        )
        signature = signatures.sign("iso2", plug_and_charge.private_key(self.service), elements)
        header = iso2.MessageHeaderType(SessionID=message.Header.SessionID, Signature=signature)
        return codec("iso2").encode(iso2.V2G_Message(Header=header, Body=response))

    def _answer_iso20(self, request: Any, unix_s: float) -> bytes:
        receiver = request.OEMProvisioningCertificateChain.Certificate
        alternate = _alternate_key(receiver)
        public, secret = self._exchange(receiver) if alternate is None else _exchange_x448(alternate)
        authenticated = plug_and_charge.authenticated_data(receiver, self.contract.certificate)
        curve = iso20_contracts.ecdhCurveType.SECP521 if alternate is None else iso20_contracts.ecdhCurveType.X448
        encrypted = self._encrypted_iso20(plug_and_charge.session_key(secret, "iso20"), authenticated)
        # The key of the contract decides which element there is ([V2G20-2493]).
        element = "X448_EncryptedPrivateKey" if self._is_ed448 else "SECP521_EncryptedPrivateKey"
        chain = iso20_contracts.SubCertificatesType(Certificate=list(self.contract.chain[1:4]))
        data = iso20_contracts.SignedInstallationDataType(
            Id="id1",
            ContractCertificateChain=iso20_contracts.ContractCertificateChainType(
                Certificate=self.contract.certificate, SubCertificates=chain
            ),
            ECDHCurve=curve,
            DHPublicKey=public,
            **{element: encrypted},
        )
        key = plug_and_charge.private_key(self.service)
        header = iso20_types.MessageHeaderType(
            SessionID=request.Header.SessionID,
            TimeStamp=int(unix_s) or request.Header.TimeStamp,
            Signature=signatures.sign("iso20_common", key, {"SignedInstallationData": data}),
        )
        service = iso20_contracts.SubCertificatesType(Certificate=list(self.service.chain[1:4]))
        response = iso20_common.CertificateInstallationRes(
            Header=header,
            ResponseCode=iso20_types.responseCodeType.OK,
            EVSEProcessing=iso20_types.processingType.Finished,
            CPSCertificateChain=iso20_contracts.CertificateChainType(
                Certificate=self.service.certificate, SubCertificates=service
            ),
            SignedInstallationData=data,
            RemainingContractCertificateChains=0,
        )
        return codec("iso20_common").encode(response)

    # -- encryption for the car

    def _exchange(self, receiver: bytes) -> tuple[bytes, bytes]:
        """Return our ephemeral public key and the secret that it makes with a certificate's."""
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        theirs = x509.load_der_x509_certificate(receiver).public_key()
        if not isinstance(theirs, ec.EllipticCurvePublicKey):
            raise ValueError("the car's certificate is on no curve that keys are exchanged on")
        own = ec.generate_private_key(theirs.curve)
        point = serialization.PublicFormat.UncompressedPoint
        return own.public_key().public_bytes(serialization.Encoding.X962, point), own.exchange(ec.ECDH(), theirs)

    @property
    def _is_ed448(self) -> bool:
        from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey

        return isinstance(plug_and_charge.private_key(self.contract), Ed448PrivateKey)

    def _scalar(self) -> bytes:
        key: Any = plug_and_charge.private_key(self.contract)
        if self._is_ed448:
            return ScalarKey.of_seed(key.private_bytes_raw()).scalar.to_bytes(_X448_BYTES, "big")
        number: int = key.private_numbers().private_value
        return number.to_bytes((key.key_size + 7) // 8, "big")

    def _encrypted_iso2(self, key: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        start = os.urandom(_AES_BLOCK_BYTES)
        encryptor = Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
        return start + encryptor.update(self._scalar()) + encryptor.finalize()

    def _encrypted_iso20(self, key: bytes, authenticated: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        start = os.urandom(_GCM_NONCE_BYTES)
        return start + AESGCM(key).encrypt(start, self._scalar(), authenticated)


def _alternate_key(der: bytes) -> Any:
    """Return the alternate public key of a certificate; None without one ([V2G20-2534])."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        extensions = x509.load_der_x509_certificate(der).extensions
        found: Any = extensions.get_extension_for_oid(x509.ObjectIdentifier(plug_and_charge.ALTERNATE_KEY))
    except x509.ExtensionNotFound:
        return None
    return load_der_public_key(found.value.value)


def _exchange_x448(theirs: Any) -> tuple[bytes, bytes]:
    """Return our ephemeral public key, not filled up ([V2G20-2495]), and the secret that it makes with theirs."""
    from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey

    own = X448PrivateKey.generate()
    return own.public_key().public_bytes_raw(), own.exchange(theirs)
