"""Evidence that leaves the house: a BagIt package, signed and encrypted to its recipient, and its verifier.

Promises: the original is what the camera sent; the verifier names exactly what is wrong with a package. Never writes a
package in the open to disk.
"""
