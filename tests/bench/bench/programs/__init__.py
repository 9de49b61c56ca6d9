"""Programs that the benchmarks compare the console with."""
