"""The variables of the device model as settings of connection and queue."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chargebyte_fw.modules.ocpp.connection.settings import (
    ConnectionSettings,
    Profile,
    TlsSettings,
    password_of_2,
    password_of_16,
)
from chargebyte_fw.modules.ocpp.queue.settings import Settings as QueueSettings
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.standard import communication as comm
from chargebyte_fw.modules.ocpp.variables.standard import internal
from chargebyte_fw.modules.ocpp.version import Version, of_subprotocol

MESSAGE_TIMEOUT_16_S = 30.0
"""OCPP 1.6 has no key for it."""


class Options(msgspec.Struct, frozen=True):
    """What the module's own configuration has for the connection."""

    resume_delay_s: float = 0.0
    """MessageQueueResumeDelay."""
    uses_configure_network: bool = False
    slot_16: int = 1
    """Ocpp16NetworkConfigSlot: the slot that the keys of OCPP 1.6 are a view of."""
    offers_others: bool = False
    """Versions of the other generation are offered as well."""
    prefers_others: bool = False


def slots(variables: Variables) -> list[int]:
    """Return the slots that NetworkConfigurationPriority may list."""
    return _numbers(variables.values(comm.NETWORK_CONFIGURATION_PRIORITY))


def priority(variables: Variables) -> list[int]:
    """Return the slots in the order in which they are tried."""
    listed: tuple[str, ...] = variables.get(comm.NETWORK_CONFIGURATION_PRIORITY)
    return _numbers(listed)


def _numbers(texts: Iterable[str]) -> list[int]:
    return [int(text) for text in texts if text.isdecimal()]


def profile(variables: Variables, slot: int, version: Version) -> Profile | None:
    """Return the profile of a slot, None for one without a URL."""
    url = variables.get(comm.NETWORK_URL.at(slot=slot)) or ""
    if not url:
        return None
    identity = variables.get(comm.NETWORK_IDENTITY.at(slot=slot)) or variables.get(comm.IDENTITY) or ""
    password = variables.find(comm.NETWORK_BASIC_AUTH_PASSWORD.at(slot=slot))
    if not password:
        password = variables.find(comm.BASIC_AUTH_PASSWORD)
    encoded = None
    if password:
        encoded = password_of_2(password) if version.is_2 else password_of_16(password)
    return Profile(
        slot=slot,
        url=url,
        identity=identity,
        security_profile=variables.get(comm.NETWORK_SECURITY_PROFILE.at(slot=slot)),
        password=encoded,
        interface=variables.get(comm.NETWORK_INTERFACE.at(slot=slot)) or "",
        transport=variables.get(comm.NETWORK_TRANSPORT.at(slot=slot)) or "JSON",
        message_timeout_s=float(variables.get(comm.NETWORK_MESSAGE_TIMEOUT.at(slot=slot))),
        host_name=variables.get(comm.NETWORK_HOST_NAME.at(slot=slot)) or "",
    )


def connection_settings(variables: Variables, version: Version, options: Options) -> ConnectionSettings:
    """Return the settings of the connection."""
    get = variables.get
    order = priority(variables)
    if not version.is_2:
        # The keys of 1.6 are those of one slot. Others are used where the system sets up networks (OCPPmulti).
        others = [slot for slot in order if slot != options.slot_16]
        order = [options.slot_16, *others] if options.uses_configure_network else [options.slot_16]
    found = {slot: profile(variables, slot, version) for slot in order}
    confirmed = variables.entry(comm.ACTIVE_NETWORK_PROFILE.id)
    was_confirmed = confirmed is not None and bool(confirmed.attributes["Actual"].source)
    may_lower = not version.is_2 or get(comm.ALLOW_SECURITY_PROFILE_DOWNGRADE)
    return ConnectionSettings(
        profiles={slot: one for slot, one in found.items() if one is not None},
        priority=tuple(order),
        versions=versions(variables, version),
        others=_others(variables, version) if options.offers_others else (),
        others_first=options.prefers_others,
        attempts=get(comm.NETWORK_PROFILE_CONNECTION_ATTEMPTS),
        pause_minimum_s=float(get(comm.RETRY_BACK_OFF_WAIT_MINIMUM)),
        pause_random_s=float(get(comm.RETRY_BACK_OFF_RANDOM_RANGE)),
        doublings=get(comm.RETRY_BACK_OFF_REPEAT_TIMES),
        ping_interval_s=float(get(comm.WEB_SOCKET_PING_INTERVAL)),
        pong_timeout_s=float(get(internal.WEBSOCKET_PONG_TIMEOUT)),
        ping_payload=get(internal.WEBSOCKET_PING_PAYLOAD),
        uses_configure_network=options.uses_configure_network,
        network_timeout_s=float(get(internal.NETWORK_CONFIG_TIMEOUT)),
        local_address=get(internal.IFACE) or "",
        allow_security_level_zero=get(internal.ALLOW_SECURITY_LEVEL_ZERO_CONNECTIONS),
        tls=tls_settings(variables),
        last_slot=get(comm.ACTIVE_NETWORK_PROFILE) if was_confirmed else None,
        least_security_profile=get(comm.SECURITY_PROFILE) if was_confirmed and not may_lower else 0,
    )


def _others(variables: Variables, version: Version) -> tuple[Version, ...]:
    return (Version.V16,) if version.is_2 else versions(variables, Version.V21)


def versions(variables: Variables, version: Version) -> tuple[Version, ...]:
    """Return what is offered, the preferred one first."""
    if not version.is_2:
        return (Version.V16,)
    offered = [of_subprotocol(name.strip()) for name in variables.get(internal.SUPPORTED_OCPP_VERSIONS)]
    found = tuple(one for one in offered if one is not None and one.is_2)
    return found or (Version.V21, Version.V201)


def tls_settings(variables: Variables) -> TlsSettings:
    """Return how TLS is configured."""
    get = variables.get
    return TlsSettings(
        ciphers_tls12=get(internal.SUPPORTED_CIPHERS_12),
        ciphers_tls13=get(internal.SUPPORTED_CIPHERS_13),
        system_roots=get(internal.USE_SSL_DEFAULT_VERIFY_PATHS),
        check_host_name=get(internal.VERIFY_CSMS_COMMON_NAME),
        allow_wildcards=get(internal.VERIFY_CSMS_ALLOW_WILDCARDS),
        use_tpm=get(internal.USE_TPM),
        partial_chain=get(comm.ADDITIONAL_ROOT_CERTIFICATE_CHECK),
        key_log=get(internal.TLS_KEYLOG_FILE) if get(internal.ENABLE_TLS_KEYLOG) else "",
    )


def queue_settings(variables: Variables, version: Version, options: Options, slot: int | None) -> QueueSettings:
    """Return the settings of the queue; `slot` is that of the connection, None while there is none."""
    get = variables.get
    timeout_s = MESSAGE_TIMEOUT_16_S
    if version.is_2:
        timeout_s = float(get(comm.MESSAGE_TIMEOUT))
        if slot is not None:
            of_slot = variables.find(comm.NETWORK_MESSAGE_TIMEOUT.at(slot=slot))
            timeout_s = timeout_s if of_slot is None else float(of_slot)
    return QueueSettings(
        message_timeout_s=timeout_s,
        attempts=get(comm.MESSAGE_ATTEMPTS),
        retry_interval_s=float(get(comm.MESSAGE_ATTEMPT_INTERVAL)),
        size_threshold=get(internal.MESSAGE_QUEUE_SIZE_THRESHOLD),
        queue_all=get(comm.QUEUE_ALL_MESSAGES),
        discard=frozenset(name.strip() for name in get(comm.MESSAGE_TYPES_DISCARD_FOR_QUEUEING)),
        resume_delay_s=options.resume_delay_s,
        max_message_bytes=get(internal.MAX_MESSAGE_SIZE),
    )
