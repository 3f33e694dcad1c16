"""`stimmungsbild`: all commands of the survey."""

from stimmungsbild.cli.main import main

__all__ = ["main"]
