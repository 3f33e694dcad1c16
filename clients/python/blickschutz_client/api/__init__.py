# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
"""Contains methods for accessing the API"""
