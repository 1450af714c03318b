"""A new root of the CSMS that follows the one before it: AdditionalRootCertificateCheck (2.x, use case M05)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.provisioning.events import SecurityEventRaised
from chargebyte_fw.modules.ocpp.station import Block, Station, effects, events, receives
from chargebyte_fw.modules.ocpp.variables.standard.communication import ADDITIONAL_ROOT_CERTIFICATE_CHECK

TABLE, KEY = "CSMS_ROOT", "succession"
Names = tuple[security.CertificateHashData, ...]
Then = Callable[[Any], None]
_Kind, _Result = security.CertificateType, security.InstallCertificateResult
_ROOTS = [_Kind.CSMSRootCertificate, _Kind.V2GRootCertificate, _Kind.MORootCertificate, _Kind.MFRootCertificate]


class Succession(msgspec.Struct, frozen=True):
    """A root that no connection has proven yet, and those that are kept until then."""

    new_root: str
    former: Names


class CsmsRoot2(Block):
    """Has one root of the CSMS at a time, and the former one as the fallback until the new one has connected."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._succession: Succession | None = None

    @property
    def checks(self) -> bool:
        """Whether a new root has to be signed by the one before it."""
        return self.station.variables.get(ADDITIONAL_ROOT_CERTIFICATE_CHECK)

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take a new root that no connection has proven yet."""
        data = event.tables.get(TABLE, {}).get(KEY)
        try:
            self._succession = None if data is None else msgspec.json.decode(data, type=Succession)
        except msgspec.DecodeError:
            self._keep(None)

    @receives(events.Started)
    def started(self, event: events.Started) -> None:
        """Let the connection know."""
        if self._succession is not None:
            self.station.effect(effects.TryRoot(self._succession.new_root))

    def _keep(self, succession: Succession | None) -> None:
        self._succession = succession
        self.station.save(TABLE, KEY, succession)

    def install(self, pem: str, then: Then) -> None:
        """Install a root; `then` takes the result. The first root of all has none that could have signed it."""
        self._list(lambda here, elsewhere: self._check(pem, then, here, elsewhere))

    def _list(self, then: Callable[[Names, Names], None]) -> None:
        def listed(result: Any) -> None:
            found = (
                result.certificate_hash_data_chain
                if isinstance(result, security.GetInstalledCertificatesResult)
                else []
            )
            here = tuple(
                name for one in found if one.certificate_type is _Kind.CSMSRootCertificate for name in _names(one)
            )
            then(here, tuple(one.certificate_hash_data for one in found if one.certificate_type is not _ROOTS[0]))

        self.station.command(call(EvseSecurity.get_installed_certificates, _ROOTS), listed)

    def _check(self, pem: str, then: Then, here: Names, elsewhere: Names) -> None:
        install = call(EvseSecurity.install_ca_certificate, pem, security.CaCertificateType.CSMS)
        if not here:
            self.station.command(install, then)
            return

        def installed(result: Any) -> None:
            then(result)
            if result is _Result.Accepted:
                self._list(lambda now, _: self._replaced(pem, here, elsewhere, now))

        def verified(result: Any) -> None:
            if result is security.CertificateValidationResult.Valid:
                self.station.command(install, installed)
            else:
                then(_Result.InvalidSignature)

        verify = call(EvseSecurity.verify_certificate, pem, [security.LeafCertificateType.CSMS])
        self.station.command(verify, verified)

    def _replaced(self, pem: str, before: Names, elsewhere: Names, now: Names) -> None:
        """Keep what was there before as the fallback; a new root that was never proven gives way at once."""
        if not set(_keys(now)) - set(_keys(before)):
            return  # it was there already
        pending = self._succession
        unproven = [] if pending is None else [one for one in before if one not in pending.former]
        for one in unproven:
            self.station.command(call(EvseSecurity.delete_certificate, one))
        # A root of cars that serves the CSMS as well would be deleted for both.
        kept = tuple(one for one in before if one not in unproven and one in now and one not in elsewhere)
        self._keep(Succession(pem, kept))
        self.station.effect(effects.TryRoot(pem))

    @receives(events.CsmsRootProven)
    def proven(self, event: events.CsmsRootProven) -> None:
        """Delete the former root once the new one has verified a CSMS ([M05.FR.13])."""
        succession = self._succession
        if succession is not None and not event.former:
            self._delete(succession, list(succession.former))

    def _delete(self, succession: Succession, left: list[security.CertificateHashData]) -> None:
        if not left:
            self._ended(succession)
            return

        def deleted(result: Any) -> None:
            results = security.DeleteCertificateResult
            if result in (results.Accepted, results.NotFound):
                self._delete(succession, left[1:])
            # Otherwise with the next connection.

        self.station.command(call(EvseSecurity.delete_certificate, left[0]), deleted)

    def _ended(self, succession: Succession) -> None:
        if succession is self._succession:
            self._keep(None)
            self.station.effect(effects.TryRoot(""))
            info = "the former root certificate of the CSMS was deleted"
            self.station.notify(SecurityEventRaised("ReconfigurationOfSecurityParameters", info))


def _names(chain: security.CertificateHashDataChain) -> list[security.CertificateHashData]:
    """Return the names of a root and what is below it, which goes first: without its issuer it has no name."""
    return [*reversed(chain.child_certificate_hash_data or []), chain.certificate_hash_data]


def _keys(names: Names) -> list[tuple[str, str, str]]:
    return [(one.issuer_name_hash, one.issuer_key_hash, one.serial_number) for one in names]
