"""Process groups: what the manager and the groups do, without processes where that can be."""
