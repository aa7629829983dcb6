"""Names under which consumers keep their place in the log."""

MEASUREMENT = "measurement"
"""The worker that folds events into playbacks and rollups."""
