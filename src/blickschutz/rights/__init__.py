"""Rights of those concerned (Art. 15 to 18 and 21 GDPR) and the duty to inform (§ 21(4) LDSG RLP).

Promises: every request has its deadline from the day on which it came; recordings that it names are restricted at once and
not destroyed while it is open; an answer takes two people; what is known of whoever asked is erased when it is no longer needed.
Never: a name or an address in the log.
"""
