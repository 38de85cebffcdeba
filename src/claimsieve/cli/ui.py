"""claimsieve ui"""

import typer

from claimsieve.cli import app
from claimsieve.cli.console import say


@app.command(epilog="Example: claimsieve ui --port 5000, then open http://127.0.0.1:5000")
def ui(port: int = typer.Option(5000, min=1, max=65535, help="The port on 127.0.0.1.")) -> None:
    """Open the MLflow UI on our tracking store, to compare runs. Ends with Ctrl-C."""
    from claimsieve.tracking import run_tables, serve_ui, shown_uri, tracking_uri

    uri = tracking_uri()
    say(f"MLflow UI on http://127.0.0.1:{port} (store: {shown_uri(uri)}); Ctrl-C ends it")
    for name, link in run_tables(uri, port=port).items():
        say(f"  {name}: {link}")
    code = serve_ui(uri=uri, port=port)
    if code:
        raise typer.Exit(1)
