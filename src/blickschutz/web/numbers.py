"""Numbers in addresses, within what a database holds."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

_MOST = 2**53
Number = Annotated[int, Path(ge=0, le=_MOST)]
Before = Annotated[int, Query(ge=0, le=_MOST)]
