"""Keys on edwards448 that are known by their scalar alone (RFC 8032 clause 5.2).

ISO 15118-20 transports the key of a contract on Ed448 as a number of 448 bits below the order of the base point
([V2G20-2501], [V2G20-2510]), whereas the libraries sign with the seed of 57 octets that RFC 8032 makes the number of.
For the simulated car; the arithmetic is not protected against observers.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey

P = 2**448 - 2**224 - 1
ORDER = 2**446 - 13818066809895115352007386748515426880336692474882178609894547503885
_D = -39081
_BASE = (
    224580040295924300187604334099896036246789641632564134246125461686950415467406032909029192869357953282578032075146446173674602635247710,
    298819210078481492676017930443930673437544040154080242095928241372331506189835876003536878655418784733982303233503462500531545062832660,
    1,
)
_OCTETS = 57
_DOMAIN = b"SigEd448\x00\x00"
Point = tuple[int, int, int]


class ScalarKey:
    """A private key of Ed448: `sign` makes what the public key of the library verifies."""

    def __init__(self, scalar: int) -> None:
        """Raise ValueError for a number that is not below the order, or 0."""
        if not 0 < scalar < ORDER:
            raise ValueError("the number is no scalar of edwards448")
        self.scalar = scalar
        self.public_octets = _octets(_times(scalar, _BASE))
        """The public key as in certificates."""

    @classmethod
    def of_seed(cls, seed: bytes) -> ScalarKey:
        """Return the key of a seed (RFC 8032 clause 5.2.5)."""
        first = bytearray(hashlib.shake_256(seed).digest(2 * _OCTETS)[:_OCTETS])
        first[0] &= 0xFC
        first[55] |= 0x80
        first[56] = 0
        return cls(int.from_bytes(first, "little") % ORDER)

    def public_key(self) -> Ed448PublicKey:
        """Return the public key of the library."""
        from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey

        return Ed448PublicKey.from_public_bytes(self.public_octets)

    def sign(self, message: bytes) -> bytes:
        """Return the signature; the same message has the same one."""
        prefix = hashlib.shake_256(self.scalar.to_bytes(_OCTETS, "little")).digest(_OCTETS)
        nonce = _number(prefix + message)
        commitment = _octets(_times(nonce, _BASE))
        challenge = _number(commitment + self.public_octets + message)
        response = (nonce + challenge * self.scalar) % ORDER
        return commitment + response.to_bytes(_OCTETS, "little")


def _number(octets: bytes) -> int:
    return int.from_bytes(hashlib.shake_256(_DOMAIN + octets).digest(2 * _OCTETS), "little") % ORDER


def _sum(one: Point, other: Point) -> Point:
    """Return the sum of two points in projective coordinates (RFC 8032 clause 5.2.4), also of equal ones."""
    (x1, y1, z1), (x2, y2, z2) = one, other
    a, c, d = z1 * z2 % P, x1 * x2 % P, y1 * y2 % P
    b, e = a * a % P, _D * c * d % P
    f, g = b - e, b + e
    return a * f * ((x1 + y1) * (x2 + y2) - c - d) % P, a * g * (d - c) % P, f * g % P


def _times(scalar: int, point: Point) -> Point:
    product: Point = (0, 1, 1)
    while scalar:
        if scalar & 1:
            product = _sum(product, point)
        point, scalar = _sum(point, point), scalar >> 1
    return product


def _octets(point: Point) -> bytes:
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << (8 * _OCTETS - 1)).to_bytes(_OCTETS, "little")
