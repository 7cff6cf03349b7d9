"""The commands to try the tool out with: `sandbox` and `demo`; and the shell's completion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from migrate.cli.options import COMPLETE, NAME, Debug, NoColor, flag, number, option, with_help

FAULTS = """
[cyan]400 401 403 404 409 413[/cyan]   refused with this HTTP status; nothing is done
[cyan]429[/cyan]                       too many requests, wait a second
[cyan]500 501 502 503 504[/cyan]       the server failed; nothing is done
[cyan]hang[/cyan]                      no answer, ever
[cyan]drop[/cyan]                      the connection is dropped; nothing is done
[cyan]cut[/cyan]                       half an answer, then the connection is dropped
[cyan]garbled[/cyan]                   an answer cut off in the middle of its JSON
[cyan]html[/cyan]                      a page in place of an answer, as proxies send it
[cyan]null[/cyan]                      an answer without data
[cyan]drop-after cut-after garbled-after html-after null-after[/cyan]
                          the same, after everything was done
[cyan]run-created[/cyan]               after a page of a listing, an older run is created
[cyan]run-deleted[/cyan]               after a page of a listing, its first run is deleted
"""

Port = Annotated[int, number("The port; 0 takes any.", "PORT", 0, 65535)]
Runs = Annotated[int | None, number("How many runs ycx/RSST has.", "N", 1, 1_000_000)]
Sample = Annotated[
    Literal["kinds", "review"] | None,
    option(
        "kinds: runs of every kind (the default). review: 420 runs, of which 300 need review.",
        "NAME",
    ),
]
Copied = Annotated[
    Path | None,
    option(
        "Serve a copy of the projects in this saved JSON report, to rehearse its plan on.",
        "FILE",
        names=("--from",),
    ),
]
Shell = Annotated[
    Literal["bash", "fish", "powershell"] | None,
    option(
        "Print the variables for bash (and zsh), fish or powershell (default: the one in use).",
        "SHELL",
    ),
]
Latency = Annotated[float, number("How long each request takes.", "MS", 0, 60_000)]
RunTime = Annotated[float, number("Query time of each run of a page.", "MS", 0, 60_000)]
UpsertTime = Annotated[
    float, number("Query time of each upsertBucket of a document.", "MS", 0, 60_000)
]
CountTime = Annotated[float, number("Query time of each runCount.", "MS", 0, 60_000)]
TimeLimit = Annotated[
    float | None,
    number("Answer 500 (context deadline exceeded) after this query time.", "S", 0.001, 3600),
]
Quota = Annotated[
    float | None,
    number("Query time that a project may use in a second; then 429.", "S", 0.001, 1000),
]
RetryAfter = Annotated[bool, flag("retry-after", "Send Retry-After with a 429.")]
Fail = Annotated[
    list[str] | None,
    option(
        "Make requests fail, but not the sign-in: 429@mutationx3 the next three mutations, "
        "hang@query+2 the third query; the kinds are above. Repeatable.",
        "SPEC",
    ),
]


@with_help(faults=FAULTS.strip())
def sandbox(
    port: Port = 0,
    runs: Runs = None,
    sample: Sample = None,
    report: Copied = None,
    shell: Shell = None,
    latency_ms: Latency = 0,
    run_ms: RunTime = 0,
    upsert_ms: UpsertTime = 0,
    count_ms: CountTime = 0,
    time_limit_s: TimeLimit = None,
    quota: Quota = None,
    retry_after: RetryAfter = False,
    fail: Fail = None,
    debug: Debug = False,
) -> int:
    """Serve a W&B-compatible project on loopback, full of old runs of every kind.

    Prints the two environment variables that point any command at it, then serves
    until Ctrl-C. Faults for `--fail`:

    {faults}

    [dim]Examples:[/dim]
    $ rsst-migrate sandbox
    $ rsst-migrate sandbox --sample review
    $ rsst-migrate sandbox --from runs.json
    $ rsst-migrate sandbox --runs 2000 --latency-ms 100 --fail 429@mutationx3
    $ rsst-migrate sandbox --runs 3000 --upsert-ms 50 --quota 2 --fail run-deleted+1x5
    """
    from migrate.cli.serve import serve

    pace = {
        "request_ms": latency_ms,
        "run_ms": run_ms,
        "upsert_ms": upsert_ms,
        "count_ms": count_ms,
        "limit_s": time_limit_s,
        "quota": quota,
        "retry_after": retry_after,
    }
    return serve(
        port=port,
        sample=sample,
        runs=runs,
        report=report,
        shell=shell,
        pace=pace,
        fail=fail or (),
    )


def demo(
    runs: Annotated[int | None, number("How many runs there are.", "N", 1, 100_000)] = None,
    no_color: NoColor = False,
    debug: Debug = False,
) -> int:
    """Try the whole tool on a sample project, with the real wandb client and no account.

    [dim]Example:[/dim]
    $ rsst-migrate demo
    """
    from migrate.cli.try_out import demo

    return demo(runs)


def print_completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(metavar="SHELL")],
) -> int:
    """Print a script for bash, zsh or fish that completes commands, projects and journals.

    [dim]To have it in every new shell:[/dim]
    $ echo 'source <(rsst-migrate completion bash)' >> ~/.bashrc
    $ echo 'source <(rsst-migrate completion zsh)' >> ~/.zshrc
    $ rsst-migrate completion fish > ~/.config/fish/completions/rsst-migrate.fish
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    from migrate.console import Output

    script = get_completion_script(prog_name=NAME, complete_var=COMPLETE, shell=shell)
    Output().data(f"{script}\n")
    return 0
