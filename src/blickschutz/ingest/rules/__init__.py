"""What a camera session decides without a device: its states and waits, its timeline, its addresses and causes."""
