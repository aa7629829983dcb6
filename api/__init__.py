"""The service and its worker: one folder per caller."""
