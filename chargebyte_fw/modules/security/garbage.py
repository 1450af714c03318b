"""Making room in a full store: expired chains beyond the newest, keys that nobody certified, responses for nobody."""

from __future__ import annotations

from datetime import datetime, timedelta

from chargebyte_fw.modules.security import certificates as x509
from chargebyte_fw.modules.security.changes import Changes
from chargebyte_fw.modules.security.layout import OCSP_FOLDER, files_in
from chargebyte_fw.modules.security.shelf import hash_lines

KEPT_CHAINS = 10
KEY_PATIENCE = timedelta(minutes=60)
"""How long a key waits for its certificate; one found after a restart waits anew."""


def collect(changes: Changes, at: datetime) -> int:
    """Make room; returns how many things were deleted. OSError is the caller's."""
    shelf, deleted = changes.shelf, 0
    for kind, place in shelf.layout.leaves.items():
        for leaf in shelf.leaves(kind)[KEPT_CHAINS:]:
            if x509.has_expired(leaf.certificate, at):
                changes.remove(leaf, kind)
                deleted += 1
        for path in changes.orphans(kind):
            if at - changes.pending.setdefault(path, at) > KEY_PATIENCE:
                path.unlink(missing_ok=True)
                del changes.pending[path]
                deleted += 1
        pool = shelf.everything()
        chains = [each for leaf in shelf.leaves(kind) for each in leaf.chain]
        known = {hash_lines(name) for _, name in shelf.names([*chains, *pool], [])}
        for path in files_in(place.certificates / OCSP_FOLDER, ".hash"):
            if path.read_bytes() not in known:
                path.unlink(missing_ok=True)
                path.with_suffix(".der").unlink(missing_ok=True)
                deleted += 1
    return deleted
