"""Who may draw how much, until when: the nodes of the energy tree and the manager that shares it out."""
