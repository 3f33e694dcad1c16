"""Packets in memory and clips on disk."""
