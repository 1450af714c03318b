"""Settings of OpenSSL for one handshake: a context for the server's choice, one for the car."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from OpenSSL import SSL, crypto

from chargebyte_fw.modules.v2g.transport.tls import bindings, policy
from chargebyte_fw.modules.v2g.transport.tls.choice import Choice
from chargebyte_fw.modules.v2g.transport.tls.credentials import Chain, unreadable
from chargebyte_fw.modules.v2g.transport.tls.openssl_end import OpenSslEnd

MOST_INTERMEDIATES = 3
"""Two sub-CAs, and a certificate that leads from a new root to an old one."""
_VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
_OPTIONS = SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION


def server_context(
    choice: Choice, anchors: Sequence[bytes], key_log: Callable[[OpenSslEnd, bytes], None] | None
) -> SSL.Context:
    """Return the context of a server for one choice; raises OpenSslError or SSL.Error."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    _common(context, choice.version, choice.version, choice.profile, key_log)
    _show(context, choice.chain)
    if choice.group is not None:
        bindings.set_groups(context, (choice.group,))
    context.set_ocsp_server_callback(lambda connection, _: _end(connection).staple)
    if choice.demand_certificate:
        roots = _trust(context, anchors)
        context.set_client_ca_list([root.get_subject() for root in roots])
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _verified)
    return context


def client_context(
    versions: Sequence[str],
    profile: policy.Profile,
    chain: Chain | None,
    anchors: Sequence[bytes],
    groups: tuple[int, ...],
    key_log: Callable[[OpenSslEnd, bytes], None] | None = None,
) -> SSL.Context:
    """Return the context of a car; raises OpenSslError or SSL.Error."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    _common(context, min(versions), max(versions), profile, key_log)
    if chain is not None:
        _show(context, chain)
    if groups:
        bindings.set_groups(context, groups)
    _trust(context, anchors)
    context.set_verify(SSL.VERIFY_PEER, _verified)
    context.set_ocsp_client_callback(lambda connection, response, _: _end(connection).check_ocsp(response))
    return context


def fault_of(chain: Chain) -> str:
    """Return why OpenSSL does not take a chain and its key; empty if it does."""
    try:
        _show(SSL.Context(SSL.TLS_METHOD), chain)
    except unreadable(SSL.Error, crypto.Error) as error:
        return str(error) or type(error).__name__
    return ""


def set_time(context: SSL.Context, at: datetime) -> None:
    """Let certificates be verified at this time instead of the system's."""
    store = context.get_cert_store()
    if store is not None:
        store.set_time(at)


def _common(
    context: SSL.Context,
    least: str,
    most: str,
    profile: policy.Profile,
    key_log: Callable[[OpenSslEnd, bytes], None] | None,
) -> None:
    context.set_min_proto_version(_VERSIONS[least])
    context.set_max_proto_version(_VERSIONS[most])
    context.set_options(_OPTIONS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(bindings.NO_AUTO_CHAIN)
    context.set_info_callback(_informed)
    if least == "1.2":
        context.set_cipher_list(policy.SUITES_TLS12_NAMES.encode())
    if most == "1.3":
        bindings.set_tls13_suites(context, policy.SUITES_TLS13_NAMES)
    if least == "1.3":
        names = [policy.SIGNATURE_NAMES[one] for one in policy.SIGNATURES_TLS13[profile]]
        bindings.set_signature_algorithms(context, ":".join(names))
    if key_log is not None:
        log = key_log
        context.set_keylog_callback(lambda connection, line: log(_end(connection), line))


def _show(context: SSL.Context, chain: Chain) -> None:
    """Give OpenSSL our chain and its key."""
    leaf, *others = (bindings.certificate(each) for each in chain.certificates)
    context.use_certificate(leaf)
    for other in others:
        context.add_extra_chain_cert(other)
    context.use_privatekey(bindings.private_key(chain.key))


def _trust(context: SSL.Context, anchors: Sequence[bytes]) -> list[crypto.X509]:
    """Trust these roots and no others."""
    store = context.get_cert_store()
    assert store is not None
    roots = [crypto.load_certificate(crypto.FILETYPE_ASN1, each) for each in anchors]
    for root in roots:
        store.add_cert(root)
    context.set_verify_depth(MOST_INTERMEDIATES)
    return roots


def _end(connection: SSL.Connection) -> OpenSslEnd:
    end = connection.get_app_data()
    assert isinstance(end, OpenSslEnd)
    return end


def _informed(connection: SSL.Connection, where: int, code: int) -> None:
    end = connection.get_app_data()
    if isinstance(end, OpenSslEnd):
        end.informed(where, code)


def _verified(connection: SSL.Connection, certificate: crypto.X509, code: int, depth: int, valid: int) -> bool:
    _end(connection).verified(certificate, code, depth)
    return bool(valid)
