"""What is imported when: a plugin's import of the interface must not cost the ssh library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mleconsole.transport

FOLDER = Path(mleconsole.transport.__path__[0])


@pytest.mark.parametrize("name", ["interface", "quote", "gate", "local", "ssh", "files", "replay", "record"])
def test_the_ssh_library_is_not_imported_before_it_is_needed(name):
    code = f"import sys, mleconsole.transport.{name}; print('asyncssh' in sys.modules, 'cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_one_module_speaks_the_ssh_library():
    speaking = set()
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "asyncssh" for name in names):
                speaking.add(file.stem)
    assert speaking == {"wire"}
