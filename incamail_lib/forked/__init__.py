"""A warm process that forks: everything is imported once, each notebook runs in a child of its own.

    who asks                     warm (one thread, imports, nothing else)        child
    Warm.call("module:function") ── socket ──▶ fork ─────────────────────▶ function(socket)

Beside it stands a press that makes the children's PDFs, since what makes them must not fork.
Nothing that a child does reaches another child: all are forks of a process that itself never
runs anything. Where systems cannot fork safely, `can_fork` says so and kernels take over.
"""
