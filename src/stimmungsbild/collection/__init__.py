"""The field: takes answers, seals each where it arrives, spends codes.

Promises: an answer that was acknowledged is there once, and a code is spent once. Never keeps an address, a device, a time finer than
a day, a code, or anything that puts a spent code beside an answer once their batch is shuffled.
"""
