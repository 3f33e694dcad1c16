"""`python -m stimmungsbild.cli`."""

from stimmungsbild.cli.main import main

main()
