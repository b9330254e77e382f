"""XML of strangers, read as a stream: no DTD, no entities, no network, and bounded memory whatever the file's size.

``read_xml`` yields the elements one by one; ``child``, ``children``, ``text`` look into them by local names, because
versions of a message differ in their namespace only.
"""

from sources.xml.content import child, children, local_name, namespace, source_of, text, texts
from sources.xml.reader import Element, Limits, Moment, line_of, read_xml

__all__ = [
    "Element",
    "Limits",
    "Moment",
    "child",
    "children",
    "line_of",
    "local_name",
    "namespace",
    "read_xml",
    "source_of",
    "text",
    "texts",
]
