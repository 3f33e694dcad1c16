"""Cases (Vorgänge) and their review (Sichtung) under the four-eyes principle.

Promises: one case for each clip; two different, trained people decide, and a third where they disagree; nobody sees
another's verdict before giving their own. Never holds a picture or a key.
"""
