"""Write the golden files anew: `python -m tests.sources.erp.golden`. Read what changed before you commit it."""

import json

from avro.text import write_event
from tests.sources.erp.extracts import Extract, all_extracts


def lines_of(extract: Extract) -> list[str]:
    """The events of a sample in their written form."""
    return [json.dumps(write_event(event.name, event.record), ensure_ascii=False) for event in extract.events()]


if __name__ == "__main__":
    for extract in all_extracts():
        extract.golden.parent.mkdir(parents=True, exist_ok=True)
        extract.golden.write_text("\n".join(lines_of(extract)) + "\n", encoding="utf-8")
