using Crust.Sysexts;
using Crust.Sysexts.Checks;
using Crust.Trees;

namespace Crust.Tests.Sysexts;

public sealed class MergeDecisionTests
{
    private const string Flatcar = "ID=flatcar\nVERSION_ID=4230.2.1\nSYSEXT_LEVEL=1.0\n";
    private const string Debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n";

    [TestCase("ID=_any", Debian, true, "_any")]
    [TestCase("ID=debian\nVERSION_ID=12", Debian, true, "VERSION_ID 12")]
    [TestCase("ID=debian\nVERSION_ID=13", Debian, false, "VERSION_ID is 13, and the system's is 12")]
    [TestCase("ID=debian", Debian, false, "neither SYSEXT_LEVEL nor VERSION_ID")]
    [TestCase("ID=debian\nSYSEXT_LEVEL=1.0", Debian, false, "the system has no SYSEXT_LEVEL")]
    [TestCase("ID=debian", "ID=debian\n", true, "neither SYSEXT_LEVEL nor VERSION_ID")]
    [TestCase("ID=debian", "ID=debian\nSYSEXT_LEVEL=2\n", true, "no VERSION_ID")]
    [TestCase("ID=flatcar\nSYSEXT_LEVEL=1.0", Flatcar, true, "SYSEXT_LEVEL 1.0")]
    [TestCase("ID=flatcar\nSYSEXT_LEVEL=2.0\nVERSION_ID=4230.2.1", Flatcar, false, "SYSEXT_LEVEL is 2.0, and the system's is 1.0")]
    [TestCase("ID=flatcar\nVERSION_ID=4230.2.1", Flatcar, true, "VERSION_ID 4230.2.1")]
    [TestCase("ID=flatcar\nSYSEXT_LEVEL=1.0", Debian, false, "ID is flatcar, and the system's is debian")]
    [TestCase("ID='_any'\nARCHITECTURE=arm64", Debian, false, "for arm64, and the system is x86-64")]
    [TestCase("ID=_any\nARCHITECTURE=_any", Debian, true, "_any")]
    [TestCase("ID=_any\nSYSEXT_SCOPE=\"initrd portable\"", Debian, false, "SYSEXT_SCOPE is initrd portable")]
    [TestCase("ID=\"\"", Debian, false, "no ID")]
    public void It_is_merged_or_not_and_why(string release, string host, bool merges, string reason)
    {
        var decision = MergeDecision.Of(Extension("tool.raw", ("tool", release)), ReleaseFile.Parse(host), "x86-64", 252);

        Assert.That((decision.Merges, decision.Reason), Is.EqualTo((merges, decision.Reason)));
        Assert.That(decision.Reason, Does.Contain(reason));
    }

    [TestCase("tool.raw", "tool", 252, true)]
    [TestCase("tool.raw", "other", 252, false)]
    [TestCase("tool-1.2-x86-64.raw", "tool", 252, true)]
    [TestCase("tool.sysext.raw", "tool", 255, false)]
    [TestCase("tool.sysext.raw", "tool.sysext", 255, true)]
    [TestCase("tool.sysext.raw", "tool", 257, true)]
    [TestCase("tool", "tool", 252, true)]
    public void The_release_file_has_the_name_that_this_systemd_looks_for(string file, string release, int systemd, bool merges)
    {
        var decision = MergeDecision.Of(Extension(file, (release, "ID=_any")), ReleaseFile.Parse(Debian), null, systemd);

        Assert.That(decision.Merges, Is.EqualTo(merges), decision.Reason);
    }

    [Test]
    public void A_single_release_file_of_another_name_does_where_it_says_so()
    {
        var entry = TreeEntry.File(ReleaseFile.Prefix + "other", TreeContent.Of("ID=_any")) with
        {
            Xattrs = System.Collections.Immutable.ImmutableSortedDictionary<string, System.Collections.Immutable.ImmutableArray<byte>>.Empty.Add("user.extension-release.strict", [(byte)'0']),
        };

        Assert.That(MergeDecision.Of(new Extension("tool.raw", FileTree.Empty.With(entry)), ReleaseFile.Parse(Debian), null, 252).Merges, Is.True);
    }

    [Test]
    public void One_with_an_os_release_is_never_merged()
    {
        var extension = Extension("tool.raw", ("tool", "ID=_any"));
        extension = extension with { Tree = extension.Tree.With(TreeEntry.File("usr/lib/os-release", TreeContent.Of("ID=debian"))) };

        Assert.That(MergeDecision.Of(extension, ReleaseFile.Parse(Debian), null, 257), Has.Property(nameof(MergeDecision.Merges)).False.And.Property(nameof(MergeDecision.Reason)).Contains("os-release"));
    }

    [TestCase("A=1", "1")]
    [TestCase("A=\"a b\"", "a b")]
    [TestCase("A='it \"is\"'", "it \"is\"")]
    [TestCase("A=\"say \\\"no\\\"\"", "say \"no\"")]
    [TestCase("#A=0\n A = x \nB", "x")]
    [TestCase("A=1\nA=2", "2")]
    [TestCase("A=", null)]
    public void Release_files_are_read_as_a_shell_would(string text, string? value) => Assert.That(ReleaseFile.Parse(text)["A"], Is.EqualTo(value));

    private static Extension Extension(string file, (string Name, string Text) release) => new(file, FileTree.Empty.With(TreeEntry.File(ReleaseFile.Prefix + release.Name, TreeContent.Of(release.Text))));
}
