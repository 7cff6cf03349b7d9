"""`settle`: one question for each kind of what is open; the answers become rules in the file."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

import typer

from migrate.cli.answers import read_reply
from migrate.cli.config_file import FILE, NO_FILE, config_path
from migrate.cli.look import mapped_projects
from migrate.cli.request import Asked, Request
from migrate.cli.rule_text import (
    check_can_add,
    rule_comment,
    rule_text,
    suggested_rules,
    with_rule,
)
from migrate.console import Output, command_line
from migrate.errors import INTERRUPTED, InputError
from migrate.mapping.kinds import Kind
from migrate.mapping.rules import Rule
from migrate.mapping.settling import Settling
from migrate.report.files import save
from migrate.report.kinds import (
    HELP,
    HELP_INDENT,
    case_lines,
    effect_lines,
    how_to_answer,
    kind_text,
    prompt,
    question,
)
from migrate.report.words import reason_text
from migrate.text import counted
from naming import Style

_MOST_OPEN = 10


def settle(request: Request, *, to_stdout: bool) -> int:
    """Ask about what is open and write the answers down; gives the exit code."""
    output = Output()
    path = config_path(request.config)
    if to_stdout:
        settling = _settling(request, output)
        output.data(suggested_rules(settling))
        if settling.kinds:
            # Where the file was left out, it must be named: a variable may leave it out as well.
            words = (request if path else replace(request, config=FILE)).words()
            purpose = f"With these rules in {path or FILE}, to see their effect"
            output.next_step(purpose, "report", *words)
        return 0
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise InputError(
            "Cannot ask without a terminal. To write suggested rules to stdout:\n  "
            + command_line("settle", *request.words(), "--print")
        )
    if path is None:
        raise InputError("--config none: the answers need a file to be written to.")
    # A file that is not there yet is made by the first answer.
    existing = request if path.exists() else replace(request, config=NO_FILE)
    asked = existing.asked()
    check_can_add(path)
    settling = _settling(existing, output, asked)
    return _Session(settling, asked.options.style, path, request, output).run()


def _settling(request: Request, output: Output, asked: Asked | None = None) -> Settling:
    _, mapped = mapped_projects(request, output, asked=asked)
    surveys = {project.project.key: project.survey for project in mapped}
    chosen = {row.key for project in mapped for row in project.chosen}
    return Settling(surveys, chosen, mapped[0].survey.options.rules)


class _Step(NamedTuple):
    """A question that was dealt with: the file before the answer and with it.

    Before the first answer there may be no file. A question that was skipped has no `after`.
    """

    kind: Kind
    before: bytes | None = None
    after: bytes | None = None


@dataclass
class _Session:
    """The questions and answers of one call."""

    settling: Settling
    style: Style
    path: Path
    request: Request
    output: Output
    steps: list[_Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.at_first = self.settling.in_review

    def run(self) -> int:
        """Ask until nothing is open, or the user has had enough."""
        code = 0
        if self.at_first:
            self._tell(
                f"{counted(self.at_first, 'run')} in review. Each answer is written to {self.path}."
            )
        try:
            while (kinds := self._open()) and self._ask(kinds[0], len(kinds)):
                pass
        except typer.Abort as error:  # Ctrl-D is as good as q
            self._tell("")
            code = INTERRUPTED if isinstance(error.__context__, KeyboardInterrupt) else 0
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
            self._tell(how_to_answer(kind))
            typed = typer.prompt(
                prompt(kind), default="", show_default=False, prompt_suffix="> ", err=True
            )
            try:
                reply = read_reply(kind, typed, self.style)
            except ValueError as error:
                self._tell(f"{error}.")
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
                    self._tell(*HELP.splitlines(), "", indent=HELP_INDENT)
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
        so_far = f" {self._so_far()}" if self._open() else ""  # else it is the last line, too
        self._tell(*effect_lines(effect), f"Written to {self.path}.{so_far}")
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
        asked = replace(self.request, config=config).asked()
        self.settling = self.settling.with_rules(asked.options.rules)

    def _so_far(self) -> str:
        now = self.settling.in_review
        return f"{self.at_first - now} of {counted(self.at_first, 'run')} settled, {now} open."

    def _sum_up(self) -> None:
        """What is settled, what stays open, and what comes next."""
        nothing = "Nothing to settle: none of these runs is in review."
        self._tell("", self._so_far() if self.at_first else nothing)
        rest = self.settling.kinds
        for kind in rest[:_MOST_OPEN]:
            self._tell(f"  {kind_text(kind)}", indent="    ")
        if len(rest) > _MOST_OPEN:
            self._tell(f"  … and {len(rest) - _MOST_OPEN} more kinds")
        renames = sum(row.status == "rename" for row in self.settling.rows)
        if renames:
            purpose = f"To rename {counted(renames, 'run')}"
            self.output.next_step(purpose, "rename", *self.request.words())

    def _tell(self, *lines: str, indent: str = "") -> None:
        """Tell the user lines; what does not fit goes on in the next, a new name alone in one."""
        width = self.output.err.width
        for line in lines:
            fits = len(line) <= width or " " not in line.strip()
            for part in [line] if fits else wrap(line, width, subsequent_indent=indent):
                self.output.tell(part)
