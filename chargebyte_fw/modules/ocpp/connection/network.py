"""The block between the device model and the connection: settings, confirmed slots, passwords, security profiles."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.connection.configured import Options, connection_settings, queue_settings
from chargebyte_fw.modules.ocpp.connection.settings import ConnectionSettings, Credentials
from chargebyte_fw.modules.ocpp.provisioning.events import SecurityEventRaised
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.variables.model import Change
from chargebyte_fw.modules.ocpp.variables.standard import communication as comm
from chargebyte_fw.modules.ocpp.variables.standard.internal import INTERNAL

CSMS = "csms"
"""The source of values that the CSMS has set."""
COMPONENTS = {one.id.name.lower() for one in (comm.COMM, comm.NETWORK, comm.SECURITY, INTERNAL)}
NAMES_16 = {
    "InvalidCsmsCertificate": "InvalidCentralSystemCertificate",
    "FailedToAuthenticateAtCsms": "FailedToAuthenticateAtCentralSystem",
}
"""Security events that 1.6 names differently (white paper, appendix)."""
PASSWORDS = {comm.BASIC_AUTH_PASSWORD.id.name.lower()}


class Network(Block):
    """Keeps connection and queue configured, and the variables about them up to date. The module sets `options`."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.options = Options()
        self.credentials = Credentials()
        self.slot: int | None = None
        """The slot of the present connection."""
        self.security_profile = 0
        """That of the present connection, or of the last one."""
        self._started = False
        self._reconnects = False
        self._sent: tuple[object, object] | None = None
        station.variables.on_any_change(self._changed)

    @receives(events.Started)
    def started(self, event: events.Started) -> None:
        """Configure connection and queue."""
        self._started = True
        self._configure()

    @receives(events.CredentialsKnown)
    def credentials_known(self, event: events.CredentialsKnown) -> None:
        """Note what the security profiles may be chosen by."""
        self.credentials = Credentials(event.csms_root, event.client_certificate)

    @receives(events.Connected)
    def connected(self, event: events.Connected) -> None:
        """Use the time-out of the slot."""
        self.slot, self.security_profile = event.slot, event.security_profile
        self._configure()

    @receives(events.Disconnected)
    def disconnected(self, event: events.Disconnected) -> None:
        """The slot is in use no more."""
        self.slot = None

    @receives(events.SlotConfirmed)
    def confirmed(self, event: events.SlotConfirmed) -> None:
        """Write which slot a CSMS has accepted the station over, and with which security profile."""
        self.station.variables.set(comm.ACTIVE_NETWORK_PROFILE, event.slot)
        self.station.variables.set(comm.SECURITY_PROFILE, event.security_profile)
        self.remove_lower()

    def remove_lower(self) -> None:
        """Remove the slots that are not to be used any more because their security profile is lower (2.x)."""

    @receives(events.SecurityEventFound)
    def found(self, event: events.SecurityEventFound) -> None:
        """Raise what the connection found, under the name of the version."""
        name = event.type if self.station.version.is_2 else NAMES_16.get(event.type, event.type)
        self.station.notify(SecurityEventRaised(name, event.tech_info))

    def settings(self) -> ConnectionSettings:
        """Return the settings of the connection."""
        return connection_settings(self.station.variables, self.station.version, self.options)

    def _configure(self) -> None:
        if not self._started:
            return
        queue = queue_settings(self.station.variables, self.station.version, self.options, self.slot)
        now = (self.settings(), queue)
        before, self._sent = self._sent, now
        if before is None or before[0] != now[0]:
            self.station.effect(do.ConfigureConnection(now[0]))
        if before is None or before[1] != queue:
            self.station.effect(do.ConfigureQueue(queue))

    def _changed(self, change: Change) -> None:
        component = change.entry.id.component.name.lower()
        if component not in COMPONENTS or change.attribute != "Actual":
            return
        if change.source == CSMS and change.entry.id.name.lower() in PASSWORDS:
            self.password_changed(change)
        self._configure()

    def password_changed(self, change: Change) -> None:
        """Use a new password at once where one is in use (2.x A01; 1.6 security A01): after the answer, anew."""
        self.station.notify(SecurityEventRaised("ReconfigurationOfSecurityParameters", change.entry.id.name))
        instance = change.entry.id.component.instance
        if instance in ("", str(self.slot)) and self.security_profile in (1, 2) and not self._reconnects:
            self._reconnects = True
            self.station.after_answer(self._reconnect)

    def _reconnect(self) -> None:
        self._reconnects = False
        self.station.effect(do.Reconnect("the password has changed"))
