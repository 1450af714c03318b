"""Process groups: modules of ours in several processes under one manager, each watched and started again alone."""
