"""The gpodder API, version 2: podcast apps that listeners have already sync through it. docs/gpodder.md."""
