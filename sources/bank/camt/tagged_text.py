"""Remittance text of German and Austrian banks with the tags of MT940 in it: ``EREF+…SVWZ+…``."""

import re

_TAG = re.compile(r"(?:^|(?<=[\s?]))(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC|PURP)\+")
_TAG_ANYWHERE = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE)\+")


def tagged(said: str) -> dict[str, str]:
    """The parts of a text that begins with a tag, by tag; empty for any other text.

    Tags stand side by side without a blank where lines were joined, so behind the first one they are found anywhere.
    """
    if _TAG.match(said) is None:
        return {}
    marks = list(_TAG_ANYWHERE.finditer(said)) if _TAG_ANYWHERE.match(said) else list(_TAG.finditer(said))
    ends = [mark.start() for mark in marks[1:]] + [len(said)]
    parts: dict[str, str] = {}
    for mark, end in zip(marks, ends, strict=True):
        parts.setdefault(mark[1], said[mark.end() : end].strip())
    return parts
