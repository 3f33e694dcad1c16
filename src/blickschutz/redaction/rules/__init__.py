"""Pure functions of the redaction: what is masked, and with what it is filled."""
