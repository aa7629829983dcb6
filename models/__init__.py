"""The store: tables, the metric registry, and the only SQL. No HTTP, no Streamlit."""
