"""Long-lived and short work (threads, tasks, queues) that nobody has to watch for it not to end unseen.

Promises: whatever a piece of work raises is logged, counted, kept as text and told; long-lived work that raises or
returns unasked is run again, with a wait that grows; an item of a queue is handled, waits for another try, or is set
aside and told. Never swallows an error, never blocks who hands something in, never lets one bad item hold up the rest.
"""
