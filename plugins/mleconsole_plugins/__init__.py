"""The capabilities: one folder each, registered by entry points as a stranger's plugin would be."""
