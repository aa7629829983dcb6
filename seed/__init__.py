"""Demo data: invented shows with real audio, and listeners whose phones speak the sync protocol over real HTTP.

Nothing here imports `api`: the clients, the hash chain and the expected numbers are written from the protocol alone, so
that seeding checks the server instead of repeating it.
"""
