"""What is kept of a benchmark: JSON, or a page that holds the same and needs nothing from elsewhere."""

import json
from html import escape
from pathlib import Path
from typing import Any

from models.errors import ReparamError
from service.bench.curve import COLOURS, curve
from service.bench.table import COLUMNS, cells, remarks

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
html { color-scheme: light dark }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid #8884 }
th:first-child, td:first-child { text-align: left }
.wide { overflow-x: auto }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif }
svg line { stroke: #8884 } svg text { fill: currentColor }
dt { float: left; clear: left; width: 9rem; opacity: .7 } dd { margin-left: 9rem }
i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px }
""".strip()


def check_writable(path: Path) -> None:
    """ReparamError before anything is measured, rather than after."""
    if path.suffix not in _WRITTEN:
        raise ReparamError(f"{path}: a report is written as {' or '.join(_WRITTEN)}")
    if not path.parent.is_dir():
        raise ReparamError(f"{path}: there is no folder {path.parent}")


def write(path: Path, report: dict[str, Any]) -> None:
    path.write_text(_WRITTEN[path.suffix](report), encoding="utf-8")


def as_json(report: dict[str, Any]) -> str:
    return json.dumps(report, indent=1) + "\n"


def as_html(report: dict[str, Any]) -> str:
    """The report itself is in the page as well, for programs."""
    runs = report["runs"]
    title = f"{report['verb']} of {report['model']}"
    facts = {name: value for name, value in report.items() if name != "runs" and value is not None}
    said = [sentence for run in runs for sentence in remarks(run)]
    data = json.dumps(report).replace("<", "\\u003c")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title>
<style>{_STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<dl>{"".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())}</dl>
<h2>Throughput, and latency in milliseconds</h2>
<div class="wide"><table><thead>{_row("th", COLUMNS)}</thead>
<tbody>{"".join(_row("td", cells(run), number) for number, run in enumerate(runs))}</tbody></table></div>
{"".join(f"<p>{escape(sentence)}</p>" for sentence in said)}
<h2>How latency is distributed</h2>
{curve(runs)}
<p>Latency counts from when a request was due to when its answer was whole, of answered requests only.</p>
<script type="application/json" id="report">{data}</script>
</body></html>
"""


def _row(tag: str, texts: Any, number: int | None = None) -> str:
    first, *rest = [escape(text) for text in texts]
    if number is not None:
        first = f'<i style="background:{COLOURS[number % len(COLOURS)]}"></i>{first}'
    return f"<tr>{''.join(f'<{tag}>{text}</{tag}>' for text in (first, *rest))}</tr>"


_WRITTEN = {".json": as_json, ".html": as_html}
