"""The functional blocks of a station of OCPP 2.x, in the order in which they receive events."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.authorization.v2 import Authorization2
from chargebyte_fw.modules.ocpp.availability.v2 import Availability2
from chargebyte_fw.modules.ocpp.connection.network_v2 import Network2
from chargebyte_fw.modules.ocpp.data_transfer.v2 import DataTransfer2
from chargebyte_fw.modules.ocpp.der.v2 import DerControl2
from chargebyte_fw.modules.ocpp.diagnostics.customer_v2 import CustomerInformation2
from chargebyte_fw.modules.ocpp.display_and_cost.cost_triggers_v2 import CostTriggers2
from chargebyte_fw.modules.ocpp.display_and_cost.cost_v2 import Cost2
from chargebyte_fw.modules.ocpp.display_and_cost.display_v2 import Display2
from chargebyte_fw.modules.ocpp.firmware.installation import Installation
from chargebyte_fw.modules.ocpp.firmware.logs_v2 import Logs2
from chargebyte_fw.modules.ocpp.firmware.v2 import Firmware2
from chargebyte_fw.modules.ocpp.metering.meter_values_v2 import MeterValues2
from chargebyte_fw.modules.ocpp.metering.readings import Readings
from chargebyte_fw.modules.ocpp.monitoring.block import Monitoring
from chargebyte_fw.modules.ocpp.monitoring.problems import Problems
from chargebyte_fw.modules.ocpp.payment.web_v2 import WebPayments2
from chargebyte_fw.modules.ocpp.provisioning.service_v2 import Service2
from chargebyte_fw.modules.ocpp.provisioning.stack_configuration import StackConfiguration
from chargebyte_fw.modules.ocpp.provisioning.v2 import Provisioning2
from chargebyte_fw.modules.ocpp.remote_control.reset_evse_v2 import EvseReset2
from chargebyte_fw.modules.ocpp.remote_control.reset_v2 import Reset2, Unlock2
from chargebyte_fw.modules.ocpp.remote_control.transactions_v2 import RemoteTransactions2
from chargebyte_fw.modules.ocpp.remote_control.trigger_v2 import Trigger2
from chargebyte_fw.modules.ocpp.reservation.v2 import Reservations2
from chargebyte_fw.modules.ocpp.security.certificates_v2 import Certificates2
from chargebyte_fw.modules.ocpp.security.csms_root_v2 import CsmsRoot2
from chargebyte_fw.modules.ocpp.security.events_v2 import SecurityEvents2
from chargebyte_fw.modules.ocpp.security.renewed_certificate_v2 import RenewedCertificate2
from chargebyte_fw.modules.ocpp.security.vehicle_certificates_v2 import VehicleCertificates2
from chargebyte_fw.modules.ocpp.security.vehicle_chain_v2 import VehicleChains2
from chargebyte_fw.modules.ocpp.smart_charging.bidirectional_v2 import Bidirectional
from chargebyte_fw.modules.ocpp.smart_charging.car_schedules_v2 import CarSchedules
from chargebyte_fw.modules.ocpp.smart_charging.dynamic_v2 import DynamicProfiles
from chargebyte_fw.modules.ocpp.smart_charging.external_v2 import ExternalLimits
from chargebyte_fw.modules.ocpp.smart_charging.needs_v2 import ChargingNeeds
from chargebyte_fw.modules.ocpp.smart_charging.operation_modes_v2 import OperationModes
from chargebyte_fw.modules.ocpp.smart_charging.priority_v2 import PriorityCharging
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.station import Block
from chargebyte_fw.modules.ocpp.tariffs.v2 import Tariffs2
from chargebyte_fw.modules.ocpp.transactions.limits_v2 import TransactionLimits2
from chargebyte_fw.modules.ocpp.transactions.unanswered_v2 import TransactionStatus2
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.variables.device_model import DeviceModel
from chargebyte_fw.modules.ocpp.variables.integrator import IntegratorVariables
from chargebyte_fw.modules.ocpp.variables.stack import StackVariables
from chargebyte_fw.modules.ocpp.variables.storage import VariableStorage

BLOCKS: tuple[type[Block], ...] = (
    VariableStorage,
    DeviceModel,
    Network2,
    StackVariables,
    StackConfiguration,
    # Facts first: the others read them in the same event.
    Readings,
    Provisioning2,
    Authorization2,
    MeterValues2,
    Transactions2,
    TransactionStatus2,
    TransactionLimits2,
    Availability2,
    # After the transactions: those that go on have begun when it starts.
    SmartCharging2,
    DynamicProfiles,
    PriorityCharging,
    ExternalLimits,
    OperationModes,
    ChargingNeeds,
    CarSchedules,
    Bidirectional,
    RemoteTransactions2,
    EvseReset2,
    Reset2,
    Unlock2,
    Reservations2,
    DataTransfer2,
    Installation,
    Firmware2,
    Logs2,
    RenewedCertificate2,
    CsmsRoot2,
    Certificates2,
    Trigger2,
    SecurityEvents2,
    VehicleCertificates2,
    VehicleChains2,
    Display2,
    Cost2,
    CostTriggers2,
    Tariffs2,
    WebPayments2,
    CustomerInformation2,
    DerControl2,
    Monitoring,
    Problems,
    IntegratorVariables,
    Service2,
)
