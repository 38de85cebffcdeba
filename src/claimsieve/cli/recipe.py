"""claimsieve recipe list | show"""

import json
from collections import Counter
from typing import Any

import typer

from claimsieve.cli import app
from claimsieve.cli.console import print_table, say
from claimsieve.errors import ClaimsieveError
from claimsieve.records import LABELS

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
        typer.echo(f"{row['name']:<20} {'here' if row['here'] else '-':<5} {row['title']}")
    say(
        "\n'-': fetch the corpus from its owners and set CLAIMSIEVE_CORPORA to its folder (claimsieve recipe show NAME)"
    )


@group.command(epilog="Example: CLAIMSIEVE_CORPORA=~/corpora claimsieve recipe show averitec")
def show(
    name: str = typer.Argument(metavar="RECIPE", help="The name of a recipe, or a recipe file."),
    as_json: bool = typer.Option(False, "--json", help="Print as JSON."),
) -> None:
    """Rows, labels, fields, ratings, dates, groups and licence of one corpus, as the recipe reads it."""
    from claimsieve.data import recipes

    recipe = recipes.load(name)
    facts: dict[str, Any] = {
        key: getattr(recipe, key) for key in ("name", "title", "licence", "citation", "url", "fields", "ratings")
    }
    facts |= {"never_inputs": recipe.never_inputs, "shortcuts": recipe.shortcuts, **_counted(recipe)}
    if as_json:
        typer.echo(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    for key in ("title", "licence", "citation", "url", "shortcuts"):
        if facts[key]:
            typer.echo(f"{key:<10} {facts[key].strip()}")
    dates = f", dated {facts['first_date']} to {facts['last_date']}" if facts["first_date"] else ", no dates"
    typer.echo(
        f"\n{facts['rows']:,} claims in {facts['events']:,} groups{dates}; {facts['rejects']:,} unreadable rows\n"
    )
    print_table([["label", "claims"], *([label, f"{count:,}"] for label, count in facts["labels"].items())])
    if recipe.ratings:
        typer.echo()
        counts = facts["rating_counts"]
        rows = [
            [rating, f"→ {target or 'left out'}", f"{counts.get(rating, 0):,}"]
            for rating, target in recipe.ratings.items()
        ]
        print_table([["rating", "becomes", "claims"], *rows])
    typer.echo()
    print_table([["field", "read from"], *([field, source] for field, source in recipe.fields.items())])
    for column, why in recipe.never_inputs.items():
        typer.echo(f"never an input: {column} ({why})")


def _counted(recipe: Any) -> dict[str, Any]:
    from claimsieve.data import recipes
    from claimsieve.data.files import Reject

    items = list(recipes.read(recipe))
    claims = [item for item in items if not isinstance(item, Reject)]
    labels = Counter(claim.label for claim in claims)
    dates = sorted(claim.date for claim in claims if claim.date)
    return {
        "rows": len(claims),
        "rejects": len(items) - len(claims),
        "labels": {label: labels[label] for label in LABELS},
        "rating_counts": dict(Counter(claim.rating for claim in claims if claim.rating)),
        "events": len({claim.event for claim in claims if claim.event}),
        "with_evidence": sum(bool(claim.evidence) for claim in claims),
        "first_date": dates[0] if dates else None,
        "last_date": dates[-1] if dates else None,
    }
