"""One transaction of OCPP 2.x as it is kept over a restart."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.modules.ocpp.messages.v2.transactions import ChargingStateEnumType, TransactionLimitType
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import IdTokenType


class Transaction(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A transaction from Started until its Ended is in the queue."""

    transaction_id: str
    """The session id of the stack."""
    evse_id: int
    connector_id: int
    started_at: datetime
    charging_state: ChargingStateEnumType
    meter_Wh: float = 0.0
    """The meter as it was last written down, for the case of a power loss."""
    meter_at: datetime | None = None
    seen_at: datetime | None = None
    """When it was last known to run, for the case of an interruption (E17)."""
    start_Wh: float | None = None
    """The meter at the begin."""
    outlives_reset: bool = False
    """It goes on after the reset that the CSMS has ordered (B13)."""
    session_id: str = ""
    """The session of the stack, where another one has followed the one that the transaction is named after."""
    seq_no: int = 0
    """`seqNo` of the next event."""
    token: ProvidedIdToken | None = None
    wire_token: IdTokenType | None = None
    """The token as the CSMS has it, where it has begun the transaction: EVerest has fewer types and shorter values."""
    token_sent: bool = False
    """The CSMS has the token: it is sent once (E01, E03)."""
    place_sent: bool = False
    """The CSMS has the connector: it is sent in the first event after the EV is connected ([E01.FR.16])."""
    operation_mode: str = "ChargingOnly"
    """OperationModeEnumType that the CSMS knows of (2.1)."""
    reservation_id: int | None = None
    limit: TransactionLimitType | None = None
    """What it is bounded by (2.1)."""
    csms_limit: TransactionLimitType | None = None
    """What the CSMS has bounded it by: others bound it further, and no less."""
    stopped_remotely: bool = False
    """The CSMS has stopped it, and it goes on until the EV leaves (F04)."""
    tariff_sought: bool = False
    """The token is known, and its tariff was looked for (2.1, I08)."""
    counted_here: bool = False
    """The station calculates its cost, by a tariff (2.1, I12)."""
    charged_since: datetime | None = None
    """Begin of the present energy transfer."""
    charging_time_s: float = 0.0
    """Time of energy transfer before it."""

    @property
    def remote_start_id(self) -> int | None:
        """The id of the RequestStartTransaction that began it."""
        return None if self.token is None else self.token.request_id

    def time_spent_charging_s(self, utc: datetime) -> int:
        """Return `timeSpentCharging`."""
        since_s = (utc - self.charged_since).total_seconds() if self.charged_since is not None else 0.0
        return int(self.charging_time_s + max(0.0, since_s))

    @property
    def session(self) -> str:
        """The session of the stack at present."""
        return self.session_id or self.transaction_id

    def measure(self, meter: Powermeter | None, utc: datetime) -> bool:
        """Write down a reading; returns whether there is one."""
        if meter is not None:
            self.meter_Wh, self.meter_at = meter.energy_Wh_import.total, utc
        return meter is not None

    def goes_to(self, state: ChargingStateEnumType, utc: datetime) -> bool:
        """Take a charging state; returns whether it is another one."""
        if state is self.charging_state:
            return False
        if self.charged_since is not None:
            self.charging_time_s += max(0.0, (utc - self.charged_since).total_seconds())
        self.charged_since = utc if state is ChargingStateEnumType.Charging else None
        self.charging_state = state
        return True
