"""Quarantine, safe mode and what does not go, as people see them: the real application over real rows, without a network."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from blickschutz.access.model import AccountState, FactorKind, Member, Role
from blickschutz.audit.model import Event
from blickschutz.bootstrap.system import System
from blickschutz.review.model import CaseState
from blickschutz.vault.service import new_key
from tests.fakes.clock import ManualClock
from tests.faults.children import group, make_writer
from tests.house import SITE

pytestmark = pytest.mark.both_databases

NAME = "a" * 32
ADDRESS = f"http://127.0.0.1:{SITE.server.port}"
NEXT = {"until": "2024-01-30", "ground": "straftat", "reference": "KL-1"}


class Site:
    """The application of a site whose records do not run; `get` and `post` are requests of somebody who is signed in."""

    def __init__(self, folder):
        self.folder, self.clock = folder, ManualClock()
        self.start()

    def start(self):
        self.system = System(SITE, self.folder, self.clock, data=self.folder)
        self.records = self.system.records
        access = self.records.office.access
        if "aufsicht-2" not in access.members:
            access.accounts.take_over([Member("aufsicht-2", "Zweite Aufsicht", frozenset({Role.SUPERVISION}), None)])
        self.records.keeping.begin()

    def again(self):
        self.records.keeping.close()
        self.start()

    def stray(self):
        shelf = self.records.archive.shelf
        shelf.folder.mkdir(exist_ok=True)
        writer = make_writer(shelf.folder, self.records.archive.key.installation, NAME, new_key())
        writer.add(group(1))
        writer.close("over", 1.0)

    def case(self):
        return self.records.office.cases.store.by_clip(NAME)

    def session(self, person):
        access = self.records.office.access
        if access.members[person].state is not AccountState.ACTIVE:
            access.accounts.activate(person)
        if not access.factors.count(person):
            access.factors.add(person, FactorKind.TOTP, "test", b"1" * 20, 0)
        return access.begin(person)

    def ask(self, method, path, person, language="de", data=None):
        async def asked():
            transport = httpx.ASGITransport(app=self.system.app)
            cookies = {"session": self.session(person), "language": language} if person else {"language": language}
            async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, cookies=cookies) as client:
                return await client.request(method, path, data=data)

        return asyncio.run(asked())

    def get(self, path, person="aufsicht", language="de"):
        answer = self.ask("GET", path, person, language)
        assert answer.status_code == 200, answer.text[-500:]
        return answer.text

    def post(self, path, person="aufsicht", **data):
        return self.ask("POST", path, person, data=data)


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path)
    yield site
    site.records.keeping.close()


class TestQuarantine:
    @pytest.fixture
    def found(self, site):
        site.stray()
        site.again()
        return site

    def test_it_is_listed_with_its_reason_and_without_one_it_is_not(self, site):
        assert "In Quarantäne" not in site.get("/cases")
        site.stray()
        site.again()
        assert "zu der es keinen Vorgang gibt" in site.get("/cases")
        assert "a file of this installation without a case" in site.get("/cases", language="en")
        assert "Aufzeichnungen liegen in Quarantäne und warten auf zwei Personen" in site.get("/health")

    def test_its_page_says_what_is_known_and_what_can_be_decided(self, found):
        page = found.get(f"/cases/{found.case().id}")
        for text in ("Quarantäne", "zur Sichtung freigeben", "vernichten", found.case().sha256, "keine; zwei Personen entscheiden"):
            assert text in page
        assert "Zum Sichtungsraum" not in page

    def test_two_of_the_supervision_decide(self, found):
        number = found.case().id
        assert found.post(f"/cases/{number}/fate", fate="release").status_code == 303
        assert "zur Sichtung freigeben" in found.get(f"/cases/{number}", "aufsicht-2")
        version = found.case().version
        assert found.post(f"/cases/{number}/fate/confirm", version=version).status_code == 409
        assert found.post(f"/cases/{number}/fate/confirm", "aufsicht-2", version=version - 1).status_code == 409
        assert found.post(f"/cases/{number}/fate/confirm", "aufsicht-2", version=version).status_code == 303
        assert found.case().state is CaseState.WAITING

    def test_a_hold_needs_ground_number_and_end(self, found):
        number = found.case().id
        for data in (
            {},
            {"fate": "eat"},
            {"fate": "hold"},
            {"fate": "hold", **NEXT, "until": "1999-01-01"},
            {"fate": "hold", **NEXT, "reference": ""},
        ):
            assert found.post(f"/cases/{number}/fate", **data).status_code == 422
        assert found.case().fate is None
        assert found.post(f"/cases/{number}/fate", fate="hold", **NEXT).status_code == 303
        found.post(f"/cases/{number}/fate/confirm", "aufsicht-2", version=found.case().version)
        assert (found.case().state, found.case().hold.reference) == (CaseState.HELD, "KL-1")

    def test_nobody_else_decides(self, found):
        number = found.case().id
        for person in ("kvd-1", "technik", "leitstelle-1"):
            assert found.post(f"/cases/{number}/fate", person, fate="destroy").status_code == 403
        assert found.case().fate is None

    def test_a_reviewer_holds_nothing_that_is_in_quarantine(self, found):
        assert found.post(f"/cases/{found.case().id}/hold", "kvd-1", **NEXT).status_code == 422
        assert found.case().proposal is None


class TestLoss:
    @pytest.fixture
    def lost(self, site):
        site.stray()
        site.clock.sleep(100)
        site.records.keeping.end()
        for path in site.folder.glob("control.db*"):
            path.unlink()
        site.start()
        return site

    @pytest.mark.files_alone
    def test_every_page_says_it_and_one_says_what_and_the_way_back(self, lost):
        for path in ("/cases", "/health", "/log"):
            assert "Sicherer Betrieb" in lost.get(path, {"/log": "dsb"}.get(path, "aufsicht"))
        assert "Sicherer Betrieb" in lost.get("/sign-in", person="")
        page = lost.get("/loss")
        for text in ("control.db fehlt oder ist leer", "blickschutz restore", "Als erste Person bestätigen"):
            assert text in page
        assert "Stop the system" in lost.get("/loss", language="en")
        assert "Als erste Person" not in lost.get("/loss", "technik")
        assert "blickschutz_safe_mode 1.0" in lost.get("/metrics", "technik")

    @pytest.mark.files_alone
    def test_two_of_the_supervision_accept_and_what_no_row_explains_is_kept(self, lost):
        what = lost.records.keeping.safety.what
        assert lost.post("/loss/accept", what=what).status_code == 422, "without saying that one has read it"
        assert lost.post("/loss/accept", "technik", what=what, sure="yes").status_code == 403
        assert lost.post("/loss/accept", what=what, sure="yes").status_code == 303
        assert lost.post("/loss/accept", what=what, sure="yes").status_code == 409, "one person is one person"
        assert "Es fehlt eine zweite Person" in lost.get("/loss", "aufsicht-2")
        assert lost.post("/loss/accept", "aufsicht-2", what=what, sure="yes").status_code == 303
        lost.records.worker.work()
        assert "Es fehlt nichts" in lost.get("/loss")
        assert lost.case().state is CaseState.QUARANTINED
        assert "blickschutz_quarantined_clips 1.0" in lost.get("/metrics", "technik")

    def test_while_nothing_is_lost_nothing_is_said(self, site):
        assert "Sicherer Betrieb:" not in site.get("/cases")
        assert "Es fehlt nichts." in site.get("/loss")
        assert "blickschutz_safe_mode 0.0" in site.get("/metrics", "technik")


def test_what_does_not_go_is_told_on_every_page(site, monkeypatch):
    site.stray()
    site.again()
    case = site.case()
    assert site.records.office.cases.store.doom(case, "discarded", ("a", "b"))

    def fail(clip):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(site.records.archive.shelf, "size", fail)
    for _ in range(6):
        site.records.shredder.work()
        site.clock.sleep(1000)
    assert "lässt sich nicht vernichten" in site.get("/cases")
    health = site.get("/health")
    assert "OSError" in health
    assert "blickschutz_stuck_clips 1.0" in site.get("/metrics", "technik")
    assert len(site.records.office.log.find(event=Event.SHRED_FAILED)) == 1
