"""The endpoints of a module file: plain TCP, TLS or both, as its configuration wants.

A module file for ISO 15118-20 has one port for both (the first byte of a car decides) and its own rules::

    strategy = self.config.tls_negotiation_strategy
    rules = policy.iso20(enforce_tls_1_3=self.config.enforce_tls_1_3)
    options = TlsOptions(policy.STRATEGIES[strategy], rules, 50_000, 50_000, key_log=...)
    self.endpoints = Endpoints(self, self.security, options)       # in init; .all is the engine's `endpoints`
    Settings(without_tls=strategy != "ENFORCE_TLS", ...)           # ISO 15118-20 on plain TCP, and only then
    self.endpoints.open(self.engine.link)                          # in ready, before the engine's `open`
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.modules.v2g import sdp
from chargebyte_fw.modules.v2g.link import Endpoint, V2gLink
from chargebyte_fw.modules.v2g.transport.tls.certificates import Certificates
from chargebyte_fw.modules.v2g.transport.tls.key_log import KeyLogWriter
from chargebyte_fw.modules.v2g.transport.tls.policy import Security, TlsPolicy
from chargebyte_fw.modules.v2g.transport.tls.server import TlsServer


class TlsOptions(msgspec.Struct, frozen=True):
    """What a module file configures."""

    security: Security
    """`prohibit`: plain TCP alone; `allow`: both, as the car wants; `force`: TLS alone."""
    policy: TlsPolicy
    plain_port: int
    tls_port: int
    timeout_s: float = 15.0
    key_log: Path | None = None
    """The folder of the key log; None: none."""
    log_course: bool = False
    """Log what each car offers and what is chosen."""


class Endpoints:
    """The endpoints of one module; made before its link, opened with it."""

    def __init__(self, module: Module, security: EvseSecurity, options: TlsOptions) -> None:
        self._module = module
        self._options = options
        self.server: TlsServer | None = None
        self.all: tuple[Endpoint, ...] = ()
        """For the engine."""
        if options.security != "force":
            self.all += (Endpoint(options.plain_port, sdp.SECURITY_NONE),)
        if options.security != "prohibit":
            with_anchors = options.policy.demands_certificates
            certificates = Certificates(security, module.log, module.spawn, with_anchors=with_anchors)
            self.server = TlsServer(
                certificates,
                options.policy,
                module.log,
                module.crash,
                timeout_s=options.timeout_s,
                log_course=options.log_course,
                record=lambda entry: module.runtime.trace.record("conn", module.id, entry),
            )
            self.all += (Endpoint(options.tls_port, sdp.SECURITY_TLS, self.server),)

    def open(self, link: V2gLink) -> None:
        """Follow the certificate store, and write the key log where one is wanted."""
        if self.server is None:
            return
        if self._options.key_log is not None:
            self.server.key_log = KeyLogWriter(self._options.key_log, link.send_to_all, self._module.log)
        self.server.certificates.subscribe()
        self.server.certificates.begin_renewal()
