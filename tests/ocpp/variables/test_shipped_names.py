"""The names of the properties in the shipped component files: EVerest's test helper writes values by them."""

from __future__ import annotations

import json

import pytest

from chargebyte_fw.modules.ocpp.variables.files.shipped import component_files

FILES = {path: json.loads(text)["properties"] for path, text in component_files()}


@pytest.mark.parametrize(
    ("component", "name", "variable", "instance"),
    [
        ("ReservationCtrlr", "ReservationCtrlrNonEvseSpecific", "NonEvseSpecific", None),
        ("DisplayMessageCtrlr", "DisplayMessageLanguage", "Language", None),
        ("DisplayMessageCtrlr", "DisplayMessageSupportedStates", "SupportedStates", None),
        (
            "CustomizationCtrlr",
            "CustomImplementationCaliforniaPricingEnabled",
            "CustomImplementationEnabled",
            "org.openchargealliance.costmsg",
        ),
        ("SmartChargingCtrlr", "SupportsDynamicProfiles", "SupportsFeature", "DynamicProfiles"),
        ("TariffCostCtrlr", "TariffCostCtrlrCurrency", "Currency", None),
        ("AuthCacheCtrlr", "AuthCacheStorage", "Storage", None),
        ("AuthCacheCtrlr", "AuthCacheLifeTime", "LifeTime", None),
        ("OCPPCommCtrlr", "MessageTimeout", "MessageTimeout", "Default"),
    ],
)
def test_a_property_has_the_name_that_everest_gives_it(
    component: str, name: str, variable: str, instance: str | None
) -> None:
    found = FILES[f"standardized/{component}.json"][name]
    assert (found["variable_name"], found.get("instance")) == (variable, instance)
