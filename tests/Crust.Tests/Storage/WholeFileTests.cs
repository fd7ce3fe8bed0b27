using System.Diagnostics;
using System.Text.RegularExpressions;
using Crust.Storage;

namespace Crust.Tests.Storage;

[CancelAfter(60_000)]
public sealed partial class WholeFileTests
{
    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-whole-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private string File => Path.Combine(_folder, "state");

    private IEnumerable<string?> Names => Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName);

    [Test]
    public void A_file_replaces_what_was_there_and_only_its_user_can_read_it()
    {
        System.IO.File.WriteAllText(File, "of an earlier build, and longer");

        WholeFile.Replace(File, "new");

        Assert.That(System.IO.File.ReadAllText(File), Is.EqualTo("new"));
        Assert.That(System.IO.File.GetUnixFileMode(File), Is.EqualTo(WholeFile.Private));
        Assert.That(Names, Is.EqualTo(new[] { "state" }));
    }

    [Test]
    public void A_link_is_replaced_and_its_target_stays()
    {
        var target = Path.Combine(_folder, "target");
        System.IO.File.WriteAllText(target, "precious");
        System.IO.File.CreateSymbolicLink(File, target);

        WholeFile.Replace(File, "new");

        Assert.That((System.IO.File.ReadAllText(target), System.IO.File.ReadAllText(File)), Is.EqualTo(("precious", "new")));
        Assert.That(new FileInfo(File).LinkTarget, Is.Null);
    }

    [Test]
    public void A_file_that_cannot_get_its_name_leaves_nothing_behind()
    {
        Directory.CreateDirectory(File);

        Assert.That(() => WholeFile.Replace(File, "new"), Throws.InstanceOf<IOException>().Or.InstanceOf<UnauthorizedAccessException>());

        Assert.That(Names, Is.EqualTo(new[] { "state" }));
    }

    [Test]
    public void Of_two_that_create_a_file_at_once_the_first_ones_stays()
    {
        WholeFile.Create(File, [1]);

        Assert.That(() => WholeFile.Create(File, [2]), Throws.InstanceOf<IOException>());

        Assert.That(System.IO.File.ReadAllBytes(File), Is.EqualTo(new byte[] { 1 }));
        Assert.That(Names, Is.EqualTo(new[] { "state" }));
    }

    [Test]
    public async Task A_file_is_synced_before_it_gets_its_name_and_its_folder_afterwards()
    {
        // Each command that finds a cache without this mark tidies it, and then makes the mark.
        var mark = Path.Combine(_folder, ".private");
        var start = new ProcessStartInfo("strace", ["-f", "-y", "-qq", "-e", "trace=fsync,rename", "-o", File, Path.Combine(AppContext.BaseDirectory, "Crust.Cli"), "inspect", "missing"])
        {
            WorkingDirectory = _folder,
            Environment = { ["CRUST_CACHE"] = _folder },
            RedirectStandardError = true,
        };
        using var crust = Process.Start(start)!;
        var error = await crust.StandardError.ReadToEndAsync(TestContext.CurrentContext.CancellationToken);
        await crust.WaitForExitAsync(TestContext.CurrentContext.CancellationToken);

        Assert.That(mark, Does.Exist, error);
        var calls = (await System.IO.File.ReadAllLinesAsync(File, TestContext.CurrentContext.CancellationToken)).Where(line => line.Contains($"{_folder}/.private", StringComparison.Ordinal) || line.Contains($"<{_folder}>", StringComparison.Ordinal))
            .Select(line => DraftPattern().Replace(DescriptorPattern().Replace(CallPattern().Match(line).Value, ""), ".DRAFT").Replace(_folder, "CACHE", StringComparison.Ordinal));
        Assert.That(calls, Is.EqualTo(new[] { "fsync(<CACHE/.private.DRAFT>) = 0", "rename(\"CACHE/.private.DRAFT\", \"CACHE/.private\") = 0", "fsync(<CACHE>) = 0" }));
    }

    [GeneratedRegex(@"\.[0-9a-f]{12}\b")]
    private static partial Regex DraftPattern();

    [GeneratedRegex(@"(?<=\()\d+(?=<)")]
    private static partial Regex DescriptorPattern();

    [GeneratedRegex(@"\b(fsync|rename)\(.*")]
    private static partial Regex CallPattern();
}
