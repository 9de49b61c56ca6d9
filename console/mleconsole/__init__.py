"""mleconsole: one terminal console for a whole GPU training cluster."""

__version__ = "0.1.0"
