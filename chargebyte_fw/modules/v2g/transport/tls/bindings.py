"""What pyOpenSSL does not wrap and the bindings of `cryptography` have: groups, signature algorithms, TLS 1.3 suites.

Names of `OpenSSL._util` are no interface of pyOpenSSL's; every use of them is in this file. Checked with pyOpenSSL 24.0
to 26.4 on `cryptography` 42 to 50.
"""

from __future__ import annotations

from typing import Any

import OpenSSL
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from OpenSSL import SSL, crypto
from OpenSSL._util import ffi, lib

from chargebyte_fw.modules.v2g.transport.tls import policy

_NIDS = {policy.P256: 415, policy.P384: 715, policy.P521: 716}
"""OpenSSL's numbers of the curves (NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1)."""
_LIST_NAMES = {policy.P256: "P-256", policy.P384: "P-384", policy.P521: "P-521", policy.X448: "X448"}
NO_AUTO_CHAIN = 0x8
"""SSL_MODE_NO_AUTO_CHAIN: never add a root from the store to our own chain."""


_OWN_OBJECTS = tuple(map(int, OpenSSL.__version__.split(".")[:2])) < (24, 3)
"""Before, pyOpenSSL takes objects of its own alone; from then on it deprecates them for those of `cryptography`."""


class OpenSslError(Exception):
    """OpenSSL refuses a setting."""


def certificate(der: bytes) -> Any:
    """Return a certificate as pyOpenSSL takes it."""
    if _OWN_OBJECTS:
        return crypto.load_certificate(crypto.FILETYPE_ASN1, der)
    return x509.load_der_x509_certificate(der)


def private_key(der: bytes) -> Any:
    """Return a private key (PKCS#8) as pyOpenSSL takes it."""
    if _OWN_OBJECTS:
        return crypto.load_privatekey(crypto.FILETYPE_ASN1, der)
    return serialization.load_der_private_key(der, None)


def has_group_list() -> bool:
    """Return whether a list of groups can be set (from `cryptography` 47 on); otherwise a single elliptic curve can."""
    return hasattr(lib, "SSL_CTX_set1_curves_list")


def set_groups(context: SSL.Context, groups: tuple[int, ...]) -> None:
    """Offer these groups alone; without `has_group_list` the first of them, which must be an elliptic curve."""
    if has_group_list():
        names = ":".join(_LIST_NAMES[group] for group in groups).encode()
        _check(lib.SSL_CTX_set1_curves_list(context._context, names), "groups")
        return
    key = lib.EC_KEY_new_by_curve_name(_NIDS[groups[0]])
    if key == ffi.NULL:
        raise OpenSslError("this OpenSSL has not the curve")
    key = ffi.gc(key, lib.EC_KEY_free)
    _check(lib.SSL_CTX_set_tmp_ecdh(context._context, key), "curve")


def set_signature_algorithms(context: SSL.Context, names: str) -> None:
    """Offer and accept these signature algorithms alone."""
    _check(lib.SSL_CTX_set1_sigalgs_list(context._context, names.encode()), "signature algorithms")


def set_tls13_suites(context: SSL.Context, names: str) -> None:
    """Offer these cipher suites of TLS 1.3 alone."""
    _check(lib.SSL_CTX_set_ciphersuites(context._context, names.encode()), "TLS 1.3 cipher suites")


def get_error_name(code: int) -> str:
    """Return OpenSSL's text for the result of a certificate's verification."""
    text = ffi.string(lib.X509_verify_cert_error_string(code))
    return bytes(text).decode("ascii", "replace")


def _check(result: Any, what: str) -> None:
    if result != 1:
        lib.ERR_clear_error()
        raise OpenSslError(f"OpenSSL refuses the {what}")
