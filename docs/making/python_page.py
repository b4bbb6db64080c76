"""What Python code may call, as its signatures and docstrings say."""

import ast
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from textwrap import dedent
from typing import Any

import thgeval.errors
from making.markdown import code, explained, prose, table
from thgeval.errors import ThgevalError


def call(function: Callable[..., Any]) -> str:
    """A function: its signature, an argument a line, and what its docstring says."""
    (definition,) = ast.parse(dedent(inspect.getsource(function))).body
    assert isinstance(definition, ast.FunctionDef)
    lines = [f"    {line}," for line in _arguments(definition.args)]
    returns = ast.unparse(definition.returns) if definition.returns else "None"
    head = "\n".join([f"thgeval.{function.__name__}(", *lines, f") -> {returns}"])
    return f"```python\n{head}\n```\n\n{prose(inspect.getdoc(function) or '')}\n"


def options(cls: type[Any]) -> str:
    """A frozen dataclass whose docstring explains its fields: the table of them, with their defaults."""
    said = explained(_listed(cls))
    defaults = {item.name: _default(item) for item in fields(cls)}
    rows = [(code(name), code(defaults[name]), prose(says)) for name, says in said.items()]
    return table(rows, ("field", "default", "is"))


def reading(cls: type[Any]) -> str:
    """What can be asked of an object: properties and methods, each with its docstring's first sentence."""
    rows = []
    for name, member in vars(cls).items():
        if name.startswith("_") or not (isinstance(member, property | classmethod) or inspect.isfunction(member)):
            continue
        of = member.fget if isinstance(member, property) else inspect.unwrap(getattr(cls, name))
        arguments = "" if isinstance(member, property) else _short(of)
        rows.append((code(f"{name}{arguments}"), prose(" ".join((inspect.getdoc(of) or "").split()))))
    return table(rows, ("", "is"))


def errors() -> str:
    """Every class of error, with what it means and the exit code of the command line."""
    named = [cls for cls in vars(thgeval.errors).values() if isinstance(cls, type)]
    classes = [cls for cls in named if issubclass(cls, ThgevalError) and cls is not ThgevalError]
    rows = [(code(cls.__name__), prose(inspect.getdoc(cls) or "").partition("\n")[0], cls.exit_code) for cls in classes]
    return table(rows, ("error", "is", "exit code"))


def _listed(cls: type[Any]) -> str:
    return (inspect.getdoc(cls) or "").partition("\n\n")[2]


def _default(item: Any) -> str:
    if item.default is not MISSING:
        return repr(item.default)
    return f"{item.default_factory.__name__}()" if item.default_factory is not MISSING else ""


def _short(function: Callable[..., Any]) -> str:
    """Names of arguments alone."""
    names = [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]
    return f"({', '.join(names)})"


def _arguments(given: ast.arguments) -> list[str]:
    """Each argument with its type and default, as the source has them."""
    plain = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
    lines = [_argument(argument, default) for argument, default in zip(plain, defaults, strict=True)]
    if given.kwonlyargs:
        lines.append("*")
    return lines + [_argument(*both) for both in zip(given.kwonlyargs, given.kw_defaults, strict=True)]


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    return ast.unparse(argument) + ("" if default is None else f" = {ast.unparse(default)}")
