"""Plattform: what the video system and the survey both need, and nothing that knows either.

Promises: whatever people wrote, a document is printed, with the same typefaces on every machine. Never imports an application, never
reaches a network, never keeps anything.
"""
