"""What a change is, what it needs, and how it is written into a text. Reaches no file."""
