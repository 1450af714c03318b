"""The configuration of CbChargeSOMDriver: limits, wiring, lines of the board."""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.board.driver.wiring import DcWiring, FeedbackType, PhaseWiring, Wiring
from chargebyte_fw.kernel.module import Claim, ConfigIssue, ModuleConfig


class ConnectorType(StrEnum):
    """What the car is connected to."""

    IEC62196Type2Cable = "IEC62196Type2Cable"
    IEC62196Type2Socket = "IEC62196Type2Socket"
    cCCS2 = "cCCS2"


class DriverConfig(ModuleConfig):
    """Wiring and limits of the board."""

    connector_type: Annotated[
        ConnectorType,
        Meta(description="Fixed cable, socket, or the fixed cable of a DC charger with contactors as wired below."),
    ] = ConnectorType.IEC62196Type2Cable
    min_current_A: Annotated[float, Meta(ge=0, description="Least current per phase, in A.")] = 6
    max_current_A: Annotated[float, Meta(ge=0, description="Greatest current per phase, in A.")] = 80
    min_phase_count: Annotated[int, Meta(ge=1, le=3, description="Least number of phases.")] = 1
    max_phase_count: Annotated[int, Meta(ge=1, le=3, description="Greatest number of phases.")] = 3
    serial_port: Annotated[str, Meta(description="Port of the safety controller.")] = "/dev/ttyLP2"
    serial_debug: Annotated[bool, Meta(description="Log each message that differs from the one before.")] = False
    serial_trace: Annotated[bool, Meta(description="Log every byte on the port in hexadecimal.")] = False
    can_mirror_device: Annotated[
        str, Meta(description="CAN interface that gets a copy of every frame; empty: none.")
    ] = ""
    reset_gpio_line_name: Annotated[str, Meta(description="GPIO line that resets the safety controller.")] = (
        "nSAFETY_RESET_INT"
    )
    reset_active_low: Annotated[bool, Meta(description="Whether a low level resets.")] = True
    pt1000_1_identification: Annotated[str, Meta(description="Name of temperature channel 1.")] = "PT1000-1"
    pt1000_2_identification: Annotated[str, Meta(description="Name of temperature channel 2.")] = "PT1000-2"
    pt1000_3_identification: Annotated[str, Meta(description="Name of temperature channel 3.")] = "PT1000-3"
    pt1000_4_identification: Annotated[str, Meta(description="Name of temperature channel 4.")] = "PT1000-4"
    grid_phase_count_gpio_line_name: Annotated[
        str, Meta(description="GPIO input that tells whether the grid has three phases; empty: as configured.")
    ] = ""
    grid_phase_count_active_low: Annotated[bool, Meta(description="Whether a low level means three phases.")] = False

    contactor_1_feedback_type: Annotated[
        FeedbackType, Meta(description="Feedback of contactor 1: none, normally open, normally closed.")
    ] = FeedbackType.none
    contactor_2_feedback_type: Annotated[
        FeedbackType, Meta(description="Feedback of contactor 2: none, normally open, normally closed.")
    ] = FeedbackType.none
    switch_3ph1ph_wiring: Annotated[
        PhaseWiring, Meta(description="How contactors 1 and 2 make one or three phases; none: they do not.")
    ] = PhaseWiring.none
    dc_contactor_wiring: Annotated[
        DcWiring, Meta(description="Contactors of a cCCS2 connector: none, one for both poles, one for each.")
    ] = DcWiring.dual
    charge_stop_gpio_line_name: Annotated[
        str, Meta(description="GPIO input (CHSTOP_IN on a Charge SOM) that ends a session softly; empty: none.")
    ] = ""
    charge_stop_active_low: Annotated[bool, Meta(description="Whether a low level means stop.")] = True


def contradictions(config: DriverConfig) -> Iterable[ConfigIssue]:
    """Return limits and wiring that contradict each other."""
    if config.min_phase_count > config.max_phase_count:
        what = f"min_phase_count {config.min_phase_count} is above max_phase_count {config.max_phase_count}"
        yield ConfigIssue("min_phase_count", what, number="C122")
    if config.min_current_A > config.max_current_A:
        what = f"min_current_A {config.min_current_A:g} is above max_current_A {config.max_current_A:g}"
        yield ConfigIssue("min_current_A", what, number="C123")
    if config.connector_type == ConnectorType.cCCS2 and config.switch_3ph1ph_wiring != PhaseWiring.none:
        what = f"switch_3ph1ph_wiring {config.switch_3ph1ph_wiring} is for AC, connector_type cCCS2 for DC"
        yield ConfigIssue("switch_3ph1ph_wiring", what, number="C124")


def owned(config: DriverConfig) -> Iterable[Claim]:
    """Return what no other module may use."""
    yield Claim("serial port", os.path.normpath(config.serial_port), "serial_port")
    for key in ("reset_gpio_line_name", "grid_phase_count_gpio_line_name", "charge_stop_gpio_line_name"):
        if name := getattr(config, key):
            yield Claim("GPIO line", name, key)
    if config.can_mirror_device:
        yield Claim("CAN bus", config.can_mirror_device, "can_mirror_device", "a copy of the UART's frames")


def wiring_of(config: DriverConfig) -> Wiring:
    """Return how the contactors are wired."""
    feedback = (FeedbackType(config.contactor_1_feedback_type), FeedbackType(config.contactor_2_feedback_type))
    dc = DcWiring(config.dc_contactor_wiring) if config.connector_type == ConnectorType.cCCS2 else None
    return Wiring(PhaseWiring(config.switch_3ph1ph_wiring), dc, feedback)
