using Crust.Layers;
using Crust.Sysexts.Conversion;
using Crust.Sysexts.Sources;
using Crust.Trees;

namespace Crust.Tests.Sysexts.Conversion;

public sealed class TakenFilesTests
{
    private const string Unit = """
        [Service]
        ExecStartPre=-/sbin/tool -t
        ExecStart=/usr/sbin/tool -g 'x /usr/sbin/tool'
        ExecStop=/usr/sbin/tool-stop

        [Install]
        WantedBy=multi-user.target network.target
        RequiredBy=../evil.target

        """;

    private static readonly FileTree Root = RootSample.Root.With(
        RootSample.Text("usr/lib/systemd/system/tool.service", Unit), RootSample.Text("usr/lib/systemd/system/tool.service.d/limits.conf", "[Service]\nLimitNOFILE=1\n"),
        RootSample.Text("usr/lib/systemd/system/tool@.service", Unit),
        RootSample.Text("etc/tool/tool.conf", "conf"), TreeEntry.Folder("var/lib/tool"), RootSample.Text("usr/share/tool/data", "data"), TreeEntry.Symlink("usr/share/alias", "tool"));

    [Test]
    public void A_unit_starts_with_the_targets_that_it_names_and_finds_its_program_where_that_went()
    {
        var tree = TakenFiles.Of(Root, [ProgramWish.Parse("/usr/sbin/tool:/usr/bin/tool")], ["tool.service", "/usr/lib/systemd/system/tool@.service"], [], "tool");

        Assert.That(Files(tree), Is.EqualTo(new[]
        {
            "usr/lib/systemd/system/multi-user.target.d/10-tool-service.conf", "usr/lib/systemd/system/network.target.d/10-tool-service.conf", "usr/lib/systemd/system/tool.service",
            "usr/lib/systemd/system/tool.service.d/limits.conf", "usr/lib/systemd/system/tool@.service",
        }));
        Assert.That(RootSample.TextOf(tree, "usr/lib/systemd/system/multi-user.target.d/10-tool-service.conf"), Is.EqualTo("[Unit]\nUpholds=tool.service\n"));
        Assert.That(RootSample.TextOf(tree, "usr/lib/systemd/system/tool.service"), Does.StartWith("[Service]\nExecStartPre=-/usr/bin/tool -t\nExecStart=/usr/bin/tool -g 'x /usr/sbin/tool'\nExecStop=/usr/sbin/tool-stop\n"));
    }

    [Test]
    public void Folders_come_whole_links_with_what_they_lead_to_and_configuration_by_tmpfiles()
    {
        var tree = TakenFiles.Of(Root, [], [], ["/usr/share/alias", "/etc/tool", "/var/lib/tool/"], "tool");

        Assert.That(Files(tree), Is.EqualTo(new[] { "usr/lib/tmpfiles.d/tool-extension.conf", "usr/share/alias", "usr/share/factory/etc/tool/tool.conf", "usr/share/tool/data" }));
        Assert.That(RootSample.TextOf(tree, "usr/lib/tmpfiles.d/tool-extension.conf"), Does.Contain("C \"/etc/tool/tool.conf\" - - - -\n").And.Contain("d \"/var/lib/tool\" 0755 0 0 -\n"));
    }

    [Test]
    public void A_root_without_paths_is_what_an_extension_may_have_of_it_and_says_of_itself_nothing()
    {
        var root = Root.With(RootSample.Text("usr/lib/os-release", "ID=debian\n"), RootSample.Text("usr/lib/extension-release.d/extension-release.other", "ID=_any\n"), RootSample.Text("srv/data", "data"));

        var (whole, part) = (RootfsTree.Build(root, [], "tool"), RootfsTree.Build(root, ["/bin/static"], "tool"));

        Assert.That(Files(whole), Does.Contain("usr/bin/tool").And.Contain("opt/deep/libdeep.so.1").And.No.Member("usr/lib/os-release").And.No.Member("srv/data").And.No.Member("usr/share/factory/etc/tool/tool.conf"));
        Assert.That(whole.Find("usr/lib/extension-release.d"), Is.Null);
        Assert.That(Files(part), Is.EqualTo(new[] { "usr/bin/static" }));
    }

    [Test]
    public void A_command_runs_in_the_environment_of_the_image()
    {
        var root = new SystemRoot(FileTree.Empty) { Environment = ["PATH=/go/bin:/bin", "NOTE=it's", "BAD NAME=x", "no-value"], WorkingFolder = "/my work" };

        Assert.That(RootCommand.Script(root, "echo 'a b' >x"), Is.EqualTo("""
            #!/bin/sh
            export PATH='/go/bin:/bin'
            export NOTE='it'\''s'
            cd '/my work' || exit
            exec /bin/sh -c 'echo '\''a b'\'' >x'

            """));
    }

    private static IEnumerable<string> Files(FileTree tree) => tree.Entries.Where(entry => entry.Kind is not EntryKind.Folder).Select(entry => entry.Path);
}
