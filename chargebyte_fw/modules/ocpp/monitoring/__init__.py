"""Monitors of variables, and the events that they and the errors of the stack cause (OCPP 2.x, block N). Pure.

`monitor` has one monitor and when it triggers, `monitors` all of them with their base, `evaluation` has them at work,
`sender` the events that wait for a connection, `streams` periodic event streams, `problems` the errors of the stack,
`block` the messages of the CSMS.
"""
