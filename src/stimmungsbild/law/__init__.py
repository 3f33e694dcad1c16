"""The survey's own law papers: what the town decided as recorded facts, papers made of them, the gate before a field, destruction.

Promises: no field but a demonstration begins before every fact, assessment and signature is there, and what is due is destroyed with a
signed receipt. Never decides what the town has to decide: a paper says OFFEN where nobody did.
"""
