"""The command line: reads arguments, calls the composition root, shows progress and errors in plain words."""

import os

# Before a library for arithmetic is loaded: its pool of threads would be there when the control room confines itself, and outside.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_name] = "1"
