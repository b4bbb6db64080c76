"""What typesets tables."""

import subprocess

from support.programs import program

PREAMBLE = r"\documentclass{article}\usepackage{booktabs}\begin{document}\noindent"


def typeset(table, folder, engine="pdflatex"):
    """Typeset a table in an otherwise empty document, and return what the engine complained about."""
    (folder / "paper.tex").write_text(f"{PREAMBLE}\n{table}\n\\end{{document}}\n", encoding="utf-8")
    command = [program(engine), "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    log = (folder / "paper.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log
    assert (folder / "paper.pdf").stat().st_size > 5000
    return [line for line in log.splitlines() if line.startswith(("!", "LaTeX Warning", "Missing character"))]
