"""The documentation as a site: its pages, links and drawings, and a check that types its console blocks."""
