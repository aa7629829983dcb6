"""Advertisers: campaigns, what they place where, and how they get on."""
