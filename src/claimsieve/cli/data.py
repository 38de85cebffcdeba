"""claimsieve data audit | shortcuts | optimism"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from claimsieve.cli import app
from claimsieve.cli.console import print_table, say
from claimsieve.cli.options import estimate

if TYPE_CHECKING:
    from claimsieve.data.audit import AuditReport

group = typer.Typer(
    help="Look at the data of a config before training on it.",
    epilog="Example: claimsieve data audit starter-tfidf",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(group, name="data")

CONFIG = typer.Argument(help="A config file, or the name of a shipped one (claimsieve configs list).")
SET = typer.Option([], "--set", metavar="KEY=VALUE", help="Change one value; may be given many times.")
JSON = typer.Option(False, "--json", help="Print as JSON.")
QUIET = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr.")
SEEDS = typer.Option(5, "--seeds", min=2, help="How many splits to draw: seeds 0, 1, 2 …")


@group.command(epilog="Example: claimsieve data audit my.yaml --strict --set data.split.by=time")
def audit(
    config: str = CONFIG,
    set_: list[str] = SET,
    strict: bool = typer.Option(False, "--strict", help="Fail when there is a finding that data.audit.accept lacks."),
    as_json: bool = JSON,
    quiet: bool = QUIET,
) -> None:
    """Look for leaks between the splits, and for what gives labels away in what a model may see."""
    from claimsieve import config as configs
    from claimsieve.data.prepare import audited, cuts, prepare
    from claimsieve.errors import DataError
    from claimsieve.models.lineage import met_before

    settings = configs.load(config, set_)
    prepared = prepare(settings.data, met_before(settings.model))
    say(prepared.described(), quiet=quiet)
    reports = {
        cut.fold: audited(prepared, cut, settings.data)
        for cut in cuts(prepared, settings.data, settings.seeds[:1], force=True)
    }
    if as_json:
        rows = [{"held_out": fold, "seed": settings.seeds[0], **report.to_json()} for fold, report in reports.items()]
        typer.echo(json.dumps(rows if len(rows) > 1 else rows[0], indent=1, ensure_ascii=False))
    else:
        for fold, report in reports.items():
            typer.echo(f"\nheld out: {fold}\n" if fold else f"\nsplit by {settings.data.split.by}\n")
            _print_report(report)
    failures = sorted({finding.check for report in reports.values() for finding in report.failures})
    if strict and failures:
        raise DataError(
            f"expected no findings, found {', '.join(failures)}. Mend the data, or let the config say that the run "
            f"knows of them: data.audit.accept: [{', '.join(failures)}]"
        )


@group.command(epilog="Example: claimsieve data shortcuts my.yaml --seeds 5 --json")
def shortcuts(
    config: str = CONFIG, set_: list[str] = SET, seeds: int = SEEDS, as_json: bool = JSON, quiet: bool = QUIET
) -> None:
    """What models score on the config's splits that cannot have read the evidence. Trains none of the config's own."""
    from claimsieve import config as configs
    from claimsieve.evaluation.shortcuts import DESCRIPTIONS
    from claimsieve.studies import study_shortcuts

    settings = configs.load(config, set_)
    study = study_shortcuts(settings, range(seeds), say=lambda text: say(text, quiet=quiet))
    if as_json:
        typer.echo(json.dumps(asdict(study), indent=1))
        return
    typer.echo(f"\nmacro-F1 over {len(study.seeds)} splits, {_range(study.n)} test claims each\n")
    ranked = sorted(study.scores.items(), key=lambda item: -item[1].value)
    print_table(
        [["shortcut", "mean [95 %]", "what it goes by"]]
        + [[name, estimate(score), DESCRIPTIONS[name]] for name, score in ranked]
    )


@group.command(epilog="Example: claimsieve data optimism starter-tfidf -o optimism")
def optimism(
    config: str = CONFIG,
    set_: list[str] = SET,
    output: Path | None = typer.Option(None, "-o", "--output", help="Folder for the numbers and the plot."),
    seeds: int = SEEDS,
    as_json: bool = JSON,
    quiet: bool = QUIET,
) -> None:
    """Train the config under its own split and under one of single rows: how much a random split flatters it."""
    from claimsieve import config as configs
    from claimsieve.errors import ConfigError
    from claimsieve.evaluation.plots import figure_bytes, optimism_figure
    from claimsieve.studies import study_optimism
    from claimsieve.whole_files import write_file

    settings = configs.load(config, set_)
    if output is not None and output.exists() and not output.is_dir():
        raise ConfigError(f"-o {output}: expected a folder, found a file.")
    study = study_optimism(settings, range(seeds), say=lambda text: say(text, quiet=quiet))
    if as_json:
        typer.echo(json.dumps(asdict(study), indent=1))
    else:
        typer.echo(f"\nmacro-F1 of {settings.name} over {len(study.seeds)} seeds\n")
        print_table(
            [
                ["split", "mean [95 %]", "test claims"],
                [study.split, estimate(study.honest), _range(study.n_honest)],
                ["random rows", estimate(study.random), _range(study.n_random)],
                ["gap", estimate(study.gap, sign=True), ""],
            ]
        )
    if output is not None:
        figure = optimism_figure({settings.name: (study.honest_by_seed, study.random_by_seed)})
        write_file(output / "optimism.json", (json.dumps(asdict(study), indent=1) + "\n").encode())
        write_file(output / "optimism.png", figure_bytes(figure))
        say(f"\nwrote {output / 'optimism.json'} and {output / 'optimism.png'}", quiet=quiet)


def _print_report(report: "AuditReport") -> None:
    labels = list(dict.fromkeys(label for counts in report.splits.values() for label in counts))
    for title, counts in (("split", report.splits), ("corpus", report.corpora)):
        rows = [[name, *(f"{found.get(label, 0):,}" for label in labels)] for name, found in counts.items()]
        print_table([[title, *labels], *rows])
        typer.echo()
    if not report.findings:
        typer.echo("no findings")
    for finding in report.findings:
        accepted = " (accepted by the config)" if finding.check in report.accepted else ""
        typer.echo(f"{finding.check}{accepted}: {finding.count:,} {finding.unit}. {finding.message}")
        for example in finding.examples:
            typer.echo(f"    {example}")
        if finding.more:
            typer.echo(f"    … and {finding.more:,} more")


def _range(numbers: tuple[int, ...]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
