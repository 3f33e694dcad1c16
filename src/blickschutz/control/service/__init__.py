"""What the control room does; runs beside the event loop where it waits for disk or database."""
