"""Words of a control room that waits."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.web.words import N_

# What a standby cannot do, by name.
LIMITS: Mapping[str, str] = {
    "local": N_(
        "{count} Kameras dieser Anlage hängen an der führenden Leitstelle selbst. Fällt deren Rechner aus, werden sie nach der Übernahme "
        "von diesem Rechner aus gefilmt, sofern er sie im Netz erreicht; was dort aufgenommen wurde, liegt bis zu dessen Rückkehr nur dort."
    ),
}
