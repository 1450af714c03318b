"""Diagnostics: what the station knows about a customer (functional block N; logs are with the firmware)."""
