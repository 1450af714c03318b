"""The plugins: one house a subject, each with the same rooms; no house imports another."""
