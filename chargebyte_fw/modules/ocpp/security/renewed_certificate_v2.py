"""The former client certificate of the station, until a connection has shown that the new one works (2.x, A02, A03)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.types.evse_security import (
    EncodingFormat,
    GetCertificateFullInfoResult,
    GetCertificateInfoResult,
    LeafCertificateType,
)
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.connection.settings import ClientFiles
from chargebyte_fw.modules.ocpp.provisioning.events import SecurityEventRaised
from chargebyte_fw.modules.ocpp.station import Block, CallFailure, Station, effects, events, receives

TABLE, KEY = "CLIENT_CERTIFICATE", "renewal"
DISCARDED = "DiscardedRenewedClientCertificate"
"""[A02.FR.29]: the CSMS has to renew the certificate again."""


class Renewal(msgspec.Struct, frozen=True):
    """Two client certificates, one of which is to be deleted."""

    former: ClientFiles
    renewed: ClientFiles


class RenewedCertificate2(Block):
    """Has the connection fall back to the former certificate, and deletes the one that is not used."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._renewal: Renewal | None = None
        self._uses_former = False

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take a renewal that no connection has decided yet."""
        data = event.tables.get(TABLE, {}).get(KEY)
        try:
            self._renewal = None if data is None else msgspec.json.decode(data, type=Renewal)
        except msgspec.DecodeError:
            self._keep(None)

    @receives(events.Started)
    def started(self, event: events.Started) -> None:
        """Let the connection know."""
        if self._renewal is not None:
            self.station.effect(effects.KeepFormerCertificate(self._renewal.former))

    def in_use(self, then: Callable[[ClientFiles | None], None]) -> None:
        """Give `then` the certificate that the station is connected with, None where it cannot be named."""
        if self._renewal is not None and self._uses_former:
            then(self._renewal.former)
        else:
            self._ask(then)

    def renewed(self, former: ClientFiles | None) -> None:
        """Connect with the certificate that was installed."""
        self._ask(partial(self._installed, former))

    def _ask(self, then: Callable[[ClientFiles | None], None]) -> None:
        command = call(EvseSecurity.get_leaf_certificate_info, LeafCertificateType.CSMS, EncodingFormat.PEM, False)
        self.station.command(command, lambda result: then(_files(result)))

    def _installed(self, former: ClientFiles | None, renewed: ClientFiles | None) -> None:
        # The store may prefer the former one, as one that lasts longer.
        if former is not None and renewed is not None and former != renewed:
            self._drop_what_is_left(former, renewed)
            self._keep(Renewal(former, renewed))
            self._uses_former = False
            self.station.effect(effects.KeepFormerCertificate(former))
        self.station.effect(effects.Reconnect("the station has a new certificate"))

    def _drop_what_is_left(self, former: ClientFiles, renewed: ClientFiles) -> None:
        """Delete what an undecided renewal before this one has left."""
        before = self._renewal
        for one in () if before is None else (before.former, before.renewed):
            if one not in (former, renewed):
                self.station.discard_certificate(one, former, lambda _: None)

    def _keep(self, renewal: Renewal | None) -> None:
        self._renewal = renewal
        self.station.save(TABLE, KEY, renewal)

    @receives(events.ClientCertificateProven)
    def proven(self, event: events.ClientCertificateProven) -> None:
        """Delete the certificate that is not used ([A02.FR.10]); where that fails, with the next connection."""
        renewal = self._renewal
        if renewal is None:
            return
        self._uses_former = event.former
        command = call(EvseSecurity.get_all_valid_certificates_info, LeafCertificateType.V2G, EncodingFormat.PEM, False)
        self.station.command(command, partial(self._discard, renewal, event.former))

    def _discard(self, renewal: Renewal, former: bool, towards_cars: Any) -> None:
        discarded, kept = (renewal.renewed, renewal.former) if former else (renewal.former, renewal.renewed)
        shown = towards_cars.info if isinstance(towards_cars, GetCertificateFullInfoResult) else []
        if any(info.key == discarded.key for info in shown):
            # One certificate may serve both ([A00.FR.428]): cars are shown it further on.
            if not former:
                self._ended(renewal)
            return
        self.station.discard_certificate(discarded, kept, partial(self._discarded, renewal, former))

    def _ended(self, renewal: Renewal) -> None:
        if renewal is self._renewal:
            self._keep(None)
            self.station.effect(effects.KeepFormerCertificate(None))

    def _discarded(self, renewal: Renewal, former: bool, result: Any) -> None:
        if isinstance(result, CallFailure):
            return
        self._ended(renewal)
        if former:
            info = "no CSMS was reached with the new client certificate"
            self.station.notify(SecurityEventRaised(DISCARDED, info, critical=True))


def _files(result: Any) -> ClientFiles | None:
    info = result.info if isinstance(result, GetCertificateInfoResult) else None
    if info is None:
        return None
    single = info.certificate_single or ""
    return ClientFiles(info.certificate or single, info.key, single)
