"""What of the configuration the queue depends on."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """Defaults are those of 2.x; each is replaced at run time, as a variable or key is set."""

    message_timeout_s: float = 60.0
    """MessageTimeout: how long the answer to a request may take. In 1.6 it is 30 s."""
    attempts: int = 5
    """MessageAttempts[TransactionEvent], TransactionMessageAttempts: how often a transaction message is sent."""
    retry_interval_s: float = 10.0
    """MessageAttemptInterval, TransactionMessageRetryInterval: the pause after n attempts is n times as long."""
    size_threshold: int = 1000
    """MessageQueueSizeThreshold: with more messages than these some are dropped."""
    queue_all: bool = False
    """QueueAllMessages: keep other messages than those of transactions while offline, too."""
    discard: frozenset[str] = frozenset()
    """MessageTypesDiscardForQueueing: actions that `queue_all` does not apply to."""
    resume_delay_s: float = 0.0
    """MessageQueueResumeDelay: the pause after a reconnection."""
    max_message_bytes: int = 65_000
    """MaxMessageSize: a StopTransaction that is larger loses data."""
