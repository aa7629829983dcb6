"""Podcast apps: feeds, audio, hits. Anonymous, must answer."""
