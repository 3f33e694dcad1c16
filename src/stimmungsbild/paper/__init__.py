"""Paper: the same questionnaire printed with marks, its scans read, doubts settled by two people, answers sealed.

Promises: what is not clear is asked and never guessed, and a form counts once. Never sends an image anywhere, never puts a form's number
beside its answers.
"""
