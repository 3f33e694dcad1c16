"""Password hashes in the database."""
