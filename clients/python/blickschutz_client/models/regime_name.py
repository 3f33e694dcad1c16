# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from typing import Literal

RegimeName = Literal["day", "night"]

REGIME_NAME_VALUES: set[RegimeName] = {
    "day",
    "night",
}


def check_regime_name(value: str) -> RegimeName:
    if value in REGIME_NAME_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {REGIME_NAME_VALUES!r}")
