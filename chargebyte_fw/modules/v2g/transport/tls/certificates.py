"""Follows the certificate store: the chains that the server shows and the roots of the cars, as they are now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from logging import INFO, WARNING
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.types.evse_security import (
    CaCertificateType,
    CertificateInfo,
    CertificateStoreUpdate,
    EncodingFormat,
    GetCertificateInfoStatus,
    LeafCertificateType,
)
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.modules.v2g.transport.tls.credentials import (
    Chain,
    CredentialError,
    Credentials,
    load_anchors,
    load_chain,
    load_staple,
)

LEAST_AGE_S = 1.0
"""What was asked of the store so short a time ago is not asked again."""
_MOST_FILES = 16
_WHY = {
    GetCertificateInfoStatus.NotFound: "no V2G certificate chain is installed",
    GetCertificateInfoStatus.NotFoundValid: "no V2G certificate chain is valid now",
    GetCertificateInfoStatus.PrivateKeyNotFound: "no V2G certificate chain has its private key",
    GetCertificateInfoStatus.Rejected: "the certificate store keeps no V2G certificate chains",
}


class Certificates:
    """What TLS is made of, asked of `evse_security` at the start, after each update and before each car."""

    def __init__(
        self,
        security: EvseSecurity,
        log: ModuleLog,
        spawn: Callable[[Coroutine[Any, Any, Any], str], asyncio.Task[Any]],
        *,
        with_anchors: bool,
    ) -> None:
        self.current = Credentials()
        """What is in use; connections keep what they began with."""
        self.missing = ""
        """Why there is no chain; empty with one, and before the store was asked."""
        self._security = security
        self._log = log
        self._spawn = spawn
        self._with_anchors = with_anchors
        self._anchors_known = False
        self._asked_at: float | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._logged: str | None = None
        self._files: dict[tuple[str | None, ...], Chain] = {}
        """Chains by their files."""

    def subscribe(self) -> None:
        """Follow the store from now on."""
        self._security.certificate_store_update.subscribe(self._updated)

    def _updated(self, update: CertificateStoreUpdate) -> None:
        if update.ca_certificate_type is not None:
            self._anchors_known = False
        elif update.leaf_certificate_type is not LeafCertificateType.V2G:
            return
        self._asked_at = None
        self._files.clear()
        self.begin_renewal()

    def begin_renewal(self) -> asyncio.Task[None] | None:
        """Ask the store unless it was asked just now; returns the task that does."""
        if self._renewal is not None and not self._renewal.done():
            return self._renewal
        now = asyncio.get_running_loop().time()
        if self._asked_at is not None and now - self._asked_at < LEAST_AGE_S:
            return None
        self._asked_at = now
        self._renewal = self._spawn(self._renew(), "certificates")
        return self._renewal

    async def _renew(self) -> None:
        asked = None
        while asked != self._asked_at:
            asked = self._asked_at
            try:
                await self._ask()
            except CommandError as error:
                # What was known stays in use: the store may be starting again.
                self._explain(f"the certificate store does not answer: {error.message}", WARNING)
            if self._asked_at is None:  # an update came meanwhile
                self._asked_at = asyncio.get_running_loop().time()

    async def _ask(self) -> None:
        result = await self._security.get_all_valid_certificates_info(LeafCertificateType.V2G, EncodingFormat.PEM, True)
        faults: list[str] = []
        chains = []
        for info in result.info if result is not None else ():
            try:
                chains.append(self._chain(info, faults))
            except CredentialError as error:
                faults.append(str(error))
        chains = self._accepted(chains, faults)
        anchors = self.current.anchors
        if self._with_anchors and not (self._anchors_known and anchors):
            anchors = await self._ask_anchors(faults)
        credentials = Credentials(tuple(chains), anchors)
        if credentials != self.current:
            self.current = credentials
        if chains:
            self._explain("; ".join(faults), WARNING)
            return
        why = _WHY.get(result.status, "") if result is not None else "the certificate store gives no chain"
        if result is not None and result.status is GetCertificateInfoStatus.NotFoundValid:
            self._explain(f"{why}: the system time is {rfc3339(utc_now())}", WARNING)
        elif faults:
            self._explain("; ".join(faults), WARNING)
        else:
            self._explain(why or "no V2G certificate chain is installed", INFO)

    def _accepted(self, chains: list[Chain], faults: list[str]) -> list[Chain]:
        """Return the chains that OpenSSL takes. It is loaded here, not while a car waits."""
        if not chains or chains == list(self.current.chains):
            return chains
        try:
            from chargebyte_fw.modules.v2g.transport.tls.contexts import fault_of
        except ImportError as error:
            faults.append(f"{error}: install pyOpenSSL")
            return []
        found = []
        for chain in chains:
            fault = fault_of(chain)
            if fault:
                faults.append(f"OpenSSL does not take {chain.name}: {fault}")
            else:
                found.append(chain)
        return found

    def _chain(self, info: CertificateInfo, faults: list[str]) -> Chain:
        """Return the chain of these files: certificates and key as read before, the OCSP response as it is now.

        Raises CredentialError.
        """
        files = (info.certificate, info.certificate_single, info.key)
        chain = self._files.get(files)
        if chain is None:
            if len(self._files) >= _MOST_FILES:
                self._files.clear()
            chain = self._files[files] = load_chain(info)
        try:
            response = load_staple(info)
        except CredentialError as error:
            faults.append(str(error))
            return chain
        if response is not None and response.serial_number != chain.serial_number:
            faults.append(f"the OCSP response {response.where} is not about {chain.name}")
            return chain
        return msgspec.structs.replace(chain, ocsp=response)

    async def _ask_anchors(self, faults: list[str]) -> tuple[bytes, ...]:
        # EVerest's contract has no type for the roots of vehicles: the store has them in its answer for V2G
        # ([V2G20-2331]).
        place = await self._security.get_verify_location(CaCertificateType.V2G)
        try:
            anchors = load_anchors([place] if place and Path(place).exists() else [])
            self._anchors_known = True
            return anchors
        except (CredentialError, OSError) as error:
            faults.append(str(error))
            return ()

    def _explain(self, why: str, level: int) -> None:
        """Log why there is no TLS or not every chain, once; and when that is over."""
        self.missing = why if not self.current.chains else ""
        # The system time in it differs each time.
        mark = why.partition(": the system time")[0]
        if mark == self._logged:
            return
        self._logged = mark
        if why:
            self._log.log(level, "%s: %s", "no TLS" if not self.current.chains else "a certificate is not used", why)
        else:
            self._log.info("TLS with %s", ", ".join(chain.name for chain in self.current.chains))
