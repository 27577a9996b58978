"""Keyed pseudonyms: customer ids as no reader can undo them without the key."""

from __future__ import annotations

import hashlib
import hmac

# dbt keeps variables of this prefix out of its logs and files.
KEY = "DBT_ENV_SECRET_PSEUDONYM_KEY"
KEY_LENGTH = 16  # characters, at least
# The line that makes one. It has to be kept: another key gives other pseudonyms.
MAKE_KEY = f"export {KEY}=$(python3 -c 'import secrets; print(secrets.token_hex(16))')"
LENGTH = 32  # hexadecimal digits: 128 bits


def pseudonym(customer_id: str, key: str) -> str:
    """HMAC-SHA256 of an id in UTF-8, its first 32 hexadecimal digits."""
    return hmac.new(key.encode(), customer_id.encode(), hashlib.sha256).hexdigest()[:LENGTH]
