"""The description of the programming interface: what a program that is made from it needs."""

from __future__ import annotations

import json
import re

import jsonschema_rs
import pytest

from blickschutz.web.api.naming import EXAMPLES, OPERATIONS, TAGS
from tests.desk import Desk


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("desk"))
    yield desk.api("GET", "/openapi.json", desk.token("technik")).json()
    desk.close()


def functions(described):
    return {(method, path): about for path, methods in described["paths"].items() for method, about in methods.items()}


def test_each_function_has_an_id_of_its_own_a_group_and_a_sentence(described):
    found = functions(described)
    assert set(found) == set(OPERATIONS)
    ids = [about["operationId"] for about in found.values()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", one) for one in ids)
    assert [one["name"] for one in described["tags"]] == list(TAGS)
    for about in found.values():
        assert len(about["tags"]) == 1
        assert about["tags"][0] in TAGS
        assert about["description"]
        assert about["x-permission"]


def test_every_thing_said_or_heard_has_an_example_that_is_one(described):
    schemas = described["components"]["schemas"]
    # JSON Schema by itself has its parts elsewhere.
    alone = json.loads(json.dumps(schemas).replace("#/components/schemas/", "#/$defs/"))
    for name in EXAMPLES:
        (example,) = schemas[name]["examples"]
        jsonschema_rs.validator_for({"$defs": alone, "$ref": f"#/$defs/{name}"}, validate_formats=True).validate(example)
    # Health and what is in it have figures of this very moment; the page of health says them better than an example.
    parts = {"Health", "Figures", "Need", "Work", "Database", "Channel"}
    assert {name for name, schema in schemas.items() if "enum" not in schema} - set(EXAMPLES) <= parts
