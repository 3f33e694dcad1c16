"""Encoders and files of the wall. Every one of them accepts redacted frames only."""
