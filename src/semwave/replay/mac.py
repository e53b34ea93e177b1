"""What an 802.11 MAC frame says of itself in its header: type, addresses, sequence number (IEEE 802.11-2020, 9.2.4)."""

from typing import Any

_MANAGEMENT = (
    "assoc-req", "assoc-resp", "reassoc-req", "reassoc-resp", "probe-req", "probe-resp", "timing-adv", "reserved-mgmt",
    "beacon", "ATIM", "disassoc", "auth", "deauth", "action", "action-noack", "reserved-mgmt",
)  # fmt: skip
_CONTROL = {
    2: "trigger", 4: "beamforming-poll", 5: "NDP-announce", 7: "control-wrapper", 8: "BlockAckReq", 9: "BlockAck",
    10: "PS-Poll", 11: "RTS", 12: "CTS", 13: "ACK", 14: "CF-End",
}  # fmt: skip
_ONE_ADDRESS = (7, 12, 13)


def describe(mpdu: bytes) -> dict[str, Any]:
    """Type, receiver and transmitter address, sequence number, retry and protection, as far as the header goes."""
    if len(mpdu) < 14:  # the shortest frame there is: ACK and CTS with their FCS
        return {"mac_type": "fragment" if mpdu else ""}
    kind, subtype, flags = mpdu[0] >> 2 & 3, mpdu[0] >> 4, mpdu[1]
    found: dict[str, Any] = {"mac_type": _type(kind, subtype), "mac_ra": _address(mpdu[4:10])}
    if not (kind == 1 and subtype in _ONE_ADDRESS) and len(mpdu) >= 20:
        found["mac_ta"] = _address(mpdu[10:16])
    if kind in (0, 2) and len(mpdu) >= 28:
        found["mac_seq"] = int.from_bytes(mpdu[22:24], "little") >> 4
    found["mac_retry"], found["mac_protected"] = bool(flags & 0x08), bool(flags & 0x40)
    return found


def words(found: dict[str, Any]) -> str:
    """The same for people: ``QoS-data e8:de:27:90:6e:42 > 98:5f:d3:c7:06:27 seq 1103``."""
    text = str(found.get("mac_type", ""))
    if "mac_ta" in found:
        text += f" {found['mac_ta']} >"
    elif "mac_ra" in found:
        text += " >"
    text += f" {found['mac_ra']}" if "mac_ra" in found else ""
    text += f" seq {found['mac_seq']}" if "mac_seq" in found else ""
    return text + (" retry" if found.get("mac_retry") else "") + (" protected" if found.get("mac_protected") else "")


def _type(kind: int, subtype: int) -> str:
    if kind == 0:
        return _MANAGEMENT[subtype]
    if kind == 1:
        return _CONTROL.get(subtype, f"control {subtype}")
    if kind == 2:
        return ("QoS-" if subtype & 8 else "") + ("null" if subtype & 4 else "data")
    return f"extension {subtype}"


def _address(octets: bytes) -> str:
    return ":".join(f"{octet:02x}" for octet in octets)
