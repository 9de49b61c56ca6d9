"""Stop: how a command ends early, with the sentence a person reads and the exit status a script reads."""

from __future__ import annotations

OK = 0
FOUND = 1  # something was found (a report), or refused
USAGE = 2  # usage or configuration
UNDETERMINED = 3
UNREACHABLE = 4  # the target can't be reached, or signing in failed
INTERRUPTED = 130


class Stop(Exception):
    """End the command: `sentence` goes to stderr, `status` to the shell."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
