"""What of the configuration the connection depends on: slots with their profiles, and the rules for trying them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import msgspec
import msgspec.structs

from chargebyte_fw.modules.ocpp.version import Version

SLOT_PAUSE_S = 2.0
"""The pause before another slot is tried, after a slot that cannot be used, and after "service restart"."""
LEAST_PAUSE_S = 1.0
"""The shortest pause between two attempts, whatever is configured."""


IDENTITY_LETTERS = "*-_=:+|@."
"""What an identity of 2.x may have besides letters and digits (identifierString); the rest is percent-encoded."""


class Profile(msgspec.Struct, frozen=True):
    """A slot of NetworkConfiguration; in 1.6 the keys with the same meaning."""

    slot: int
    url: str
    """Of the CSMS, without the identity."""
    identity: str
    security_profile: int = 1
    password: bytes | None = None
    """Of HTTP Basic authentication, as it is sent."""
    interface: str = ""
    """OcppInterface: `Wired0`, ... It is passed to `configure_network`."""
    transport: str = "JSON"
    message_timeout_s: float = 60.0
    host_name: str = ""
    """The header User-Host."""

    def __repr__(self) -> str:
        """Without the password, as this goes into the log."""
        return f"Profile(slot={self.slot}, url={self.url!r}, security_profile={self.security_profile})"


class TlsSettings(msgspec.Struct, frozen=True):
    """How the certificate of the CSMS is judged, and what is offered to it."""

    ciphers_tls12: tuple[str, ...] = ()
    """SupportedCiphers12; none: those of the library."""
    ciphers_tls13: tuple[str, ...] = ()
    """SupportedCiphers13; none: those of the library."""
    system_roots: bool = True
    """UseSslDefaultVerifyPaths: trust the system's roots, too."""
    check_host_name: bool = True
    """VerifyCsmsCommonName."""
    allow_wildcards: bool = False
    """VerifyCsmsAllowWildcards."""
    use_tpm: bool = False
    """UseTPM: the client's key is in a TPM."""
    partial_chain: bool = False
    """AdditionalRootCertificateCheck: a root may be one that the root before it has signed."""
    key_log: str = ""
    """A file for the keys of TLS sessions (EnableTLSKeylog, TLSKeylogFile); empty: none is written."""


class ClientFiles(msgspec.Struct, frozen=True):
    """The files of a client certificate, as EvseSecurity names them."""

    chain: str
    """What is shown to the CSMS."""
    key: str
    single: str = ""
    """The certificate alone, where it has a file of its own."""


class ConnectionSettings(msgspec.Struct, frozen=True):
    """Everything that the connection is configured by; it is replaced as a whole."""

    profiles: Mapping[int, Profile]
    """By slot; those that are complete."""
    priority: tuple[int, ...] = (1,)
    """NetworkConfigurationPriority."""
    versions: tuple[Version, ...] = (Version.V16,)
    others: tuple[Version, ...] = ()
    """Versions of the other generation, which are offered as well."""
    others_first: bool = False
    """They are preferred."""
    """What is offered, the preferred one first."""
    attempts: int = 3
    """NetworkProfileConnectionAttempts; -1 without end."""
    pause_minimum_s: float = 1.0
    """RetryBackOffWaitMinimum."""
    pause_random_s: float = 2.0
    """RetryBackOffRandomRange."""
    doublings: int = 2
    """RetryBackOffRepeatTimes."""
    ping_interval_s: float = 30.0
    """WebSocketPingInterval; 0: no pings."""
    pong_timeout_s: float = 5.0
    ping_payload: str = "hello there"
    uses_configure_network: bool = False
    """Whether the system is asked to set up the network of a slot before each attempt (OCPPmulti)."""
    network_timeout_s: float = 60.0
    """NetworkConfigTimeout."""
    local_address: str = ""
    """IFace: the interface, or address, that the connection is made from; empty: any."""
    allow_security_level_zero: bool = False
    """InternalCtrlr.AllowSecurityLevelZeroConnections (2.x)."""
    tls: TlsSettings = TlsSettings()
    last_slot: int | None = None
    """The slot over which a CSMS last accepted the station, None before the first time."""
    least_security_profile: int | None = None
    """Slots below it are not used. None: that of the last slot of this run."""

    def with_profile(self, profile: Profile) -> ConnectionSettings:
        """Return the settings with another profile in its slot."""
        return msgspec.structs.replace(self, profiles={**self.profiles, profile.slot: profile})


def with_security_profile(profile: Profile, security_profile: int) -> Profile:
    """Return a profile with another security profile."""
    return msgspec.structs.replace(profile, security_profile=security_profile)


class Credentials(msgspec.Struct, frozen=True):
    """What EvseSecurity has installed, as the preconditions of the security profiles ask for it."""

    csms_root: bool = False
    client_certificate: bool = False


def shortcoming(profile: Profile, settings: ConnectionSettings, credentials: Credentials) -> str:
    """Return why a profile cannot be used, empty where it can (ocpp.md 2.4)."""
    level = profile.security_profile
    if not profile.url or not profile.identity:
        return "it has no URL" if not profile.url else "it has no identity"
    if not 0 <= level <= 3:
        return f"there is no security profile {level}"
    if profile.transport != "JSON":
        return f"the transport {profile.transport} is not available"
    if level == 0 and settings.versions[0].is_2 and not settings.allow_security_level_zero:
        return "security profile 0 is not allowed (AllowSecurityLevelZeroConnections)"
    if level in (1, 2) and not profile.password:
        return f"security profile {level} needs a password (AuthorizationKey, BasicAuthPassword)"
    if level >= 2 and not credentials.csms_root and not settings.tls.system_roots:
        return f"security profile {level} needs a CSMS root certificate"
    if level == 3 and not credentials.client_certificate:
        return "security profile 3 needs a client certificate"
    return ""


def address(profile: Profile) -> str:
    """Return the URL to connect to: the scheme follows from the security profile, the identity is its last part.

    A URL that ends with the identity already, as EVerest's configurations have it, is used as it is.
    """
    rest = profile.url.partition("://")[2] if "://" in profile.url else profile.url
    scheme = "wss" if profile.security_profile >= 2 else "ws"
    last = "/" + quote(profile.identity, safe=IDENTITY_LETTERS)
    return f"{scheme}://{rest.rstrip('/').removesuffix(last)}{last}"


def password_of_16(key: str) -> bytes:
    """Return what is sent for an AuthorizationKey of 1.6: bytes, where it is hexadecimal throughout (security A.2)."""
    try:
        return bytes.fromhex(key) if len(key) % 2 == 0 and key.isalnum() else key.encode()
    except ValueError:
        return key.encode()


def password_of_2(password: str) -> bytes:
    """Return what is sent for a BasicAuthPassword of 2.x: the text as it is (A00.FR.205)."""
    return password.encode()
