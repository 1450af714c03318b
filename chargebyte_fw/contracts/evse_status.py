"""What an EVSE answers when it is asked how it stands: no variable of EVerest has it without its history."""

from __future__ import annotations

import msgspec


class EvseStatus(msgspec.Struct, kw_only=True, omit_defaults=True):
    """State and session of one EVSE."""

    state: str
    """As in EVerest's energy requests: Unplugged, WaitForAuth, PrepareCharging, Charging, PausedEV, PausedEVSE,
    Finished, Disabled."""
    pilot: str = ""
    """State of the control pilot by IEC 61851-1 as the board has reported it, A to F; empty: not known."""
    pwm_percent: float | None = None
    """Duty cycle that the EVSE shows; 100: a steady voltage, no PWM. None: not known, or state F."""
    reserved: bool = False
    session_id: str = ""
    session_since: str = ""
    """RFC 3339."""
    authorized_by: str = ""
    """Type of the authorization: RFID, PlugAndCharge, Autocharge, ..."""
    transaction_since: str = ""
    """RFC 3339; empty before the transaction."""
    import_at_start_Wh: float | None = None
    """Reading of the meter when the transaction began."""
    export_at_start_Wh: float | None = None
    paused: list[str] = []
    """Why the EVSE pauses: UserPause, Error, NoEnergy."""
    limited_by: str = ""
    """What keeps the power too low to charge with."""
    blocking: list[tuple[str, str]] = []
    """Implementation (`module.implementation`) and type of each fault that keeps it from charging."""
