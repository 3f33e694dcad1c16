"""Lines that carry the promises, altered one at a time: does a fast test notice?

Promises: the working tree is never touched; a line counts as noticed only where a test fails that passes without the alteration;
a text that is not in its file exactly once is an error. Never counts a test that did not run.
"""
