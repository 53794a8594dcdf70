"""The Jinja2 behind templates: what an expression may do, and what it never can.

A template is written by the operator but fed by strangers. So nothing can be called, values are JSON and
nothing else, and all that could grow without bound is counted. Missing and null are one thing here: None.
"""

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from inspect import signature
from typing import Any

from jinja2 import TemplateSyntaxError, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from receiver.core.errors import HookError
from receiver.core.template_filters import FILTERS, LIKE_FUNCTIONS, TESTS, bounded, plain, text
from receiver.core.template_paths import label_of

Names = Mapping[str, Any]
Render = Callable[[Names], Any]

MAX_TURNS = 100_000
"""Most turns all loops of one rendering may make together."""

_COUNTED = "counted turns"
"""Name of the filter around everything a loop runs over; no template can spell it."""
_AS_TEXT = "as text"
"""Likewise, around the parts of `a ~ b`: Jinja makes texts of them in Python's words, `None` and `True`."""
_SEARCHED = "searched"
"""Likewise, around what `in` looks through."""
_RESULT = "result"
_LOOP_FIELDS = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})

_FUNCTIONS = {"strip": "trim", "strftime": "date", "isoformat": "date", "str": "string", "len": "length"}
"""What people call in Python → the filter that does it."""

_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign),
    *(nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword),
    *(nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test, nodes.CondExpr),
    *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Concat),
)


class TemplateError(HookError):
    """A template is wrong, or cannot be filled from this message. Trying again cannot help."""

    code = "template_error"


def item(value: Any, key: Any) -> Any:
    """`value.key` and `value[key]`: only what is inside, never an attribute; None if it is not there."""
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list | tuple | str):
        if isinstance(key, slice):
            return value[key]
        return value[key] if isinstance(key, int) and -len(value) <= key < len(value) else None
    if isinstance(value, LoopContext) and key in _LOOP_FIELDS:
        return getattr(value, key)
    return None


class _Context(Context):
    """A name nobody gave is None; all loops of one rendering share one count."""

    turns = 0

    def resolve_or_missing(self, key: str) -> Any:
        return self.vars[key] if key in self.vars else self.parent.get(key)


class _Environment(ImmutableSandboxedEnvironment):
    context_class = _Context
    intercepted_binops = frozenset({"*", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        return item(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return item(obj, argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`"x" * 999999999` and `"%999999999d" % 1` would fill the memory."""
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise TypeError(f"`{operator}` is for numbers")
        return super().call_binop(context, operator, left, right)


@pass_context
def _counted(context: _Context, values: Any) -> Iterator[Any]:
    for value in () if values is None else values:
        context.turns += 1
        if context.turns > MAX_TURNS:
            raise ValueError(f"its loops make more than {MAX_TURNS} turns")
        yield value


def _searched(values: Any) -> Any:
    return () if values is None else values


@cache
def _environment() -> _Environment:
    environment = _Environment(keep_trailing_newline=True, finalize=text)
    environment.globals.clear()
    environment.filters = {**FILTERS, _COUNTED: _counted, _AS_TEXT: text, _SEARCHED: _searched}
    environment.tests = dict(TESTS)
    return environment


class _Functions(NodeTransformer):
    """A filter that is written like a function, `base64("a")`, is the filter."""

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        self.generic_visit(node)
        name, arguments = node.node, node.args
        if isinstance(name, nodes.Name) and name.name in LIKE_FUNCTIONS and arguments:
            rest = (arguments[1:], node.kwargs, node.dyn_args, node.dyn_kwargs)
            return nodes.Filter(arguments[0], name.name, *rest, lineno=node.lineno)
        return node


class _Prepared(NodeTransformer):
    """Loops are counted, an inline `if` without `else` is null instead of an object of Jinja's, `required`
    knows what is missing. In `a ~ b` null is empty, and nothing is `in` null."""

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:
        self.generic_visit(node)
        if node.name == "required" and node.node is not None and not (node.args or node.kwargs):
            node.args = [nodes.Const(f"{label_of(node.node)} is required, but null")]
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = _through(_COUNTED, node.iter)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        node.nodes = [_through(_AS_TEXT, part) for part in node.nodes]
        return node

    def visit_Operand(self, node: nodes.Operand) -> nodes.Node:
        self.generic_visit(node)
        if node.op in ("in", "notin"):
            node.expr = _through(_SEARCHED, node.expr)
        return node

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:
        self.generic_visit(node)
        node.expr2 = node.expr2 or nodes.Const(None)
        return node


def _through(name: str, node: nodes.Node) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None)


def parse(source: str) -> nodes.Template:
    """Syntax tree of a template that uses nothing but what is allowed; raises TemplateError."""
    try:
        tree = _environment().parse(source)
        _Functions().visit(tree)
        for node in tree.find_all(nodes.Node):
            _check(node)
        _Prepared().visit(tree)
    except TemplateSyntaxError as error:
        raise TemplateError(f"{error.message} in {source!r}") from None
    except RecursionError:
        raise TemplateError("the template is nested too deeply") from None
    return tree


def _check(node: nodes.Node) -> None:
    if isinstance(node, nodes.Call):
        called = str(getattr(node.node, "attr", None) or getattr(node.node, "name", ""))
        raise TemplateError(f"`{called}(…)`: nothing can be called here; {_instead(called)}")
    if not isinstance(node, _ALLOWED) or (isinstance(node, nodes.For) and node.recursive):
        raise TemplateError(f"Jinja's {type(node).__name__.lower()} cannot be used here")
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise TemplateError(f"no filter is called {node.name}; there are {', '.join(sorted(FILTERS))}")
    if isinstance(node, nodes.Filter):
        _check_arguments(node)
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        raise TemplateError(f"no test is called {node.name}; there are {', '.join(sorted(TESTS))}")


def _check_arguments(node: nodes.Filter) -> None:
    """Arguments a filter does not take would make a dead letter of every message."""
    takes = FILTERS[node.name]
    values = [None] * (1 + hasattr(takes, "jinja_pass_arg") + len(node.args))
    if node.dyn_args or node.dyn_kwargs:
        raise TemplateError(f"`{node.name}`: arguments are written one by one, without `*`")
    try:
        signature(takes).bind(*values, **{str(keyword.key): None for keyword in node.kwargs})
    except TypeError as error:
        raise TemplateError(f"`{node.name}`: {error}") from None


def _instead(called: str) -> str:
    """What may do the work of a function that somebody wanted to call."""
    name = _FUNCTIONS.get(called, called)
    if name in FILTERS:
        return f"write a filter, as in `| {name}`"
    close = get_close_matches(name, FILTERS, n=1)
    meant = f"did you mean `| {close[0]}`?" if close else "docs/templates.md lists the filters there are"
    return f"no filter is called {called} either; {meant}"


def expression(node: nodes.Expr) -> Render:
    """The native value of an expression, compiled when it is first needed."""

    @cache
    def compiled() -> Any:
        body: list[nodes.Node] = [nodes.Assign(nodes.Name(_RESULT, "store"), node, lineno=1)]
        return _environment().from_string(nodes.Template(body, lineno=1))

    def render(names: Names) -> Any:
        template = compiled()
        context = template.new_context(names, shared=True)
        for _ in template.root_render_func(context):
            pass
        value = plain(context.vars[_RESULT])
        if isinstance(value, str):
            bounded(len(value))
        return value

    return render


def statements(tree: nodes.Template) -> Render:
    """The text of a template that has loops or conditions, compiled when it is first needed."""

    @cache
    def compiled() -> Any:
        return _environment().from_string(tree)

    def render(names: Names) -> str:
        template = compiled()
        chunks, length = [], 0
        for chunk in template.root_render_func(template.new_context(names, shared=True)):
            length += len(chunk)
            bounded(length)
            chunks.append(chunk)
        return "".join(chunks)

    return render
