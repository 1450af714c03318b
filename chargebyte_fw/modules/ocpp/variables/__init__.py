"""The device model of OCPP 2.0.1 and 2.1, with the configuration keys of 1.6 as a view of it. Pure.

A variable is declared once, in `standard/`, and is used by its name there; `Variables` (`model`) has the values::

    from chargebyte_fw.modules.ocpp.variables import Variables
    from chargebyte_fw.modules.ocpp.variables.standard.communication import HEARTBEAT_INTERVAL

    interval_s = variables.get(HEARTBEAT_INTERVAL)
    variables.on_change(HEARTBEAT_INTERVAL, self.rearm)
"""

from chargebyte_fw.modules.ocpp.variables.declaration import Component, ComponentId, Variable, VariableId
from chargebyte_fw.modules.ocpp.variables.model import Variables

__all__ = ["Component", "ComponentId", "Variable", "VariableId", "Variables"]
