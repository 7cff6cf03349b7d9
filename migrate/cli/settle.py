"""`settle`: one question for each kind of what is open; the answers become rules in the file."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import wrap

import typer

from migrate.cli.answers import Command, read_reply
from migrate.cli.config_file import FILE, NO_FILE, config_path
from migrate.cli.look import mapped_projects
from migrate.cli.request import Request
from migrate.cli.rule_text import rule_text, with_rule
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
    _, mapped = mapped_projects(paths, existing, output)
    surveys = {project.project.key: project.survey for project in mapped}
    chosen = {row.key for project in mapped for row in project.chosen}
    options = existing.asked(paths).options
    settling = Settling(surveys, chosen, options.rules)
    if to_stdout:
        output.data(suggested_rules(settling))
        if not settling.kinds:
            return 0
        # Where the file was left out, it must be named: a variable may leave it out as well.
        words = [*paths, *(request if path else replace(request, config=FILE)).words()]
        output.next_step(
            f"With these rules in {path or FILE}, to see their effect", "report", *words
        )
        return 0
    assert path is not None
    return _Session(settling, options.style, path, request, paths, output).run()


@dataclass(frozen=True, slots=True)
class _Step:
    """A question that was dealt with.

    Attributes:
        kind: What it was about.
        before: The file before the answer; None where there was none yet.
        after: The file with the answer; None where the question was skipped.
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
        self.at_first = self._in_review()

    def run(self) -> int:
        """Ask until nothing is open, or the user has had enough."""
        code = 0
        if self.at_first:
            self._tell(
                f"{number_of_runs(self.at_first)} in review. Each answer is written to {self.path}."
            )
        try:
            while (kinds := self._open()) and self._ask(kinds[0]):
                pass
        except typer.Abort as error:  # Ctrl-D is as good as q
            self.output.tell("")
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

    def _ask(self, kind: Kind) -> bool:
        """Ask one question until it is dealt with; gives whether to go on."""
        output, number = self.output, len(self.steps) + 1
        self._tell("", f"Question {number} of {number - 1 + len(self._open())}")
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
            done = self._answer(kind, reply) if isinstance(reply, Rule) else self._do(kind, reply)
            if done:
                return reply != "quit"

    def _do(self, kind: Kind, command: Command) -> bool:
        """Do what was asked for in place of an answer; gives whether that ends the question."""
        if command == "skip":
            self.steps.append(_Step(kind))
        elif command == "back":
            self._back()
        elif command == "every":
            with self.output.paging():
                for case in kind.cases:
                    for line in case_lines(kind, case, self.output.out.width):
                        self.output.out.print(line)
        elif command == "help":
            self._tell(*HELP.splitlines(), "")
        return command not in ("every", "help")

    def _answer(self, kind: Kind, answer: Rule) -> bool:
        """Write an answer into the file; gives whether it settles the kind."""
        effect = self.settling.effect(kind, answer)
        if effect.fails:
            self.output.tell(
                f"That does not settle it; still {reason_text(effect.open[0].reasons)}."
            )
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
            self.output.tell("This is the first question.")
            return
        step = self.steps.pop()
        if step.after is None:
            return
        if not self.path.exists() or self.path.read_bytes() != step.after:
            self.output.tell(
                f"{self.path} was changed meanwhile; take the rule out of it yourself."
            )
        else:
            self._restore(step.before)
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

    def _in_review(self) -> int:
        return sum(row.status == "review" for row in self.settling.rows)

    def _so_far(self) -> str:
        now = self._in_review()
        return f"{self.at_first - now} of {number_of_runs(self.at_first)} settled, {now} open."

    def _sum_up(self) -> None:
        """What is settled, what stays open, and what comes next."""
        self._tell(
            "",
            self._so_far()
            if self.at_first
            else "Nothing to settle: none of these runs is in review.",
        )
        rest = self.settling.kinds
        width = self.output.err.width
        for kind in rest[:_MOST_OPEN]:
            self._tell(*wrap(f"  {kind_text(kind)}", width, subsequent_indent="    "))
        if len(rest) > _MOST_OPEN:
            self.output.tell(f"  … and {len(rest) - _MOST_OPEN} more kinds")
        renames = sum(row.status == "rename" for row in self.settling.rows)
        if renames:
            words = [*self.paths, *self.request.words()]
            self.output.next_step(f"To rename {number_of_runs(renames)}", "rename", *words)

    def _tell(self, *lines: str) -> None:
        for line in lines:
            self.output.tell(line)
