"""Offline reading of V2G traffic: capture files, frames in text, TCP streams, and the content of the messages."""
