"""Fraud rules: what they find holds payment back and touches no count; docs/fraud.md. Shared by callers, no HTTP."""
