"""From one version of the programs to another and, where the new one does not become ready, back by itself.

Promises: what is installed is verified first; the old programs stay whole until the new ones were seen to work; no row, clip or hold
is lost either way. Never fetches anything, and never goes to an older version but the one that it came from.
"""
