"""`python -m api` is the `earshot` command."""

from api.cli import main

main()
