"""The connection to a CSMS: when, where and how it is opened (a machine), and the link that opens it."""
