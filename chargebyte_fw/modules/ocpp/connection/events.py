"""What the connection is fed. An event of a socket has the number of its attempt: that of an earlier one is ignored."""

from __future__ import annotations

import msgspec

from chargebyte_fw.modules.ocpp.connection.settings import ClientFiles, ConnectionSettings, Credentials


class Start(msgspec.Struct, frozen=True):
    """Connect, and stay connected."""


class Stop(msgspec.Struct, frozen=True):
    """Close the connection and stay offline."""

    reason: str


class Configure(msgspec.Struct, frozen=True):
    """These settings count from now on."""

    settings: ConnectionSettings


class CredentialsChanged(msgspec.Struct, frozen=True):
    """What EvseSecurity has installed."""

    credentials: Credentials


class CertificateRenewed(msgspec.Struct, frozen=True):
    """The former client certificate is used as well where none of the slots can be connected with the new one."""

    former: ClientFiles | None
    """None: there is one certificate again."""


class RootReplaced(msgspec.Struct, frozen=True):
    """The CSMS' root has a successor, which is to be tried first."""

    new_root: str
    """PEM; empty: the successor has taken its place."""


class Restart(msgspec.Struct, frozen=True):
    """Close the connection, and open it again at once, with the settings of now."""

    reason: str


class SwitchProfile(msgspec.Struct, frozen=True):
    """Use another security profile in the present slot, for good if it connects within the time (1.6)."""

    security_profile: int
    timeout_s: float


class BootAccepted(msgspec.Struct, frozen=True):
    """The CSMS accepted the station over this connection."""


class NetworkReady(msgspec.Struct, frozen=True):
    """`configure_network` has set up the network of the slot."""

    attempt: int
    local_address: str = ""
    """The address that the connection is to be made from; empty: any."""


class NetworkFailed(msgspec.Struct, frozen=True):
    """`configure_network` failed, or was rejected."""

    attempt: int
    reason: str


class Opened(msgspec.Struct, frozen=True):
    """The WebSocket is open."""

    attempt: int
    subprotocol: str | None
    former_root: bool = False
    """The new root of the CSMS does not verify it."""


class OpenFailed(msgspec.Struct, frozen=True):
    """There is no WebSocket."""

    attempt: int
    reason: str
    event: str = ""
    """A security event: `FailedToAuthenticateAtCsms`, `InvalidCsmsCertificate`, ..."""


class SocketClosed(msgspec.Struct, frozen=True):
    """The WebSocket is closed, whoever closed it."""

    attempt: int
    code: int
    reason: str


class PongReceived(msgspec.Struct, frozen=True):
    """The last ping was answered."""

    attempt: int
