"""Certificates and keys: the directories, what is in them, and what may be trusted."""
