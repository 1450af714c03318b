"""The command `secc`: one file a subcommand."""
