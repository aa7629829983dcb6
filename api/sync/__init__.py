"""Devices: offline batches. May repeat, nothing lost."""
