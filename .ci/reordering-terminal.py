"""Feeds what the binary writes to five terminals at once and compares the pictures; see `reordering-terminal`.

One terminal reorders nothing: it shows what belongs where. The others reorder: one gets what was sent, one only our
marks, one only the mode (CSI 8 l), and one neither. In the first three every cell outside of a right-to-left text must
look as in the terminal that reorders nothing; in the last one it must not, or nothing was tested.
"""

import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time
import unicodedata

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
gi.require_version("Vte", "2.91")
from gi.repository import Gdk, Gtk, Pango, Vte  # noqa: E402

MARK = "\u200e".encode()
DO_NOT_REORDER, REORDER = b"\x1b[8l", b"\x1b[8h"
COLUMNS, ROWS = 120, 36
PATIENCE_S = 60
# Views: what is typed, and what must then stand on the screen.
ESCAPE = "\x1b[27u"
VIEWS = [
    ("list", "", "Why stuck"),
    ("fields", "\t", "result"),
    ("chosen", "d", "device chosen"),
    ("both", "ub", "both chosen"),
    ("comparison", "u\r", "only on the device"),
    ("ledger", f"{ESCAPE}dp", "what a retry would do"),
    ("strategies", f"{ESCAPE}v", "the four strategies"),
    ("editor", f"{ESCAPE}e", "edit body"),
]


class Shown:
    """A terminal, what it is not told, and what of it is checked."""

    def __init__(self, name, bidi=True, without=()):
        self.name, self.without, self.kept = name, without, b""
        self.terminal = Vte.Terminal()
        self.terminal.set_enable_bidi(bidi)
        self.terminal.set_size(COLUMNS, ROWS)
        self.terminal.set_font(Pango.FontDescription("DejaVu Sans Mono 10"))
        self.terminal.set_cursor_blink_mode(Vte.CursorBlinkMode.OFF)

    def feed(self, written):
        written = self.kept + written
        self.kept = b""
        # What is left out may come in two pieces.
        for left_out in self.without:
            for length in range(1, len(left_out)):
                if written.endswith(left_out[:length]):
                    self.kept = max(self.kept, left_out[:length], key=len)
        if self.kept:
            written = written[: -len(self.kept)]
        for left_out in self.without:
            written = written.replace(left_out, b"")
        self.terminal.feed(written)

    def text(self):
        return self.terminal.get_text(None, None)[0]

    def picture(self):
        window = self.terminal.get_window()
        at = self.terminal.get_allocation()
        return Gdk.pixbuf_get_from_window(window, at.x, at.y, at.width, at.height)


class Program:
    """The binary on a pseudo-terminal of its own."""

    def __init__(self, binary, folder):
        environment = {
            "HOME": folder,
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "TMPDIR": folder,
            "UNSTICK_DATA_DIR": folder,
        }
        self.id, self.at = pty.fork()
        if self.id == 0:
            os.execve(binary, [binary, "demo", "tablet-behind"], environment)
        fcntl.ioctl(self.at, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def read(self):
        """What it wrote since; nothing where it has ended."""
        fcntl.fcntl(self.at, fcntl.F_SETFL, os.O_NONBLOCK)
        try:
            return os.read(self.at, 1 << 16)
        except (BlockingIOError, OSError):
            return b""

    def type(self, keys):
        os.write(self.at, keys.encode())

    def end(self):
        os.kill(self.id, signal.SIGTERM)
        begun = time.monotonic()
        while os.waitpid(self.id, os.WNOHANG) == (0, 0):
            if time.monotonic() - begun > PATIENCE_S:
                os.kill(self.id, signal.SIGKILL)
            self.read()
            time.sleep(0.01)


def let_draw(until):
    """Lets the terminals draw until it is so."""
    begun = time.monotonic()
    while not until():
        if time.monotonic() - begun > PATIENCE_S:
            return False
        if not Gtk.main_iteration_do(False):
            time.sleep(0.002)
    return True


def is_right_to_left(character):
    return unicodedata.bidirectional(character) in ("R", "AL", "AN")


def columns(line):
    """The line's characters, column by column: what takes none is kept with what stands before it."""
    cells = []
    for character in line:
        if unicodedata.category(character) in ("Mn", "Me", "Cf") and cells:
            cells[-1] += character
        else:
            cells.append(character)
            if unicodedata.east_asian_width(character) in "WF":
                cells.append("")
    return (cells + [" "] * COLUMNS)[:COLUMNS]


def right_to_left_texts(cells):
    """Where right-to-left texts stand, from their first right-to-left letter to the last: words with one blank between
    them are one text, bars and frames end one."""
    texts = []
    for at, cell in enumerate(cells):
        if not any(map(is_right_to_left, cell)):
            continue
        between = "".join(cells[texts[-1][1] + 1 : at]) if texts else None
        if texts and "  " not in between and not any(character in "▌│┃" for character in between):
            texts[-1][1] = at
        else:
            texts.append([at, at])
    return texts


class Grid:
    """A picture, cell by cell."""

    def __init__(self, shown):
        self.picture = shown.picture()
        self.width, self.height = shown.terminal.get_char_width(), shown.terminal.get_char_height()
        context = shown.terminal.get_style_context()
        padding = context.get_padding(context.get_state())
        self.left, self.top = padding.left, padding.top
        self.pixels = self.picture.get_pixels()
        self.stride, self.channels = self.picture.get_rowstride(), self.picture.get_n_channels()

    def cell(self, column, row):
        first = self.left + column * self.width
        lines = []
        for y in range(self.top + row * self.height, self.top + (row + 1) * self.height):
            start = y * self.stride + first * self.channels
            lines.append(self.pixels[start : start + self.width * self.channels])
        return b"".join(lines)

    def colour(self, column, row):
        """The colour at the left edge of a cell: a bar's."""
        cell = self.cell(column, row)
        middle = (self.height // 2 * self.width + 1) * self.channels
        return tuple(cell[middle : middle + 3])


def differ(one, other):
    """Whether two cells look different: more than letters do that reach over their own cell's edge."""
    pixels = [abs(a - b) > 48 for a, b in zip(one, other)]
    return sum(pixels) > len(pixels) * 0.08


def elsewhere(cells, texts, reference, grid, row):
    """Columns outside of right-to-left texts that look otherwise than where nothing is reordered."""
    inside = {at for start, end in texts for at in range(start, end + 1)}
    outside = (at for at in range(COLUMNS) if at not in inside)
    return [at for at in outside if differ(reference.cell(at, row), grid.cell(at, row))]


def sides(lines, grid, view, name):
    """In the table of the fields the device's bars are blue and stand under `device`, the server's orange under
    `server`. Answers how many rows were looked at, and what is wrong."""
    seen, wrong = 0, []
    heads = [(row, cells) for row, cells in enumerate(lines) if "▌device" in "".join(cells)]
    if not heads:
        return seen, wrong
    top, cells = heads[0]
    bars = [at for at, cell in enumerate(cells) if cell.startswith("▌")]
    device, server = (grid.colour(at, top) for at in bars)
    for row in range(top + 1, ROWS):
        if [at for at, cell in enumerate(lines[row]) if cell.startswith("▌")] != bars:
            continue
        if not any(is_right_to_left(character) for cell in lines[row] for character in cell):
            continue
        seen += 1
        found = [grid.colour(at, row) for at in bars]
        if found != [device, server]:
            wrong.append(f"{name}, {view}, row {row}: bars of {found} where device {device} and server {server} stand")
    return seen, wrong


def main(binary, folder):
    os.makedirs(folder, exist_ok=True)
    reference = Shown("nothing-reordered", bidi=False)
    as_sent = Shown("as-sent")
    marks_alone = Shown("marks-alone", without=(DO_NOT_REORDER, REORDER))
    mode_alone = Shown("mode-alone", without=(MARK,))
    neither = Shown("neither", without=(DO_NOT_REORDER, REORDER, MARK))
    all_shown = [reference, as_sent, marks_alone, mode_alone, neither]
    box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
    for shown in all_shown:
        box.pack_start(shown.terminal, False, False, 0)
    window = Gtk.Window()
    window.add(box)
    window.show_all()
    private = tempfile.mkdtemp(prefix="unstick-vte-")
    program = Program(binary, private)
    wrong, reordered, swapped, sides_seen, texts_seen, sent = [], 0, 0, 0, 0, b""
    try:
        for view, keys, expected in VIEWS:
            # One key after another, as a person presses them: those that come all at once confirm nothing.
            waiting = re.findall(r"\x1b\[27u|.", keys, re.DOTALL)
            quiet_since = time.monotonic()

            def there():
                nonlocal quiet_since, sent
                if waiting and time.monotonic() - quiet_since > 0.3:
                    program.type(waiting.pop(0))
                    quiet_since = time.monotonic()
                written = program.read()
                if written:
                    quiet_since = time.monotonic()
                    sent += written
                    for shown in all_shown:
                        shown.feed(written)
                # A frame is whole when nothing more comes; the terminals draw within a few of their own frames.
                done = not waiting and time.monotonic() - quiet_since > 0.6
                return done and expected in reference.text()

            if not let_draw(there):
                sys.exit(f"{view}: waited for “{expected}” and saw\n{reference.text()}")
            lines = [columns(line) for line in reference.text().split("\n")][:ROWS]
            grids = {shown.name: Grid(shown) for shown in all_shown}
            for shown in all_shown[1:]:
                grids[shown.name].picture.savev(f"{folder}/{view}-{shown.name}.png", "png", [], [])
            for row, cells in enumerate(lines):
                texts = right_to_left_texts(cells)
                texts_seen += len(texts)
                for shown in all_shown[1:]:
                    grid = grids[shown.name]
                    moved = elsewhere(cells, texts, grids[reference.name], grid, row)
                    if shown is neither:
                        swapped += bool(moved)
                    elif moved:
                        wrong.append(f"{shown.name}, {view}, row {row}: other cells in columns {moved}")
                for start, end in texts:
                    reordered += any(
                        differ(grids[reference.name].cell(at, row), grids[marks_alone.name].cell(at, row))
                        for at in range(start, end + 1)
                    )
            for shown in all_shown[1:4]:
                seen, found = sides(lines, grids[shown.name], view, shown.name)
                sides_seen += seen
                wrong += found
    finally:
        program.end()
        shutil.rmtree(private, ignore_errors=True)
    print(f"{texts_seen} right-to-left texts in {len(VIEWS)} views, {sides_seen} rows with both sides; ", end="")
    print(f"with marks alone {reordered} are read in their own direction; with neither {swapped} rows are jumbled")
    if not swapped or not reordered or not texts_seen or not sides_seen:
        wrong.append("this terminal reorders nothing: nothing was tested")
    if DO_NOT_REORDER not in sent or MARK not in sent:
        wrong.append("the mode or the marks were never sent")
    print(f"the pictures are in {folder}/")
    if wrong:
        sys.exit("\n".join(wrong))


main(*sys.argv[1:])
