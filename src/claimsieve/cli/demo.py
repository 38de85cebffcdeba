"""claimsieve demo"""

from datetime import UTC, datetime
from pathlib import Path

import typer

from claimsieve.cli import app
from claimsieve.cli.console import print_table, say, step_bar

CONFIGS = ("starter-tfidf", "starter-static", "starter-encoder")


@app.command(epilog="Example: claimsieve demo -o runs/demo")
def demo(
    output: Path | None = typer.Option(None, "-o", "--output", help="Where to put it; default runs/demo/<UTC time>."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Train three models on the starter corpus, label the demo claims, and print the comparison."""
    from claimsieve import config as configs

    directory = output or Path("runs/demo") / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    settings = [configs.load(name) for name in CONFIGS]

    from claimsieve.data.corpora import load_labelled
    from claimsieve.inference.predict import predict_claims, predict_file
    from claimsieve.models.artifacts import load_model
    from claimsieve.runner import Watch, run_experiment

    claims, _ = load_labelled("recipe:demo")
    rows = [["model", "test n", "macro-F1", "95 % interval", "ECE", f"demo claims right (of {len(claims)})"]]
    given: dict[str, list[str]] = {}
    failure = None
    with step_bar(quiet=quiet) as show:
        watch = Watch(say=lambda text: say(text, quiet=quiet), step=show)
        for config in settings:
            say(f"\n== {config.name}", quiet=quiet)
            (result,) = run_experiment(config, directory / config.name, watch=watch)
            failure = failure or result.tracking_failure
            model, _ = load_model(result.directory)
            given[config.model.kind] = [prediction.label for prediction in predict_claims(model, claims)]
            right = sum(label == claim.label for label, claim in zip(given[config.model.kind], claims, strict=True))
            overall = result.evaluation.overall
            f1, ece = overall.metrics["macro_f1"], overall.metrics["ece"]
            interval = f"{f1.low:.3f} to {f1.high:.3f}" if f1 else "-"
            rows.append([
                config.model.kind, str(overall.n), f"{f1.value:.3f}" if f1 else "-", interval,
                f"{ece.value:.3f}" if ece else "-", str(right),
            ])  # fmt: skip
    predict_file(model, "recipe:demo", str(directory / "demo-labelled.jsonl"), mapping={})
    typer.echo("\nThe strikes of 8 January 2020, as labelled by annotators and by each model:\n")
    for number, claim in enumerate(claims):
        marks = "  ".join(f"{kind}: {labels[number]:<10}" for kind, labels in given.items())
        typer.echo(f"{claim.label:<10} | {marks} | {claim.claim[:90]}{'…' if len(claim.claim) > 90 else ''}")
    typer.echo("\nOn the test split of the starter corpus (events that no model was trained on):\n")
    print_table(rows)
    typer.echo(
        "\nOne seed and few test claims: the intervals overlap, and these numbers do not say which model is better.\n"
        "A label says what a claim, with its evidence, resembles in this corpus; it is no probability of truth.\n"
    )
    typer.echo(f"models    {directory}/\nlabelled  {directory / 'demo-labelled.jsonl'}")
    typer.echo("next      claimsieve ui                                   compare the runs in MLflow")
    typer.echo("          claimsieve predict MODEL FILE -o labelled.csv   label claims of your own")
    typer.echo("          claimsieve configs copy starter-encoder DIR     train on data of your own")
    if failure:
        from claimsieve.errors import TrackingError

        raise TrackingError(f"the models are trained and saved, but not all of it is logged: {failure}")
