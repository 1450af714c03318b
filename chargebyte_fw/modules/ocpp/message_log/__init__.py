"""Logs of the messages with the CSMS for people (`MessageLogPath`): what is written, and the files."""
