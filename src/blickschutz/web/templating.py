"""The templates of a package's pages, as all pages have them."""

from __future__ import annotations

import functools

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape


@functools.cache
def templates(package: str) -> Environment:
    """Each is compiled once in a process, however many sites it shows; a name that is not given is an error.

    What a package has not of its own comes from the site's pages.
    """
    return Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("blickschutz.web")]),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
