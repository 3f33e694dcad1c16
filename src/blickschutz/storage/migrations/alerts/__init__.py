"""Steps of the database `alerts`."""
