"""Documents of a site: every statement about the system comes from what is in force, and names its evidence."""
