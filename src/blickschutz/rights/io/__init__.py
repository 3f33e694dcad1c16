"""Requests and duties in the database."""
