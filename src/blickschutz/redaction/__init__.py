"""Turn a raw picture and its evidence into a picture that may be shown.

Promises: everything is redacted that is not proven to be background; an exception, a missing detector
or missing evidence redacts the whole picture; no pixel under the mask keeps a value from its source
beyond a coarse, held, quantised mean. Never hands on a raw frame.
"""
