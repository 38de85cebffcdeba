"""Whatever corpora, events and runs are called, a terminal shows it and does not obey it."""

from claimsieve.cli.console import print_table, row_counter, say, spinner

HOSTILE = "a\x1b[2Jb\x9b31mc\rd\u202ee\nf"


def test_nothing_that_steers_a_terminal_is_printed(capsys):
    print_table([["corpus", "n"], [HOSTILE, "1"]])
    say(f"{HOSTILE}\ng")
    shown = capsys.readouterr()
    assert shown.out.splitlines()[2] == "a[2Jb31mc de f  1"
    assert shown.err == "a[2Jb31mc de\nf\ng\n"


def test_the_rate_is_that_of_this_run_alone(capsys, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setattr("rich.console.monotonic", lambda: now[0])
    now = [1.0]
    with row_counter(quiet=False) as advance:
        advance(1_000_000)  # of an earlier run
        now[0] += 100  # longer than a bar remembers
        advance(8_000)
    assert "1,008,000 rows 80 rows/s" in capsys.readouterr().err


def test_a_name_is_no_markup(monkeypatch, capsys):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with spinner("reading", quiet=False) as advance:
        advance("x[/y] [breaking].txt")
