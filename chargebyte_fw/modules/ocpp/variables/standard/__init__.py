"""The declared variables, a file a subject."""
