# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from typing import Literal

CloseOutcome = Literal["confirmed", "false-alarm", "no-finding"]

CLOSE_OUTCOME_VALUES: set[CloseOutcome] = {
    "confirmed",
    "false-alarm",
    "no-finding",
}


def check_close_outcome(value: str) -> CloseOutcome:
    if value in CLOSE_OUTCOME_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CLOSE_OUTCOME_VALUES!r}")
