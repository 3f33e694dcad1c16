"""What a site tells an overview of several: numbers alone, only where the site file says so, and not without end."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from blickschutz.access.model import Permission
from blickschutz.compliance.documents.measures import measures
from blickschutz.compliance.documents.privacy import impact_assessment, record_of_processing
from blickschutz.compliance.policy import assess
from blickschutz.web.api.overview import MOST_A_MINUTE
from tests.desk import PASSWORD, SITE, Desk, site_of
from tests.unit.test_documents import as_text, example

WHO = "IT-Zentrale der Stadt <Kaiserslautern>"


def named(site, who=WHO):
    return site.model_copy(update={"server": site.server.model_copy(update={"overview": who})})


@pytest.fixture
def told(tmp_path):
    desk = Desk(tmp_path, site=named(site_of()))
    yield desk
    desk.close()


def token(desk, person="technik", scope=Permission.OVERVIEW):
    desk.session(person)
    access = desk.office.access
    access.passwords.set(person, PASSWORD, "test")
    access.tries.forget(person)
    (made,) = access.own.new_token(access.members[person], "Übersicht", frozenset({scope}), 30, PASSWORD)
    return made


def test_it_tells_numbers_and_nothing_that_names_anybody_or_any_place(told):
    answer = told.api("GET", "/overview", token(told))
    assert answer.status_code == 200
    found = answer.json()
    assert set(found) == {
        *("contract", "version", "at", "up_s", "cameras", "recording", "alerts"),
        *("deadlines", "chain", "clock", "rules", "needs"),
    }
    assert sum(found["cameras"].values()) == 2
    assert found["rules"]["holds"] + found["rules"]["broken"] + found["rules"]["unknown"] > 30
    said = json.dumps(found, ensure_ascii=False)
    for camera in told.system.site.cameras:
        assert camera.id not in said
        assert camera.name not in said
    for person in SITE.people:
        assert person.id not in said
        assert person.name not in said


def test_a_site_that_names_nobody_tells_nothing_and_offers_no_token(desk):
    answer = desk.api("GET", "/overview", token(desk))
    assert (answer.status_code, answer.json()["problem"]) == (409, "no-overview")
    assert 'value="overview"' not in desk.get("/account", "technik").text


def test_a_token_for_it_opens_nothing_else_and_no_other_opens_it(told):
    secret = token(told)
    assert 'value="overview"' in told.get("/account", "technik").text
    for path in ("/health", "/cameras", "/settings", "/log", "/people"):
        assert told.api("GET", path, secret).status_code == 403
    assert told.get("/metrics", headers={"Authorization": f"Bearer {secret}"}).status_code == 403
    assert told.api("GET", "/overview", token(told, scope=Permission.HEALTH)).status_code == 403
    assert told.api("GET", "/overview", "").status_code == 401


def test_it_is_asked_so_often_a_minute_and_no_more(told):
    secret, other = token(told), token(told)
    assert [told.api("GET", "/overview", secret).status_code for _ in range(MOST_A_MINUTE + 1)] == [200] * MOST_A_MINUTE + [429]
    assert told.api("GET", "/overview", other).status_code == 200, "each token for itself"
    told.clock.sleep(61)
    assert told.api("GET", "/overview", secret).status_code == 200


def test_one_that_was_taken_back_ends_at_once(told):
    secret, access = token(told), told.office.access
    assert access.own.remove_token(access.members["technik"], access.tokens.of("technik")[0].id) is None
    assert told.api("GET", "/overview", secret).status_code == 401


@pytest.mark.parametrize("paper", [record_of_processing, impact_assessment, lambda g: measures(g, assess(g))])
def test_the_papers_say_who_reads_and_say_nothing_where_nobody_does(paper):
    off = example()
    without, on = as_text(paper(off)), as_text(paper(replace(off, site=named(off.site))))
    assert "Übersicht mehrerer Standorte" not in without
    assert WHO in on
    added = [line for line in on.splitlines() if line not in without.splitlines()]
    assert all("server.overview" in line for line in added), "and nothing else of them is another"
