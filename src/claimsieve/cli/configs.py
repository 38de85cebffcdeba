"""claimsieve configs list | show | check | copy"""

import json
from pathlib import Path

import typer

from claimsieve import config as configs
from claimsieve.cli import app
from claimsieve.cli.console import print_table, say
from claimsieve.errors import ClaimsieveError, ConfigError
from claimsieve.whole_files import write_file

group = typer.Typer(
    help="List, show, check and copy run configs.",
    epilog="Example: claimsieve configs list",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(group, name="configs")


@group.command("list", epilog="Example: claimsieve configs list --json")
def list_(as_json: bool = typer.Option(False, "--json", help="Print as JSON.")) -> None:
    """The configs that come with claimsieve."""
    rows = []
    for name in configs.shipped():
        settings = configs.load(name)
        corpora = ", ".join(corpus.recipe or corpus.file or str(corpus.hub) for corpus in settings.data.corpora)
        rows.append(
            {"name": name, "kind": settings.model.kind, "inputs": " + ".join(settings.data.inputs), "corpora": corpora}
        )
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    print_table([["name", "kind", "inputs", "corpora"], *([row[key] for key in row] for row in rows)])
    say("\nnext: claimsieve configs show NAME   ·   claimsieve configs copy NAME DIR   ·   claimsieve train NAME")


@group.command(epilog="Example: claimsieve configs show starter-encoder --set training.epochs=3")
def show(
    config: str = typer.Argument(help="A config file or the name of a shipped one."),
    set_: list[str] = typer.Option([], "--set", metavar="KEY=VALUE", help="Change one value; may be given many times."),
    as_json: bool = typer.Option(False, "--json", help="Print as JSON."),
) -> None:
    """The complete config: what it extends, its own values, and every default."""
    settings = configs.load(config, set_)
    typer.echo(settings.model_dump_json(indent=1) if as_json else settings.as_yaml(), nl=as_json)


@group.command(epilog="Example: claimsieve configs check configs/*.yaml")
def check(
    names: list[str] = typer.Argument(metavar="CONFIG...", help="Config files or names of shipped ones."),
) -> None:
    """Check configs against the schema, and the recipes and maps that they name; corpora are not read."""
    from claimsieve.data.corpora import check_corpora

    problems = []
    for name in names:
        try:
            settings = configs.load(name)
            check_corpora(settings.data.corpora, maps=settings.data.maps)
            typer.echo(f"{name}: ok")
        except ClaimsieveError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))


@group.command(epilog="Example: claimsieve configs copy starter-encoder my-configs")
def copy(
    name: str = typer.Argument(help="The name of a shipped config."),
    directory: Path = typer.Argument(metavar="DIR", help="Where to put it."),
) -> None:
    """Copy a shipped config, and the one it extends, to change it."""
    source = configs.locate(name)
    files = [source]
    base = configs.read_extends(source)
    if base is not None:
        files.append(base)
    if base is not None and base.parent.resolve() != source.parent.resolve():
        raise ConfigError(f"{source}: expected a config that extends one beside it, found {base}. Copy both yourself.")
    configs.load(name)  # a user's own may extend a file that is not there
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{directory}: expected a folder or a new name, found neither: {error.strerror}.") from None
    taken = [directory / file.name for file in files if (directory / file.name).exists()]
    if directory / source.name in taken:
        raise ConfigError(f"{directory / source.name}: expected no such file yet; it is not overwritten.")
    for file in files:
        if directory / file.name in taken and (directory / file.name).read_bytes() != file.read_bytes():
            raise ConfigError(
                f"{directory / file.name}: expected the config that {source.name} extends, found another of that name. "
                "Copy to another folder."
            )
    for file in files:
        if directory / file.name not in taken:
            write_file(directory / file.name, file.read_bytes())
            typer.echo(str(directory / file.name))
    say(f"\nnext: claimsieve train {directory / source.name}")
