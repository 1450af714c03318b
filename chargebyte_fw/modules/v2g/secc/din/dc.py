"""What the DC energy service has of its own in DIN SPEC 70121."""

from __future__ import annotations

from chargebyte_fw.modules.v2g.secc.common.dc import DcService
from chargebyte_fw.modules.v2g.secc.din.sequence import SEQUENCE


class DinDcService(DcService):
    """Direct current in DIN SPEC 70121."""

    sequence = SEQUENCE

    def isolation(self) -> str:
        """Return the isolation status; DIN has none for a charger without a monitor, Warning comes nearest."""
        isolation = self.facts.session.isolation
        return "Warning" if isolation == "No_IMD" else isolation

    def cable_check_passed(self) -> bool:
        """Return whether the cable check may be reported as finished: the isolation must be known as well."""
        return bool(self.facts.session.cable_check) and self.isolation() in ("Valid", "Warning")

    def status_code(self, normal: str) -> str:
        """Return the EVSE status code; without energy it is EVSE_Shutdown, as DIN knows no pause (IEC 61851-23)."""
        code = super().status_code(normal)
        return "EVSE_Shutdown" if code == normal and self.facts.session.without_energy else code
