#!/bin/sh
# Installs Blickschutz from this bundle, without any network: sh install.sh [FOLDER]   (/opt/blickschutz without one)
# Needs Python of the version that the bundle was made for, and nothing else of the system's packages.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-/opt/blickschutz}
case ${LC_ALL:-${LC_MESSAGES:-${LANG:-en}}} in de*) german=1 ;; *) german= ;; esac

say() { if [ -n "$german" ]; then echo "$1"; else echo "$2"; fi; }
stop() { say "Abgebrochen: $1" "Stopped: $2" >&2; exit 1; }

# What lies there is replaced: only an environment that was made before, never a folder with something else in it.
if [ -e "$target" ] && [ ! -f "$target/pyvenv.cfg" ] && [ -n "$(ls -A "$target" 2>/dev/null || echo file)" ]; then
    stop "$target enthält etwas anderes; nennen Sie einen neuen Ordner" "$target holds something else; name a new folder"
fi

cd "$here"
say "[1/5] Dateien mit ihren Prüfsummen vergleichen" "[1/5] comparing files with their hashes"
sha256sum --check --quiet --strict SHA256SUMS ||
    stop "Eine Datei des Bündels ist nicht, wie sie sein muss" "a file of the bundle is not as it must be"

read -r wanted machine < PLATFORM
say "[2/5] Python $wanted suchen" "[2/5] looking for Python $wanted"
[ "$(uname -m)" = "$machine" ] || stop "Das Bündel ist für $machine, dieser Rechner ist $(uname -m)" "the bundle is for $machine, this is $(uname -m)"
python=
for one in ${PYTHON:-} "python$wanted" python3; do
    found=$(command -v "$one" || true)
    if [ -n "$found" ] && [ "$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$wanted" ]; then
        python=$found
        break
    fi
done
[ -n "$python" ] || stop "Python $wanted fehlt; die Liste system-packages.txt nennt das Paket" "Python $wanted is missing; system-packages.txt names the package"

say "[3/5] Umgebung in $target anlegen" "[3/5] making the environment in $target"
# --without-pip: Debian has the part that would bring pip in a package of its own. The bundle has pip as a wheel.
"$python" -m venv --without-pip --clear "$target" || stop "$target lässt sich nicht anlegen" "$target cannot be made"

count=$(ls wheels/*.whl | wc -l)
say "[4/5] $count Pakete installieren, jedes mit seiner Prüfsumme (etwa eine Minute)" "[4/5] installing $count packages, each by its hash (about a minute)"
pip=$(ls "$here"/wheels/pip-*.whl)
PYTHONPATH="$pip" PIP_CONFIG_FILE=/dev/null "$target/bin/python" -m pip install --isolated --quiet --disable-pip-version-check \
    --no-index --find-links "$here/wheels" --no-deps --require-hashes --no-cache-dir --requirement requirements.txt ||
    stop "die Pakete ließen sich nicht installieren" "the packages could not be installed"

say "[5/5] Modelle prüfen und eintragen" "[5/5] verifying and registering the models"
"$target/bin/blickschutz" models install --from "$here/models" ||
    stop "die Modelle ließen sich nicht eintragen" "the models could not be registered"

say "Fertig: $target/bin/blickschutz demo zeigt es, $target/bin/blickschutz files ORDNER gibt Beispiel und Handbuch." \
    "Done: $target/bin/blickschutz demo shows it, $target/bin/blickschutz files FOLDER gives example and handbook."
