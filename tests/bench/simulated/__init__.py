"""A simulated cluster for benchmarks: SSH servers in a process of its own that replay recorded frames, perturbed."""
