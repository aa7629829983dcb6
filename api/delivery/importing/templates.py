"""Reads the line that says what a server logs: nginx's `log_format` or Apache's `LogFormat`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from api.delivery.importing.blocks import LogFormatError
from api.delivery.importing.delimited import Check, Layout, Patterned

TIME_LOCAL = "time_local"
"""A date and a zone with a space between: two columns where a space is what delimits."""
USER = "user"
"""Nobody asks for it, but names have spaces."""
IN_BRACKETS: tuple[tuple[str, Check], ...] = (
    ("date", lambda value: value.startswith(b"[")),
    ("zone", lambda value: value.endswith(b"]")),
)
DELIMITERS = " \t|,;"

_NGINX = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_NGINX_COUNTRY = re.compile(r"\w*country(?:_iso)?_code|http_cf_ipcountry|http_cloudfront_viewer_country")
_NGINX_NAMES = {
    "remote_addr": "ip",
    "realip_remote_addr": "ip",
    "http_x_forwarded_for": "forwarded",
    "msec": "time",
    "time_iso8601": "time",
    "time_local": TIME_LOCAL,
    "request": "request",
    "request_method": "method",
    "request_uri": "target",
    "uri": "target",
    "status": "status",
    "body_bytes_sent": "bytes",
    "bytes_sent": "bytes",
    "http_referer": "referrer",
    "http_user_agent": "user_agent",
    "http_range": "range",
    "host": "host",
    "http_host": "host",
    "server_name": "host",
    "remote_user": USER,
}
"""Of two variables with the same meaning the one that stands first here is taken."""
_APACHE = re.compile(r"%([!<>,\d]*)(?:\{([^}]*)\})?(\^t[io]|[A-Za-z])|%%")
_APACHE_NAMES = {
    "a": "ip",
    "h": "ip",
    "{x-forwarded-for}i": "forwarded",
    "{usec}t": "time",
    "{msec}t": "time",
    "{sec}t": "time",
    "t": TIME_LOCAL,
    "r": "request",
    "m": "method",
    "U": "target",
    "s": "status",
    "B": "bytes",
    "b": "bytes",
    "O": "bytes",
    "{referer}i": "referrer",
    "{user-agent}i": "user_agent",
    "{range}i": "range",
    "{host}i": "host",
    "V": "host",
    "v": "host",
    "{cf-ipcountry}i": "country",
    "{cloudfront-viewer-country}i": "country",
    "u": USER,
}


@dataclass(frozen=True, slots=True)
class Variable:
    """A place in a line that something is written to."""

    name: str
    """The column that it is; empty for what nobody asks for."""
    rank: int
    """The smallest is taken when several are the same column."""


Part = str | Variable


def layout_of(template: str) -> Layout | Patterned:
    """How lines written with this `log_format` or `LogFormat` are read. Raises LogFormatError."""
    parts = _best(list(_parts(template)))
    _refuse_useless(template, {part.name for part in parts if isinstance(part, Variable)})
    strict = re.compile(_pattern(parts).encode(), re.DOTALL)
    for delimiter in DELIMITERS:
        columns = _columns(parts, delimiter)
        if columns is not None:
            # Elsewhere a time with its space is one column, which the pattern has as two.
            return Layout(
                delimiter,
                tuple(columns),
                len(columns),
                strict=strict if delimiter == " " else None,
                checks=_checks(columns),
            )
    return Patterned(strict)


def _parts(template: str) -> Iterator[Part]:
    template = template.strip().replace('\\"', '"')
    if "$" in template:
        variables, split = _NGINX, _nginx_variable
    elif "%" in template:
        variables, split = _APACHE, _apache_parts
    else:
        raise LogFormatError(f"{template!r} has neither nginx's variables ($remote_addr) nor Apache's (%h).")
    place = 0
    for match in variables.finditer(template):
        yield template[place : match.start()]
        yield from split(match)
        place = match.end()
    yield template[place:]


def _nginx_variable(match: re.Match[str]) -> Iterator[Part]:
    variable = match[1] or match[2]
    name = "country" if _NGINX_COUNTRY.fullmatch(variable) else _NGINX_NAMES.get(variable, "")
    yield Variable(name, list(_NGINX_NAMES).index(variable) if variable in _NGINX_NAMES else 0)


def _apache_parts(match: re.Match[str]) -> Iterator[Part]:
    _, argument, letter = match.groups()
    if letter is None:
        yield "%"
        return
    variable = letter if argument is None else f"{{{argument.lower()}}}{letter}"
    name = _APACHE_NAMES.get(variable, "")
    bracketed = ("[", "]") if variable == "t" else ("", "")
    yield bracketed[0]
    yield Variable(name, list(_APACHE_NAMES).index(variable) if name else 0)
    yield bracketed[1]


def _best(parts: list[Part]) -> list[Part]:
    """Literals joined, and of the variables for one column all but the best without a name."""
    ranks: dict[str, int] = {}
    for part in parts:
        if isinstance(part, Variable):
            column = _column_of(part.name)
            ranks[column] = min(part.rank, ranks.get(column, part.rank))
    joined: list[Part] = [""]
    for part in parts:
        before = joined[-1]
        if isinstance(part, str) and isinstance(before, str):
            joined[-1] = before + part
        elif isinstance(part, str):
            joined.append(part)
        elif isinstance(before, Variable) or (before == "" and len(joined) > 1):
            raise LogFormatError("Two variables stand side by side in the log format; nothing tells where one ends.")
        else:
            is_best = part.name != "" and part.rank == ranks.get(_column_of(part.name))
            if is_best:
                ranks.pop(_column_of(part.name))
            joined.append(part if is_best else Variable("", 0))
    return joined


def _column_of(name: str) -> str:
    return "time" if name == TIME_LOCAL else name


def _refuse_useless(template: str, names: set[str]) -> None:
    needed = {
        "a time ($time_local, $time_iso8601, $msec; %t)": {"time", TIME_LOCAL},
        "an address ($remote_addr; %h or %a)": {"ip", "forwarded"},
        "a method ($request or $request_method; %r or %m)": {"request", "method"},
        "what was asked for ($request or $request_uri; %r or %U)": {"request", "target"},
        "a status ($status; %>s)": {"status"},
    }
    missing = [what for what, any_of in needed.items() if not names & any_of]
    if missing:
        raise LogFormatError(f"The log format {template!r} lacks {', '.join(missing)}.")


def _pattern(parts: list[Part]) -> str:
    """A regular expression for a whole line; no part of it can be matched in two ways."""
    pattern = ""
    for place, part in enumerate(parts):
        if isinstance(part, str):
            pattern += re.escape(part)
            continue
        before, behind = (_literal(parts, place - 1), _literal(parts, place + 1))
        pattern += _group(part.name, before, behind)
    return pattern


def _literal(parts: list[Part], place: int) -> str:
    part = parts[place] if place < len(parts) else ""
    return part if isinstance(part, str) else ""


def _group(name: str, before: str, behind: str) -> str:
    if name == TIME_LOCAL:
        return r'(?P<date>[^ \]"]*+) (?P<zone>[^ \]"]*+)'
    start = f"(?P<{name}>" if name not in {"", USER} else "(?:"
    if before.endswith('"') and behind.startswith('"'):
        return start + r'(?:[^"\\]++|\\.)*+)'
    if name == USER and behind.startswith(" ["):
        return r'[^"\[]*'  # names have spaces
    if behind and not behind.startswith(" "):
        return start + f"[^{re.escape(behind[0])}]*+)"
    return start + r"[^ ]*+(?:(?<=,) [^ ]*+)*+)"  # lists have spaces behind their commas


def _columns(parts: list[Part], delimiter: str) -> list[str] | None:
    """The names of a line's columns; None when it does not fall into columns with this delimiter."""
    columns: list[list[Part]] = [[]]
    is_quoted = False
    for part in parts:
        for item in part if isinstance(part, str) else [part]:
            if item == '"':
                is_quoted = not is_quoted
            if item == delimiter and not is_quoted:
                columns.append([])
            else:
                columns[-1].append(item)
    if is_quoted or len(columns) == 1:
        return None
    names = [_names(column, delimiter) for column in columns]
    return None if None in names else [name for found in names for name in found or ()]


def _names(column: list[Part], delimiter: str) -> list[str] | None:
    variables = [item for item in column if isinstance(item, Variable)]
    around = "".join("$" if isinstance(item, Variable) else item for item in column)
    if '"' in around and (around.count('"') != 2 or around[0] + around[-1] != '""'):
        return None
    named = [variable.name for variable in variables if variable.name not in {"", USER}]
    if not named:
        return None if delimiter in around else [""]
    if len(variables) > 1 or around not in {"$", '"$"', "[$]"}:
        return None
    if named == [TIME_LOCAL]:
        if delimiter != " ":
            return ["time"]
        return ["date", "zone"] if around == "[$]" else None
    return named if around != "[$]" else None


def _checks(columns: list[str]) -> tuple[tuple[str, Check], ...]:
    return IN_BRACKETS if "date" in columns else ()
