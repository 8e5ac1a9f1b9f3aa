"""A page of HTML that needs nothing else: no network, no script, images within."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape


def page(title: str, *parts: str) -> bytes:
    """The whole document; `parts` are HTML, empty ones are left out."""
    return _PAGE.format(title=escape(title), style=_STYLE, body="\n".join(filter(None, parts))).encode()


def section(name: str, heading: str, note: str, *parts: str) -> str:
    return f'<section id="{name}">\n<h2>{heading}</h2>\n<p>{escape(note)}</p>\n{"".join(parts)}\n</section>'


def image(png: bytes, alt: str) -> str:
    return f'<img src="data:image/png;base64,{b64encode(png).decode()}" alt="{escape(alt)}">'


def beside(*parts: str) -> str:
    """Two in a row where the page is wide enough; empty ones are left out."""
    return f'<div class="beside">{"".join(filter(None, parts))}</div>' if any(parts) else ""


def strips(rows: Iterable[tuple[str, str]], scale: Sequence[str]) -> str:
    """Images below one scale, each with its name before it."""
    marks = "".join(f"<span>{escape(mark)}</span>" for mark in scale)
    named = "".join(f"<div><span>{escape(name)}</span>{strip}</div>" for name, strip in rows)
    return f'<div class="strips"><div class="scale"><span></span><div>{marks}</div></div>{named}</div>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<div><dt>{escape(term)}</dt><dd>{escape(said)}</dd></div>' for term, said in pairs)}</dl>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first cell of a row is its heading."""
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(map(_row, rows))
    return f'<div class="wide"><table>\n<thead><tr>{cells}</tr></thead>\n<tbody>{body}\n</tbody></table></div>'


def _row(cells: Sequence[str]) -> str:
    first, *others = map(escape, cells)
    return f'\n<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>'


_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""

_STYLE = """\
:root {
  color-scheme: light dark;
  --paper: #fcfcfb; --ink: #1d2125; --muted: #5c646d; --line: #dfe2e5; --first: #2458c5; --second: #c2570c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181b; --ink: #e8eaec; --muted: #a2abb4; --line: #343a40; --first: #7ea6ff; --second: #f2a154;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 54rem; margin: auto; padding: 2.5rem 1.25rem 4rem; }
h1 { margin: 0; font-size: 2rem; line-height: 1.2; overflow-wrap: anywhere; }
h1 small { color: var(--muted); font-size: 1rem; font-weight: 400; white-space: nowrap; }
h2 { margin: 0; font-size: 1.2rem; }
header p { margin: .4rem 0 0; font-size: 1.1rem; }
section { margin-top: 2.75rem; }
section > p { margin: .15rem 0 1rem; color: var(--muted); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(10rem, 45%), 1fr)); gap: 1rem 1.5rem;
  margin: 1.75rem 0 0; padding: 1rem 0; border: solid var(--line); border-width: 1px 0; }
dt { color: var(--muted); font-size: .85rem; }
dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem 1.25rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
thead th { color: var(--muted); font-size: .85rem; font-weight: 400; }
tbody th { font-weight: 400; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem 2rem; }
svg, img { display: block; max-width: 100%; height: auto; }
svg { width: 100%; max-width: 27rem; }
.strips img { width: 100%; }
.strips > div { display: grid; grid-template-columns: 8rem 1fr; align-items: center; margin-bottom: .25rem; }
.strips span { color: var(--muted); font-size: .85rem; }
.scale > div { display: flex; justify-content: space-between; padding: 0 .75rem; }
.claims { margin-top: 1rem; }
.claims tbody th { white-space: normal; min-width: min(16rem, 42vw); }
.claims tr > :last-child { padding-right: 0; }
.contents { columns: 20rem; margin: 1.25rem 0 0; padding-left: 1.5rem; }
a { color: var(--first); }
@media (max-width: 36rem) { .strips > div { grid-template-columns: 1fr; } }
svg text { font-family: inherit !important; }
"""
