"""Whether the site is run as the law and the table of rules ask: from the settings, facts and logs in force.

Promises: what is not known is never taken for held; a rule is a pure function of its grounds. Never changes a setting,
never decides a case, and never sees a picture.
"""
