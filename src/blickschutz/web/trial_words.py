"""Finding and trying a camera: its steps, what they found, and why something was not tried, in words."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.ingest.model import Codec, Step
from blickschutz.web.words import N_

# In the order in which they are done.
STEP_WORDS: Mapping[Step, str] = {
    Step.REACH: N_("Erreichen"),
    Step.SIGN_IN: N_("Anmelden"),
    Step.STREAM: N_("Strom"),
    Step.KEYFRAMES: N_("Schlüsselbilder"),
    Step.RATE: N_("Bildrate"),
    Step.LOAD: N_("Last der Auswertung"),
    Step.PICTURE: N_("Verpixeltes Bild"),
    Step.CLOCK: N_("Uhr der Kamera"),
}
OFFER_WORDS: Mapping[Step, str] = {Step.PROFILE: N_("Adresse des Stroms erfragen")}
CODEC_WORDS: Mapping[Codec, str] = {
    Codec.H264: "H.264",
    Codec.H265: "H.265",
    Codec.MJPEG: "MJPEG",
    Codec.OTHER: N_("andere Form"),
    Codec.NONE: N_("andere Form"),
}
TRIAL_PROBLEMS: Mapping[str, str] = {
    "address": N_("Das ist keine Adresse. Bitte rtsp://Rechner/Pfad, http://Rechner/Pfad oder die IP-Adresse der Kamera eintragen."),
    "secret": N_("In der Adresse steht ein Benutzer oder Kennwort. Bitte beides in die eigenen Felder eintragen."),
    "name": N_("Bitte die Kamera mit ihrer IP-Adresse eintragen; Rechnernamen werden hier nicht aufgelöst."),
    "no-network": N_(
        "In der Anlagendatei steht noch kein Netz der Kameras. Bitte am Server camera_networks unter [site] eintragen, zum Beispiel "
        "10.20.0.0/24."
    ),
    "network": N_("Diese Adresse liegt nicht in einem Netz der Kameras. Ausprobiert wird nur dort (camera_networks in der Anlagendatei)."),
    "port": N_(
        "Dieser Port wird nicht ausprobiert: nur 80, 322, 443, 554, 8080, 8443, 8554 und Ports der Kameras, die in der Anlagendatei stehen."
    ),
    "stopped": N_("Diese Kamera oder die ganze Anlage ist angehalten. Solange wird nichts ausprobiert."),
    "preparing": N_("Die Anlage ist noch in Vorbereitung. Ausprobiert wird erst, wenn Kameras laufen dürfen."),
    "own": N_("Sie probieren gerade schon etwas aus. Bitte warten oder dort abbrechen."),
    "many": N_("Zwei andere probieren gerade etwas aus. Bitte in einer halben Minute noch einmal."),
    "often": N_("In der letzten Minute wurde schon oft ausprobiert. Bitte eine Minute warten."),
    "log": N_("Das Protokoll nimmt gerade keinen Eintrag an, und ohne Eintrag wird nichts ausprobiert. Bitte noch einmal versuchen."),
    "gone": N_("Die Zeit von 30 Sekunden ist um, oder die Probe ist ausgefallen. Was bis hierher gelang, steht oben."),
}
# For the script of the page; {} is filled in there.
TRIAL_TEXTS: Mapping[str, str] = {
    "open": N_("offen"),
    "running": N_("läuft …"),
    "done": N_("geht"),
    "failed": N_("geht nicht"),
    "unknown": N_("nicht bekannt"),
    "ended": N_("Die Probe ist zu Ende."),
    "cancelled": N_("Abgebrochen."),
    "lost": N_("Die Verbindung zum Server ist abgebrochen. Bitte noch einmal versuchen."),
    "picture": N_("Verpixeltes Bild der ausprobierten Kamera"),
    "found": N_("Kameras, die geantwortet haben: {}"),
    "none": N_("Keine Kamera hat geantwortet. Antworten können nur Kameras mit ONVIF, die im selben Netz stehen."),
    "seeking": N_("Es wird gesucht …"),
    "take": N_("Zum Ausprobieren übernehmen"),
    "over": N_("In das Formular übernommen. Es fehlt noch der Name."),
}
# What was found; each {} is a figure.
FOUND_WORDS: Mapping[str, str] = {
    "clock-unknown": N_("Nicht bekannt: Die Kamera nennt ihre Zeit nicht über ONVIF."),
    "no-picture": N_("Kein Bild: {}."),
    "keys-few": N_("{} in der ganzen Probe: zu wenige, um aufzuzeichnen"),
    "keys": N_("alle {} s, höchstens {} s auseinander"),
    "rate": N_("{} Bilder und {} kbit je Sekunde"),
    "load": N_("etwa {} Prozessorkerne und {} MB Arbeitsspeicher, solange jemand zusieht"),
    "clock-right": N_("weniger als eine Sekunde Unterschied"),
    "clock-ahead": N_("geht {} s vor; bitte an der Kamera stellen"),
    "clock-behind": N_("geht {} s nach; bitte an der Kamera stellen"),
}
