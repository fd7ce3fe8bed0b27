using System.Buffers.Binary;
using Crust.Trees;

namespace Crust.Tests.Trees;

public sealed class ElfFileTests
{
    [Test]
    public void A_program_names_its_libraries_and_its_loader()
    {
        // One segment that is loaded (file offset 0x100 at address 0x1100), the dynamic section, the interpreter.
        var file = new byte[0x300];
        new byte[] { 0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1 }.CopyTo(file, 0);
        Put(file, 32, 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(54), 56);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(56), 3);
        Segment(file, 0, type: 1, offset: 0x100, address: 0x1100, size: 0x200);
        Segment(file, 1, type: 2, offset: 0x180, address: 0x1180, size: 0x30);
        Segment(file, 2, type: 3, offset: 0x140, address: 0x1140, size: 8);
        "\0libc.so.6\0libm.so.6\0"u8.CopyTo(file.AsSpan(0x110));
        "/lib/ld\0"u8.CopyTo(file.AsSpan(0x140));
        long[] dynamic = [1, 1, 1, 11, 5, 0x1110];
        for (var i = 0; i < dynamic.Length; i++)
        {
            Put(file, 0x180 + (i * 8), dynamic[i]);
        }

        var elf = ElfFile.TryRead(TreeContent.Of(file))!;

        Assert.That((elf.Interpreter, elf.Needed), Is.EqualTo(("/lib/ld", (string[])["libc.so.6", "libm.so.6"])));
    }

    [Test]
    public void A_script_is_no_such_file() => Assert.That(ElfFile.TryRead(TreeContent.Of("#!/bin/sh\necho a script of more than sixty-four bytes, so that only its magic tells\n")), Is.Null);

    private static void Put(byte[] file, int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(at), value);

    private static void Segment(byte[] file, int number, int type, long offset, long address, long size)
    {
        var at = 64 + (number * 56);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), type);
        Put(file, at + 8, offset);
        Put(file, at + 16, address);
        Put(file, at + 32, size);
    }
}
