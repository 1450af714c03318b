"""What goes on in the store by itself: room is made, what time and other programs change is noticed and published."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from logging import ERROR
from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity as EvseSecurityContract
from chargebyte_fw.contracts.types.evse_security import (
    CaCertificateType,
    CertificateStoreUpdate,
    CertificateStoreUpdateOperation,
    LeafCertificateType,
)
from chargebyte_fw.kernel.clock import loop_speed, utc_now
from chargebyte_fw.kernel.errors import in_words
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.lasting_condition import LastingCondition, LastingConditions
from chargebyte_fw.modules.security.layout import Layout

if TYPE_CHECKING:
    from chargebyte_fw.modules.security.changes import Changes
    from chargebyte_fw.modules.security.judgement import Outlook

Kind = CaCertificateType | LeafCertificateType
GARBAGE_INTERVAL_S = 20 * 60.0
LOOK_S = 30.0
"""Period in which the files are looked at."""
SHORTEST_WAIT_S = 0.05
CLOCK_FAULT = "generic/VendorWarning"
CLOCK_SUB_TYPE = "ClockNotTrusted"


class Upkeep:
    """Watches one store. `changes` returns the store, which loads the cryptography library."""

    def __init__(self, layout: Layout, changes: Callable[[], Changes], main: EvseSecurityContract, log: Any) -> None:
        self._layout = layout
        self._changes = changes
        self._main = main
        self._log = log
        self._outlook: Outlook | None = None
        self._looked = False
        self._had: set[LeafCertificateType] = set()
        self._marks: frozenset[tuple[str, int, int]] = frozenset()
        self._set = asyncio.Event()
        self._clock = LastingCondition(log)
        self._missing = LastingConditions(log)

    def publish(self, operation: CertificateStoreUpdateOperation, kind: Kind) -> None:
        """Publish a change that a command has made."""
        from chargebyte_fw.modules.security.judgement import outlook

        self._looked, self._marks = True, self._layout.marks()
        self._note(outlook(self._changes().store, utc_now()))
        self._publish(operation, kind)

    def clock_was_set(self) -> None:
        """Look again at what is valid."""
        self._set.set()

    async def watch(self) -> None:
        """Publish what time and other programs change: certificates that become valid or expire, files that appear."""
        unreadable = LastingCondition(self._log)
        while True:
            at = utc_now()
            try:
                await self._look(at)
                unreadable.end("the certificate store can be read again")
            except OSError as error:
                unreadable.begin(f"the certificate store cannot be read: {in_words(error)}")
            wait_s = LOOK_S
            if self._outlook is not None and self._outlook.until is not None:
                # One second later: the end of a validity is within it.
                wait_s = min(wait_s, max(SHORTEST_WAIT_S, (self._outlook.until - at).total_seconds() + 1))
            self._set.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._set.wait()
            except TimeoutError:
                continue

    async def _look(self, at: datetime) -> None:
        if not self._has_changed(at):
            return
        before, first = self._outlook, not self._looked
        self._looked, self._marks = True, self._layout.marks()
        if self._layout.is_empty() and before is None:
            return
        from chargebyte_fw.modules.security.judgement import outlook

        store = self._changes().store
        # The signatures of a full store take a charger more than a second when they are checked for the first time.
        found = outlook(store, at) if loop_speed() is None else await asyncio.to_thread(outlook, store, at)
        self._note(found)
        if not first:
            self._publish_difference(before, found)

    async def make_room(self, now_s: Callable[[], float]) -> None:
        """Delete from a full store what is no longer needed."""
        full, no_room = LastingCondition(self._log), LastingCondition(self._log, ERROR)
        while True:
            await asyncio.sleep(GARBAGE_INTERVAL_S)
            try:
                if self._layout.is_full():
                    from chargebyte_fw.modules.security import retention

                    deleted = 0
                    for number in retention.collect(self._changes(), utc_now(), now_s()):
                        deleted += number
                        await asyncio.sleep(0)
                    self._log.info("room is made in the certificate store: %d things deleted", deleted)
                is_full = self._layout.is_full()
                full.set(is_full, "the certificate store is full" + ("" if is_full else " no longer"))
                no_room.end("room can be made in the certificate store again")
            except OSError as error:
                no_room.begin(f"no room can be made in the certificate store: {in_words(error)}")

    def _has_changed(self, at: datetime) -> bool:
        if not self._looked or self._set.is_set() or self._marks != self._layout.marks():
            return True
        return self._outlook is not None and self._outlook.until is not None and at >= self._outlook.until

    def _note(self, found: Outlook) -> None:
        """Remember what can be used now, raise or clear what is wrong with it."""
        self._outlook = found
        self._clock.set(bool(found.clock), found.clock or "the system time is right again")
        if found.clock:
            self._main.faults.raise_fault(CLOCK_FAULT, found.clock, sub_type=CLOCK_SUB_TYPE, severity=Severity.Medium)
        else:
            self._main.faults.clear(CLOCK_FAULT, CLOCK_SUB_TYPE)
        for kind, usable in found.leaves.items():
            self._set_missing(kind, bool(usable), found)

    def _set_missing(self, kind: LeafCertificateType, usable: bool, found: Outlook) -> None:
        """Log when none of a kind can be used, although there were some, and when one can again."""
        reason = found.missing.get(kind, "there is none any more" if kind in self._had and not usable else "")
        if usable or kind in found.missing:
            self._had.add(kind)
        if found.clock:
            # With a wrong clock this is one of its consequences, which needs no line of its own.
            reason = ""
        there = f"no {kind.value} certificate of this charger can be used: {reason}"
        self._missing.set(kind, bool(reason), there if reason else f"a {kind.value} certificate can be used again")

    def _publish_difference(self, before: Outlook | None, after: Outlook) -> None:
        if before is None:
            before = msgspec.structs.replace(after, roots={}, leaves={}, vehicle_roots=frozenset())
        # Members of the two enumerations are equal when their names are, so that one dictionary would mix them up.
        for ca, valid in after.roots.items():
            self._publish_set(ca, before.roots.get(ca, frozenset()), valid)
        for kind, usable in after.leaves.items():
            self._publish_set(kind, before.leaves.get(kind, frozenset()), usable)
        v2g = CaCertificateType.V2G
        if before.roots.get(v2g, frozenset()) == after.roots.get(v2g, frozenset()):
            # They are trust anchors of cars beside the V2G roots, and EVerest has no name for them.
            self._publish_set(v2g, before.vehicle_roots, after.vehicle_roots)

    def _publish_set(self, kind: Kind, then: frozenset[bytes], now: frozenset[bytes]) -> None:
        if now - then:
            self._publish(CertificateStoreUpdateOperation.Installed, kind)
        elif now != then:
            self._publish(CertificateStoreUpdateOperation.Deleted, kind)

    def _publish(self, operation: CertificateStoreUpdateOperation, kind: Kind) -> None:
        self._main.certificate_store_update.publish(
            CertificateStoreUpdate(
                operation=operation,
                ca_certificate_type=kind if isinstance(kind, CaCertificateType) else None,
                leaf_certificate_type=kind if isinstance(kind, LeafCertificateType) else None,
            )
        )
