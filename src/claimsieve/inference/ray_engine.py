"""Label a file on the machines of a Ray cluster: this one reads, keeps the order and writes; the workers compute."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimsieve.data.sources import only_file
from claimsieve.errors import ConfigError
from claimsieve.evaluation.calibration import Calibration
from claimsieve.inference.budget import known_batch_tokens
from claimsieve.inference.formats import Format
from claimsieve.inference.labelling import Part
from claimsieve.inference.predict import Job, Tally, run
from claimsieve.inference.ray_cluster import connected
from claimsieve.inference.ray_crew import Crew
from claimsieve.inference.ray_worker import Work, sent_model
from claimsieve.inference.windows import Window
from claimsieve.models import kind_class
from claimsieve.models.artifacts import read_manifest, verify

_MOST_THREADS = {"encoder": 8, "two_axis": 8}  # of a worker; the other kinds keep one processor busy


@dataclass(frozen=True, slots=True)
class Crewing:
    """How many workers, and what each of them gets of a node. device: 'cpu' or 'cuda'."""

    workers: int
    cpus: int
    gpus: int
    device: str


def predict_on_ray(
    directory: Path,
    job: Job,
    *,
    address: str | None = None,
    workers: int | None = None,
    precision: str = "auto",
    device: str = "auto",
    batch_tokens: int | None = None,
    calibration: Calibration | None = None,
    advance: Callable[[int], None] = lambda rows: None,
    patience_seconds: float = 300,
) -> Tally:
    """As predict_file, with the model of a directory on the workers of a Ray cluster.

    address: of the cluster; None is RAY_ADDRESS, a cluster that this machine belongs to, or else this machine alone.
    workers: copies of the model; None is as many as keep the cluster busy. A worker that is lost, alone or with its
    node, has its windows computed elsewhere. patience_seconds: how long to wait while there is no worker at all. Raises
    DataError when it is over, ConfigError when there is no such cluster, and what predict_file raises.
    """
    if job.pictures is not None:
        raise ConfigError(
            "--media-index: expected the local engine, found ray: the pictures lie on this machine. Leave --engine out."
        )
    manifest = read_manifest(directory)
    verify(directory, manifest)
    with connected(address) as ray:
        crewing = crew_for(_nodes(ray), manifest.kind, device=device, workers=workers)
        needs = {"num_cpus": crewing.cpus, "num_gpus": crewing.gpus}
        crew = Crew(ray, sent_model(directory, manifest), crewing.workers, needs, patience_seconds=patience_seconds)

        budget: int | None = None
        # By its suffix cells are read, on machines that need not have it.
        source = job.source if job.source == "-" or job.source.startswith("recipe:") else only_file(job.source)

        def parts(form: Format, rows: Iterator[Window], memory: bytes) -> Iterator[Part]:
            work = Work(source, job.mapping, job.prevalence, calibration, form, memory, job.explain, budget)
            return crew.parts(work, rows)

        try:
            computed = crew.open_first(precision, crewing.device)
            if "batch_tokens" in computed and (known := known_batch_tokens(job, batch_tokens)) is not None:
                budget = known
                computed = {**computed, "batch_tokens": known}
            settings = {"fingerprint": manifest.fingerprint, "computed": computed}
            heads = kind_class(manifest.kind).heads
            return run(job, parts, calibration=calibration, model=settings, heads=heads, advance=advance)
        finally:
            crew.dismiss()


def crew_for(nodes: Sequence[tuple[int, int]], kind: str, *, device: str, workers: int | None) -> Crewing:
    """Few copies of the model that together use every processor. nodes: CPUs and GPUs of each.

    With GPUs one worker for each. Else n-grams and static embeddings get one CPU a worker, encoders up to eight, as
    many as the smallest node has; with a number of workers given, as many as they can have. Raises ConfigError for a
    GPU that is asked for where none is.
    """
    accelerated = [node for node in nodes if node[1]]
    if device == "cuda" and not accelerated:
        raise ConfigError("--device cuda: expected a node with a GPU in the cluster, found none. Use cpu or auto.")
    if accelerated and device != "cpu" and kind != "tfidf":
        share = max(1, min(cpus // gpus for cpus, gpus in accelerated))
        return Crewing(workers or sum(gpus for _, gpus in accelerated), share, 1, "cuda")
    sizes = [cpus for cpus, _ in nodes if cpus] or [1]
    most = _MOST_THREADS.get(kind, 1)
    fitting = [cpus for cpus in range(1, max(sizes) + 1) if workers and sum(size // cpus for size in sizes) >= workers]
    cpus = max(fitting) if fitting and most > 1 else min(most, *sizes)
    return Crewing(workers or sum(size // cpus for size in sizes), cpus, 0, "cpu")


def _nodes(ray: Any) -> list[tuple[int, int]]:
    found: list[Mapping[str, float]] = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return [(math.floor(node.get("CPU", 0)), math.floor(node.get("GPU", 0))) for node in found]
