# SPDX-License-Identifier: Apache-2.0
"""Diagrams, drawn as SVG when the guides are built.

``sequence-diagram`` draws the messages that its text lists, one a line::

    Client -> mogan-api: PUT .../states/lock
    mogan-api --> Client: 202

``state-diagram`` draws the transitions of `mogan.states`.  The labels are
text in the SVG, and its description lists what is drawn; builders other than
HTML show that list alone.
"""

import dataclasses
import re
from xml.sax import saxutils

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx import addnodes

from mogan import states

FONT = 13       # pixels
LETTER = 7.2    # width of a letter of that size, about
LINE = 18
GAP = 24
MESSAGE = re.compile(r'(?P<source>.+?) (?P<kind>-->|->) '
                     r'(?P<target>.+?): (?P<text>.+)')


def width(label):
    return len(label) * LETTER


class Drawing:
    """Elements of an SVG, and the description of what they show."""

    def __init__(self, title):
        self.title = title
        self.elements = []
        self.description = []
        self.height = self.width = 0

    def _add(self, name, text=None, **attributes):
        shown = ''.join(
            f' {key.replace("_", "-")}={saxutils.quoteattr(str(value))}'
            for key, value in attributes.items() if value is not None)
        self.elements.append(
            f'<{name}{shown}>{saxutils.escape(text)}</{name}>' if text
            else f'<{name}{shown}/>')

    def text(self, x, y, label, anchor='middle'):
        self._add('text', label, x=x, y=y, text_anchor=anchor,
                  fill='currentColor')
        self._extend(x + width(label) / (2 if anchor == 'middle' else 1), y)

    def line(self, x, y, to_x, to_y, *, arrow=False, dashed=False):
        self._add('line', x1=x, y1=y, x2=to_x, y2=to_y,
                  stroke_dasharray='5 4' if dashed else None)
        if arrow:
            back = to_x - 8 if to_x > x else to_x + 8
            self._add('path', d=f'M{back} {to_y - 4} L{to_x} {to_y} '
                                f'L{back} {to_y + 4} Z', fill='currentColor')
        self._extend(max(x, to_x), max(y, to_y))

    def box(self, x, y, labels, *, fill_width=None):
        """Draw a box with a label on each line, its left edge at `x` and
        its centre at `y`; return its right edge."""
        wide = fill_width or max(map(width, labels)) + 16
        high = len(labels) * LINE + 8
        self._add('rect', x=x, y=y - high / 2, width=wide, height=high, rx=6,
                  fill='none')
        for number, label in enumerate(labels):
            self.text(x + wide / 2,
                      y - high / 2 + (number + 1) * LINE - 1, label)
        self._extend(x + wide, y + high / 2)
        return x + wide

    def _extend(self, x, y):
        self.width = max(self.width, x + 4)
        self.height = max(self.height, y + 4)

    def svg(self):
        """The whole, as HTML takes it."""
        described = '; '.join(self.description)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
            f'viewBox="0 0 {self.width:.0f} {self.height:.0f}" '
            f'style="max-width: {self.width:.0f}px; width: 100%" '
            f'stroke="currentColor" font-size="{FONT}" '
            f'font-family="sans-serif">'
            f'<style>text {{ stroke: none }}</style>'
            f'<title>{saxutils.escape(self.title)}</title>'
            f'<desc>{saxutils.escape(described)}</desc>'
            f'{"".join(self.elements)}</svg>')


@dataclasses.dataclass(frozen=True)
class Message:
    """An arrow from one participant to another, or to itself."""

    source: str
    target: str
    text: str
    answer: bool

    @property
    def label(self):
        return (self.text if self.source == self.target
                else f'{self.source} to {self.target}: {self.text}')


def sequence(title, lines):
    """Draw messages from top to bottom.  Raises ValueError."""
    drawing = Drawing(title)
    messages = []
    for line in lines:
        if not (found := MESSAGE.fullmatch(line)):
            raise ValueError(f'{line!r} is not "SOURCE -> TARGET: TEXT"')
        messages.append(Message(found['source'], found['target'],
                                found['text'], found['kind'] == '-->'))
    places = columns(messages)
    bottom = 60 + len(messages) * 34
    for name, x in places.items():
        wide = width(name) + 16
        drawing.box(x - wide / 2, 18, [name], fill_width=wide)
        drawing.line(x, 31, x, bottom, dashed=True)
    for number, message in enumerate(messages):
        y = 64 + number * 34
        here, there = places[message.source], places[message.target]
        if here == there:
            drawing.text(here + 10, y, message.text, 'start')
        else:
            drawing.text((here + there) / 2, y - 5, message.text)
            drawing.line(here, y, there, y, arrow=True,
                         dashed=message.answer)
        drawing.description.append(message.label)
    return drawing


def columns(messages):
    """Return the middle of each participant's column: two that exchange a
    message are far enough apart for its text."""
    names = list(dict.fromkeys(
        name for message in messages
        for name in (message.source, message.target)))
    places = {}
    for number, name in enumerate(names):
        apart = [places[message.source if message.target == name
                        else message.target] + width(message.text) + GAP
                 for message in messages
                 if name in {message.source, message.target}
                 and places.keys() & {message.source, message.target}]
        if number:
            last = names[number - 1]
            apart.append(places[last] + GAP + (width(last) + width(name)) / 2)
            # A note stands to the right of its participant.
            apart += [places[last] + width(message.text) + GAP
                      for message in messages
                      if message.source == message.target == last]
        places[name] = max(apart, default=width(name) / 2 + 12)
    return places


@dataclasses.dataclass(frozen=True)
class Way:
    """One row of the state diagram; without a state under way where the
    instance follows its node."""

    sources: list[str]
    label: str
    target: str | None
    ends: list[str]
    supersedes: bool = False


def transitions(column):
    """The rows of a state column: first the verbs that make an instance."""
    for verb, state in states.UNDER_WAY.items():
        if states.column_of(verb) is column and verb not in states.ARROWS:
            yield Way(['(new)'], verb, state, named(states.ENDS[state]))
    for verb, arrows in states.ARROWS.items():
        for arrow in arrows:
            if arrow.column is column:
                yield Way(named(arrow.sources), verb, arrow.target,
                          named(states.ENDS[arrow.target]), arrow.supersedes)
    if column is states.Column.STATUS:
        for status, ends in states.FOLLOWS.items():
            yield Way([status], 'as its node is', None, named(ends))


def named(found):
    """States in the order of their declaration, a deleted instance last."""
    return [state.value for state in (*states.Status, *states.LockState)
            if state in found] + (['(gone)'] if states.GONE in found else [])


def state_diagram(column):
    """Draw each transition of a column in a row of its own."""
    drawing = Drawing(f'Transitions of {column}')
    ways = list(transitions(column))
    wide = [max(map(width, labels)) + 16 for labels in (
        [name for way in ways for name in way.sources],
        [way.target or '' for way in ways],
        [name for way in ways for name in way.ends])]
    label = max(width(way.label) for way in ways) + 2 * GAP
    y = 4
    for way in ways:
        high = max(len(way.sources), len(way.ends)) * LINE + 20
        middle = y + high / 2
        x = drawing.box(4, middle, way.sources, fill_width=wide[0])
        drawing.text(x + label / 2, middle - 5, way.label)
        start = x
        x += label
        if way.target:
            drawing.line(start, middle, x, middle, arrow=True,
                         dashed=way.supersedes)
            start = drawing.box(x, middle, [way.target], fill_width=wide[1])
        x += wide[1] + 2 * GAP
        drawing.line(start, middle, x, middle, arrow=True)
        drawing.box(x, middle, way.ends, fill_width=wide[2])
        drawing.description.append(
            f'{way.label} from {", ".join(way.sources)}'
            + (f' through {way.target}' if way.target else '')
            + f' to {", ".join(way.ends)}')
        y += high
    return drawing


class _Diagram(Directive):
    def show(self, drawing):
        steps = nodes.bullet_list()
        for step in drawing.description:
            steps += nodes.list_item('', nodes.paragraph('', step))
        other = addnodes.only(expr='not html')
        other += steps
        return [nodes.raw('', drawing.svg(), format='html'), other]


class SequenceDiagram(_Diagram):
    """The messages of the content; the argument is the title."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self):
        try:
            drawing = sequence(self.arguments[0], self.content)
        except ValueError as error:
            raise self.error(str(error)) from error
        return self.show(drawing)


class StateDiagram(_Diagram):
    """The transitions of a column: ``status`` or ``lock_state``."""

    required_arguments = 1

    def run(self):
        try:
            column = states.Column(self.arguments[0])
        except ValueError as error:
            raise self.error(str(error)) from error
        return self.show(state_diagram(column))


def setup(app):
    app.add_directive('sequence-diagram', SequenceDiagram)
    app.add_directive('state-diagram', StateDiagram)
    return {'version': '1', 'parallel_read_safe': True}
