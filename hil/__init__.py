"""The rig: resources, protocols, drivers and strategies of a bench, and scenarios with reactions and deadlines."""
