"""claimsieve recipe list | show | compare-maps"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from claimsieve.cli import app
from claimsieve.cli.console import print_table, say
from claimsieve.cli.options import estimate, rating_map
from claimsieve.errors import ClaimsieveError, DataError
from claimsieve.records import LABELS

if TYPE_CHECKING:
    from claimsieve.data.loss import LossReport

_FACTS = {
    "title",
    "licence",
    "citation",
    "url",
    "fields",
    "ratings",
    "other_maps",
    "techniques",
    "never_inputs",
    "shortcuts",
}
group = typer.Typer(
    help="List and show the corpora that can be read by recipe.",
    epilog="Example: claimsieve recipe list",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(group, name="recipe")


@group.command("list", epilog="Example: claimsieve recipe list")
def list_(as_json: bool = typer.Option(False, "--json", help="Print as JSON.")) -> None:
    """The recipes that come with claimsieve, and whether their corpora are on this machine."""
    from claimsieve.data import recipes

    rows = []
    for name in recipes.names():
        recipe = recipes.load(name)
        try:
            recipes.files_of(recipe)
            here = True
        except ClaimsieveError:
            here = False
        rows.append({"name": name, "here": here, "licence": recipe.licence, "title": recipe.title})
    if as_json:
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['name']:<23} {'here' if row['here'] else '-':<5} {row['title']}")
    say(
        "\n'-': fetch the corpus from its owners and set CLAIMSIEVE_CORPORA to its folder (claimsieve recipe show NAME)"
    )


@group.command(epilog="Example: CLAIMSIEVE_CORPORA=~/corpora claimsieve recipe show averitec")
def show(
    name: str = typer.Argument(metavar="RECIPE", help="The name of a recipe, or a recipe file."),
    as_json: bool = typer.Option(False, "--json", help="Print as JSON."),
) -> None:
    """Rows, labels, dates, groups and licence of one corpus, and what its map drops, merges and leaves unread.

    Of a corpus that is not on this machine: the files and columns that the recipe expects.
    """
    from claimsieve.data import recipes
    from claimsieve.data.loss import loss_report

    recipe = recipes.load(name)
    try:
        found = loss_report(recipe)
    except DataError as error:
        read = ", ".join(f"{field} from {source}" for field, source in recipe.fields.items())
        raise DataError(f"{error} It reads {read}.") from None
    if as_json:
        facts = {"name": recipe.name, **recipe.model_dump(mode="json", include=_FACTS), **asdict(found)}
        typer.echo(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    for key in ("title", "licence", "citation", "url", "shortcuts"):
        if getattr(recipe, key):
            typer.echo(f"{key:<10} {getattr(recipe, key).strip()}")
    typer.echo(f"{'files':<10} {', '.join(recipe.files)}")
    dates = f"dated {found.first_date} to {found.last_date}" if found.first_date else "no dates"
    typer.echo(
        f"\n{found.rows:,} claims, {found.with_evidence:,} with evidence, in {found.events:,} groups, by "
        f"{found.sources:,} sources, {dates}; {found.rejects:,} unreadable rows\n"
    )
    print_table([["label", "claims"], *([label, f"{count:,}"] for label, count in found.labels.items())])
    if recipe.ratings:
        typer.echo()
        counts = {**found.dropped, **found.ratings}
        rows = [
            [rating, f"→ {target or 'left out'}", f"{counts[rating]:,}"]
            for rating, target in recipe.ratings.items()
            if rating in counts
        ]
        print_table([["rating", "becomes", "claims"], *rows])
    typer.echo(f"\n{_losses(found)}\n")
    print_table([["field", "read from"], *([field, source] for field, source in recipe.fields.items())])
    for column, why in recipe.never_inputs.items():
        typer.echo(f"never an input: {column} ({why})")


@group.command("compare-maps", epilog="Example: claimsieve recipe compare-maps averitec --rating Refuted=unverified")
def compare_maps(
    name: str = typer.Argument(metavar="RECIPE", help="The name of a recipe, or a recipe file."),
    rating: list[str] = typer.Option(
        [], "--rating", metavar="VERDICT=LABEL", help="One more map: the recipe's own with this changed; null drops."
    ),
    seeds: int = typer.Option(5, "--seeds", min=2, help="How many splits to draw: seeds 0, 1, 2 …"),
    as_json: bool = typer.Option(False, "--json", help="Print as JSON."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """How far results hang on the map of ratings: n-grams trained under each map that the recipe names."""
    from claimsieve import config as configs
    from claimsieve.data import recipes
    from claimsieve.studies import study_maps

    recipe = recipes.load(name)
    recipes.files_of(recipe)
    maps = dict(recipe.other_maps)
    if rating:
        maps["as asked"] = rating_map(rating)
    settings = configs.load("starter-tfidf", [f"data.corpora=[{{recipe: {json.dumps(name, ensure_ascii=False)}}}]"])
    results = study_maps(settings, maps, range(seeds), corpus=recipe.name, say=lambda text: say(text, quiet=quiet))
    if all(result.macro_f1 is None for result in results):
        raise DataError(f"{name}: expected claims of two labels under one map at least, found none to train on.")
    if as_json:
        typer.echo(json.dumps([asdict(result) for result in results], indent=1, ensure_ascii=False))
        return
    rows = [["map", *LABELS, "other label", "macro-F1 [95 %]", "majority", "against the recipe's"]]
    for result in results:
        counts = [f"{result.labels[label]:,}" for label in LABELS]
        majority = "–" if result.majority is None else f"{result.majority.value:.3f}"
        difference = estimate(result.difference, sign=True)
        rows.append([result.name, *counts, f"{result.changed:.0%}", estimate(result.macro_f1), majority, difference])
    typer.echo(f"\n{recipe.name}: n-grams over {seeds} splits by group\n")
    print_table(rows)
    for result in results[1:]:
        typer.echo(f"{result.name}: " + ", ".join(f"{key} → {to or 'left out'}" for key, to in result.changes.items()))


def _losses(found: "LossReport") -> str:
    dropped = sum(found.dropped.values())
    share = dropped / max(dropped + found.rows, 1)
    lines = [f"the map drops {dropped:,} rows ({share:.1%})" + (": " + ", ".join(found.dropped) if dropped else "")]
    lines += [f"the map merges into {label}: {', '.join(ratings)}" for label, ratings in found.merged.items()]
    lines += [f"unreadable: {reason} ({count:,} rows)" for reason, count in found.reasons.items()]
    if found.unread:
        lines.append(f"columns that are not read: {', '.join(found.unread)}")
    return "\n".join(lines)
