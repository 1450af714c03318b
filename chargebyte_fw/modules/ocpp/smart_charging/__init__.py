"""Smart charging: profiles of the CSMS and limits of others become limits of the stack (blocks K and Q).

`profile` is the model of all versions, `rules` what the station supports, `acceptance_*` what it takes, `store` what is
installed, `composite` what all profiles together allow, `publication` how the stack is given it.
"""
