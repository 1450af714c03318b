"""The functional blocks of a station of OCPP 1.6, in the order in which they receive events."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.authorization.v16 import Authorization16
from chargebyte_fw.modules.ocpp.availability.v16 import Connectors16
from chargebyte_fw.modules.ocpp.connection.network_v16 import Network16
from chargebyte_fw.modules.ocpp.data_transfer.v16 import DataTransfer16
from chargebyte_fw.modules.ocpp.display_and_cost.pricing_v16 import Pricing16
from chargebyte_fw.modules.ocpp.firmware.installation import Installation
from chargebyte_fw.modules.ocpp.firmware.logs_v16 import Logs16
from chargebyte_fw.modules.ocpp.firmware.v16 import Firmware16
from chargebyte_fw.modules.ocpp.metering.meter_values_v16 import MeterValues16
from chargebyte_fw.modules.ocpp.metering.readings import Readings
from chargebyte_fw.modules.ocpp.provisioning.service_v16 import Service16
from chargebyte_fw.modules.ocpp.provisioning.stack_configuration import StackConfiguration
from chargebyte_fw.modules.ocpp.provisioning.time_offset import TimeOffset
from chargebyte_fw.modules.ocpp.provisioning.v16 import Provisioning16
from chargebyte_fw.modules.ocpp.remote_control.reset_v16 import Reset16, Unlock16
from chargebyte_fw.modules.ocpp.remote_control.transactions_v16 import RemoteTransactions16
from chargebyte_fw.modules.ocpp.remote_control.trigger_v16 import Trigger16
from chargebyte_fw.modules.ocpp.reservation.v16 import Reservations16
from chargebyte_fw.modules.ocpp.security.certificates_v16 import Certificates16
from chargebyte_fw.modules.ocpp.security.events_v16 import SecurityEvents16
from chargebyte_fw.modules.ocpp.security.plug_and_charge_v16 import PlugAndCharge16, VehicleCertificates16
from chargebyte_fw.modules.ocpp.smart_charging.v16 import SmartCharging16
from chargebyte_fw.modules.ocpp.station import Block
from chargebyte_fw.modules.ocpp.transactions.v16 import Transactions16
from chargebyte_fw.modules.ocpp.variables.integrator import IntegratorVariables
from chargebyte_fw.modules.ocpp.variables.keys.block import ConfigurationKeys
from chargebyte_fw.modules.ocpp.variables.storage import VariableStorage

BLOCKS: tuple[type[Block], ...] = (
    VariableStorage,
    ConfigurationKeys,
    Network16,
    StackConfiguration,
    TimeOffset,
    # Facts first: the others read them in the same event.
    Readings,
    Provisioning16,
    Authorization16,
    # The messages of a transaction go before the status that it leads to (§4.8).
    Transactions16,
    MeterValues16,
    Connectors16,
    # After the transactions: those that go on have begun when it starts.
    SmartCharging16,
    RemoteTransactions16,
    Reset16,
    Unlock16,
    Trigger16,
    Reservations16,
    DataTransfer16,
    Installation,
    Firmware16,
    Logs16,
    Certificates16,
    SecurityEvents16,
    PlugAndCharge16,
    VehicleCertificates16,
    Pricing16,
    Service16,
    IntegratorVariables,
)
