"""Whatever corpora, events and runs are called, a terminal shows it and does not obey it."""

from claimsieve.cli.console import print_table, say

HOSTILE = "a\x1b[2Jb\x9b31mc\rd\u202ee\nf"


def test_nothing_that_steers_a_terminal_is_printed(capsys):
    print_table([["corpus", "n"], [HOSTILE, "1"]])
    say(f"{HOSTILE}\ng")
    shown = capsys.readouterr()
    assert shown.out.splitlines()[2] == "a[2Jb31mc de f  1"
    assert shown.err == "a[2Jb31mc de\nf\ng\n"
