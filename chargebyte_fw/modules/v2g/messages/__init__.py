"""The declared message model: one file per schema set; grammar and codec derive from it."""
