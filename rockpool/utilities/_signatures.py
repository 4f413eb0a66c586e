"""The signature of a class or a function from its syntax tree."""

from __future__ import annotations

import ast
import inspect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .unimported import Definition

_KINDS = inspect.Parameter
ANYTHING = inspect.Signature(
    [_KINDS("args", _KINDS.VAR_POSITIONAL), _KINDS("kwargs", _KINDS.VAR_KEYWORD)]
)


class _AsWritten:
    """A default value or an annotation, shown as it stands in the source."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __repr__(self) -> str:
        return self._source


def signature_of(found: Definition, depth: int = 0) -> inspect.Signature | None:
    """The signature of a definition; a class without a constructor has its base class's.

    Returns
    -------
    inspect.Signature or None
        None where no constructor is in sight. Defaults that are no literals, and annotations, are
        shown as they are written.
    """
    node = found.node
    if isinstance(node, ast.FunctionDef):
        return _of_function(node)
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name in ("__init__", "__new__"):
            signature = _of_function(item, skip=1)
            if item.name == "__init__" or _says_something(signature):
                return signature
    if _dataclass_options(node) is not None:
        fields = _fields(found, depth).values()
        return inspect.Signature(sorted(fields, key=lambda field: field.kind))
    for base in found.bases() if depth < 8 else ():
        inherited = signature_of(base, depth + 1)
        if inherited is not None:
            return inherited
    return None


def _says_something(signature: inspect.Signature) -> bool:
    """Whether there is more to it than ``(*args, **kwargs)``, which only passes things on."""
    passed_on = (_KINDS.VAR_POSITIONAL, _KINDS.VAR_KEYWORD)
    return any(parameter.kind not in passed_on for parameter in signature.parameters.values())


def _of_function(node: ast.FunctionDef, skip: int = 0) -> inspect.Signature:
    """The signature of a ``def``, without its first so many parameters."""
    arguments = node.args
    parameters = []
    positional: list[tuple[ast.arg, inspect._ParameterKind]]
    positional = [(a, _KINDS.POSITIONAL_ONLY) for a in arguments.posonlyargs]
    positional += [(a, _KINDS.POSITIONAL_OR_KEYWORD) for a in arguments.args]
    without = len(positional) - len(arguments.defaults)
    for index, (argument, kind) in enumerate(positional):
        default = arguments.defaults[index - without] if index >= without else None
        parameters.append(_parameter(argument.arg, kind, default, argument.annotation))
    if arguments.vararg is not None:
        vararg = arguments.vararg
        parameters.append(_parameter(vararg.arg, _KINDS.VAR_POSITIONAL, None, vararg.annotation))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parameters.append(
            _parameter(argument.arg, _KINDS.KEYWORD_ONLY, default, argument.annotation)
        )
    if arguments.kwarg is not None:
        kwarg = arguments.kwarg
        parameters.append(_parameter(kwarg.arg, _KINDS.VAR_KEYWORD, None, kwarg.annotation))
    returns = inspect.Signature.empty if node.returns is None else _shown(node.returns)
    return inspect.Signature(parameters[skip:], return_annotation=returns)


def _parameter(
    name: str,
    kind: inspect._ParameterKind,
    default: ast.expr | None,
    annotation: ast.expr | None,
) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        kind,
        default=_KINDS.empty if default is None else _shown(default),
        annotation=_KINDS.empty if annotation is None else _AsWritten(ast.unparse(annotation)),
    )


def _shown(node: ast.expr) -> object:
    """A literal is its value; anything else is shown as written."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return _AsWritten(ast.unparse(node))


# --- dataclasses ----------------------------------------------------------------------------------


def _dataclass_options(node: ast.ClassDef) -> dict[str, object] | None:
    """The arguments of a ``@dataclass`` that writes a class's constructor; None without one."""
    for decorator in node.decorator_list:
        options = _options(decorator)
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = getattr(called, "id", getattr(called, "attr", None))
        if name == "dataclass" and options.get("init", True):
            return options
    return None


def _options(node: ast.expr) -> dict[str, object]:
    """The keyword arguments of a call."""
    keywords = node.keywords if isinstance(node, ast.Call) else []
    return {keyword.arg: _shown(keyword.value) for keyword in keywords if keyword.arg}


def _fields(found: Definition, depth: int = 0) -> dict[str, inspect.Parameter]:
    """The constructor's parameters of a dataclass: the fields of its base classes, then its own."""
    fields: dict[str, inspect.Parameter] = {}
    options = _dataclass_options(found.node) if isinstance(found.node, ast.ClassDef) else None
    if options is None or depth > 8:
        return fields
    for base in reversed(list(found.bases())):
        fields.update(_fields(base, depth + 1))
    keyword_only = bool(options.get("kw_only"))
    for item in found.node.body:
        if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
            continue
        annotation = ast.unparse(item.annotation)
        kind = annotation.partition("[")[0].rpartition(".")[2]
        if kind == "KW_ONLY":
            keyword_only = True
        elif kind != "ClassVar":
            field = _field(item, keyword_only)
            if field is None:
                fields.pop(item.target.id, None)
            else:
                fields[item.target.id] = field
    return fields


def _field(item: ast.AnnAssign, keyword_only: bool) -> inspect.Parameter | None:
    """The parameter that a line of a dataclass gives its constructor, if it gives one."""
    assert isinstance(item.target, ast.Name)
    value = item.value
    default = _KINDS.empty if value is None else _shown(value)
    if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("field"):
        options = _options(value)
        if options.get("init") is False:
            return None
        keyword_only = bool(options.get("kw_only", keyword_only))
        factory = _AsWritten("<factory>") if "default_factory" in options else _KINDS.empty
        default = options.get("default", factory)
    return inspect.Parameter(
        item.target.id,
        _KINDS.KEYWORD_ONLY if keyword_only else _KINDS.POSITIONAL_OR_KEYWORD,
        default=default,
        annotation=_AsWritten(ast.unparse(item.annotation)),
    )
