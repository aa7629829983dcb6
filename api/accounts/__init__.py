"""Everyone: sign-in, roles, API keys."""
