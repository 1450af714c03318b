"""Why a session of DIN SPEC 70121 or ISO 15118-2 failed: EVerest's reason by the last request of the car."""

from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as FailureReason

_REASONS = {
    FailureReason.ProtocolNegotiationFailed: ("SessionSetupReq",),
    FailureReason.ChargingParametersNotAccepted: (
        *("ServiceDiscoveryReq", "ServiceDetailReq", "ChargeParameterDiscoveryReq"),
    ),
    FailureReason.AuthorizationFailed: ("PaymentDetailsReq", "CertificateInstallationReq", "CertificateUpdateReq"),
    FailureReason.EnergyTransferSetupFailed: ("CableCheckReq", "PreChargeReq", "PowerDeliveryReq"),
    FailureReason.ChargingInterrupted: ("CurrentDemandReq", "ChargingStatusReq", "MeteringReceiptReq"),
    None: ("WeldingDetectionReq", "SessionStopReq"),
}
FAILURE_REASONS = {name: reason for reason, names in _REASONS.items() for name in names}
"""By the name of the request; each protocol adds its own requests."""
