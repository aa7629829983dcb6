"""The clock: the worker. Retries what may pass, sets aside what cannot."""
