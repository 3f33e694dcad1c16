"""Settings as versions: changes of the site file that people propose, confirm, apply and take back.

Promises: the site file stays the truth and stays readable; what a proposal does not name keeps its bytes, comments included. Nothing is
written that the file's checks or the law refuse, or that somebody else has changed meanwhile. Every file that was in force can be had
again. Never shows a secret: the file has none.
"""
