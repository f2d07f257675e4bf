"""One resource, many spellings: ids as bills, Kubernetes and the clouds' own listings write them."""

from __future__ import annotations

import re

__all__ = ["spellings"]

#: ``arn:aws:ec2:…:volume/vol-1``, ``aws:///zone/i-1`` (spec.providerID), ``aws://zone/vol-1``
_AWS = re.compile(r"(?:arn:aws[\w-]*:ec2:[^:]*:[^:]*:[\w-]+/|aws://[^/]*/(?:[^/]+/)?)([\w-]+)")
#: split cost allocation names a pod by cluster, namespace, name and uid
_EKS_POD = re.compile(r"arn:aws[\w-]*:eks:[^:]*:[^:]*:pod/[^/]+/([^/]+)/([^/]+)(?:/[^/]+)?")
_GCE = re.compile(r"gce://([^/]+)/([^/]+)/([^/]+)")
_GOOGLE = re.compile(r"projects/([^/]+)/(?:zones|regions)/([^/]+)/(instance|disk)s?/([^/]+)")
_SCALE_SET = re.compile(r"(.+/virtualmachinescalesets/[^/]+)/virtualmachines/[^/]+")


def spellings(identity: str) -> tuple[str, ...]:
    """Return the names that an id is known by: its own first, then wider ones.

    Two ids are of one resource where they share a name. Azure's ids have no case; what Google
    calls by number has that number anywhere; an instance of a scale set is billed with the set.

    >>> spellings("arn:aws:ec2:us-east-1:123456789012:volume/vol-0a1b"), spellings("vol-0a1b")
    (('vol-0a1b',), ('vol-0a1b',))
    >>> spellings("gce://p/us-central1-a/n1")
    ('projects/p/us-central1-a/instances/n1',)
    >>> spellings("//compute.googleapis.com/projects/p/zones/us-central1-a/instances/n1")
    ('projects/p/us-central1-a/instances/n1',)
    """
    text = identity.strip()
    lower = text.lower()
    at = lower.find("/subscriptions/")
    if at >= 0:
        path = lower[at:].rstrip("/")
        whole = _SCALE_SET.fullmatch(path)
        return (path, whole[1]) if whole else (path,)
    if found := _AWS.fullmatch(text):
        return (found[1],)
    if found := _EKS_POD.fullmatch(text):
        return (text, f"{found[1]}/{found[2]}")
    if found := _GCE.fullmatch(text):
        return (f"projects/{found[1]}/{found[2]}/instances/{found[3]}",)
    if found := _GOOGLE.search(text):
        project, zone, kind, name = found.groups()
        if name.isdecimal():
            return (f"{kind}s/{name}",)
        return (f"projects/{project}/{zone}/{kind}s/{name}",)
    return (text,)
