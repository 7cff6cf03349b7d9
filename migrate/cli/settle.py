"""`settle`: one question for each kind of what is open; the answers become rules in the file."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

import typer

from migrate.cli.answers import read_reply
from migrate.cli.config_file import FILE, NO_FILE, config_path
from migrate.cli.look import mapped_projects
from migrate.cli.request import Request
from migrate.cli.rule_text import check_can_add, rule_text, with_rule
from migrate.cli.suggested import rule_comment, suggested_rules
from migrate.console import Output
from migrate.errors import InputError
from migrate.mapping.kinds import Kind
from migrate.mapping.rows import number_of_runs
from migrate.mapping.rules import Rule
from migrate.mapping.settling import Settling
from migrate.report.files import save
from migrate.report.kinds import kind_text
from migrate.report.questions import (
    HELP,
    case_lines,
    effect_lines,
    how_to_answer,
    prompt,
    question,
)
from migrate.report.words import reason_text
from naming import Style

_MOST_OPEN = 10


def settle(paths: Sequence[str], request: Request, *, to_stdout: bool) -> int:
    """Ask about what is open and write the answers down; gives the exit code."""
    output = Output()
    if not to_stdout and not all(s is not None and s.isatty() for s in (sys.stdin, sys.stderr)):
        raise InputError(
            "Cannot ask without a terminal. To write suggested rules to stdout:\n  "
            + shlex.join(["rsst-migrate", "settle", *paths, *request.words(), "--print"])
        )
    path = config_path(request.config)
    if path is None and not to_stdout:
        raise InputError("--config none: the answers need a file to be written to.")
    # A file that is not there yet is made by the first answer.
    is_new = not to_stdout and path is not None and not path.exists()
    existing = replace(request, config=NO_FILE) if is_new else request
    options = existing.asked(paths).options
    if path is not None and not to_stdout:
        check_can_add(path)
    _, mapped = mapped_projects(paths, existing, output)
    surveys = {project.project.key: project.survey for project in mapped}
    chosen = {row.key for project in mapped for row in project.chosen}
    settling = Settling(surveys, chosen, options.rules)
    if path is not None and not to_stdout:
        return _Session(settling, options.style, path, request, paths, output).run()
    output.data(suggested_rules(settling))
    if settling.kinds:
        # Where the file was left out, it must be named: a variable may leave it out as well.
        words = [*paths, *(request if path else replace(request, config=FILE)).words()]
        output.next_step(
            f"With these rules in {path or FILE}, to see their effect", "report", *words
        )
    return 0


class _Step(NamedTuple):
    """A question that was dealt with: the file before the answer and with it.

    Before the first answer there may be no file. A question that was skipped has no `after`.
    """

    kind: Kind
    before: bytes | None = None
    after: bytes | None = None


class _Session:
    """The questions and answers of one call."""

    def __init__(
        self,
        settling: Settling,
        style: Style,
        path: Path,
        request: Request,
        paths: Sequence[str],
        output: Output,
    ) -> None:
        self.settling, self.style, self.path, self.output = settling, style, path, output
        self.request, self.paths = request, paths
        self.steps: list[_Step] = []
        self.at_first = settling.in_review

    def run(self) -> int:
        """Ask until nothing is open, or the user has had enough."""
        code = 0
        if self.at_first:
            self._tell(
                f"{number_of_runs(self.at_first)} in review. Each answer is written to {self.path}."
            )
        try:
            while (kinds := self._open()) and self._ask(kinds[0], len(kinds)):
                pass
        except typer.Abort as error:  # Ctrl-D is as good as q
            self._tell("")
            code = 130 if isinstance(error.__context__, KeyboardInterrupt) else 0
        self._sum_up()
        return code

    def _open(self) -> list[Kind]:
        """What is still to be asked about."""
        skipped = {step.kind.identity for step in self.steps if step.after is None}
        return [
            kind
            for kind in self.settling.kinds
            if kind.problem.code != "stuck" and kind.identity not in skipped
        ]

    def _ask(self, kind: Kind, still_open: int) -> bool:
        """Ask one question until it is dealt with; gives whether to go on."""
        output, done = self.output, len(self.steps)
        self._tell("", f"Question {done + 1} of {done + still_open}")
        self._tell(*question(kind, output.err.width), "")
        while True:
            output.tell(how_to_answer(kind))
            typed = typer.prompt(
                prompt(kind), default="", show_default=False, prompt_suffix="> ", err=True
            )
            try:
                reply = read_reply(kind, typed, self.style)
            except ValueError as error:
                self._tell(*wrap(f"{error}.", output.err.width))
                continue
            match reply:
                case "quit":
                    return False
                case "skip":
                    self.steps.append(_Step(kind))
                    return True
                case "back":
                    self._back()
                    return True
                case "every":
                    with output.paging():
                        for case in kind.cases:
                            for line in case_lines(kind, case, output.out.width):
                                output.out.print(line)
                case "help":
                    self._tell(*HELP.splitlines(), "")
                case _:
                    if self._answer(kind, reply):
                        return True

    def _answer(self, kind: Kind, answer: Rule) -> bool:
        """Write an answer into the file; gives whether it settles the kind."""
        effect = self.settling.effect(kind, answer)
        if effect.fails:
            self._tell(f"That does not settle it; still {reason_text(effect.open[0].reasons)}.")
            return False
        before = self.path.read_bytes() if self.path.exists() else None
        text = rule_text(effect.rule, rule_comment(kind))
        after = with_rule(before or b"", text, self.path.name)
        save(self.path, after)
        try:
            self._read_again()
        except InputError:  # a project whose name cannot stand in a rule
            self._restore(before)
            raise
        self.steps.append(_Step(kind, before, after))
        self._tell(*effect_lines(effect), f"Written to {self.path}. {self._so_far()}")
        return True

    def _back(self) -> None:
        """Take the last answer out of the file, or ask again what was skipped."""
        if not self.steps:
            self._tell("This is the first question.")
            return
        step = self.steps.pop()
        if step.after is None:
            return
        if self.path.exists() and self.path.read_bytes() == step.after:
            self._restore(step.before)
        else:
            self._tell(f"{self.path} was changed meanwhile; take the rule out of it yourself.")
        self._read_again()

    def _restore(self, content: bytes | None) -> None:
        """Put the file back as it was."""
        if content is None:
            self.path.unlink()
        else:
            save(self.path, content)

    def _read_again(self) -> None:
        """Begin again with the rules as they stand in the file now."""
        config = str(self.path) if self.path.exists() else NO_FILE
        asked = replace(self.request, config=config).asked(self.paths)
        self.settling = self.settling.with_rules(asked.options.rules)

    def _so_far(self) -> str:
        now = self.settling.in_review
        return f"{self.at_first - now} of {number_of_runs(self.at_first)} settled, {now} open."

    def _sum_up(self) -> None:
        """What is settled, what stays open, and what comes next."""
        nothing = "Nothing to settle: none of these runs is in review."
        self._tell("", self._so_far() if self.at_first else nothing)
        rest = self.settling.kinds
        for kind in rest[:_MOST_OPEN]:
            self._tell(
                *wrap(f"  {kind_text(kind)}", self.output.err.width, subsequent_indent="    ")
            )
        if len(rest) > _MOST_OPEN:
            self._tell(f"  … and {len(rest) - _MOST_OPEN} more kinds")
        renames = sum(row.status == "rename" for row in self.settling.rows)
        if renames:
            words = [*self.paths, *self.request.words()]
            self.output.next_step(f"To rename {number_of_runs(renames)}", "rename", *words)

    def _tell(self, *lines: str) -> None:
        for line in lines:
            self.output.tell(line)
