"""The connection: opened, watched with pings, opened again after pauses, in one slot after the other (ocpp.md 4.1)."""

from __future__ import annotations

import random
from enum import Enum
from typing import Any

from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.ocpp.connection import effects, events
from chargebyte_fw.modules.ocpp.connection.settings import (
    SLOT_PAUSE_S,
    ClientFiles,
    ConnectionSettings,
    Credentials,
    Profile,
    address,
    shortcoming,
    with_security_profile,
)
from chargebyte_fw.modules.ocpp.connection.slots import Slots
from chargebyte_fw.modules.ocpp.connection.web_socket import GOING_AWAY, NORMAL, SERVICE_RESTART
from chargebyte_fw.modules.ocpp.version import of_subprotocol

OPEN_LIMIT_S = 60.0
"""An attempt that has not ended by itself by then has failed. The link's own limits are shorter."""

TLS_PROFILE, CLIENT_CERTIFICATE_PROFILE = 2, 3
"""Least security profiles with TLS, and with a client certificate."""


class S(Enum):
    """States of the connection."""

    IDLE = "not wanted"
    PREPARING = "the system sets up the network"
    OPENING = "connecting"
    OPEN = "connected"
    WAITING = "pause before the next attempt"


class Connection(Machine):
    """Keeps a WebSocket to the CSMS open."""

    initial = S.IDLE

    def __init__(self, settings: ConnectionSettings, slots: Slots, credentials: Credentials) -> None:
        super().__init__()
        self.settings = settings
        self.slots = slots
        slots.configure(settings)
        self.credentials = credentials
        self.attempt = 0
        """The number of the last attempt."""
        self.profile: Profile | None = None
        """That of the present attempt or connection."""
        self.last_reason = ""
        """Why the last connection or attempt ended."""
        self._confirmed = False
        self._reported: set[str] = set()
        self._wanted_profile: int | None = None
        self._former: ClientFiles | None = None
        self._uses_former = False
        self._rounds = 0
        self._new_root = ""

    # Wanted or not.

    @on(S.IDLE, event=events.Start, to=(S.PREPARING, S.OPENING, S.WAITING))
    def begin(self, event: events.Start, now: float) -> list[Any]:
        """Connect."""
        return self._try(now)

    @on(S.PREPARING, S.OPENING, S.OPEN, S.WAITING, event=events.Start)
    def begun(self, event: events.Start, now: float) -> None:
        """It is connecting, or connected."""

    @on(event=events.Stop, to=S.IDLE)
    def end(self, event: events.Stop, now: float) -> list[Any]:
        """Close and stay offline."""
        return [*self._leave(NORMAL, event.reason), *self.enter(S.IDLE)]

    @on(S.IDLE, event=events.Restart)
    def not_wanted(self, event: events.Restart, now: float) -> None:
        """Nothing is to be opened."""

    @on(S.PREPARING, S.OPENING, S.OPEN, S.WAITING, event=events.Restart, to=(S.PREPARING, S.OPENING, S.WAITING))
    def restart(self, event: events.Restart, now: float) -> list[Any]:
        """Open it again with the settings of now, beginning with the first slot."""
        found = self._leave(SERVICE_RESTART, event.reason)
        self.slots.restart()
        return found + self._try(now)

    @on(event=events.Configure)
    def configure(self, event: events.Configure, now: float) -> None:
        """Take over settings: pings at once, all others with the next attempt."""
        before, self.settings = self.settings, event.settings
        self.slots.configure(event.settings)
        if self.state is S.OPEN and before.ping_interval_s != event.settings.ping_interval_s:
            self._start_pings(now)

    @on(event=events.CredentialsChanged)
    def installed(self, event: events.CredentialsChanged, now: float) -> None:
        """Note what is installed: it counts with the next attempt."""
        self.credentials = event.credentials

    @on(event=events.CertificateRenewed)
    def renewed(self, event: events.CertificateRenewed, now: float) -> None:
        """Begin with the new client certificate ([A02.FR.28])."""
        self._former, self._uses_former = event.former, False

    @on(event=events.RootReplaced)
    def root_replaced(self, event: events.RootReplaced, now: float) -> None:
        """Try the new root of the CSMS first (M05)."""
        self._new_root = event.new_root

    # One attempt.

    def _try(self, now: float) -> list[Any]:
        profile = self._profile()
        reason = "no slot can be used" if profile is None else shortcoming(profile, self.settings, self.credentials)
        if profile is None or reason:
            return self._pause(now, self.slots.unusable(self.settings), profile, reason)
        self.attempt += 1
        self.profile = profile
        self._confirmed = False
        if self.settings.uses_configure_network:
            self.start("network", now + self.settings.network_timeout_s)
            return self.enter(S.PREPARING, effects.PrepareNetwork(self.attempt, profile))
        return self._open(profile, self.settings.local_address, now)

    def _profile(self) -> Profile | None:
        profile = self.slots.profile(self.settings)
        if profile is not None and self._wanted_profile is not None:
            return with_security_profile(profile, self._wanted_profile)
        return profile

    def _open(self, profile: Profile, local_address: str, now: float) -> list[Any]:
        self.start("limit", now + OPEN_LIMIT_S)
        own, others = self.settings.versions, self.settings.others
        offered = others + own if self.settings.others_first else own + others
        subprotocols = tuple(version.value for version in offered)
        url = address(profile)
        tls = self.settings.tls
        client = self._former if self._uses_former else None
        # At another CSMS than the last one the former root does not count ([M05.FR.15]).
        former_root = self.slots.last in (None, profile.slot)
        order = effects.OpenSocket(
            self.attempt, profile, url, subprotocols, local_address, tls, client, self._new_root, former_root
        )
        return self.enter(S.OPENING, order)

    @on(S.PREPARING, event=events.NetworkReady, to=S.OPENING)
    def prepared(self, event: events.NetworkReady, now: float) -> list[Any] | None:
        """Connect over the network that was set up."""
        if event.attempt != self.attempt or self.profile is None:
            return None
        return self._open(self.profile, event.local_address or self.settings.local_address, now)

    @on(S.PREPARING, event=events.NetworkFailed, to=S.WAITING)
    def not_prepared(self, event: events.NetworkFailed, now: float) -> list[Any] | None:
        """Go on with the next slot."""
        if event.attempt != self.attempt:
            return None
        return self._pause(now, self.slots.unusable(self.settings), self.profile, event.reason)

    @on(S.PREPARING, timer="network", to=S.WAITING)
    def not_prepared_in_time(self, now: float) -> list[Any]:
        """Go on with the next slot: NetworkConfigTimeout is over."""
        reason = f"the network was not set up within {self.settings.network_timeout_s:g} s"
        return self._pause(now, self.slots.unusable(self.settings), self.profile, reason)

    @on(S.IDLE, S.OPENING, S.OPEN, S.WAITING, event=events.NetworkReady)
    @on(S.IDLE, S.OPENING, S.OPEN, S.WAITING, event=events.NetworkFailed)
    def prepared_too_late(self, event: Any, now: float) -> None:
        """The attempt has ended."""

    @on(S.OPENING, event=events.Opened, to=(S.OPEN, S.WAITING))
    def opened(self, event: events.Opened, now: float) -> list[Any] | None:
        """Speak the version that the CSMS selected; without one this is no connection (OCPP-J 1.6 3.2)."""
        if event.attempt != self.attempt or self.profile is None:
            return None
        version = of_subprotocol(event.subprotocol)
        if version in self.settings.others:
            assert version is not None
            close = effects.CloseSocket(self.attempt, NORMAL, "the station changes to this version")
            reason = f"the CSMS selected {version.value}, to which the station changes while no transaction runs"
            return [close, *self._fail(now, reason, ""), effects.OtherGeneration(version)]
        if version is None or version not in self.settings.versions:
            selected = f"the sub-protocol {event.subprotocol!r}" if event.subprotocol else "no sub-protocol"
            close = effects.CloseSocket(self.attempt, NORMAL, "no version of OCPP was selected")
            return [close, *self._fail(now, f"the CSMS selected {selected}", "")]
        self.slots.connected()
        self._reported.clear()
        self._start_pings(now)
        found: list[Any] = [effects.Established(self.profile, version)]
        if self._former is not None and self.profile.security_profile == CLIENT_CERTIFICATE_PROFILE:
            found.append(effects.CertificateProven(self._uses_former))
        if self._new_root and self.profile.security_profile >= TLS_PROFILE:
            found.append(effects.RootProven(event.former_root))
        if self._wanted_profile is not None:
            self.stop("switch")
            self._wanted_profile = None
            found.append(effects.ProfileSwitched(self.profile.security_profile, succeeded=True))
        return self.enter(S.OPEN, *found)

    @on(S.OPENING, event=events.OpenFailed, to=S.WAITING)
    def refused(self, event: events.OpenFailed, now: float) -> list[Any] | None:
        """Wait, and try again."""
        return None if event.attempt != self.attempt else self._fail(now, event.reason, event.event)

    @on(S.OPENING, timer="limit", to=S.WAITING)
    def not_opened_in_time(self, now: float) -> list[Any]:
        """Give up an attempt that does not end."""
        close = effects.CloseSocket(self.attempt, GOING_AWAY, "it took too long")
        return [close, *self._fail(now, f"no connection within {OPEN_LIMIT_S:g} s", "")]

    @on(S.IDLE, S.PREPARING, S.OPEN, S.WAITING, event=events.Opened)
    @on(S.IDLE, S.PREPARING, S.OPEN, S.WAITING, event=events.OpenFailed)
    @on(S.IDLE, S.PREPARING, S.OPENING, S.WAITING, event=events.PongReceived)
    @on(S.IDLE, S.PREPARING, S.WAITING, event=events.SocketClosed)
    def of_an_earlier_attempt(self, event: Any, now: float) -> None:
        """The attempt has ended."""

    def _fail(self, now: float, reason: str, event: str) -> list[Any]:
        return self._pause(now, self.slots.failed(self.settings), self.profile, reason, event)

    def _pause(self, now: float, pause_s: float, profile: Profile | None, reason: str, event: str = "") -> list[Any]:
        self.last_reason = reason
        if self.slots.rounds != self._rounds:
            self._rounds = self.slots.rounds
            self._uses_former = self._former is not None and not self._uses_former
        first = event if event not in self._reported else ""
        self._reported.add(event)
        self.start("redial", now + pause_s)
        return self.enter(S.WAITING, effects.Unreachable(profile, reason, pause_s, first))

    @on(S.WAITING, timer="redial", to=(S.PREPARING, S.OPENING))
    def redial(self, now: float) -> list[Any]:
        """Try again."""
        return self._try(now)

    # While it is open.

    @on(S.OPENING, S.OPEN, event=events.SocketClosed, to=S.WAITING)
    def closed(self, event: events.SocketClosed, now: float) -> list[Any] | None:
        """The CSMS, or the network, ended it: connect again."""
        if event.attempt != self.attempt or self.profile is None:
            return None
        reason = f"closed with {event.code} {event.reason}".strip()
        if self.state is S.OPENING:
            return self._fail(now, reason, "")
        pause_s = SLOT_PAUSE_S if event.code == SERVICE_RESTART else self.slots.pause(self.settings)
        return [effects.Lost(self.profile, reason), *self._pause(now, pause_s, self.profile, reason)]

    @on(S.OPEN, event=events.BootAccepted)
    def accepted(self, event: events.BootAccepted, now: float) -> list[Any] | None:
        """Confirm the slot, once for each connection; slots with a lower security profile are not used any more."""
        if self._confirmed or self.profile is None:
            return None
        self._confirmed = True
        self.slots.last = self.profile.slot
        self.slots.security_profile = self.profile.security_profile
        return [effects.Confirmed(self.profile.slot, self.profile.security_profile)]

    @on(S.IDLE, S.PREPARING, S.OPENING, S.WAITING, event=events.BootAccepted)
    def accepted_too_late(self, event: events.BootAccepted, now: float) -> None:
        """The connection is gone."""

    def _start_pings(self, now: float) -> None:
        self.stop("ping")
        self.stop("pong")
        if self.settings.ping_interval_s > 0:
            self.start("ping", now + self.settings.ping_interval_s)

    @on(S.OPEN, timer="ping")
    def ping(self, now: float) -> list[Any]:
        """Ask whether the CSMS is still there."""
        self.start("ping", now + max(self.settings.ping_interval_s, 1.0))
        if self.due("pong") is not None:
            return []
        self.start("pong", now + self.settings.pong_timeout_s)
        return [effects.SendPing(self.attempt, self.settings.ping_payload)]

    @on(S.OPEN, event=events.PongReceived)
    def pong(self, event: events.PongReceived, now: float) -> None:
        """It is."""
        if event.attempt == self.attempt:
            self.stop("pong")

    @on(S.OPEN, timer="pong", to=S.WAITING)
    def no_pong(self, now: float) -> list[Any]:
        """Close what does not answer, and connect again."""
        assert self.profile is not None
        reason = f"no pong within {self.settings.pong_timeout_s:g} s"
        lost = [effects.CloseSocket(self.attempt, SERVICE_RESTART, reason), effects.Lost(self.profile, reason)]
        return lost + self._pause(now, self.slots.pause(self.settings), self.profile, reason)

    def _leave(self, code: int, reason: str) -> list[Any]:
        """Give up the present attempt or connection."""
        self.last_reason = reason
        found: list[Any] = []
        if self.state in (S.OPENING, S.OPEN):
            found.append(effects.CloseSocket(self.attempt, code, reason))
        if self.state is S.OPEN and self.profile is not None:
            found.append(effects.Lost(self.profile, reason))
        return found

    # Another security profile (1.6).

    @on(
        S.PREPARING,
        S.OPENING,
        S.OPEN,
        S.WAITING,
        event=events.SwitchProfile,
        to=(S.PREPARING, S.OPENING, S.WAITING),
    )
    def switch(self, event: events.SwitchProfile, now: float) -> list[Any]:
        """Connect with the other profile; go back to the former one where that does not succeed in time."""
        self._wanted_profile = event.security_profile
        self.start("switch", now + event.timeout_s)
        return self._leave(SERVICE_RESTART, f"security profile {event.security_profile} is used") + self._try(now)

    @on(S.IDLE, event=events.SwitchProfile)
    def switch_later(self, event: events.SwitchProfile, now: float) -> None:
        """Nothing is open: the profile of the settings counts with the next start."""

    @on(S.PREPARING, S.OPENING, S.WAITING, timer="switch", to=(S.PREPARING, S.OPENING, S.WAITING))
    def switch_back(self, now: float) -> list[Any]:
        """Use the former profile again."""
        wanted, self._wanted_profile = self._wanted_profile, None
        found = self._leave(SERVICE_RESTART, f"security profile {wanted} could not be used")
        former = self.slots.profile(self.settings)
        switched = effects.ProfileSwitched(former.security_profile if former is not None else 0, succeeded=False)
        return [*found, switched, *self._try(now)]


def connection(
    settings: ConnectionSettings, last_slot: int | None, security_profile: int, chance: random.Random
) -> Connection:
    """Return the connection of a station that was last accepted in this slot, with this security profile."""
    return Connection(settings, Slots(last_slot, security_profile, chance), Credentials())
