"""Reads the configuration; finds, connects, starts, watches and stops modules; knows none by name."""
