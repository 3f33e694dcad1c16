# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from typing import Literal

Kind = Literal[
    "approach",
    "camera_tampered",
    "fast_movement",
    "gathering",
    "line_crossed",
    "loitering",
    "object_left",
    "object_removed",
    "person_down",
    "person_in_zone",
    "physical_altercation",
    "repeated_brief_contact",
    "surface_changed",
]

KIND_VALUES: set[Kind] = {
    "approach",
    "camera_tampered",
    "fast_movement",
    "gathering",
    "line_crossed",
    "loitering",
    "object_left",
    "object_removed",
    "person_down",
    "person_in_zone",
    "physical_altercation",
    "repeated_brief_contact",
    "surface_changed",
}


def check_kind(value: str) -> Kind:
    if value in KIND_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {KIND_VALUES!r}")
