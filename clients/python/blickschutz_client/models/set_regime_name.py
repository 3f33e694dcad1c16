# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from typing import Literal

SetRegimeName = Literal["day", "night"]

SET_REGIME_NAME_VALUES: set[SetRegimeName] = {
    "day",
    "night",
}


def check_set_regime_name(value: str) -> SetRegimeName:
    if value in SET_REGIME_NAME_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SET_REGIME_NAME_VALUES!r}")
