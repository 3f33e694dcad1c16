"""Where the control room keeps what must outlive it."""
