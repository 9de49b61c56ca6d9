"""Record: the base of every Kind, a frozen row that carries its host and is found by its key."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import msgspec

Key = tuple[str, ...]


class Subject(NamedTuple):
    """What a row, cell, alert or action is about: the name of a Kind and the key of one record of it."""

    kind: str
    key: Key

    def __str__(self) -> str:
        return f"{self.kind} {' '.join(self.key)}"


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Base of all Kinds.

    A Kind is declared as ``class Gpu(Record, frozen=True, gc=False, array_like=True, kw_only=True)``; the order of its
    fields is the order of a row on the wire, `host` and `extra` come last and may be left out of a row.
    `gc=False` keeps a thousand hosts' records out of the garbage collector: never store a cycle in one.
    """

    kind_name: ClassVar[str] = ""

    @property
    def key(self) -> Key:
        """What names this record among all records of its kind in the whole cluster."""
        raise NotImplementedError

    @property
    def subject(self) -> Subject:
        return Subject(self.kind_name, self.key)


Kind = type[Record]


def with_host(records: list[Any], host: str) -> list[Any]:
    """Write the answering host into rows that were decoded without it (they are nobody else's yet)."""
    put = msgspec.structs.force_setattr
    for record in records:
        put(record, "host", host)
    return records
