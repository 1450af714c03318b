"""The modules that an EVSE is connected to."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.interfaces.ac_rcd import AcRcd
from chargebyte_fw.contracts.interfaces.connector_lock import ConnectorLock
from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.contracts.interfaces.over_voltage_monitor import OverVoltageMonitor
from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.interfaces.powermeter import Powermeter
from chargebyte_fw.contracts.interfaces.slac import Slac


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """Each one is None where it is not connected, or where the configuration does not use it."""

    bsp: EvseBoardSupport
    ac_rcd: AcRcd | None = None
    connector_lock: ConnectorLock | None = None
    grid_meter: Powermeter | None = None
    car_meter: Powermeter | None = None
    slac: Slac | None = None
    hlc: Iso15118Charger | None = None
    imd: IsolationMonitor | None = None
    over_voltage_monitor: OverVoltageMonitor | None = None
    supply: PowerSupplyDC | None = None
    store: Kvs | None = None

    @property
    def billing_meter(self) -> Powermeter | None:
        """The meter that counts what the EV gets: the one on its side where there is one."""
        return self.car_meter or self.grid_meter
