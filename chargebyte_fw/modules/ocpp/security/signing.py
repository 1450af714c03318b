"""Requests for new certificates: SignCertificate until CertificateSigned comes, in both generations (A02, A03)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.station import CallFailure, Station
from chargebyte_fw.modules.ocpp.variables.standard.communication import (
    CERT_SIGNING_REPEAT_TIMES,
    CERT_SIGNING_WAIT_MINIMUM,
)

WAIT_MINIMUM_S = 10.0
"""Least pause before a signing request is repeated."""


class Subject(msgspec.Struct, frozen=True):
    """Subject of a signing request."""

    common: str
    organization: str
    country: str = ""
    use_tpm: bool = False


class Signing:
    """The signing request for one kind of certificate."""

    def __init__(
        self,
        station: Station,
        kind: security.LeafCertificateType,
        send: Callable[[str, Callable[[Any], None]], None],
    ) -> None:
        """`send(csr, then)` sends the SignCertificate of the generation; `then` takes its response."""
        self._station = station
        self._kind = kind
        self._send = send
        self._subject: Subject | None = None
        self._repeated = 0

    @property
    def pending(self) -> bool:
        """Whether a certificate was asked for and has not come."""
        return self._subject is not None

    def start(self, subject: Subject) -> None:
        """Ask for a certificate; what was asked for before is given up."""
        self._subject, self._repeated = subject, 0
        self._request()

    def done(self) -> None:
        """A certificate came, or none is wanted any more."""
        self._subject = None
        self._station.stop(("sign", self._kind))

    def _request(self) -> None:
        subject = self._subject
        if subject is None:
            return
        command = call(
            EvseSecurity.generate_certificate_signing_request,
            self._kind,
            subject.country,
            subject.organization,
            subject.common,
            subject.use_tpm,
        )
        self._station.command(command, partial(self._generated, subject))

    def _generated(self, subject: Subject, result: Any) -> None:
        if subject is not self._subject:
            return
        csr = result.csr if isinstance(result, security.GetCertificateSignRequestResult) else None
        if csr is None:
            self.done()
            return
        self._send(csr, partial(self._sent, subject))
        self._repeat_later()

    def _repeat_later(self) -> None:
        """Wait twice as long each time (A02)."""
        get = self._station.variables.get
        pause_s = max(WAIT_MINIMUM_S, float(get(CERT_SIGNING_WAIT_MINIMUM))) * 2**self._repeated
        self._station.start(("sign", self._kind), self._station.now + pause_s, self._overdue)

    def _overdue(self) -> None:
        if self._repeated >= self._station.variables.get(CERT_SIGNING_REPEAT_TIMES):
            self.done()
            return
        self._repeated += 1
        self._request()

    def _sent(self, subject: Subject, response: Any) -> None:
        if subject is self._subject and not isinstance(response, CallFailure) and response.status.value != "Accepted":
            self.done()
