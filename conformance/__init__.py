"""Conformance: the sync protocol's published vectors, tried on any server over HTTP. Knows nothing of the service."""
