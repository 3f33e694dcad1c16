"""The whole pack: every document of a site, and what changed since the last one."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.compliance.documents.assemblies import assemblies
from blickschutz.compliance.documents.breach import notice, told
from blickschutz.compliance.documents.council import council
from blickschutz.compliance.documents.duty import duty_letter
from blickschutz.compliance.documents.evaluation import evaluation
from blickschutz.compliance.documents.measures import measures
from blickschutz.compliance.documents.model import Document
from blickschutz.compliance.documents.necessity import classification, necessity
from blickschutz.compliance.documents.operation import deletion, service_order
from blickschutz.compliance.documents.privacy import impact_assessment, record_of_processing
from blickschutz.compliance.documents.protocols import protocols
from blickschutz.compliance.documents.public import information_sheet, sign
from blickschutz.compliance.documents.staff import roles, training, works_agreement
from blickschutz.compliance.documents.tongues import ASKED, TRANSLATED, questions, sheet
from blickschutz.compliance.documents.upkeep import acceptance, maintenance, restart
from blickschutz.compliance.model import Grounds
from blickschutz.compliance.policy import assess

LANGUAGES = ("de", "en")
PAPERS = ("a4", "a3")


def pack(g: Grounds) -> list[Document]:
    """Every document of the site."""
    found = assess(g)
    return [
        measures(g, found),
        impact_assessment(g),
        record_of_processing(g),
        *(information_sheet(g, language) for language in LANGUAGES),
        *(sheet(g, language) for language in TRANSLATED),
        *(questions(g, language) for language in ASKED),
        *(sign(g, language, paper) for language in LANGUAGES for paper in PAPERS),
        service_order(g),
        deletion(g),
        works_agreement(g),
        necessity(g),
        classification(g),
        roles(g),
        maintenance(g),
        training(g),
        acceptance(g),
        protocols(g),
        *(duty_letter(g, None, language) for language in LANGUAGES),
        notice(g),
        told(g),
        restart(g),
        evaluation(g),
        assemblies(g),
        council(g, found),
    ]


def changed(before: Mapping[str, list[str]], documents: list[Document]) -> dict[str, list[str]]:
    """Per document the sentences that are new or other than in the last pack; documents without a change are left out."""
    found = {}
    for document in documents:
        old = set(before.get(document.key, ()))
        other = [one.text for one in document.sentences() if one.text not in old]
        if document.key in before and other:
            found[document.key] = other
    return found
