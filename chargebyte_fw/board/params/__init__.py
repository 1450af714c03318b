"""The safety controller's parameter block: declared once, read and written as bytes and as YAML."""
