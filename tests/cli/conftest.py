"""Brokers for the command's tests."""

from tests.manager.conftest import mosquitto

__all__ = ["mosquitto"]
