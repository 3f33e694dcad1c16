"""The database of alerts and the channels to the outside."""
