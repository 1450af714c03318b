"""The RPC layer of OCPP-J."""
