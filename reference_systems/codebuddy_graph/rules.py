"""How Java types relate: supertypes, members seen from a receiver, fitting, inference.

Where a type is not known the answer is that it may fit: a call is then told apart by what is known.
Java Language Specification, chapters 4, 5 and 18; inference is by one pass over the arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph.javatypes import (
    BOX,
    NULL,
    UNBOX,
    Arr,
    Prim,
    Ref,
    Type,
    Var,
    Wild,
    substitute,
)

if TYPE_CHECKING:
    from reference_systems.codebuddy_graph.classes import Cls, Method
    from reference_systems.codebuddy_graph.world import World

__all__ = [
    "bind",
    "boxed",
    "descriptor",
    "erase",
    "fits",
    "inside",
    "mapping",
    "member_type",
    "shape",
    "subclass",
    "supertype",
    "unify",
    "upper",
]

WIDER = {
    "byte": {"short", "int", "long", "float", "double"},
    "short": {"int", "long", "float", "double"},
    "char": {"int", "long", "float", "double"},
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
}
ARRAY_TYPES = {"java.lang.Object", "java.lang.Cloneable", "java.io.Serializable"}
#: bounds such as ``T extends Comparable<T>`` come back to themselves
DEPTH = 12


def inside(ref: Ref, up: Ref) -> Ref:
    """Put the arguments of ``ref`` into a type written in terms of its class's variables."""
    if not up.args:
        return up
    variables = ref.cls.variables
    if len(ref.args) != len(variables):
        return up.cls.raw if variables else up
    return substitute(up, dict(zip(variables, ref.args, strict=True)))


def supertype(ref: Ref, target: Cls) -> Ref | None:
    """Give ``ref`` seen as one of its ancestors."""
    if ref.cls is target:
        return ref
    view = ref.cls.view(target)
    return None if view is None else inside(ref, view)


def mapping(ref: Ref, owner: Cls) -> dict[Var, Type]:
    """Give what the variables of ``owner`` are for a receiver of type ``ref``."""
    variables = owner.variables
    if not variables:
        return {}
    up = supertype(ref, owner)
    if up is None:
        return {}
    if len(up.args) != len(variables):
        return {var: _raw_bound(var) for var in variables}
    return {
        var: _bounded(var, arg, owner) if type(arg) is Wild else arg
        for var, arg in zip(variables, up.args, strict=True)
    }


def _raw_bound(var: Var) -> Type:
    bound = var.bounds[0] if var.bounds else None
    if type(bound) is Ref:
        return bound.cls.raw
    return bound if type(bound) is Arr else None


def _bounded(var: Var, arg: Wild, owner: Cls) -> Wild:
    """An unbounded wildcard stands for the bound of its variable."""
    if arg.sign:
        return arg
    bound = var.bounds[0] if var.bounds else None
    if type(bound) is Ref:
        return Wild(1, bound.cls.raw if bound.args else bound)
    return Wild(1, owner.world.object) if bound is None else arg


def upper(found: Type, world: World) -> Type:
    """Give what a value of a type can be used as: a wildcard is its upper bound, or Object."""
    if type(found) is Wild:
        return found.bound if found.sign == 1 else world.object
    return found


def member_type(ref: Ref, owner: Cls, found: Type) -> Type:
    """Give a member's type as it is for a receiver of type ``ref``."""
    if not owner.variables:
        return found
    return upper(substitute(found, mapping(ref, owner)), ref.cls.world)


def erase(found: Type, depth: int = 0) -> object:
    """Give a type without its arguments: a class, a primitive, or a tuple for an array."""
    if type(found) is Ref:
        return found.cls
    if type(found) is Var:
        return erase(found.bounds[0], depth + 1) if found.bounds and depth < DEPTH else "object"
    if type(found) is Arr:
        return ("array", erase(found.item, depth))
    if type(found) is Wild:
        return erase(found.bound, depth)
    return found


def shape(method: Method, seen_from: Cls) -> tuple:
    """Give the erased parameters of a method as a subclass sees them."""
    known = mapping(seen_from.self_type, method.owner) if method.owner is not seen_from else {}
    erased = (erase(substitute(p, known)) for p in method.params)
    world = seen_from.world
    return tuple(world.object.cls if e in ("object", None) else e for e in erased)


def subclass(low: Cls, high: Cls) -> bool:
    """Tell whether a class may stand for another; where ancestors are not known, it may."""
    return low is high or low.view(high) is not None or low.half_known


def boxed(found: Type, world: World) -> Type:
    """Give the class of a primitive."""
    if type(found) is Prim and found is not NULL:
        cls = world.get(BOX[found.name])
        return None if cls is None else cls.raw
    return found


def fits(arg: Type, param: Type, known: dict[Var, Type], loose: bool, depth: int = 0) -> bool:
    """Tell whether an argument can be given for a parameter; ``loose`` permits (un)boxing."""
    if arg is None or param is None or depth > DEPTH:
        return True
    kind = type(param)
    if kind is Wild:
        return fits(arg, param.bound, known, loose, depth + 1)
    if kind is Var:
        return _fits_variable(arg, param, known, loose, depth)
    if type(arg) is Wild:
        return fits(arg.bound if arg.sign == 1 else None, param, known, loose, depth + 1)
    if type(arg) is Var:
        return _variable_fits(arg, param, known, loose, depth)
    if type(arg) is Prim:
        return _fits_primitive(arg, param, loose)
    if kind is Prim:
        if not loose or type(arg) is not Ref:
            return False
        plain = UNBOX.get(arg.cls.name)
        return _fits_primitive(plain, param, False) if plain else not arg.cls.known
    if type(arg) is Arr:
        if kind is Ref:
            return param.cls.name in ARRAY_TYPES
        if type(arg.item) is Prim or type(param.item) is Prim:
            return arg.item is param.item or arg.item is None or param.item is None
        return fits(arg.item, param.item, known, False, depth + 1)
    return kind is Ref and subclass(arg.cls, param.cls)


def _variable_fits(arg: Var, param: Type, known: dict[Var, Type], loose: bool, depth: int) -> bool:
    """Tell whether a value of a variable's type can be given: any of its bounds may do."""
    if type(param) is Ref and param.cls.name == "java.lang.Object":
        return True
    if not arg.bounds:
        return type(param) is Ref and not param.cls.known
    return any(fits(b, param, known, loose, depth + 1) for b in arg.bounds)


def _fits_variable(arg: Type, param: Var, known: dict[Var, Type], loose: bool, depth: int) -> bool:
    if param in known:
        put = known[param]
        return put is param or fits(arg, put, known, loose, depth + 1)
    if type(arg) is Prim and arg is not NULL:
        return loose and all(_box_fits(arg, b) for b in param.bounds)
    return all(fits(arg, b, known, loose, depth + 1) for b in param.bounds)


def _box_fits(arg: Prim, bound: Type) -> bool:
    if type(bound) is not Ref:
        return True
    cls = bound.cls.world.get(BOX[arg.name])
    return cls is None or subclass(cls, bound.cls)


def _fits_primitive(arg: Prim, param: Type, loose: bool) -> bool:
    if type(param) is Prim:
        return arg is param or param.name in WIDER.get(arg.name, ())
    if arg is NULL:
        return True
    if not loose or type(param) is not Ref:
        return False
    cls = param.cls.world.get(BOX[arg.name])
    return cls is None or subclass(cls, param.cls)


def bind(var: Var, found: Type, binding: dict[Var, Type], world: World) -> None:
    """Note what a variable stands for; two kinds of argument make their common ancestor."""
    found = boxed(found.bound if type(found) is Wild else found, world)
    if found is None or found is NULL or found is var:
        return
    before = binding.get(var)
    if before is None:
        binding[var] = found
    elif type(before) is Ref and type(found) is Ref and before.cls is not found.cls:
        if before.cls.view(found.cls) is not None:
            binding[var] = found
        elif found.cls.view(before.cls) is None:
            binding[var] = _common(before.cls, found.cls)


def _common(one: Cls, other: Cls) -> Type:
    for cls in one.ancestors():
        if cls.name != "java.lang.Object" and other.view(cls) is not None:
            return cls.raw
    return one.world.object


def unify(param: Type, arg: Type, binding: dict[Var, Type], free: set[Var], world: World) -> None:
    """Learn from an argument what the free variables of a parameter stand for."""
    if arg is None or param is None:
        return
    kind = type(param)
    if kind is Var:
        if param in free:
            bind(param, arg, binding, world)
    elif kind is Wild:
        unify(param.bound, arg.bound if type(arg) is Wild else arg, binding, free, world)
    elif kind is Arr:
        if type(arg) is Arr and not (type(param.item) is Var and type(arg.item) is Prim):
            unify(param.item, arg.item, binding, free, world)
    elif kind is Ref and param.args:
        _unify_class(param, arg, binding, free, world)


def _unify_class(
    param: Ref, arg: Type, binding: dict[Var, Type], free: set[Var], world: World
) -> None:
    if type(arg) is Wild:
        arg = upper(arg, world)
    if type(arg) is Prim and arg is not NULL:
        arg = boxed(arg, world)
    for one in arg.bounds if type(arg) is Var else (arg,):
        up = supertype(one, param.cls) if type(one) is Ref else None
        if up is not None and len(up.args) == len(param.args):
            for inner, given in zip(param.args, up.args, strict=True):
                unify(inner, given.bound if type(given) is Wild else given, binding, free, world)
            return


def descriptor(found: Type) -> tuple[tuple[Type, ...], Type] | None:
    """Give what a lambda of a type takes and gives back; None for what no lambda can be."""
    if type(found) is not Ref:
        return None
    method = found.cls.single()
    if method is None:
        return None
    variables = found.cls.variables
    args = tuple(
        (_bounded(v, a, found.cls).bound if type(a) is Wild else a)
        for v, a in zip(variables, found.args, strict=False)
    )
    known = mapping(Ref(found.cls, args), method.owner)
    return (
        tuple([upper(substitute(p, known), found.cls.world) for p in method.params]),
        substitute(method.back, known),
    )
