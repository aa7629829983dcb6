"""The dashboard: reads the store through `models`, writes through the API over HTTP."""
