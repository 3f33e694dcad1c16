# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
"""A client library for accessing Blickschutz"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)
