"""Deadlines, and the end of clips: destroyed in two phases, verified, with a receipt (Löschprotokoll).

Promises: what is due is destroyed, by itself, also after a crash or with a wrong clock; what is held is not.
Never looks into a clip.
"""
