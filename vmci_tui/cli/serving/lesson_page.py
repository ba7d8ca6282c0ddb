"""The page of `vmci serve`: a terminal by textual-serve's script, which takes keys at once, under a title of ours."""

from __future__ import annotations

from html import escape
from string import Template
from typing import Final

_FONT_SIZES: Final = range(8, 41)
"""Allowed sizes of the font, in pixels."""
_FONT_SIZE: Final = 16
_PAGE: Final = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>$title</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${static}css/xterm.css">
<style>
/* The script asks for this font by its name: the file of textual-serve, else one of the machine. */
@font-face {
  font-family: "Roboto Mono"; font-weight: 100 700;
  src: url("${static}fonts/RobotoMono-VariableFont_wght.ttf"), local("Cascadia Mono"), local("Menlo"),
    local("DejaVu Sans Mono"), local("Liberation Mono"), local("Consolas");
}
body, button { font: 16px "Roboto Mono", "Cascadia Mono", Menlo, "DejaVu Sans Mono", "Liberation Mono", Consolas,
  monospace; }
body { margin: 0; background: #121212; color: #e0e0e0; overflow: hidden; }
#terminal { position: absolute; inset: 0; }
.words { position: absolute; inset: 0; z-index: 10; display: flex; flex-direction: column; align-items: center;
  justify-content: center; gap: 1em; background: #121212; text-align: center; }
.words b { color: #ffa62b; font-size: 24px; }
button { padding: 8px 24px; border: 1px solid #ffa62b; background: #121212; color: #ffa62b; cursor: pointer; }
.-first-byte #begin, body:not(.-closed) #end { display: none; }
</style>
<script src="${static}js/textual.js"></script>
</head>
<body>
<div class="words" id="begin"><b>$title</b>
<span>Inspect and repair the VMCOREINFO note in VM memory dumps, step by step, on copies of files</span>
<span id="start">Your own copy is being prepared</span></div>
<div class="words" id="end"><b>This session has ended</b><button type="button" id="again">Begin again</button></div>
<div id="terminal" class="textual-terminal" data-session-websocket-url="$websocket" data-font-size="$size"></div>
<script>
const take = () => document.querySelector(".xterm-helper-textarea")?.focus();
const button = document.getElementById("again");
button.onclick = () => window.location.reload();
// The script marks the body once its socket is open; before that it could not say that it has the focus.
new MutationObserver(() => document.body.classList.contains("-closed") ? button.focus() : take())
  .observe(document.body, {attributes: true, attributeFilter: ["class"]});
window.addEventListener("focus", take);
</script>
</body>
</html>
""")


def lesson_page(title: str, static: str, websocket: str, size: object) -> str:
    """Return the page; `static` is the address of textual-serve's files, `size` a font size from the page's address."""
    pixels = int(size) if isinstance(size, str) and size.isascii() and size.isdigit() and len(size) < 4 else _FONT_SIZE
    return _PAGE.substitute(
        title=escape(title),
        static=escape(static),
        websocket=escape(websocket),
        size=min(max(pixels, _FONT_SIZES.start), _FONT_SIZES.stop - 1),
    )
