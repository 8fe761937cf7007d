"""Every worked example of the protocol, byte by byte, in both directions."""

from __future__ import annotations

import pytest

from firmware_bridge import commands as c
from firmware_bridge.errors import ProtocolError
from firmware_bridge.framing import Frame, FrameDecoder, PacketId, encode_frame
from firmware_bridge.replies import (
    Acknowledgement,
    IndexTable,
    MatchResult,
    SearchResult,
    SystemParameters,
    TemplateCount,
)

COMMANDS = [
    (c.VfyPwd(0), "01 00 07 13 00 00 00 00 00 1B"),
    (c.GenImg(), "01 00 03 01 00 05"),
    (c.GetImageEx(), "01 00 03 28 00 2C"),
    (c.Img2Tz(1), "01 00 04 02 01 00 08"),
    (c.Match(), "01 00 03 03 00 07"),
    (c.Search(1, 0, 200), "01 00 08 04 01 00 00 00 C8 00 D6"),
    (c.RegModel(), "01 00 03 05 00 09"),
    (c.Store(1, 7), "01 00 06 06 01 00 07 00 15"),
    (c.UpChar(1), "01 00 04 08 01 00 0E"),
    (c.UpImage(), "01 00 03 0A 00 0E"),
    (c.DeletChar(7, 1), "01 00 07 0C 00 07 00 01 00 1C"),
    (c.Empty(), "01 00 03 0D 00 11"),
    (c.SetSysPara(c.SystemParameter.BAUD, 12), "01 00 05 0E 04 0C 00 24"),
    (c.SetSysPara(c.SystemParameter.PACKET_SIZE, 3), "01 00 05 0E 06 03 00 1D"),
    (c.ReadSysPara(), "01 00 03 0F 00 13"),
    (c.TemplateNum(), "01 00 03 1D 00 21"),
    (c.ReadIndexTable(0), "01 00 04 1F 00 00 24"),
    (c.AuraLedConfig(1, 0x64, 2, 0), "01 00 07 35 01 64 02 00 00 A4"),
    (c.CheckSensor(), "01 00 03 36 00 3A"),
    (c.ReadProdInfo(), "01 00 03 3C 00 40"),
    (c.SoftRst(), "01 00 03 3D 00 41"),
    (c.HandShake(), "01 00 03 40 00 44"),
]
PARAMETERS = SystemParameters(0, 9, 200, 3, 0xFFFFFFFF, 2, 6)
REPLIES = [
    (Acknowledgement(0), "07 00 03 00 00 0A"),
    (Acknowledgement(2), "07 00 03 02 00 0C"),
    (
        Acknowledgement(0, SearchResult(7, 120).encode()),
        "07 00 07 00 00 07 00 78 00 8D",
    ),
    (
        Acknowledgement(0, PARAMETERS.encode()),
        "07 00 13 00 00 00 00 09 00 C8 00 03 FF FF FF FF 00 02 00 06 04 F2",
    ),
    (Acknowledgement(0, TemplateCount(5).encode()), "07 00 05 00 00 05 00 11"),
]
DATA = [
    (Frame(PacketId.DATA, bytes.fromhex("12345678")), "02 00 06 12 34 56 78 01 1C"),
    (Frame(PacketId.END, bytes.fromhex("FFFF000F")), "08 00 06 FF FF 00 0F 02 1B"),
]


def _bytes(tail: str) -> bytes:
    return bytes.fromhex("EF 01 FF FF FF FF " + tail)


def _name(value: object) -> str:
    return type(value).__name__ if isinstance(value, c.Command) else ""


@pytest.mark.parametrize(("command", "tail"), COMMANDS, ids=_name)
def test_a_command_has_the_bytes_of_the_manual(command, tail):
    assert encode_frame(Frame(PacketId.COMMAND, command.encode())) == _bytes(tail)


@pytest.mark.parametrize(("command", "tail"), COMMANDS, ids=_name)
def test_the_bytes_of_the_manual_are_the_command(command, tail):
    (frame,) = FrameDecoder().feed(_bytes(tail))
    assert frame.pid is PacketId.COMMAND
    assert c.decode_command(frame.content) == command


@pytest.mark.parametrize(("reply", "tail"), REPLIES)
def test_a_reply_has_the_bytes_of_the_manual_in_both_directions(reply, tail):
    assert encode_frame(Frame(PacketId.ACKNOWLEDGE, reply.encode())) == _bytes(tail)
    (frame,) = FrameDecoder().feed(_bytes(tail))
    assert Acknowledgement.decode(frame.content) == reply


@pytest.mark.parametrize(("frame", "tail"), DATA)
def test_a_data_packet_has_the_bytes_of_the_manual_in_both_directions(frame, tail):
    assert encode_frame(frame) == _bytes(tail)
    assert FrameDecoder().feed(_bytes(tail)) == [frame]


@pytest.mark.parametrize(
    "result",
    [
        PARAMETERS,
        SearchResult(7, 120),
        MatchResult(99),
        TemplateCount(5),
        IndexTable(frozenset({0, 7, 8, 255})),
    ],
)
def test_a_result_survives_the_wire(result):
    assert type(result).decode(result.encode()) == result


def test_the_index_table_counts_bits_from_the_lowest():
    assert IndexTable.decode(b"\x01\x80" + bytes(30)).used == {0, 15}


def test_system_parameters_speak_of_bytes_and_baud():
    assert (PARAMETERS.packet_size_bytes, PARAMETERS.baud) == (128, 57600)


@pytest.mark.parametrize(
    "result", [SystemParameters, SearchResult, MatchResult, TemplateCount, IndexTable]
)
def test_a_result_of_another_length_is_refused(result):
    with pytest.raises(ProtocolError, match="expected"):
        result.decode(b"\x00" * 5)


@pytest.mark.parametrize("content", [b"", b"\xee", b"\x13\x00", b"\x01\x00"])
def test_an_unknown_or_misshapen_command_is_refused(content):
    with pytest.raises(ProtocolError):
        c.decode_command(content)


def test_every_instruction_has_one_command():
    kinds = c.Command.__subclasses__()
    assert len({kind.instruction for kind in kinds}) == len(kinds)
