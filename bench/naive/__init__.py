"""What a decent developer writes first: FastAPI, SQLModel, one select and one insert per event."""
