"""What an audio request tells about itself: consumer, app, country, traits. Shared by live hits and imported logs."""
