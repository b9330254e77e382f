"""Writes the sample files of this folder: ``python examples/generate.py [FOLDER]``. The same bytes every time.

The files are committed; a test generates them again and compares. To change the samples, change the generator, run it,
and commit both.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a plain checkout can run it

from examples.generator import jde, oracle, sap, written
from examples.generator.company import COMPANIES
from examples.generator.history import history_of

_SYSTEMS = {"FR01": sap, "US01": oracle, "JP01": jde}


def files() -> dict[str, bytes]:
    """Every generated file by its path within the folder."""
    histories = [history_of(company) for company in COMPANIES]
    generated = {"expected.json": written.expected(histories)}
    for history in histories:
        code = history.company.code
        for name, content in _SYSTEMS[code].render(history).items():
            generated[f"{code}/{name}"] = content
        generated[f"{code}/activity.jsonl"] = written.activity(history)
    return generated


def main(folder: Path) -> None:
    """Write the files."""
    for name, content in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        sys.stdout.write(f"{len(content):>9,} bytes  {path}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
