# SPDX-License-Identifier: Apache-2.0
"""The client of Mogan, a service for bare-metal instances."""


def __getattr__(name: str) -> str:
    """Return `__version__`, lazily: looking it up takes longer than all other
    imports of this package together."""
    if name != '__version__':
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    import importlib.metadata  # noqa: PLC0415
    return importlib.metadata.version('python-moganclient')
