using System.Formats.Tar;
using System.Text;
using Crust.Appliance;

namespace Crust.Tests.Appliance;

public sealed class PackageTreeTests
{
    private string _tar = "";

    [SetUp]
    public async Task Pack()
    {
        _tar = Path.GetTempFileName();
        await using var stream = File.Create(_tar);
        await using var writer = new TarWriter(stream, TarEntryFormat.Gnu);
        await WriteFile(writer, "./bin/kmod", "a program");
        await WriteLink(writer, "./sbin/modprobe", "/bin/kmod");
        await WriteLink(writer, "./usr/lib/libz.so.1", "libz.so.1.2");
        await WriteFile(writer, "./usr/lib/libz.so.1.2", "a library");
        await WriteLink(writer, "./loop", "loop");
    }

    [TearDown]
    public void Remove() => File.Delete(_tar);

    [TestCase("/bin/kmod", "a program")]
    [TestCase("/usr/bin/kmod", "a program", Description = "as on a system with merged folders")]
    [TestCase("/usr/sbin/modprobe", "a program", Description = "through a link with an absolute target")]
    [TestCase("/lib/libz.so.1", "a library", Description = "through a link with a relative target")]
    public async Task A_file_is_read_by_any_of_its_names(string path, string content)
    {
        using var tree = await PackageTree.OpenAsync(_tar, CancellationToken.None);

        Assert.That(Encoding.ASCII.GetString(tree.Read(path)), Is.EqualTo(content));
    }

    [TestCase("/bin/none")]
    [TestCase("/loop")]
    public async Task A_path_that_leads_nowhere_is_named(string path)
    {
        using var tree = await PackageTree.OpenAsync(_tar, CancellationToken.None);

        Assert.That(() => tree.Read(path), Throws.TypeOf<CrustException>().With.Message.Contains($"'{path}'"));
    }

    private static Task WriteFile(TarWriter writer, string name, string content) =>
        writer.WriteEntryAsync(new GnuTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.ASCII.GetBytes(content)) });

    private static Task WriteLink(TarWriter writer, string name, string target) =>
        writer.WriteEntryAsync(new GnuTarEntry(TarEntryType.SymbolicLink, name) { LinkName = target });
}
