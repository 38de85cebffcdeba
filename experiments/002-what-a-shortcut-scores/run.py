"""Measure the shortcuts and the optimism of a random split on every corpus; a case that is done is not done again.

    CLAIMSIEVE_CORPORA=~/corpora python experiments/002-what-a-shortcut-scores/run.py [CASE ...]

Adds to results.json beside this file; with names of cases, these alone are measured, anew. Half an hour on two cores.
"""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from claimsieve import config as configs
from claimsieve.data import recipes
from claimsieve.settings import RunConfig
from claimsieve.studies import study_optimism, study_shortcuts
from claimsieve.whole_files import write_file

RESULTS = Path(__file__).with_name("results.json")
SEEDS = (0, 1, 2, 3, 4)
LARGE = ("pairs:lingnli", "pairs:fragments", "pairs:control_nli")  # three seeds
ONE_LABEL = ("euvsdisinfo", "ukraine_news", "babe")  # no corpus by themselves: measured as a mix
SPLIT = "data.split={by: group, train: 0.7, valid: 0.1, calibration: 0.1, test: 0.1}"
EACH_EVENT = "data.split={by: group, hold_out: each, train: 0.7, valid: 0.1, calibration: 0.1, test: 0.1}"


def cases() -> dict[str, list[str]]:
    """Name → what is set over the starter config."""
    alone = [name for name in recipes.names() if name not in (*ONE_LABEL, "demo")]
    found = {name: [corpora(name), SPLIT] for name in alone}
    found["pheme, each event held out"] = [corpora("pheme"), EACH_EVENT]
    found["euvsdisinfo + ukraine_news + babe"] = [corpora(*ONE_LABEL), SPLIT]
    found["euvsdisinfo + snopes"] = [corpora("euvsdisinfo", "snopes"), SPLIT]
    return found


def corpora(*names: str) -> str:
    return "data.corpora=[" + ", ".join(f"{{recipe: '{name}'}}" for name in names) + "]"


def measured(config: RunConfig, *, seeds: tuple[int, ...]) -> dict[str, object]:
    begin = time.monotonic()
    shortcuts = asdict(study_shortcuts(config, seeds, say=print))
    optimism = asdict(study_optimism(config, seeds, say=print))
    return {"shortcuts": shortcuts, "optimism": optimism, "seconds": round(time.monotonic() - begin)}


def main(wanted: list[str]) -> None:
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    for name, overrides in cases().items():
        if name not in wanted if wanted else name in results:
            continue
        print(f"== {name}", flush=True)
        config = configs.load("starter-tfidf", overrides)
        seeds = SEEDS[:2] if config.data.split.hold_out else SEEDS[:3] if name in LARGE else SEEDS
        results[name] = measured(config, seeds=seeds)
        write_file(RESULTS, (json.dumps(results, indent=1) + "\n").encode())


if __name__ == "__main__":
    main(sys.argv[1:])
