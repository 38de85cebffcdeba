"""claimsieve ui"""

import typer

from claimsieve.cli import app
from claimsieve.cli.console import say


@app.command(epilog="Example: claimsieve ui --port 5000, then open http://127.0.0.1:5000")
def ui(port: int = typer.Option(5000, min=1, max=65535, help="The port on 127.0.0.1.")) -> None:
    """Open the MLflow UI on our tracking store, to compare runs. Ends with Ctrl-C.

    A store that is a server has its UI already: then this tells the links and ends.
    """
    from claimsieve.tracking import is_server, run_tables, serve_ui, shown_uri, tracking_uri

    uri = tracking_uri()
    if is_server(uri):
        tables = run_tables(uri, server=shown_uri(uri))
        say(f"the store is a server: open {'' if tables else shown_uri(uri)}".rstrip())
        _print(tables)
        return
    tables = run_tables(uri, server=f"http://127.0.0.1:{port}")
    say(f"MLflow UI on http://127.0.0.1:{port} (store: {shown_uri(uri)}); Ctrl-C ends it")
    _print(tables)
    code = serve_ui(uri=uri, port=port)
    if code:
        raise typer.Exit(1)


def _print(tables: dict[str, str]) -> None:
    for name, link in tables.items():
        say(f"  {name}: {link}")
