"""EVerest's own test suites against a prefix of ours: what they need beside the product, and their outcome."""
