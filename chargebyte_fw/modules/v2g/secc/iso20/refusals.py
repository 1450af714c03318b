"""Responses with the least content that the schema demands: a refusal must be readable."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.messages import iso20_contracts, iso20_schedules
from chargebyte_fw.modules.v2g.messages.iso20_types import (
    MessageHeaderType,
    RationalNumberType,
    processingType,
    responseCodeType,
)

_ZERO = RationalNumberType(Exponent=0, Value=0)
_FINISHED = processingType.Finished
NO_EVSE_ID = "ZZ00000"
"""The EVSE id of a charger that has none."""


def _setup() -> dict[str, Any]:
    return {"EVSEID": NO_EVSE_ID}


def _authorization_setup() -> dict[str, Any]:
    return {
        "AuthorizationServices": [m.authorizationType.EIM],
        "CertificateInstallationService": False,
        "EIM_ASResAuthorizationMode": iso20_contracts.EIM_ASResAuthorizationModeType(),
    }


def _certificate_installation() -> dict[str, Any]:
    sub = iso20_contracts.SubCertificatesType(Certificate=[b""])
    return {
        "EVSEProcessing": _FINISHED,
        "CPSCertificateChain": iso20_contracts.CertificateChainType(Certificate=b""),
        "SignedInstallationData": iso20_contracts.SignedInstallationDataType(
            Id="id1",
            ContractCertificateChain=iso20_contracts.ContractCertificateChainType(Certificate=b"", SubCertificates=sub),
            ECDHCurve=iso20_contracts.ecdhCurveType.SECP521,
            DHPublicKey=bytes(133),
            SECP521_EncryptedPrivateKey=bytes(94),
        ),
        "RemainingContractCertificateChains": 0,
    }


def _discovery() -> dict[str, Any]:
    service = m.ServiceType(ServiceID=0, FreeService=False)
    return {
        "ServiceRenegotiationSupported": False,
        "EnergyTransferServiceList": m.ServiceListType(Service=[service]),
    }


def _detail() -> dict[str, Any]:
    parameter = m.ParameterType(Name="Connector", intValue=0)
    sets = [m.ParameterSetType(ParameterSetID=0, Parameter=[parameter])]
    return {"ServiceID": 0, "ServiceParameterList": m.ServiceParameterListType(ParameterSet=sets)}


def _schedule() -> dict[str, Any]:
    return {
        "EVSEProcessing": _FINISHED,
        "Dynamic_SEResControlMode": iso20_schedules.Dynamic_SEResControlModeType(),
    }


def _check_out() -> dict[str, Any]:
    return {"EVSECheckOutStatus": m.evseCheckOutStatusType.Completed}


def _dc_parameters() -> dict[str, Any]:
    from chargebyte_fw.modules.v2g.messages import iso20_dc

    names = ("Power", "Current")
    limits = {f"EVSE{end}Charge{name}": _ZERO for end in ("Maximum", "Minimum") for name in names}
    voltages = {"EVSEMaximumVoltage": _ZERO, "EVSEMinimumVoltage": _ZERO}
    return {"DC_CPDResEnergyTransferMode": iso20_dc.DC_CPDResEnergyTransferModeType(**limits, **voltages)}


def _dc_loop() -> dict[str, Any]:
    from chargebyte_fw.modules.v2g.messages import iso20_dc

    return {
        "EVSEPresentCurrent": _ZERO,
        "EVSEPresentVoltage": _ZERO,
        "EVSEPowerLimitAchieved": False,
        "EVSECurrentLimitAchieved": False,
        "EVSEVoltageLimitAchieved": False,
        "CLResControlMode": iso20_dc.Scheduled_DC_CLResControlModeType(),
    }


def _ac(derived: bool) -> Any:
    name = "iso20_ac_der_iec" if derived else "iso20_ac"
    return importlib.import_module(f"{m.__package__}.{name}")


def _ac_parameters(derived: bool) -> dict[str, Any]:
    limits = {"EVSEMaximumChargePower": _ZERO, "EVSEMinimumChargePower": _ZERO, "EVSENominalFrequency": _ZERO}
    return {"AC_CPDResEnergyTransferMode": _ac(derived).AC_CPDResEnergyTransferModeType(**limits)}


def _ac_loop(derived: bool) -> dict[str, Any]:
    return {"CLResControlMode": _ac(derived).Scheduled_AC_CLResControlModeType()}


_CONTENT: dict[str, Callable[[], dict[str, Any]]] = {
    "SessionSetupReq": _setup,
    "AuthorizationSetupReq": _authorization_setup,
    "AuthorizationReq": lambda: {"EVSEProcessing": _FINISHED},
    "CertificateInstallationReq": _certificate_installation,
    "ServiceDiscoveryReq": _discovery,
    "ServiceDetailReq": _detail,
    "ScheduleExchangeReq": _schedule,
    "VehicleCheckOutReq": _check_out,
    "DC_ChargeParameterDiscoveryReq": _dc_parameters,
    "DC_CableCheckReq": lambda: {"EVSEProcessing": _FINISHED},
    "DC_PreChargeReq": lambda: {"EVSEPresentVoltage": _ZERO},
    "DC_ChargeLoopReq": _dc_loop,
    "DC_WeldingDetectionReq": lambda: {"EVSEPresentVoltage": _ZERO},
}
_AC_CONTENT: dict[str, Callable[[bool], dict[str, Any]]] = {
    "AC_ChargeParameterDiscoveryReq": _ac_parameters,
    "AC_ChargeLoopReq": _ac_loop,
}


def response_type(name: str, *, derived: bool) -> type[Any]:
    """Return the type of the response to request `name`; `derived`: of Amendment 1's AC services."""
    response = name[:-3] + "Res"
    if name.startswith("DC_"):
        from chargebyte_fw.modules.v2g.messages import iso20_dc

        return getattr(iso20_dc, response)  # type: ignore[no-any-return]
    if name.startswith("AC_"):
        return getattr(_ac(derived), response)  # type: ignore[no-any-return]
    return getattr(m, response)  # type: ignore[no-any-return]


def refusal(name: str, header: MessageHeaderType, code: responseCodeType, *, derived: bool) -> Any:
    """Return the response to request `name` with `code` and its mandatory elements."""
    content = _CONTENT[name]() if name in _CONTENT else {}
    if name in _AC_CONTENT:
        content = _AC_CONTENT[name](derived)
    return response_type(name, derived=derived)(Header=header, ResponseCode=code, **content)
