"""One file per page; each asks, draws, and stops."""
