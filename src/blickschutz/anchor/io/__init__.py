"""The witness's folder, and the channel to it."""
