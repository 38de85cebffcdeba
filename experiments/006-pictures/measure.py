"""How often a changed picture is found again at distance 31, and how often two different ones are taken for one.

    python experiments/006-pictures/measure.py            # writes results.json and results.md beside itself

Pictures: scenes drawn by seed (tests/media/made_scenes.py), and the photographs that scikit-learn, scikit-image and
matplotlib carry. Intervals are Clopper-Pearson at 95 %.
"""

import argparse
import io
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pdqhash
from PIL import Image
from scipy.stats import beta

from claimsieve.media.decoding import decoded
from claimsieve.media.fingerprints import Fingerprint, fingerprint_of, pdq_hash
from claimsieve.media.index import THRESHOLD

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1] / "tests" / "media"))
import made_scenes as made  # noqa: E402

Change = Callable[[Image.Image], bytes]


def plain(change: Callable[[Image.Image], Image.Image], quality: int = 90) -> Change:
    return lambda picture: made.jpeg(change(picture), quality)


CHANGES: dict[str, Change] = {
    "as it is": lambda picture: made.png(picture),
    "resized to 25 %": plain(lambda p: made.resized(p, 0.25)),
    "resized to 50 %": plain(lambda p: made.resized(p, 0.5)),
    "resized to 200 %": plain(lambda p: made.resized(p, 2)),
    "squeezed to 80 % of its width": plain(lambda p: p.resize((round(p.width * 0.8), p.height))),
    "JPEG 95": plain(lambda p: p, 95),
    "JPEG 75": plain(lambda p: p, 75),
    "JPEG 50": plain(lambda p: p, 50),
    "JPEG 30": plain(lambda p: p, 30),
    "cropped by 1 %": plain(lambda p: made.cropped(p, 0.01)),
    "cropped by 2 %": plain(lambda p: made.cropped(p, 0.02)),
    "cropped by 5 %": plain(lambda p: made.cropped(p, 0.05)),
    "brightness × 0.7": plain(lambda p: made.brighter(p, 0.7)),
    "brightness × 1.3": plain(lambda p: made.brighter(p, 1.3)),
    "greyscale": plain(made.grey),
    "watermark and sign": plain(made.watermarked),
    "mirrored": plain(made.mirrored),
    "mirrored, resized to 50 %, JPEG 50": plain(lambda p: made.resized(made.mirrored(p), 0.5), 50),
    "black bars of 15 %": plain(made.framed),
    "white bars of 5 %": plain(lambda p: made.framed(p, 0.05, "white")),
    "white bars of 15 %, mirrored, JPEG 50": plain(lambda p: made.mirrored(made.framed(p, 0.15, "white")), 50),
    "screenshot with text": plain(made.screenshot),
    "turned by 2 degrees": plain(lambda p: p.convert("RGB").rotate(2, Image.BICUBIC)),
    "turned by 90 degrees": plain(lambda p: p.transpose(Image.ROTATE_90)),
}


def interval(hits: int, n: int) -> tuple[float, float]:
    """Clopper and Pearson's 95 % interval of a share."""
    low = float(beta.ppf(0.025, hits, n - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, n - hits)) if hits < n else 1.0
    return low, high


def distance(known: Fingerprint, query: Fingerprint, *, plain_only: bool) -> int:
    """The least distance between hashes as a search has them; 256 where there is none."""
    if plain_only:
        knowns, queries = known.hashes[:1], query.hashes[:1]
        if known.parts[:1] != ("whole",) or query.parts[:1] != ("whole",):
            return 256
    else:
        knowns, queries = known.hashes, np.concatenate([query.hashes, query.mirrored])
    if not len(knowns) or not len(queries):
        return 256
    return int(np.unpackbits(knowns[:, None] ^ queries[None], axis=2).sum(axis=2, dtype=int).min())


def recall(pictures: list[Image.Image], prints: list[Fingerprint], threads: int) -> list[dict[str, Any]]:
    def all_of(picture: Image.Image, known: Fingerprint) -> list[tuple[int, int]]:
        changed = (fingerprint_of(change(picture)) for change in CHANGES.values())
        return [(distance(known, one, plain_only=True), distance(known, one, plain_only=False)) for one in changed]

    with ThreadPoolExecutor(threads) as pool:
        found = np.array(list(pool.map(all_of, pictures, prints)))  # (pictures, changes, 2)
    rows = []
    for place, name in enumerate(CHANGES):
        row: dict[str, Any] = {"change": name, "n": len(pictures)}
        for way, key in enumerate(("pdq", "search")):
            hits = int((found[:, place, way] <= THRESHOLD).sum())
            row[key] = {"found": hits, "recall": hits / len(pictures), "interval": interval(hits, len(pictures))}
        row["median_distance"] = float(np.median(found[:, place, 1]))
        rows.append(row)
    return rows


def false_matches(name: str, fingerprints: list[Fingerprint]) -> dict[str, Any]:
    """Pairs of different pictures within the threshold, by PDQ alone and by a search, which has several ways to err."""
    kept = [one for one in fingerprints if one.parts]
    owners = np.repeat(np.arange(len(kept)), [len(one.hashes) for one in kept])
    hashes = np.concatenate([one.hashes for one in kept])
    mirrored = np.concatenate([one.mirrored for one in kept])
    whole = np.array([part == "whole" for one in kept for part in one.parts])
    pairs: dict[str, set[tuple[int, int]]] = {"pdq": set(), "search": set()}
    nearest = 256
    for row, owner in enumerate(owners):
        for queries, plain_way in ((hashes, True), (mirrored, False)):
            near = np.bitwise_count(queries.view(np.uint64) ^ hashes[row].view(np.uint64)).sum(axis=1)
            near[owners == owner] = 256
            nearest = min(nearest, int(near.min()))
            for other in np.flatnonzero(near <= THRESHOLD):
                pair = (min(owner, owners[other]), max(owner, owners[other]))
                pairs["search"].add(pair)
                if plain_way and whole[row] and whole[other]:
                    pairs["pdq"].add(pair)
    n = len(kept) * (len(kept) - 1) // 2
    result: dict[str, Any] = {"pictures": name, "n": len(kept), "pairs": n, "nearest": nearest}
    for way, found in pairs.items():
        low, high = interval(len(found), n)
        result[way] = {"matches": len(found), "per_million": 1e6 * len(found) / n, "interval": (1e6 * low, 1e6 * high)}
    return result


def tiles(photographs: list[Image.Image], side: int = 160) -> list[Image.Image]:
    """Parts of photographs that do not overlap: grass beside grass is as alike as different pictures get."""
    return [
        photograph.crop((x, y, x + side, y + side))
        for photograph in photographs
        for x in range(0, photograph.width - side + 1, side)
        for y in range(0, photograph.height - side + 1, side)
    ]


def faces() -> list[Image.Image]:
    """The 200 small grey pictures of Labelled Faces in the Wild that scikit-image carries."""
    import skimage

    stored = np.load(Path(skimage.__file__).parent / "data" / "lfw_subset.npy", allow_pickle=False)
    return [Image.fromarray((255 * one / one.max()).astype(np.uint8)).resize((100, 100)) for one in stored]


def reference_distance(photographs: list[Image.Image]) -> dict[str, Any]:
    """How far our hash of a JPEG, decoded small, is from PDQ's own of the whole picture."""
    found: dict[str, list[int]] = {}
    for photograph in photographs:
        for megapixels in (0.3, 1, 4, 12):
            share = (megapixels * 1e6 / (photograph.width * photograph.height)) ** 0.5
            content = made.jpeg(made.resized(photograph, share))
            whole = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
            reference = np.packbits(pdqhash.compute(whole)[0].astype(bool))
            bits = int(np.unpackbits(reference ^ pdq_hash(decoded(content).grey)[0]).sum())
            found.setdefault(f"{megapixels:g} megapixels", []).append(bits)
    return {name: {"n": len(bits), "mean": float(np.mean(bits)), "most": max(bits)} for name, bits in found.items()}


def share_text(value: dict[str, Any]) -> str:
    low, high = value["interval"]
    return f"{value['recall']:.3f} [{low:.3f}, {high:.3f}]"


def million_text(value: dict[str, Any]) -> str:
    low, high = value["interval"]
    return f"{value['matches']:,}: {value['per_million']:.2f} [{low:.2f}, {high:.2f}]"


def table(results: dict[str, Any]) -> str:
    lines = ["# Results", "", "Made by `measure.py`; intervals are Clopper-Pearson at 95 %.", ""]
    for name, rows in results["recall"].items():
        lines += [f"## Found again at distance {THRESHOLD}: {name}, n = {rows[0]['n']:,}", ""]
        lines += ["| change | PDQ alone | mirror and frame looked up too | median distance |", "|---|---|---|---|"]
        for row in rows:
            text = f"{share_text(row['pdq'])} | {share_text(row['search'])} | {row['median_distance']:.0f}"
            lines.append(f"| {row['change']} | {text} |")
        lines.append("")
    lines += ["## Different pictures taken for one", ""]
    lines += [
        "| pictures | n | pairs | nearest | PDQ alone: per million pairs | with mirror and frame |",
        "|---|---|---|---|---|---|",
    ]
    for row in results["false_matches"]:
        counts = f"{row['n']:,} | {row['pairs']:,} | {row['nearest']}"
        lines.append(f"| {row['pictures']} | {counts} | {million_text(row['pdq'])} | {million_text(row['search'])} |")
    lines += [
        "",
        "Pairs share pictures, so the true intervals are wider.",
        "",
        "## Distance from PDQ of the whole JPEG",
        "",
    ]
    lines += ["| size | n | mean bits | most |", "|---|---|---|---|"]
    for name, row in results["reference"].items():
        lines.append(f"| {name} | {row['n']} | {row['mean']:.1f} | {row['most']} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scenes", type=int, default=2_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", type=Path, default=FOLDER)
    options = parser.parse_args()
    scenes = [made.scene(seed) for seed in range(options.scenes)]
    photographs = [Image.open(path).convert("RGB") for path in made.photographs().values()]
    pieces = tiles(photographs)
    groups = {"scenes": scenes, "photographs": photographs, "tiles of photographs": pieces, "faces": faces()}
    with ThreadPoolExecutor(options.threads) as pool:
        prints = {
            name: list(pool.map(lambda picture: fingerprint_of(made.png(picture)), pictures))
            for name, pictures in groups.items()
        }
    results = {
        "threshold": THRESHOLD,
        "false_matches": [false_matches(name, found) for name, found in prints.items()],
        "reference": reference_distance(photographs),
        "recall": {name: recall(groups[name], prints[name], options.threads) for name in ("photographs", "scenes")},
    }
    (options.o / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (options.o / "results.md").write_text(table(results), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
