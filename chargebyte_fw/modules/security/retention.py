"""Makes room in a full store: expired chains beyond the newest, keys and OCSP responses without a certificate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from chargebyte_fw.contracts.types.evse_security import CaCertificateType
from chargebyte_fw.modules.security import certificates as x509
from chargebyte_fw.modules.security.changes import Changes
from chargebyte_fw.modules.security.layout import KEY_SUFFIX, OCSP_FOLDER, files_in, read_file
from chargebyte_fw.modules.security.ocsp_responses import hash_lines

KEPT_CHAINS = 10
KEY_PATIENCE_S = 60 * 60.0
"""How long a key waits for its certificate; one found after a restart waits anew."""


def collect(changes: Changes, at: datetime, now_s: float) -> Iterator[int]:
    """Make room in small steps, so that the caller can do other things between; each step yields how much it deleted.

    `at` judges certificates; how long a key has waited is counted in `now_s` (monotonic), because a clock that NTP sets
    by years would end each wait at once. OSError is the caller's.
    """
    store = changes.store
    for kind, place in store.layout.leaves.items():
        issuers = x509.Issuers(store.everything())
        yield 0
        used: set[Path | None] = set()
        leaves = sorted(store.leaves(kind), key=lambda leaf: leaf.certificate.not_valid_after_utc, reverse=True)
        for number, leaf in enumerate(leaves):
            if number >= KEPT_CHAINS and x509.has_expired(leaf.certificate, at):
                changes.remove(leaf, kind, issuers)
                yield 1
            else:
                used.add(store.key_of(leaf, kind))
                yield 0
        for path in files_in(place.keys, KEY_SUFFIX):
            if path not in used and now_s - changes.pending.setdefault(path, now_s) > KEY_PATIENCE_S:
                path.unlink(missing_ok=True)
                del changes.pending[path]
                yield 1
        folder = place.certificates / OCSP_FOLDER
        yield from _drop_responses(folder, [each for leaf in store.leaves(kind) for each in leaf.chain], changes)
    v2g = store.layout.roots[CaCertificateType.V2G]
    yield from _drop_responses((v2g if v2g.is_dir() else v2g.parent) / OCSP_FOLDER, [], changes)


def _drop_responses(folder: Path, certificates: list[x509.Certificate], changes: Changes) -> Iterator[int]:
    """Delete the responses about certificates that are in no chain and in no bundle."""
    store = changes.store
    known = {hash_lines(name) for _, name in store.names(dict.fromkeys([*certificates, *store.everything()]), [])}
    yield 0
    for path in files_in(folder, ".hash"):
        if read_file(path) not in known:
            path.unlink(missing_ok=True)
            path.with_suffix(".der").unlink(missing_ok=True)
            yield 1
