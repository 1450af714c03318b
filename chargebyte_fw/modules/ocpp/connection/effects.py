"""What the connection asks of its owner, and what it reports."""

from __future__ import annotations

import msgspec

from chargebyte_fw.modules.ocpp.connection.settings import ClientFiles, Profile, TlsSettings
from chargebyte_fw.modules.ocpp.version import Version


class PrepareNetwork(msgspec.Struct, frozen=True):
    """Ask the system for the network of a slot (`configure_network`): NetworkReady or NetworkFailed is the answer."""

    attempt: int
    profile: Profile


class OtherGeneration(msgspec.Struct, frozen=True):
    """The CSMS has selected a version of the other generation: whoever owns the station may change to it."""

    version: Version


class OpenSocket(msgspec.Struct, frozen=True):
    """Open a WebSocket: Opened or OpenFailed is the answer."""

    attempt: int
    profile: Profile
    url: str
    subprotocols: tuple[str, ...]
    local_address: str
    tls: TlsSettings
    client: ClientFiles | None = None
    """The client certificate in place of the newest one that is installed."""
    new_root: str = ""
    """PEM of a root of the CSMS that is tried alone before all others; empty: there is no new one."""
    former_root: bool = True
    """Whether those before it may be used where the new one does not verify the CSMS."""


class CloseSocket(msgspec.Struct, frozen=True):
    """Send what was sent so far, then close; nothing of this attempt is of interest any more."""

    attempt: int
    code: int
    reason: str


class SendPing(msgspec.Struct, frozen=True):
    """Send a ping: PongReceived is the answer."""

    attempt: int
    payload: str


class Established(msgspec.Struct, frozen=True):
    """A connection is open."""

    profile: Profile
    version: Version


class RootProven(msgspec.Struct, frozen=True):
    """A CSMS was reached after its root was replaced."""

    former: bool
    """The new root does not verify it."""


class CertificateProven(msgspec.Struct, frozen=True):
    """A CSMS was reached after the client certificate was renewed."""

    former: bool
    """With the former certificate: the new one does not work."""


class Lost(msgspec.Struct, frozen=True):
    """The connection is gone."""

    profile: Profile
    reason: str


class Unreachable(msgspec.Struct, frozen=True):
    """An attempt failed: the lasting condition of the log. `next_s` is the pause."""

    profile: Profile | None
    reason: str
    next_s: float
    event: str = ""
    """A security event, where it is the first of its kind since the last connection."""


class Confirmed(msgspec.Struct, frozen=True):
    """The CSMS accepted the station over this slot for the first time since the slot was opened."""

    slot: int
    security_profile: int


class ProfileSwitched(msgspec.Struct, frozen=True):
    """The switch to another security profile has ended."""

    security_profile: int
    succeeded: bool
