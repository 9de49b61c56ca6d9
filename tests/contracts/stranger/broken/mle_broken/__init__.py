"""A plugin that can't be imported: it must cost only itself."""

raise OSError("the licence server of the broken plugin is gone")
