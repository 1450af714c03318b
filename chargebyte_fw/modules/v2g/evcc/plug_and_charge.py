"""A car's cryptography for Plug and Charge: signatures, and contracts that come encrypted over the charger.

Pure functions; keys and certificates are plain bytes (`evcc/credentials.py`). `cryptography` is imported when the first
of them has work to do: a car without keys needs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.evcc.credentials import SCALAR_KEY, Credentials, Identity
from chargebyte_fw.modules.v2g.evcc.ed448 import ScalarKey
from chargebyte_fw.modules.v2g.evcc.protocol import Failed
from chargebyte_fw.modules.v2g.messages import xmldsig

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

OTHER_INFO = b"\x01\x55\x56"
"""Algorithm, party U and party V in the key derivation ([V2G2-818], [V2G20-2511])."""
_GCM_IV_BYTES, _CBC_IV_BYTES = 12, 16
_LONGEST_PATH = 6
_X448_BYTES = 56
ALTERNATE_KEY = "2.5.29.72"
"""Certificate extension with the subject's alternate public key (X.509 of 2019, clause 9.8.2; [V2G20-2534])."""


class Refused(Failed):
    """The car does not take this contract; the text is the reason."""


def wants_contract(policy: str, keys: Credentials) -> bool:
    """Return whether a car with `install_contract` = `policy` asks for a contract, which it can with these keys."""
    if keys.provisioning is None:
        return False
    return policy == "always" or (policy in ("missing", "update") and keys.contract is None)


def answered(challenge: bytes, wrong: object) -> bytes:
    """Return the challenge for the signed request; another one where the car is to misbehave."""
    return bytes(byte ^ 0xFF for byte in challenge) if wrong is not None else challenge


def private_key(identity: Identity) -> PrivateKeyTypes | ScalarKey:
    """Return the private key of an identity; raises ValueError."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if identity.key_pem.startswith(SCALAR_KEY):
        return ScalarKey(int(identity.key_pem.removeprefix(SCALAR_KEY), 16))
    return load_pem_private_key(identity.key_pem, None)


def signed(
    set_name: str, identity: Identity, elements: Mapping[str, Any], *, spoiled: bool = False
) -> xmldsig.SignatureType:
    """Return the signature of `elements` with an identity's key; `spoiled`: one bit is wrong. Raises ValueError."""
    signature = signatures.sign(set_name, private_key(identity), elements)
    if spoiled:
        value = bytearray(signature.SignatureValue.value)
        value[-1] ^= 1
        signature.SignatureValue.value = bytes(value)
    return signature


# -- certificates


def _certificate(der: bytes) -> Certificate:
    from cryptography import x509

    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise Refused(f"a certificate of {len(der)} bytes cannot be read: {error}") from error


def common_name(der: bytes) -> str:
    """Return the common name of a certificate's subject: a contract's eMAID, a provisioning certificate's PCID."""
    from cryptography.x509.oid import NameOID

    names = _certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def wrong_prices(set_name: str, contract: Identity, signature: Any, elements: signatures.Elements) -> str:
    """Return why prices were not signed by the issuer of the car's contract, or nothing."""
    if signature is None:
        return "they are not signed"
    try:
        certificates = [_certificate(der) for der in contract.chain]
    except Refused as error:
        return str(error)
    issuer = next((one for one in certificates[1:] if one.subject == certificates[0].issuer), None)
    if issuer is None:
        return "the contract came without the certificate of its issuer"
    return signatures.verify(set_name, signature, issuer.public_key(), elements)


def root_ids(roots: Iterable[bytes]) -> list[xmldsig.X509IssuerSerialType]:
    """Return issuer and serial number of each root that the car trusts, for a request that lists them."""
    certificates = [_certificate(der) for der in roots]
    return [
        xmldsig.X509IssuerSerialType(X509IssuerName=one.issuer.rfc4514_string(), X509SerialNumber=one.serial_number)
        for one in certificates
    ]


def check_path(chain: Iterable[bytes], roots: Iterable[bytes], unix_s: float) -> Certificate:
    """Return the leaf of a chain that leads to one of `roots` and is valid now; raises Refused."""
    leaf, *others = [_certificate(der) for der in chain]
    anchors = [_certificate(der) for der in roots]
    now = datetime.fromtimestamp(unix_s, UTC)
    one = leaf
    for _ in range(_LONGEST_PATH):
        name = one.subject.rfc4514_string()
        if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
            raise Refused(f"{name} is valid from {one.not_valid_before_utc} to {one.not_valid_after_utc}")
        if any(_issued(one, anchor) for anchor in anchors):
            return leaf
        issuer = next((other for other in others if _issued(one, other)), None)
        if issuer is None:
            raise Refused(f"{name} leads to no V2G root that the car trusts")
        others.remove(issuer)
        one = issuer
    raise Refused(f"the chain of {leaf.subject.rfc4514_string()} is too long")


def _issued(certificate: Certificate, issuer: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _checked_provider(chain: tuple[bytes, ...], keys: Credentials, unix_s: float) -> Certificate:
    """Return the leaf of the provisioning service that signs contracts; raises Refused ([V2G2-890])."""
    from cryptography.x509.oid import NameOID

    leaf = check_path(chain, keys.roots, unix_s)
    domains = [str(one.value) for one in leaf.subject.get_attributes_for_oid(NameOID.DOMAIN_COMPONENT)]
    if "CPS" not in domains:
        raise Refused(f"{leaf.subject.rfc4514_string()} is no provisioning service (DC=CPS)")
    return leaf


# -- contracts


def installed_iso2(body: Any, signature: Any, keys: Credentials, receiver: Identity, unix_s: float) -> Identity:
    """Return the contract in a CertificateInstallationRes or CertificateUpdateRes of ISO 15118-2; raises Refused.

    `receiver` has the key that the contract's was encrypted for: the provisioning key, or the old contract's (update).
    """
    provider = body.SAProvisioningCertificateChain
    leaf = _checked_provider((provider.Certificate, *_below(provider)), keys, unix_s)
    elements = {
        name: getattr(body, name)
        for name in ("ContractSignatureCertChain", "ContractSignatureEncryptedPrivateKey", "DHpublickey", "eMAID")
    }
    wrong = signatures.verify("iso2", signature, leaf.public_key(), elements)
    if wrong:
        raise Refused(f"the signature of the provisioning service: {wrong}")
    chain = body.ContractSignatureCertChain
    encrypted = body.ContractSignatureEncryptedPrivateKey.value
    scalar = _decrypted_iso2(receiver, body.DHpublickey.value, encrypted)
    return _contract((chain.Certificate, *_below(chain)), scalar)


def installed_iso20(
    data: Any, signature: Any, provider: tuple[bytes, ...], keys: Credentials, unix_s: float
) -> Identity:
    """Return the contract in SignedInstallationData of ISO 15118-20; raises Refused."""
    if keys.provisioning is None:
        raise Refused("the car has no provisioning certificate")
    leaf = _checked_provider(provider, keys, unix_s)
    wrong = signatures.verify("iso20_common", signature, leaf.public_key(), {"SignedInstallationData": data})
    if wrong:
        raise Refused(f"the signature of the provisioning service: {wrong}")
    chain = data.ContractCertificateChain
    encrypted = data.SECP521_EncryptedPrivateKey or data.X448_EncryptedPrivateKey
    if encrypted is None:
        raise Refused("the contract's key is encrypted for a TPM, which this car has not")
    authenticated = authenticated_data(keys.provisioning.certificate, chain.Certificate)
    x448 = str(data.ECDHCurve) == "X448"
    scalar = _decrypted_iso20(_secret(keys.provisioning, data.DHPublicKey, x448=x448), encrypted, authenticated)
    return _contract((chain.Certificate, *chain.SubCertificates.Certificate), scalar)


def _below(chain: Any) -> tuple[bytes, ...]:
    return () if chain.SubCertificates is None else tuple(chain.SubCertificates.Certificate)


def authenticated_data(provisioning: bytes, contract: bytes) -> bytes:
    """Return what the encryption of -20 authenticates: PCID and key identifier of the contract ([V2G20-2492])."""
    from cryptography import x509

    try:
        extension = _certificate(contract).extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except (x509.ExtensionNotFound, ValueError) as error:
        raise Refused("the contract certificate has no subject key identifier") from error
    return common_name(provisioning).encode("ascii", "replace") + extension.value.digest.hex().upper().encode()


def _secret(receiver: Identity, public: bytes, *, x448: bool = False) -> bytes:
    """Return the secret of the key exchange with the sender's ephemeral key; raises Refused.

    `x448`: with the alternate key of the receiver's certificate ([V2G20-2534]).
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        if x448:
            return _secret_x448(receiver, public)
        own = private_key(receiver)
        if isinstance(own, ec.EllipticCurvePrivateKey):
            return own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(own.curve, public))
    except ValueError as error:
        raise Refused(f"the keys cannot be exchanged: {error}") from error
    raise Refused("the car's own key cannot exchange keys")


def _secret_x448(receiver: Identity, public: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if not receiver.exchange_key_pem:
        raise Refused("the car has no X448 key")
    own = load_pem_private_key(receiver.exchange_key_pem, None)
    if not isinstance(own, X448PrivateKey):
        raise Refused("the car's key for the exchange is no X448 key")
    # Senders that go by the schema fill the 56 octets up to 133.
    return own.exchange(X448PublicKey.from_public_bytes(public[-_X448_BYTES:]))


def session_key(secret: bytes, standard: str) -> bytes:
    """Return the symmetric key of a secret: a concatenation key derivation of one round."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

    algorithm: hashes.HashAlgorithm = hashes.SHA256() if standard == "iso2" else hashes.SHA512()
    return ConcatKDFHash(algorithm, 16 if standard == "iso2" else 32, OTHER_INFO).derive(secret)


def _decrypted_iso2(receiver: Identity, public: bytes, encrypted: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    if len(encrypted) != _CBC_IV_BYTES + 32:
        raise Refused(f"an encrypted key of {len(encrypted)} bytes where 48 are due")
    key = session_key(_secret(receiver, public), "iso2")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(encrypted[:_CBC_IV_BYTES])).decryptor()
    return decryptor.update(encrypted[_CBC_IV_BYTES:]) + decryptor.finalize()


def _decrypted_iso20(secret: bytes, encrypted: bytes, authenticated: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = AESGCM(session_key(secret, "iso20"))
    try:
        return key.decrypt(encrypted[:_GCM_IV_BYTES], encrypted[_GCM_IV_BYTES:], authenticated)
    except (InvalidTag, ValueError) as error:
        raise Refused("the contract's key cannot be decrypted: it is for another car") from error


def _contract(chain: tuple[bytes, ...], secret: bytes) -> Identity:
    """Return a contract with its decrypted key; raises Refused where the key is not the certificate's.

    The key is a number ([V2G2-823], [V2G20-2507], [V2G20-2510]).
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed448

    encoding = serialization.Encoding
    public, number = _certificate(chain[0]).public_key(), int.from_bytes(secret, "big")
    belongs, pem = False, b""
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            key = ec.derive_private_key(number, public.curve)
            belongs = key.public_key().public_numbers() == public.public_numbers()
            pem = key.private_bytes(encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        elif isinstance(public, ed448.Ed448PublicKey):
            belongs = ScalarKey(number).public_octets == public.public_bytes_raw()
            pem = SCALAR_KEY + b"%x" % number
    except ValueError as error:
        raise Refused(f"the contract's key is none: {error}") from error
    if not belongs:
        raise Refused("the contract's key does not belong to its certificate: it is for another car")
    return Identity(chain, pem)
