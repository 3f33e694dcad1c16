"""Cells on other machines: what goes between a host and the control room, and who may film which camera.

Promises: what must arrive is on the host's disk until the control room has it in its rows, and counts once. A host that hears nothing
goes on with its work. Never two hosts on one camera; never a key, a raw picture or a camera's secret in what a broker sees.
docs/design/cell-contract.md.
"""
