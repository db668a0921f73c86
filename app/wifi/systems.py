"""The systems that have a page of their own on how to join, and which one a browser runs on."""

from __future__ import annotations

from app.accounts.service import device_name

SYSTEMS = ("apple", "android", "windows", "linux", "other")
_SYSTEM_OF = {
    "iPhone": "apple", "iPad": "apple", "Mac": "apple", "Android": "android", "Windows": "windows", "Linux": "linux",
}  # fmt: skip


def system_of(user_agent: str) -> str:
    """One of SYSTEMS."""
    return _SYSTEM_OF.get(_device_of(user_agent), "other")


def label_for(user_agent: str, taken: list[str]) -> str:
    """What a member may call the device the browser runs on: "iPhone", then "iPhone 2"; "" where we cannot tell."""
    device = _device_of(user_agent)
    if not device or device not in taken:
        return device
    return next(name for name in (f"{device} {n}" for n in range(2, len(taken) + 3)) if name not in taken)


def _device_of(user_agent: str) -> str:
    return device_name(user_agent).partition(" on ")[2]
