"""Badges: a label and a value as a small SVG that a README can show."""

from markupsafe import Markup

LETTER_PX = 6.6


def badge(label: str, value: str) -> bytes:
    """The badge as bytes: two fields side by side, readable by a screen reader."""
    left, right = (round(LETTER_PX * len(text) + 12) for text in (label, value))
    svg = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{label}: {value}">'
        "<title>{label}: {value}</title>"
        '<rect width="{width}" height="20" rx="4" fill="#0a62a8"/>'
        '<path d="M4 0H{left}v20H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z" fill="#3b4048"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        '<text x="{x}" y="14">{label}</text><text x="{y}" y="14">{value}</text></g></svg>\n'
    ).format(width=left + right, left=left, label=label, value=value, x=left / 2, y=left + right / 2)
    return str(svg).encode()
