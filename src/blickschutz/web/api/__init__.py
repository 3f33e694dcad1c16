"""The programming interface: the functions of the pages over HTTP and JSON, with tokens.

Promises: a token does nothing that its person may not do, and nothing that takes a person. Never gives a picture beyond
what the role may see, and no picture at all to a token without the scope.
"""
