"""Writes the dashboards where Grafana's provisioning looks for them."""

import json
from pathlib import Path

from sinks.dashboards import BOARDS, Board, dashboard

FOLDER = Path(__file__).resolve().parents[2] / "config" / "grafana" / "dashboards"


def file_of(board: Board) -> Path:
    """Where a board is written."""
    return FOLDER / f"{board.uid}.json"


def text_of(board: Board) -> str:
    """The file's text."""
    return json.dumps(dashboard(board), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in BOARDS:
        file_of(each).write_text(text_of(each), encoding="utf-8")
