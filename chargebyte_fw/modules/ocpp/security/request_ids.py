"""Which signing request a certificate answers: `requestId` of SignCertificate and CertificateSigned (2.1, A02, A03)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.messages.v2.security import CertificateSigningUseEnumType

TABLE = "SIGNING_REQUESTS"
LAST = "last"
"""The key of the highest number that was used."""


class RequestIds:
    """The number of the last signing request for each kind of certificate.

    They are kept over a restart: a certificate may come days after its request, and its key is still there.
    """

    def __init__(self, save: Callable[[str, str, Any], None]) -> None:
        self._save = save
        self._last = 0
        self._open: dict[str, int] = {}

    def load(self, tables: Mapping[str, Mapping[str, bytes]]) -> None:
        """Take the numbers of the last run; one that cannot be read belongs to no request."""
        for key, data in tables.get(TABLE, {}).items():
            try:
                number = msgspec.json.decode(data, type=int)
            except msgspec.DecodeError:
                continue
            self._last = max(self._last, number)
            if key != LAST:
                self._open[key] = number

    def new(self, use: CertificateSigningUseEnumType) -> None:
        """Begin a request; its repetitions have the same number."""
        self._last += 1
        self._open[use.value] = self._last
        self._save(TABLE, LAST, self._last)
        self._save(TABLE, use.value, self._last)

    def of(self, use: CertificateSigningUseEnumType) -> int | None:
        """Return the number of the request for a kind, None where no certificate is waited for."""
        return self._open.get(use.value)

    def use_of(self, request_id: int) -> CertificateSigningUseEnumType | None:
        """Return for what a request asks a certificate, None for a number that belongs to none."""
        found = next((key for key, number in self._open.items() if number == request_id), None)
        return None if found is None else CertificateSigningUseEnumType(found)

    def ended(self, use: CertificateSigningUseEnumType) -> None:
        """The certificate came and is installed."""
        if self._open.pop(use.value, None) is not None:
            self._save(TABLE, use.value, None)
