"""The interfaces for integrators, recorded from the modules: topics, methods, payloads, AsyncAPI and OpenRPC."""
