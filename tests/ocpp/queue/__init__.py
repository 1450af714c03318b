"""The queue of messages to the CSMS."""
