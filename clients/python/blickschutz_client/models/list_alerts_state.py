# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from typing import Literal

ListAlertsState = Literal["", "closed", "open"]

LIST_ALERTS_STATE_VALUES: set[ListAlertsState] = {
    "",
    "closed",
    "open",
}


def check_list_alerts_state(value: str) -> ListAlertsState:
    if value in LIST_ALERTS_STATE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_ALERTS_STATE_VALUES!r}")
