"""Packages as files: BagIt (RFC 8493), tar, age."""
