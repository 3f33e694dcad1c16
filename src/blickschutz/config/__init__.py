"""The site file: one TOML file that says everything about a place, read into frozen, checked settings.

Promises: unknown keys, wrong types and impossible values are refused with file, line, key and what to
write instead. Reads the file and nothing else: no address is looked up, no folder is made.
"""
