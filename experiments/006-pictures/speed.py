"""How quick look-ups among a million hashes and fingerprints of pictures are, and what a look-up's rivals take.

    python experiments/006-pictures/speed.py              # writes speed.json beside itself; needs faiss-cpu

Hashes: 'uniform' bits; and 'crowded' ones, of which a tenth are a few bits from one of 2,000, as copies of known
pictures are. Queries: hashes of the million with 0 to 40 bits changed. The best of three rounds is told, all are kept:
by the clock, and by the seconds that processors were at it, which say more where other programs run.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from claimsieve.media.fingerprints import fingerprint_files
from claimsieve.media.index import Known, load_index, table_of, write_index
from claimsieve.media.lookup import build_table, within

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1] / "tests" / "media"))
import made_scenes as made  # noqa: E402

HASHES, QUERIES, FLAT_QUERIES, DISTANCE, ROUNDS = 1_000_000, 4_000, 400, 31, 3
Hashes = NDArray[np.uint8]


def changed(hashes: Hashes, most: int, draw: np.random.Generator) -> Hashes:
    """Each hash with 0 to `most` bits the other way."""
    order = draw.random((len(hashes), 256)).argsort(axis=1)
    bits = order < draw.integers(0, most + 1, len(hashes))[:, None]
    return hashes ^ np.packbits(bits, axis=1)


def hashes_of(kind: str, draw: np.random.Generator) -> Hashes:
    hashes = draw.integers(0, 256, (HASHES, 32), dtype=np.uint8)
    if kind == "crowded":
        tenth = HASHES // 10
        hashes[:tenth] = changed(hashes[draw.integers(0, 2_000, tenth)], 12, draw)
    return hashes


def timed(action: Callable[[], Any]) -> list[tuple[float, float]]:
    """Seconds of each round by the clock and of all processors."""
    seconds = []
    for _ in range(ROUNDS):
        begin, busy = time.perf_counter(), time.process_time()
        action()
        seconds.append((time.perf_counter() - begin, time.process_time() - busy))
    return seconds


def rates(count: int, seconds: list[tuple[float, float]]) -> dict[str, Any]:
    return {
        "per_second": count / min(clock for clock, _ in seconds),
        "per_processor_second": count / min(busy for _, busy in seconds),
        "rounds": [[count / clock, count / busy] for clock, busy in seconds],
    }


def look_ups(kind: str) -> dict[str, Any]:
    import faiss

    draw = np.random.default_rng(0)
    hashes = hashes_of(kind, draw)
    queries = changed(hashes[draw.integers(0, HASHES, QUERIES)], 40, draw)
    begin = time.process_time()
    table = build_table(hashes)
    built = time.process_time() - begin
    begin = time.process_time()
    multi = faiss.IndexBinaryMultiHash(256, 16, 16)
    multi.nflip = 1
    multi.add(hashes)
    faiss_built = time.process_time() - begin
    flat = faiss.IndexBinaryFlat(256)
    flat.add(hashes)
    # faiss takes pairs below the radius.
    limits, _, _ = flat.range_search(queries[:FLAT_QUERIES], DISTANCE + 1)
    ours = within(table, queries[:FLAT_QUERIES], distance=DISTANCE)
    result: dict[str, Any] = {
        "build_processor_seconds": {"ours": built, "faiss multi-hash": faiss_built},
        "pairs": {"ours": len(ours.rows), "faiss flat": int(limits[-1])},
    }
    for threads in (1, 2):
        faiss.omp_set_num_threads(threads)
        result[f"{threads} threads"] = {
            "ours": rates(QUERIES, timed(lambda t=threads: within(table, queries, distance=DISTANCE, threads=t))),
            "faiss multi-hash": rates(QUERIES, timed(lambda: multi.range_search(queries, DISTANCE + 1))),
            "faiss flat": rates(FLAT_QUERIES, timed(lambda: flat.range_search(queries[:FLAT_QUERIES], DISTANCE + 1))),
        }
    return result


def index_on_disk() -> dict[str, Any]:
    """An index of a million pictures, written and loaded."""
    hashes = hashes_of("uniform", np.random.default_rng(1))
    known = [
        Known(f"archive/{number:07}.jpg", f"{number:064x}", 90, f"20{number % 20:02}-0{number % 9 + 1}-11",
              "publication", "somewhere", f"https://example.org/{number}", f"Picture number {number}")
        for number in range(HASHES)
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "index")
        write_index(target, table_of(known), hashes, np.arange(HASHES), threshold=DISTANCE)
        size = sum(path.stat().st_size for path in target.iterdir())
        del known
        begin, busy = time.perf_counter(), time.process_time()
        load_index(target)
        seconds = time.perf_counter() - begin
        return {
            "pictures": HASHES,
            "bytes": size,
            "load_seconds": seconds,
            "load_processor_seconds": time.process_time() - busy,
        }


def hashing(count: int = 200) -> dict[str, Any]:
    """JPEG files of one megapixel, as cameras and web pages have them, from file to fingerprint."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, path in enumerate(list(made.photographs().values()) * 20):
            if number == count:
                break
            picture = Image.open(path).convert("RGB").resize((1155, 866))
            paths.append(Path(folder, f"{number}.jpg"))
            paths[-1].write_bytes(made.jpeg(picture, 85))
        pngs = [path.with_suffix(".png") for path in paths[:40]]
        for path, target in zip(paths, pngs, strict=False):
            Image.open(path).save(target)
        return {
            "jpeg": rates(len(paths), timed(lambda: list(fingerprint_files(paths)))),
            "png": rates(len(pngs), timed(lambda: list(fingerprint_files(pngs)))),
        }


def main() -> None:
    results = {"hashing": hashing(), "look_ups": {kind: look_ups(kind) for kind in ("uniform", "crowded")}}
    results["index"] = index_on_disk()
    results["load_average"] = os.getloadavg()
    results["peak_megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (FOLDER / "speed.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
