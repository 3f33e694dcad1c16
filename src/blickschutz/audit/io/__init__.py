"""The log in a database and in files."""
