"""German texts of the overview; their English stands in the catalogue of the pages."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.overview.model import Fault
from blickschutz.overview.rules import Rank
from blickschutz.web.words import N_

FAULT_WORDS: Mapping[Fault, str] = {
    Fault.AWAY: N_("antwortet nicht"),
    Fault.SLOW: N_("antwortet zu langsam"),
    Fault.CERTIFICATE: N_("weist sich mit einem anderen Zertifikat aus"),
    Fault.REFUSED: N_("nimmt den Token nicht an oder nimmt an keiner Übersicht teil"),
    Fault.TOO_OFTEN: N_("wird zu oft gefragt"),
    Fault.ANSWER: N_("antwortet mit etwas anderem als Zahlen"),
    Fault.SIZE: N_("antwortet mit zu vielen Daten"),
    Fault.FORM: N_("antwortet in einer Form, die nicht vorgesehen ist; nichts davon wurde übernommen"),
    Fault.CONTRACT: N_("spricht eine andere Fassung der Übersicht"),
}
# Shape and word: colour alone says nothing.
RANK_WORDS: Mapping[Rank, tuple[str, str]] = {
    Rank.NOW: ("▲", N_("sofort ansehen")),
    Rank.SOON: ("◆", N_("bald ansehen")),
    Rank.LOOK: ("●", N_("ansehen, wenn Zeit ist")),
    Rank.WELL: ("✓", N_("in Ordnung")),
}
CAMERA_WORDS: Mapping[str, str] = {
    "starting": N_("startet"),
    "live": N_("live"),
    "stale": N_("steht still"),
    "lost": N_("verloren"),
    "redaction-fault": N_("Störung der Verpixelung"),
    "stopped": N_("angehalten"),
}
