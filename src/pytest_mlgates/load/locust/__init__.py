"""Load from several processes and machines: Locust's master and workers, and nothing of its figures.

Locust brings the workers together, spreads users over them and carries messages; when requests are
due, what became of them and how late the load itself was is ours. Its modules patch a process for
gevent, so that they are imported only by the processes of ``master`` and ``worker``.
"""
