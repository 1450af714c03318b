"""TestErrorHandling: raises and clears errors on command, and publishes those that it receives."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import Any, Literal

import msgspec

from chargebyte_fw.contracts.errors import ERRORS
from chargebyte_fw.kernel.contract import Contract, Var
from chargebyte_fw.kernel.faults import Fault, Severity
from chargebyte_fw.kernel.module import Module, provides, requires

ERRORS["test_errors"] = {f"TestError{letter}": f"Test error {letter}" for letter in "ABCD"}
Type = Literal["test_errors/TestErrorA", "test_errors/TestErrorB", "test_errors/TestErrorC", "test_errors/TestErrorD"]


class TestErrorRaiser(Contract, interface="test_error_raiser", errors=("test_errors",)):
    """Raises errors."""


class TestErrorHandlingContract(Contract, interface="test_error_handling", errors=("test_errors",)):
    """Control over errors, and what was received of them."""

    errors_subscribe_TestErrorA: Var[dict[str, Any]]
    errors_cleared_subscribe_TestErrorA: Var[dict[str, Any]]
    errors_subscribe_TestErrorB: Var[dict[str, Any]]
    errors_cleared_subscribe_TestErrorB: Var[dict[str, Any]]
    errors_subscribe_all: Var[dict[str, Any]]
    errors_cleared_subscribe_all: Var[dict[str, Any]]
    errors_subscribe_global_all: Var[dict[str, Any]]
    errors_cleared_subscribe_global_all: Var[dict[str, Any]]

    @abstractmethod
    async def clear_error(self, type: Type, sub_type: str) -> None:
        """Clear an error."""

    @abstractmethod
    async def clear_all_errors(self) -> None:
        """Clear every error."""

    @abstractmethod
    async def raise_error(
        self, type: Type, sub_type: str, message: str, severity: Literal["Low", "Medium", "High"]
    ) -> None:
        """Raise an error."""


class Control(TestErrorHandlingContract):
    """The commands."""

    async def clear_error(self, type: Type, sub_type: str) -> None:
        """Clear an error."""
        self.faults.clear(type, sub_type)

    async def clear_all_errors(self) -> None:
        """Clear every error."""
        self.faults.clear_all()

    async def raise_error(
        self, type: Type, sub_type: str, message: str, severity: Literal["Low", "Medium", "High"]
    ) -> None:
        """Raise an error."""
        self.faults.raise_fault(type, message, sub_type=sub_type, severity=Severity(severity))


class TestErrorHandling(Module):
    """Raises and clears errors on command, and publishes those that it receives."""

    enable_global_errors = True
    main = provides(Control, description="Control over the errors.")
    error_raiser = requires(TestErrorRaiser)

    async def init(self) -> None:
        """Receive every error."""
        faults = self.error_raiser.faults
        faults.subscribe(partial(self._received, "subscribe"), partial(self._received, "cleared_subscribe"))
        for book in self.runtime.all_faults:
            book.subscribe(
                partial(self._publish, "errors_subscribe_global_all"),
                partial(self._publish, "errors_cleared_subscribe_global_all"),
            )

    def _received(self, kind: str, fault: Fault) -> None:
        name = fault.type.rpartition("/")[2]
        if name in ("TestErrorA", "TestErrorB"):
            self._publish(f"errors_{kind}_{name}", fault)
        self._publish(f"errors_{kind}_all", fault)

    def _publish(self, variable: str, fault: Fault) -> None:
        getattr(self.main, variable).publish(msgspec.to_builtins(fault))
