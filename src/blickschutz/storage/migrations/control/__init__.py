"""Steps of the database `control`."""
