from claimsieve.data.files import Row


def short(items):
    """Rows as (place, fields), rejects as (place, reason)."""
    return [(item.place, item.fields if isinstance(item, Row) else item.reason) for item in items]
