"""Answers of the programming interface for what went wrong."""

from __future__ import annotations

from starlette.exceptions import HTTPException


class ApiProblem(HTTPException):
    """An answer with a word of its own."""

    def __init__(self, status: int, problem: str, text: str) -> None:
        super().__init__(status, text)
        self.problem = problem
