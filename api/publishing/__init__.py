"""Creators: shows, episodes, audio. Validates and refuses clearly."""
