"""The connection to a CSMS."""
