"""The plugins: one house a subject, each with the same rooms; nobody imports another house."""
