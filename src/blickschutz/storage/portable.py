"""What each database system writes in another way."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class Whole(FunctionElement[int]):
    """The whole part of a number that is not negative."""

    inherit_cache = True
    type = Integer()


@compiles(Whole)
def _cut(element: Whole, compiler: Any, **more: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **more)} AS INTEGER)"


@compiles(Whole, "postgresql")
def _floored(element: Whole, compiler: Any, **more: Any) -> str:
    # A cast alone would round.
    return f"CAST(floor({compiler.process(element.clauses, **more)}) AS BIGINT)"
