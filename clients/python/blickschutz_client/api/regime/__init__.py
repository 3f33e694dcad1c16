# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
"""Contains endpoint functions for accessing the API"""
