"""Messages without values of rows: they may be personal data, and messages are kept and passed on."""

from __future__ import annotations

import re

# The last word of DuckDB's kinds of errors whose texts speak of SQL, files or the machine alone.
_WITHOUT_VALUES = {"Binder", "Catalog", "Dependency", "IO", "Memory", "Parser", "Permission", "Use"}
_KIND = re.compile(r"\b(?:[A-Z][A-Za-z]* (?:of |type )?)?(\w+) Error: ")
_TYPE = (
    r"(?:BOOL(?:EAN)?|U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER|8|16|32|64|128)?|FLOAT|DOUBLE|VARCHAR|BLOB|UUID|"
    r"INTERVAL|DATE|TIMESTAMP(?: WITH TIME ZONE|TZ|_NS|_MS|_S)?|TIME|DECIMAL\(\d+, ?\d+\))"
)
# What is taken over of the texts of all other kinds: words of DuckDB and of our SQL, numbers of lines, types, files.
_TAKEN_OVER = re.compile(
    "|".join(
        [
            r"CSV Error on Line: \d+",
            r"Expected Number of Columns: \d+ Found: \d+",
            "Value with unterminated quote found",
            "This file is not utf-8 encoded",
            "Invalid unicode",
            r"^ *file = .+(?=\n *delimiter = )",
            r"Error when sniffing file \"[^\"]+\"",
            r"No magic bytes found at end of file '[^']+'",
            "Could not (?:convert|cast|parse) (?:string|value)|Casting value",
            rf"(?:to|to type|to the destination type|for the destination type) ['\"]?{_TYPE}(?!\w)['\"]?(?: failed)?",
            "(?:invalid )?(?:date|time|timestamp) field (?:format|value out of range)|value is out of range",
            r"Overflow in (?:[a-z]+ of [A-Z0-9]+(?:\(\d+\))?|HUGEINT [a-z]+)",
            "[dD]uplicate key|NOT NULL constraint failed",
            r"when casting from source column \w+",
            "Malformed JSON",
            "More than one row returned by a subquery",
            # what a full disk says when a transaction ends
            "Failed to commit|No space left on device",
            r"Could not write file \"[^\"]+\"",
            r"the environment has no \w+",
            r"The declared form of a (?:number|date) is .+",
        ]
    ),
    re.MULTILINE,
)
# Of a CSV file without a header they are values of its first row.
_COLUMNS = re.compile(r"Candidate bindings: .*?(?=\n\nLINE |\Z)", re.DOTALL)


def without_values(message: str) -> str:
    """A message without what DuckDB quotes of rows in it: an ellipsis stands for what is left out.

    The kind of the error stays, and so do file, line and type. A message without an error of DuckDB
    stays whole. To be called once, on DuckDB's own words.
    """
    for kind in _KIND.finditer(message):
        if kind[1] not in _WITHOUT_VALUES:
            kept = [found.strip() for found in _TAKEN_OVER.findall(message, kind.end())]
            return message[: kind.end()] + " ".join(f"{one} …" for one in kept or [""]).strip()
    return _COLUMNS.sub("Candidate bindings: …", message)
