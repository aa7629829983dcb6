"""One file per subject, one function per statement. Writes never commit: the request or the worker step does."""
