"""Firmware updates and logs: what the CSMS asks of the system, and how it goes (blocks L, N01; OCPP 1.6 §5.9, §5.19).

The transfer itself, its retries and the installation are the work of the module that provides `system`.
"""
