using System.Collections.Immutable;
using Crust.Sysexts;
using Crust.Sysexts.Checks;
using Crust.Sysexts.Images;
using Crust.Trees;

namespace Crust.Tests.Machine.Sysexts;

// What Crust says of a merge against what systemd does, for extensions that fit and such as don't.
public sealed partial class GuestExtensionTests
{
    private const string CandidateScript = """
        decide() {
            for file in $2; do
                ln -s /ext/candidates/$file /run/extensions/$file
                systemd-sysext merge >/run/said 2>&1 || true
                echo "candidate: $1 $file $([ -e /usr/share/candidate ] && echo merged || echo refused): $(tr '\n' ' ' </run/said)"
                [ ! -e /usr/share/candidate ] || systemd-sysext unmerge
                rm /run/extensions/$file
            done
        }
        decide own "$(ls /ext/candidates)"
        ln -s /ext/candidates/any.raw /ext/candidates/none.raw /ext/candidates/other-id.raw /run/extensions
        systemd-sysext merge 2>&1 | sed 's/^/merge of all: /'
        echo "all: $([ -e /usr/share/candidate ] && echo merged || echo refused)"
        rm /run/extensions/none.raw
        systemd-sysext merge 2>&1 | sed 's/^/merge without none: /'
        echo "all: $([ -e /usr/share/candidate ] && echo merged || echo refused)"
        systemd-sysext unmerge
        rm /run/extensions/*
        for host in /ext/hosts/*; do
            rm /etc/os-release
            cp $host /etc/os-release
            decide $(basename $host) "any.raw older.raw newer.raw level.raw other-level.raw level-and-version.raw bare.raw"
        done
        rm /etc/os-release
        ln -s ../usr/lib/os-release /etc/os-release
        """;

    // Beside the guests' own, which has no SYSEXT_LEVEL.
    private static readonly Dictionary<string, string> Hosts = new()
    {
        ["leveled"] = "ID=debian\nVERSION_ID=12\nSYSEXT_LEVEL=1.0\n",
        ["rolling"] = "ID=debian\n",
    };

    private static readonly Dictionary<string, string?> Candidates = new()
    {
        ["any.raw"] = "ID=_any",
        ["older.raw"] = "ID=debian\nVERSION_ID=12",
        ["newer.raw"] = "ID=debian\nVERSION_ID=13",
        ["level.raw"] = "ID=debian\nSYSEXT_LEVEL=1.0",
        ["other-level.raw"] = "ID=debian\nSYSEXT_LEVEL=2.0",
        ["level-and-version.raw"] = "ID=debian\nSYSEXT_LEVEL=2.0\nVERSION_ID=12",
        ["bare.raw"] = "ID=debian",
        ["other-id.raw"] = "ID=fedora\nVERSION_ID=12",
        ["no-id.raw"] = "VERSION_ID=12",
        ["other-arch.raw"] = "ID=_any\nARCHITECTURE=arm64",
        ["own-arch.raw"] = "ID=_any\nARCHITECTURE=x86-64",
        ["any-arch.raw"] = "ID=_any\nARCHITECTURE=_any",
        ["other-scope.raw"] = "ID=_any\nSYSEXT_SCOPE=initrd portable",
        ["both-scopes.raw"] = "ID=_any\nSYSEXT_SCOPE=initrd system",
        ["none.raw"] = null,
        ["other-name.raw"] = "ID=_any",
        ["lenient.raw"] = "ID=_any",
        ["system.raw"] = "ID=_any",
        ["two.sysext.raw"] = "ID=_any",
    };

    private async Task BuildCandidatesAsync()
    {
        var scratch = Directory.CreateDirectory(Path.Combine(_crust.Folder, "candidates")).FullName;
        Directory.CreateDirectory(Path.Combine(Disk, "candidates"));
        Directory.CreateDirectory(Path.Combine(Disk, "hosts"));
        foreach (var (name, text) in Hosts)
        {
            await File.WriteAllTextAsync(Path.Combine(Disk, "hosts", name), text, Cancellation);
        }

        foreach (var (file, release) in Candidates)
        {
            var tree = FileTree.Empty.With(TreeEntry.File("usr/share/candidate", TreeContent.Of(file)));
            var name = file is "other-name.raw" or "lenient.raw" ? "another" : file.Split('.')[0];
            tree = release is null ? tree : tree.With(TreeEntry.File(ReleaseFile.Prefix + name, TreeContent.Of(release)) with
            {
                Xattrs = file == "lenient.raw" ? ImmutableSortedDictionary<string, ImmutableArray<byte>>.Empty.Add("user.extension-release.strict", [(byte)'0']) : ImmutableSortedDictionary<string, ImmutableArray<byte>>.Empty,
            });
            tree = file == "system.raw" ? tree.With(TreeEntry.File("usr/lib/os-release", TreeContent.Of("ID=debian\nVERSION_ID=12\n"))) : tree;
            await new SquashfsImage(Host.Tools).WriteAsync(new SysextPlan { Name = name }, tree, Path.Combine(Disk, "candidates", file), scratch, Cancellation);
        }
    }

    [Test]
    public async Task What_is_said_of_a_merge_is_what_systemd_does([Values(Bookworm, Trixie)] string suite)
    {
        var hosts = Hosts.ToDictionary(host => host.Key, host => ReleaseFile.Parse(host.Value));
        hosts["own"] = HostOf(suite);
        var done = Said(suite, "candidate").Select(line => line.Split(' ', 4)).ToList();
        var wrong = new List<string>();
        foreach (var words in done)
        {
            // squashfs-tools 4.5 tells no attributes; what was written is what is judged.
            var (host, file, fate) = (hosts[words[0]], words[1], words[2].TrimEnd(':'));
            var extension = await ReadAsync(Path.Combine(Disk, "candidates", file));
            extension = file == "lenient.raw" ? extension with { Tree = Lenient(extension.Tree) } : extension;
            var decision = MergeDecision.Of(extension, host, "x86-64", Systemds[suite]);
            if (decision.Merges != (fate == "merged"))
            {
                wrong.Add($"{string.Join(' ', words)}; Crust: {decision.Reason}");
            }
        }

        Assert.That(wrong, Is.Empty);
        Assert.That(done, Has.Count.EqualTo(Candidates.Count + (Hosts.Count * 7)));
        Assert.That(done.Select(words => words[2]).Distinct(), Has.Exactly(2).Items);
    }

    [Test]
    public void One_extension_without_a_release_file_keeps_the_others_out_and_one_for_another_system_does_not([Values(Bookworm, Trixie)] string suite) =>
        Assert.That(Said(suite, "all"), Is.EqualTo(new[] { "refused", "merged" }));

    private static FileTree Lenient(FileTree tree) => tree.With(tree.Find(ReleaseFile.Prefix + "another")! with
    {
        Xattrs = ImmutableSortedDictionary<string, ImmutableArray<byte>>.Empty.Add("user.extension-release.strict", [(byte)'0']),
    });
}
