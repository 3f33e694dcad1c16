"""Situations that somebody must see (Meldungen): raised, acknowledged, acted upon, closed.

Promises: one alert for one situation; nothing that was raised is lost, whatever a broker or mail server does;
each decision carries a name and a time. Never blocks a cell, never holds an unredacted picture.
"""
