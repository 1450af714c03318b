"""Authorization as one machine: tokens, EVSEs and reservations, split by subject."""

from chargebyte_fw.modules.auth.machine.core import FOR_ANYBODY
from chargebyte_fw.modules.auth.machine.withdrawal import WithdrawalRows


class Authorizer(WithdrawalRows):
    """Matches tokens with EVSEs and keeps the reservations (events and effects: `messages`)."""


__all__ = ["FOR_ANYBODY", "Authorizer"]
