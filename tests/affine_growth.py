"""Affine graphs that hypothesis grows from parameters of several shapes, one operation at a time."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from hypothesis import note
from hypothesis import strategies as st

SHAPES = {"a": (), "b": (3,), "c": (4,), "d": (3, 2)}
SIZE = sum(int(np.prod(shape)) for shape in SHAPES.values())
LARGEST = 60


class Piece:
    """A graph with the sum of the absolute terms that each of its elements adds up."""

    def __init__(self, graph, size):
        self.graph, self.size = graph, np.asarray(size, float)

    @property
    def shape(self):
        return self.size.shape


class Growth:
    """Affine graphs that grow from the parameters by operations that hypothesis chooses."""

    def __init__(self, draw, theta):
        self.draw = draw
        self.pool, start = [], 0
        for name, shape in SHAPES.items():
            stop = start + int(np.prod(shape))
            self.pool.append(Piece(pm.Flat(name, shape=shape), np.abs(theta[start:stop]).reshape(shape)))
            start = stop

    def number(self, low, high):
        return self.draw(st.integers(low, high))

    def constant(self, shape):
        return np.random.default_rng(self.number(0, 999)).normal(size=shape)

    def pick(self, wanted=lambda piece: True):
        """A piece, mostly a late one."""
        found = [piece for piece in reversed(self.pool) if wanted(piece)]
        return found[self.number(0, len(found) - 1)]

    def grow(self):
        name = self.draw(st.sampled_from(sorted(OPERATIONS)))
        piece = OPERATIONS[name](self, self.pick())
        if piece is not None and 0 < piece.size.size <= LARGEST:
            note(f"{name}: {piece.shape}")
            assert piece.graph.type.ndim == piece.size.ndim
            self.pool.append(piece)


def add(grow, one):
    other = grow.pick(lambda p: broadcast(p.shape, one.shape))
    return Piece(one.graph + other.graph, one.size + other.size)


def subtract(grow, one):
    other = grow.pick(lambda p: broadcast(p.shape, one.shape))
    return Piece(one.graph - other.graph, one.size + other.size)


def shift(grow, one):
    constant = grow.constant(one.shape)
    return Piece(constant - one.graph, np.abs(constant) + one.size)


def scale(grow, one):
    factor = grow.constant(one.shape if grow.number(0, 1) else (2, *one.shape)[grow.number(0, 1) :])
    return Piece(factor * one.graph, np.abs(factor) * one.size)


def divide(grow, one):
    factor = 1 + np.abs(grow.constant(one.shape[-1:]))
    return Piece(one.graph / factor, one.size / factor)


def matrix_left(grow, one):
    if one.size.ndim == 0:
        return None
    matrix = grow.constant((grow.number(1, 5), one.shape[0]))
    if one.size.ndim > 2:
        return None
    return Piece(pt.dot(matrix, one.graph), np.abs(matrix) @ one.size)


def matrix_right(grow, one):
    if one.size.ndim not in (1, 2):
        return None
    matrix = grow.constant((one.shape[-1], grow.number(1, 5)))
    return Piece(one.graph @ matrix, one.size @ np.abs(matrix))


def vector_left(grow, one):
    if one.size.ndim not in (1, 2):
        return None
    vector = grow.constant((one.shape[0],))
    return Piece(pt.dot(vector, one.graph), np.abs(vector) @ one.size)


def element(grow, one):
    if one.size.ndim == 0:
        return None
    place = grow.number(-one.shape[0], one.shape[0] - 1)
    return both(one, lambda x: x[place])


def piece_of(grow, one):
    if one.size.ndim == 0:
        return None
    step = grow.draw(st.sampled_from([1, 2, -1]))
    low = grow.number(0, one.shape[0] - 1)
    return both(one, lambda x: x[..., ::step] if low == 0 else x[low::step])


def gather(grow, one):
    if one.size.ndim == 0:
        return None
    index = np.random.default_rng(grow.number(0, 99)).integers(0, one.shape[0], size=grow.number(1, 9))
    return both(one, lambda x: x[index])


def gather_pairs(grow, one):
    if one.size.ndim != 2:
        return None
    rng, count = np.random.default_rng(grow.number(0, 99)), grow.number(1, 9)
    rows, columns = (rng.integers(0, length, size=count) for length in one.shape)
    return both(one, lambda x: x[rows, columns])


def mask(grow, one):
    if one.size.ndim == 0:
        return None
    keep = np.arange(one.shape[0]) % 2 == 0
    return both(one, lambda x: x[keep])


def repeat(grow, one):
    shape = (grow.number(1, 4), *one.shape)
    return Piece(pt.broadcast_to(one.graph, shape), np.broadcast_to(one.size, shape))


def tile(grow, one):
    return None if one.size.ndim == 0 else Piece(pt.repeat(one.graph, 2, axis=0), np.repeat(one.size, 2, axis=0))


def column(grow, one):
    return both(one, lambda x: x[..., None])


def flatten(grow, one):
    return Piece(one.graph.ravel(), one.size.ravel())


def reshape(grow, one):
    if one.size.size % 2:
        return None
    return both(one, lambda x: x.reshape((2, one.size.size // 2)))


def transpose(grow, one):
    return both(one, lambda x: x.T)


def concatenate(grow, one):
    other = grow.pick(lambda p: p.size.ndim == one.size.ndim and p.shape[1:] == one.shape[1:])
    if one.size.ndim == 0:
        return Piece(pt.stack([one.graph, other.graph]), np.stack([one.size, other.size]))
    ones = np.ones((1, *one.shape[1:]))
    return Piece(pt.concatenate([one.graph, ones, other.graph]), np.concatenate([one.size, ones, other.size]))


def stack(grow, one):
    other = grow.pick(lambda p: p.shape == one.shape)
    axis = grow.number(0, one.size.ndim)
    return Piece(pt.stack([other.graph, one.graph], axis=axis), np.stack([other.size, one.size], axis=axis))


def cumulate(grow, one):
    if one.size.ndim == 0:
        return None
    axis = grow.number(0, one.size.ndim - 1)
    return Piece(pt.cumsum(one.graph, axis=axis), np.cumsum(one.size, axis=axis))


def put(grow, one):
    if one.size.ndim == 0:
        return None
    other = grow.pick(lambda p: p.shape in ((), one.shape[1:]))
    place = grow.draw(st.sampled_from([0, slice(1, None), np.array([0, -1])]))
    size = one.size.copy()
    size[place] = other.size
    return Piece(pt.set_subtensor(one.graph[place], other.graph), size)


def total(grow, one):
    axis = grow.draw(st.sampled_from([None, *range(one.size.ndim)]))
    return both(one, lambda x: x.sum(axis=axis))


def average(grow, one):
    return None if one.size.ndim == 0 else both(one, lambda x: x.mean(axis=-1))


def name_it(grow, one):
    return Piece(pm.Deterministic(f"named_{len(grow.pool)}", one.graph), one.size)


def both(piece, operation):
    return Piece(operation(piece.graph), operation(piece.size))


def broadcast(one, other):
    try:
        return bool(np.broadcast_shapes(one, other) or True)
    except ValueError:
        return False


OPERATIONS = {
    function.__name__: function
    for function in (
        *(add, subtract, shift, scale, divide, matrix_left, matrix_right, vector_left, element, piece_of, gather),
        *(gather_pairs, mask, repeat, tile, column, flatten, reshape, transpose, concatenate, stack, cumulate),
        *(put, total, average, name_it),
    )
}
