"""Where versions and proposals lie: the site file, its former versions, and a table."""
