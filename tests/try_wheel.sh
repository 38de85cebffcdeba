#!/usr/bin/env bash
# Build the wheel, install it alone in an empty environment, and use it outside the checkout.
set -euo pipefail
checkout=$(pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$BIN/python" -m build --quiet --wheel --outdir "$work/dist" .
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "$work"/dist/*.whl
cd "$work"
claimsieve=$work/env/bin/claimsieve
"$claimsieve" --help > /dev/null
"$claimsieve" configs list
"$claimsieve" train starter-tfidf -o model --quiet
"$claimsieve" predict model recipe:demo -o labelled.jsonl
"$claimsieve" card model > card.md
"$claimsieve" report model -o report.html --quiet
test "$(wc -l < labelled.jsonl)" = "$(wc -l < "$checkout/src/claimsieve/data/starter/demo.jsonl")"
echo "the wheel works on its own"
