"""The benchmarks: `PYTHONPATH=tests/bench .venv/bin/python -m bench [--small] [--only NAME,..] [--readme]`."""
