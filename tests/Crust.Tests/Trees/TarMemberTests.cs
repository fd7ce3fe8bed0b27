using System.Formats.Tar;
using Crust.Trees;

namespace Crust.Tests.Trees;

public sealed class TarMemberTests
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.GroupExecute;

    [Test]
    public void A_header_is_read_as_it_was_meant([Values(0L, 1L, 4711L, (8L << 30) - 1, 8L << 30, 64L << 40)] long length, [Values] bool isOldGnu)
    {
        var member = new TarMember("disk/x.qcow2", length) { Owner = 107, Mode = Mode, IsOldGnu = isOldGnu };

        var read = Read(member);

        Assert.That((read.Name, read.Length, read.Uid, read.Gid, read.Mode, read.ModificationTime, read.EntryType, read.Format), Is.EqualTo(
            ("disk/x.qcow2", length, 107, 107, Mode, DateTimeOffset.UnixEpoch, TarEntryType.RegularFile, isOldGnu ? TarEntryFormat.Gnu : TarEntryFormat.Ustar)));
    }

    [Test]
    public void A_name_with_a_slash_at_its_end_is_a_folder() =>
        Assert.That(Read(new TarMember("disk/", 0)).EntryType, Is.EqualTo(TarEntryType.Directory));

    [TestCase(0, 0, 512)]
    [TestCase(1, 511, 1024)]
    [TestCase(512, 0, 1024)]
    [TestCase(513, 511, 1536)]
    public void Content_is_filled_up_to_a_block(long length, int padding, long room)
    {
        var member = new TarMember("x", length);

        Assert.That((member.Padding, member.Room), Is.EqualTo((padding, room)));
        Assert.That(member.With([new byte[length]]).Sum(piece => piece.Length), Is.EqualTo(room));
    }

    [TestCase("edge-1.0_a+b", "disk/edge-1.0_a+b.qcow2")]
    [TestCase("kante ü/../x", "disk/kante___.._x.qcow2")]
    public void Names_are_of_what_every_system_takes(string name, string expected) =>
        Assert.That(TarMember.NameFor(name, ".qcow2", "disk/"), Is.EqualTo(expected));

    [Test]
    public void The_longest_name_fits_with_its_extension()
    {
        var name = TarMember.NameFor(new string('x', 300), ".qcow2", "disk/");

        Assert.That(name, Has.Length.EqualTo(100).And.EndsWith("x.qcow2"));
        Assert.That(Read(new TarMember(name, 0)).Name, Is.EqualTo(name));
    }

    // From a file, which unlike memory lets the reader step over a content that isn't there.
    private static TarEntry Read(TarMember member)
    {
        using var file = new FileStream(Path.GetTempFileName(), new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose });
        file.Write(member.Header());
        file.Position = 0;
        return new TarReader(file).GetNextEntry()!;
    }
}
