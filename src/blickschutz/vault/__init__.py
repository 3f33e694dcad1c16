"""Keys: data keys of clips, shares for two people, sealed streams, the installation's signature.

Promises: a data key comes together from the shares of two different people and from nothing less; what was
altered does not open. Never writes a data key, a passphrase or an open private key to disk.
"""
