using System.Buffers.Binary;
using System.Text;

namespace Crust.Tests.Sysexts;

/// <summary>The smallest ELF files that say what they need: no code is in them.</summary>
internal static class SampleElf
{
    private const int Header = 64;
    private const int Segment = 56;

    public static byte[] Of(ushort machine, string? interpreter, string[] needed, string[] runpath, string[]? versions = null)
    {
        const int texts = Header + (3 * Segment);
        var strings = new List<byte> { 0 };
        int Add(string text)
        {
            var at = strings.Count;
            strings.AddRange(Encoding.UTF8.GetBytes(text + "\0"));
            return at;
        }

        var interp = interpreter is null ? 0 : Add(interpreter);
        var entries = needed.Select(name => (1L, (long)Add(name))).ToList();
        if (runpath.Length > 0)
        {
            entries.Add((29, Add(string.Join(':', runpath))));
        }

        const long address = 0x400000;
        // One record for a library, with a list of versions behind it; the last is weak.
        var names = (versions ?? []).Select(Add).ToList();
        var needs = (texts + strings.Count + 7) & ~7;
        if (names.Count > 0)
        {
            entries.AddRange([(0x6ffffffe, address + needs), (0x6fffffff, 1)]);
        }

        entries.AddRange([(5, address + texts), (10, strings.Count), (0, 0)]);
        strings.AddRange(new byte[needs - texts - strings.Count + (names.Count == 0 ? 0 : 16 + (16 * names.Count))]);
        var dynamic = texts + strings.Count;
        var file = new byte[dynamic + (16 * entries.Count)];
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(file);
        Short(16, 3);
        Short(18, machine);
        Long(32, Header);
        Short(54, Segment);
        Short(56, 3);
        Write(0, 1, 0, file.Length);
        Write(1, needed.Length + runpath.Length + names.Count > 0 ? 2u : 0, dynamic, 16 * entries.Count);
        Write(2, interpreter is null ? 0u : 3, texts + interp, (interpreter?.Length ?? 0) + 1);
        strings.CopyTo(file, texts);
        for (var index = 0; index < names.Count; index++)
        {
            Short(needs, 1);
            Short(needs + 2, (ushort)names.Count);
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(needs + 8), 16);
            var version = needs + 16 + (16 * index);
            Short(version + 4, (ushort)(index > 0 && index == names.Count - 1 ? 2 : 0));
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(version + 8), (uint)names[index]);
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(version + 12), index == names.Count - 1 ? 0u : 16);
        }

        for (var index = 0; index < entries.Count; index++)
        {
            Long(dynamic + (16 * index), entries[index].Item1);
            Long(dynamic + (16 * index) + 8, entries[index].Item2);
        }

        return file;

        void Write(int index, uint type, long offset, long length)
        {
            var at = Header + (index * Segment);
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), type);
            Long(at + 8, offset);
            Long(at + 16, address + offset);
            Long(at + 32, length);
        }

        void Short(int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(at), (ushort)value);

        void Long(int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(at), value);
    }
}
