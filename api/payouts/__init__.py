"""Finance: rate plans, statements, the ledger. A person approves."""
