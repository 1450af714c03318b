"""Network keys: the membership key (NMK) of a powerline network and the identifier (NID) derived from it."""

from __future__ import annotations

import hashlib
import random
import string

_NMK_ALPHABET = string.digits + string.ascii_uppercase
_NMK_SALT = bytes.fromhex("08856daf7cf58186")
_NMK_ROUNDS = 1000
_NID_ROUNDS = 5

TEST_NMK = bytes(range(1, 17))
"""A key that no modem has, for a match that must fail."""


def new_nmk(chance: random.Random | None = None) -> bytes:
    """Make an NMK of 16 random characters out of 0-9 and A-Z; `chance` (default: the system's) seeds a simulation."""
    return "".join((chance or random.SystemRandom()).choice(_NMK_ALPHABET) for _ in range(16)).encode()


def nmk_from_passphrase(passphrase: str) -> bytes:
    """Derive an NMK from a network password (HomePlug AV: PBKDF1 with SHA-256, 1000 rounds)."""
    digest = passphrase.encode() + _NMK_SALT
    for _ in range(_NMK_ROUNDS):
        digest = hashlib.sha256(digest).digest()
    return digest[:16]


def nid_from_nmk(nmk: bytes) -> bytes:
    """Derive the 54-bit NID with security level 0 from an NMK."""
    digest = nmk
    for _ in range(_NID_ROUNDS):
        digest = hashlib.sha256(digest).digest()
    return digest[:6] + bytes((digest[6] >> 4,))
