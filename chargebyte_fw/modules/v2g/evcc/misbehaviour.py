"""What a car may do wrong on purpose, one at a time or together, selected by a script or a command line.

| text | what the car does |
| --- | --- |
| `silent:REQUEST` | sends nothing from `REQUEST` on, and keeps the connection |
| `late:REQUEST:SECONDS` | sends each `REQUEST` so many seconds late |
| `order:REQUEST:STAGE` | sends the request of `STAGE` where `REQUEST` is due |
| `session:REQUEST` | sends `REQUEST` with the id of another session |
| `garbage:REQUEST` | sends `REQUEST` as a payload that is no EXI |
| `repeat:REQUEST` | sends each `REQUEST` twice |
| `signature` or `signature:REQUEST` | spoils the signature of a signed request |
| `challenge` | returns another challenge than the charger sent |
| `renegotiate::SECONDS` | renegotiates again and again, so many seconds after the last time |

`REQUEST` is the name of a message, as `CurrentDemandReq` or `DC_ChargeLoopReq`; capitals do not matter.
"""

from __future__ import annotations

import msgspec

SILENT_LIMIT_S = 180.0
"""A silent car gives up after this, where the charger has not closed the connection before."""
_WITH_REQUEST = ("silent", "late", "order", "session", "garbage", "repeat")
_WITH_SECONDS = ("late", "renegotiate")
KINDS = (*_WITH_REQUEST, "signature", "challenge", "renegotiate")


class Misbehaviour(msgspec.Struct, frozen=True):
    """One rule that the car breaks: its kind, the request that it holds for (empty: any), and an argument."""

    kind: str
    request: str = ""
    argument: str = ""

    @property
    def seconds(self) -> float:
        """The argument as a time in seconds (checked by `read`)."""
        return float(self.argument)


def read(text: str) -> Misbehaviour:
    """Read `kind:request:argument`; raises ValueError with what is expected."""
    kind, _, rest = text.strip().partition(":")
    request, _, argument = rest.partition(":")
    result = Misbehaviour(kind.lower(), request, argument)
    if result.kind not in KINDS:
        raise ValueError(f"{text}: {kind} is none of {', '.join(KINDS)}")
    if result.kind in _WITH_REQUEST and not request:
        raise ValueError(f"{text}: the name of a request is expected, as {kind}:SessionSetupReq")
    if result.kind == "order" and not argument:
        raise ValueError(f"{text}: the stage to send instead is expected, as order:{request}:SessionStop")
    if result.kind in _WITH_SECONDS:
        try:
            good = 0 < result.seconds < 86_400
        except ValueError:
            good = False
        if not good:
            raise ValueError(f"{text}: a number of seconds is expected after the second colon")
    return result


def named(misbehaviours: tuple[Misbehaviour, ...], kind: str, request: str = "") -> Misbehaviour | None:
    """Return the first misbehaviour of this kind that holds for `request`, None where there is none."""
    for one in misbehaviours:
        if one.kind == kind and (not one.request or one.request.casefold() == request.casefold()):
            return one
    return None
