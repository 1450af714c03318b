"""Authorization as machines: the authorizer of the station, one for each token that is pending, one for each EVSE."""

from chargebyte_fw.modules.auth.machine.authorizer import Authorizer
from chargebyte_fw.modules.auth.machine.station import FOR_ANY_RESERVATION, Rules

__all__ = ["FOR_ANY_RESERVATION", "Authorizer", "Rules"]
