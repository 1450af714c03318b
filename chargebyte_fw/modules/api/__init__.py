"""The face towards integrators: API (MQTT topics) and RpcApi (JSON-RPC over WebSocket)."""
