using System.Text;
using Crust.Appliance;

namespace Crust.Tests.Appliance;

public sealed class CpioArchiveTests
{
    private static byte[] Bytes(Action<CpioArchive> fill)
    {
        var archive = new CpioArchive();
        fill(archive);
        using var stream = new MemoryStream();
        archive.WriteTo(stream);
        return stream.ToArray();
    }

    [Test]
    public void An_entry_has_the_header_that_the_kernel_reads()
    {
        var text = Encoding.ASCII.GetString(Bytes(archive => archive.AddFile("/init", "hi"u8.ToArray(), executable: true)));

        Assert.That(text, Does.StartWith("070701" + "00000001" + "000081ED" + "00000000" + "00000000" + "00000001" + "00000000" + "00000002"
            + "00000000" + "00000000" + "00000000" + "00000000" + "00000005" + "00000000" + "init\0\0hi\0\0"));
        Assert.That(text, Does.EndWith("TRAILER!!!\0\0\0\0"));
    }

    [Test]
    public void Folders_come_before_what_is_in_them()
    {
        var text = Encoding.ASCII.GetString(Bytes(archive => archive.AddLink("/usr/bin/sh", "busybox")));

        var folder = text.IndexOf("usr\0", StringComparison.Ordinal);
        var inner = text.IndexOf("usr/bin\0", StringComparison.Ordinal);
        Assert.That(folder, Is.Positive);
        Assert.That(inner, Is.GreaterThan(folder));
        Assert.That(text.IndexOf("usr/bin/sh\0", StringComparison.Ordinal), Is.GreaterThan(inner));
    }

    [Test]
    public void The_order_in_which_files_are_added_plays_no_part() =>
        Assert.That(
            Bytes(archive => { archive.AddFile("/a", [1], false); archive.AddDevice("/b", 5, 1); }),
            Is.EqualTo(Bytes(archive => { archive.AddDevice("/b", 5, 1); archive.AddFile("/a", [1], false); })));

    [Test]
    public void Each_entry_begins_at_a_multiple_of_four([Values(1, 2, 3, 4, 5)] int length)
    {
        var bytes = Bytes(archive => { archive.AddFile("/x", new byte[length], false); archive.AddFile("/yy", new byte[length], false); });

        var text = Encoding.Latin1.GetString(bytes);
        for (var at = text.IndexOf("070701", StringComparison.Ordinal); at >= 0; at = text.IndexOf("070701", at + 1, StringComparison.Ordinal))
        {
            Assert.That(at % 4, Is.Zero);
        }
    }
}
