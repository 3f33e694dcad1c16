"""The faults, one module a family; importing this package puts all of them on the list."""

from benchmarks.faults.kinds import backups, cells, channels, clock, database, disk, files, processes, rooms

__all__ = ["backups", "cells", "channels", "clock", "database", "disk", "files", "processes", "rooms"]
