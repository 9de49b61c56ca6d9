"""Widgets that draw Views. They know no kind of thing and no transport."""
