using Crust.Sysexts;
using Crust.Sysexts.Checks;
using Crust.Sysexts.Conversion;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Tests.Sysexts.Conversion;

/// <summary>Whole roots with wrappers. That the wrappers do what they say is proven in a guest.</summary>
[CancelAfter(60_000)]
public sealed class FlatwrapTreeTests
{
    private static readonly FlatwrapMaps OwnEtc = new() { Etc = RootMap.Chroot, Var = RootMap.None };

    private static FileTree Root => RootSample.Root.With(TreeEntry.Folder("dev"), new TreeEntry("dev/null", EntryKind.CharacterDevice, TreeEntry.Readable) { Device = (1, 3) }, TreeEntry.Folder("var/empty"), TreeEntry.Folder("home/user"),
        TreeEntry.Folder("srv/empty"), RootSample.Text(".dockerenv", ""));

    [Test]
    public void The_root_is_kept_whole_but_for_what_programs_see_of_the_system()
    {
        var tree = FlatwrapTree.Build(Root, RootSample.Take("/usr/bin/tool", "/usr/bin/snake:/usr/bin/s"), OwnEtc);

        Assert.That(tree.Entries.Where(entry => entry.Path.StartsWith("usr/lib/tool/root/", StringComparison.Ordinal)).Select(entry => entry.Path[18..].Split('/')[0]).Distinct(),
            Is.EqualTo(new[] { "bin", "etc", "lib", "lib64", "opt", "srv", "usr" }));
        Assert.That((tree.Find("usr/lib/tool/root/srv/empty")?.Kind, tree.Find("usr/lib/tool/mnt")?.Kind, tree.Find("usr/lib/tool/root/lib")?.LinkTarget), Is.EqualTo((EntryKind.Folder, EntryKind.Folder, "usr/lib")));
        Assert.That(RootSample.TextOf(tree, "usr/bin/s"), Is.EqualTo("#!/bin/sh\nexec /usr/lib/tool/enter /usr/bin/snake \"$@\"\n"));
        Assert.That(tree.Find("usr/bin/s")!.Mode, Is.EqualTo(TreeEntry.Executable));
    }

    [Test]
    public void Each_folder_is_the_systems_own_or_the_roots_or_empty()
    {
        var host = RootSample.TextOf(FlatwrapTree.Build(Root, RootSample.Take("/usr/bin/tool"), new FlatwrapMaps()), "usr/lib/tool/enter");
        var own = RootSample.TextOf(FlatwrapTree.Build(Root, RootSample.Take("/usr/bin/tool"), OwnEtc with { Home = RootMap.Chroot }), "usr/lib/tool/enter");
        var var = FlatwrapTree.Build(Root, RootSample.Take("/usr/bin/tool"), new FlatwrapMaps { Var = RootMap.Chroot });

        Assert.That(host, Does.Contain("\n    host etc\n").And.Contain("\n    host var\n").And.Contain("\n    host home\n").And.Contain("--bind-try /etc /etc \\\n").And.Not.Contain("host var/tmp"));
        Assert.That(own, Does.Contain("\n    own etc\n").And.Contain("\n    mkdir \"$new/var\"\n").And.Contain("\n    own home\n").And.Contain("\n    host var/tmp\n").And.Contain("--ro-bind \"$here/root\"/etc /etc \\\n").And.Contain("--dir /var \\\n"));
        Assert.That(own.IndexOf("mkdir \"$new/var\"", StringComparison.Ordinal), Is.LessThan(own.IndexOf("host var/tmp", StringComparison.Ordinal)));
        Assert.That((var.Find("usr/lib/tool/root/var/tmp")?.Kind, var.Find("usr/lib/tool/root/etc")), Is.EqualTo((EntryKind.Folder, (TreeEntry?)null)));
    }

    [Test]
    public async Task Shells_understand_the_script()
    {
        var script = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(script, RootSample.TextOf(FlatwrapTree.Build(Root.With(TreeEntry.Folder("a 'b'"), TreeEntry.Symlink("odd", "a 'b'")), RootSample.Take("/usr/bin/tool"), OwnEtc), "usr/lib/tool/enter"));

            Assert.That(async () => await RootSample.Tools.RunAsync(ToolCommand.Of("dash", "-n", script), TestContext.CurrentContext.CancellationToken), Throws.Nothing);
        }
        finally
        {
            File.Delete(script);
        }
    }

    [Test]
    public void A_root_is_checked_as_a_system_of_its_own()
    {
        var release = RootSample.Text("usr/lib/extension-release.d/extension-release.tool", "ID=_any\nARCHITECTURE=x86-64\n");
        var musl = FileTree.Empty.With(RootSample.Elf("lib/ld-musl-x86_64.so.1"), RootSample.Elf("lib/libgreet.so", needed: ["libc.so"]), RootSample.Elf("usr/bin/greet", "/lib/ld-musl-x86_64.so.1", ["libgreet.so", "libc.so"]));
        var tree = FlatwrapTree.Build(musl, RootSample.Take("/usr/bin/greet"), new FlatwrapMaps()).With(release);

        Assert.That(SysextCheck.Check(new Extension("tool.raw", tree), SysextProfile.Any), Is.Empty);
        Assert.That(SysextCheck.Check(new Extension("tool.raw", tree.Without("usr/lib/tool/root/lib/libgreet.so")), SysextProfile.Any).Select(finding => (finding.Rule, finding.Path)), Is.EqualTo(new[] { ("library", "usr/lib/tool/root/usr/bin/greet") }));
    }

    [TestCase("/usr/bin/none", "There is no such program in the root")]
    [TestCase("/etc/tool:/usr/bin/tool", "The program is at /etc/tool, and programs see the system's own /etc in place of the root's")]
    [TestCase("/usr/bin/away", "The program is at /home/tool, and programs see the system's own /home in place of the root's")]
    [TestCase("/usr/bin/lacks", "/usr/bin/lacks needs libnone.so, which isn't in the root")]
    public void What_cannot_be_wrapped_is_said(string program, string what)
    {
        var root = Root.With(RootSample.Elf("etc/tool"), RootSample.Elf("home/tool"), TreeEntry.Symlink("usr/bin/away", "/home/tool"), RootSample.Elf("usr/bin/lacks", RootSample.Loader, ["libnone.so"]));

        Assert.That(() => FlatwrapTree.Build(root, RootSample.Take(program), new FlatwrapMaps()),
            Throws.TypeOf<CrustException>().With.Property(nameof(CrustException.What)).EqualTo(what).And.Property(nameof(CrustException.Where)).EqualTo($"--program {program.Split(':')[0]}"));
    }
}
