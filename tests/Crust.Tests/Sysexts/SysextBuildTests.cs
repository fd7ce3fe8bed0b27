using System.Text;
using System.Text.Json.Nodes;
using Crust.Attestation;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;
using Crust.Sysexts.Checks;
using Crust.Tests.Cli;
using Crust.Tools;
using Crust.Trees;
using Serilog.Core;

namespace Crust.Tests.Sysexts;

/// <summary>Extensions as mksquashfs and the others write them, read back by their own tools. systemd itself merges one in the tests of machines.</summary>
[CancelAfter(120_000)]
public sealed class SysextBuildTests
{
    private static readonly ToolBox Tools = new(HostEnvironment.Read().SearchPath, Logger.None);

    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private static FileTree Sample => FileTree.Empty.With(
        TreeEntry.File("usr/bin/tool", TreeContent.Of("#!/bin/sh\necho tool\n"), TreeEntry.Executable),
        TreeEntry.File("usr/share/tool/a \"b\" \\c", TreeContent.Of("odd name")),
        TreeEntry.File("usr/share/tool/large", TreeContent.Of([.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * i >> 7))])),
        TreeEntry.Symlink("usr/bin/alias", "tool"),
        TreeEntry.File("opt/tool/empty", TreeContent.Empty));

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-sysext-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task What_was_built_is_what_is_read_and_twice_the_same_bytes([Values] SysextFormat format)
    {
        var plan = Plan with { Format = format, Epoch = 1_700_000_000 };

        var one = await BuildAsync(plan, Sample, "one");
        // What holds the time of its making holds another one now.
        var second = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        while (DateTimeOffset.UtcNow.ToUnixTimeSeconds() == second)
        {
            await Task.Delay(50, Cancellation);
        }

        var two = await BuildAsync(plan, Sample, "two");
        var read = await new SysextReader(Tools).ReadAsync(one.Path, _folder, Cancellation);

        Assert.That((two.Sha256, File.ReadAllBytes(one.Path).SequenceEqual(File.ReadAllBytes(two.Path))), Is.EqualTo((one.Sha256, true)));
        Assert.That(read.Tree.Without(ReleaseFile.Folder).Entries.Select(Facts), Is.EqualTo(Sample.With(TreeEntry.Folder("usr/lib")).Entries.Select(Facts)));
        Assert.That(Encoding.UTF8.GetString(read.Tree.Find(ReleaseFile.Prefix + "tool")!.Content.Read(0, 1000)), Is.EqualTo("ID=_any\nARCHITECTURE=x86-64\n"));
        Assert.That(SysextCheck.Check(read, SysextProfile.Any), Is.Empty);
    }

    [Test]
    public async Task What_file_systems_can_just_hold_is_kept_in_each_format([Values] SysextFormat format)
    {
        var random = new Random(1);
        byte[] Bytes(int length)
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            return bytes;
        }

        var tree = FileTree.Empty.With(
        [
            TreeEntry.File("usr/share/" + new string('n', format is SysextFormat.Erofs ? 254 : 255), TreeContent.Of("a long name")),
            TreeEntry.Symlink("usr/share/link", string.Concat(Enumerable.Repeat("a/", 2047)) + "b"),
            TreeEntry.File("usr/share/" + string.Concat(Enumerable.Repeat(new string('d', 99) + "/", 30)) + "deep", TreeContent.Empty),
            TreeEntry.File("usr/share/incompressible", TreeContent.Of(Bytes(8_000_001))),
            .. Enumerable.Range(0, 3000).Select(i => TreeEntry.File($"usr/share/many/{i}-{new string('m', 240)}", TreeContent.Of(Bytes(i % 5 * 1000)))),
            .. Enumerable.Range(0, 300).Select(i => TreeEntry.Symlink($"usr/share/links/{i}", new string('t', 200))),
        ]);

        var built = await BuildAsync(Plan with { Format = format }, tree, "out");
        var read = await new SysextReader(Tools).ReadAsync(built.Path, _folder, Cancellation);

        Assert.That(read.Tree.Without(ReleaseFile.Folder).Entries.Select(Facts), Is.EqualTo(tree.With(TreeEntry.Folder("usr/lib")).Entries.Select(Facts)));
        Assert.That(read.Length, Is.EqualTo(new FileInfo(built.Path).Length));
    }

    [Test]
    public void A_name_that_EROFS_tools_do_not_take_is_said() =>
        Assert.That(() => BuildAsync(Plan with { Format = SysextFormat.Erofs }, Sample.With(TreeEntry.File("usr/" + new string('n', 255), TreeContent.Empty)), "out"),
            Throws.TypeOf<CrustException>().With.Property(nameof(CrustException.Where)).EqualTo("--format erofs").And.Property(nameof(CrustException.Kind)).EqualTo(FailureKind.BadInput));

    [Test]
    public async Task Owners_and_hard_links_are_kept_in_a_squashfs()
    {
        var content = TreeContent.Of("twice");
        var tree = Sample.With(TreeEntry.File("usr/share/x", content) with { Uid = 1234, Gid = 5 }, TreeEntry.File("usr/share/y", content) with { Uid = 1234, Gid = 5 });

        var read = await new SysextReader(Tools).ReadAsync((await BuildAsync(Plan, tree, "out")).Path, _folder, Cancellation);

        Assert.That((read.Tree.Find("usr/share/y")!.Uid, read.Tree.Find("usr/share/y")!.Gid), Is.EqualTo((1234, 5)));
        Assert.That(read.Tree.Find("usr/share/x")!.Content, Is.SameAs(read.Tree.Find("usr/share/y")!.Content));
    }

    [Test]
    public async Task A_ddi_has_partitions_that_systemd_finds_and_a_signature_that_openssl_verifies([Values] Arch arch)
    {
        var (key, certificate) = (Path.Combine(_folder, "key.pem"), Path.Combine(_folder, "cert.pem"));
        await Tools.RunAsync(ToolCommand.Of("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=sysexts", "-keyout", key, "-out", certificate), Cancellation);
        var plan = Plan with { Format = SysextFormat.Ddi, Arch = arch, Signer = (key, certificate) };

        var (one, two) = (await BuildAsync(plan, Sample, "one"), await BuildAsync(plan, Sample, "two"));
        var table = JsonNode.Parse((await Tools.RunAsync(ToolCommand.Of("sfdisk", "--json", one.Path), Cancellation)).Output)!["partitiontable"]!["partitions"]!.AsArray();
        var verified = await Tools.RunAsync(ToolCommand.Of("sfdisk", "--verify", one.Path), Cancellation);

        // util-linux has the names of the specification's types.
        Assert.That(two.Sha256, Is.EqualTo(one.Sha256));
        Assert.That(verified.Output + verified.Error, Does.Contain("No errors detected"));
        var machine = SysextFile.ArchName(arch);
        Assert.That(table.Select(part => (string?)part!["name"]), Is.EqualTo(new[] { $"root-{machine}", $"root-{machine}-verity", $"root-{machine}-verity-sig" }));
        Assert.That(table.Select(part => (string?)part!["attrs"]), Is.All.EqualTo("GUID:60"));
        var listed = (await Tools.RunAsync(ToolCommand.Of("sfdisk", "--list", one.Path), Cancellation)).Output;
        Assert.That(listed, Does.Match(arch is Arch.Amd64 ? @"Linux root \(x86-64\)[\s\S]*root verity \(x86-64\)[\s\S]*verity sign\. \(x86-64\)" : @"Linux root \(ARM-64\)[\s\S]*root verity \(ARM-64\)[\s\S]*verity sign\. \(ARM-64\)"));

        var parts = table.Select(part => File.ReadAllBytes(one.Path).AsSpan((int)part!["start"]! * 512, (int)part["size"]! * 512).ToArray()).ToList();
        var document = JsonNode.Parse(Encoding.UTF8.GetString(parts[2]).TrimEnd('\0'))!;
        var ids = string.Concat(table.Take(2).Select(part => ((string)part!["uuid"]!).Replace("-", ""))).ToLowerInvariant();
        Assert.That((string?)document["rootHash"], Is.EqualTo(ids));
        var (data, hashes, text, signature) = (Path.Combine(_folder, "data"), Path.Combine(_folder, "hashes"), Path.Combine(_folder, "text"), Path.Combine(_folder, "p7s"));
        File.WriteAllBytes(data, parts[0]);
        File.WriteAllBytes(hashes, parts[1]);
        File.WriteAllText(text, ids);
        File.WriteAllBytes(signature, Convert.FromBase64String((string)document["signature"]!));
        await Tools.RunAsync(ToolCommand.Of("veritysetup", "verify", data, hashes, ids), Cancellation);
        await Tools.RunAsync(ToolCommand.Of("openssl", "smime", "-verify", "-binary", "-inform", "der", "-in", signature, "-content", text, "-certfile", certificate, "-CAfile", certificate, "-purpose", "any", "-out", "/dev/null"), Cancellation);
        var fingerprint = (await Tools.RunAsync(ToolCommand.Of("openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"), Cancellation)).Output;
        Assert.That((string?)document["certificateFingerprint"], Is.EqualTo(fingerprint.Split('=')[1].Trim().Replace(":", "").ToLowerInvariant()));
    }

    [Test]
    public async Task A_ddi_without_a_key_has_no_signature_partition()
    {
        var built = await BuildAsync(Plan with { Format = SysextFormat.Ddi }, Sample, "out");

        using var file = File.OpenHandle(built.Path);
        Assert.That(Crust.Disks.PartitionTable.Read(file).Partitions, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Keys_that_cannot_sign_are_bad_input()
    {
        var (key, encrypted, certificate, other) = (Path.Combine(_folder, "key.pem"), Path.Combine(_folder, "encrypted.pem"), Path.Combine(_folder, "cert.pem"), Path.Combine(_folder, "other.pem"));
        await Tools.RunAsync(ToolCommand.Of("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=sysexts", "-keyout", key, "-out", certificate), Cancellation);
        await Tools.RunAsync(ToolCommand.Of("openssl", "rsa", "-aes128", "-passout", "pass:secret", "-in", key, "-out", encrypted), Cancellation);
        await Tools.RunAsync(ToolCommand.Of("openssl", "genrsa", "-out", other, "2048"), Cancellation);

        foreach (var (file, of) in new[] { (encrypted, certificate), (other, certificate), (key, key), (Path.Combine(_folder, "none"), certificate) })
        {
            Assert.That(() => BuildAsync(Plan with { Format = SysextFormat.Ddi, Signer = (file, of) }, Sample, "out"),
                Throws.TypeOf<CrustException>().With.Property(nameof(CrustException.Kind)).EqualTo(FailureKind.BadInput), $"{file} {of}");
        }

        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(_folder, "out")), Is.Empty);
    }

    [Test]
    public void What_a_folder_cannot_hold_without_root_is_said([Values(SysextFormat.Erofs, SysextFormat.Ext4)] SysextFormat format) =>
        Assert.That(() => BuildAsync(Plan with { Format = format }, Sample.With(TreeEntry.File("usr/x", TreeContent.Empty) with { Uid = 7 }), "out"),
            Throws.TypeOf<CrustException>().With.Message.Contains("usr/x belongs to 7:0").And.Message.Contains("--format squashfs"));

    [Test]
    public void A_tree_with_an_error_is_not_built_and_leaves_nothing()
    {
        Assert.That(() => BuildAsync(Plan, Sample.With(TreeEntry.File("etc/x", TreeContent.Empty)), "out"),
            Throws.TypeOf<CrustException>().With.Property(nameof(CrustException.Where)).EqualTo("tool: etc (outside)").And.Property(nameof(CrustException.Kind)).EqualTo(FailureKind.BadInput));
        Assert.That(Directory.Exists(Path.Combine(_folder, "out")), Is.False);
    }

    [TestCase(SysextProfile.Any, null, null, null, "ID=_any")]
    [TestCase(SysextProfile.Flatcar, null, null, null, "ID=flatcar\nSYSEXT_LEVEL=1.0")]
    [TestCase(SysextProfile.Any, "flatcar", "2.0", null, "ID=flatcar\nSYSEXT_LEVEL=2.0")]
    [TestCase(SysextProfile.Debian, null, null, "12", "ID=debian\nVERSION_ID=12")]
    [TestCase(SysextProfile.Flatcar, "_any", null, null, "ID=_any")]
    [TestCase(SysextProfile.Kairos, null, null, null, "ID=_any")]
    public void The_release_file_says_what_systemd_compares(SysextProfile profile, string? os, string? level, string? version, string release)
    {
        var plan = (Plan with { Profile = profile, Level = level, OsVersion = version }).For(os);

        Assert.That(ReleaseFile.Compose(plan), Is.EqualTo(release + "\nARCHITECTURE=x86-64\n"));
        Assert.That(ReleaseFile.Compose(plan with { Reload = true, Arch = Arch.Arm64 }), Is.EqualTo(release + "\nARCHITECTURE=arm64\nEXTENSION_RELOAD_MANAGER=1\n"));
    }

    [TestCase("tool", null, "_any", "1.0", null, "--level")]
    [TestCase("tool", null, "_any", null, "12", "--os-version")]
    [TestCase("tool", null, "debian", "1.0", null, "--os debian")]
    [TestCase("tool", null, "fedora", null, null, "--os fedora")]
    [TestCase("tool", null, "de bian", "1", null, "--os")]
    [TestCase("tool", null, "flatcar", "1\n0", null, "--level")]
    [TestCase("a/b", null, null, null, null, "a/b")]
    [TestCase("tool.raw", null, null, null, null, "tool.raw")]
    [TestCase("", null, null, null, null, "")]
    [TestCase("tool", "latest", null, null, null, "tool@latest")]
    [TestCase("tool", "1/2", null, null, null, "tool@1/2")]
    public void What_no_system_would_merge_is_bad_input(string name, string? version, string? os, string? level, string? osVersion, string where) =>
        Assert.That(() => (Plan with { Name = name, Version = version, Level = level, OsVersion = osVersion }).For(os),
            Throws.TypeOf<CrustException>().With.Property(nameof(CrustException.Kind)).EqualTo(FailureKind.BadInput).And.Property(nameof(CrustException.Where)).EqualTo(where));

    [Test]
    public async Task For_Kairos_it_has_both_names_that_systemds_look_for()
    {
        var built = await BuildAsync(Plan with { Profile = SysextProfile.Kairos, Version = "1.2" }, Sample.Without("opt"), "out");

        var read = await new SysextReader(Tools).ReadAsync(built.Path, _folder, Cancellation);

        Assert.That(Path.GetFileName(built.Path), Is.EqualTo("tool-1.2-x86-64.sysext.raw"));
        Assert.That(read.Releases.Select(entry => entry.Name), Is.EqualTo(new[] { "extension-release.tool", "extension-release.tool.sysext" }));
        Assert.That(SysextCheck.Check(read, SysextProfile.Kairos), Is.Empty);
    }

    [Test]
    public async Task The_commands_build_from_a_folder_and_an_archive_and_check_what_they_built()
    {
        var (folder, tar, output) = (Path.Combine(_folder, "tool"), Path.Combine(_folder, "tool.tar"), Path.Combine(_folder, "out"));
        Directory.CreateDirectory(folder);
        await Sample.WriteFolderAsync(folder, 0, Cancellation);
        await using (var file = File.Create(tar))
        {
            await Sample.WriteTarAsync(file, 0, Cancellation);
        }

        var fromFolder = await CommandLineRun.OfAsync("sysext", "build", folder, "--output", output, "--os", "debian", "--os-version", "12", "--epoch", "5");
        var first = File.ReadAllBytes(Path.Combine(output, "tool.raw"));
        var fromTar = await CommandLineRun.OfAsync("sysext", "build", tar, "--output", output, "--os", "debian", "--os-version", "12", "--epoch", "5");
        var host = Path.Combine(_folder, "os-release");
        File.WriteAllText(host, "ID=debian\nVERSION_ID=\"13\"\n");
        var merged = await CommandLineRun.OfAsync("sysext", "check", Path.Combine(output, "tool.raw"));
        var refused = await CommandLineRun.OfAsync("sysext", "check", Path.Combine(output, "tool.raw"), "--host", host);

        var small = await CommandLineRun.OfAsync("sysext", "check", Path.Combine(output, "tool.raw"), "--space", "1K");
        var odd = await CommandLineRun.OfAsync("sysext", "check", Path.Combine(output, "tool.raw"), "--space", "much");

        Assert.That((small.Code, small.Output), Is.EqualTo((2, small.Output)));
        Assert.That(small.Output, Does.Match(@"^error: tool\.raw: /: It takes [0-9.]+ KiB, and 1\.0 KiB are free \(space\)"));
        Assert.That((odd.Code, odd.Error), Is.EqualTo((2, odd.Error)));
        Assert.That(odd.Error, Does.Contain("--space").And.Contain("to do: "));
        Assert.That((fromFolder.Code, fromFolder.Error, fromTar.Code), Is.EqualTo((0, "", 0)));
        Assert.That((fromTar.Output, File.ReadAllBytes(Path.Combine(output, "tool.raw")).SequenceEqual(first)), Is.EqualTo((fromFolder.Output, true)));
        Assert.That((merged.Code, merged.Output), Is.EqualTo((0, "nothing is wrong\n")));
        Assert.That((refused.Code, refused.Output), Is.EqualTo((2, "tool.raw isn't merged: its VERSION_ID is 12, and the system's is 13\n")));
    }

    [Test]
    public async Task Bad_input_is_said_in_plain_words()
    {
        var (text, cut) = (Path.Combine(_folder, "text.raw"), Path.Combine(_folder, "cut.raw"));
        File.WriteAllText(text, "no image");
        var whole = (await BuildAsync(Plan, Sample, "out")).Path;
        File.WriteAllBytes(cut, File.ReadAllBytes(whole)[..4096]);

        foreach (var (args, what) in new (string[], string)[]
        {
            (["check", text], "It is no image of a system extension"),
            (["check", cut], "The image can't be read"),
            (["check", Path.Combine(_folder, "none.raw")], "doesn't exist"),
            (["check", whole, "--systemd", "200"], "The rules of systemd 200 aren't known"),
            (["build", text, "--name", "text"], "The archive can't be taken"),
            (["build", Path.Combine(_folder, "none")], "doesn't exist"),
            (["build", _folder, "--epoch", "-1"], "is no time"),
            (["build", _folder, "--key", whole], "has no place for a signature"),
            (["build", _folder, "--format", "ddi", "--key", whole], "a key and its certificate"),
        })
        {
            var run = await CommandLineRun.OfAsync(["sysext", .. args]);

            Assert.That((run.Code, run.Output), Is.EqualTo((2, "")), run.Error);
            Assert.That(run.Error, Does.Contain(what).And.Contain("to do: ").And.Not.Contain("   at "));
        }
    }

    private static SysextPlan Plan => new() { Name = "tool" };

    private static object Facts(TreeEntry entry) => (entry.Path, entry.Kind, entry.Mode, entry.Uid, entry.Gid, entry.LinkTarget, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(entry.Content.Read(0, 1 << 20))));

    private Task<BuiltSysext> BuildAsync(SysextPlan plan, FileTree tree, string folder) => BuildAsync(plan, new SysextContent(tree, []), folder, new SignSpec());

    private Task<BuiltSysext> BuildAsync(SysextPlan plan, SysextContent content, string folder, SignSpec sign) =>
        new SysextBuilder(Tools, new SysextAttestor(new Signer(Tools, new Folders { Images = _folder, Cache = Path.Combine(_folder, "cache"), Runtime = _folder, Builder = "" }), TimeProvider.System), TimeProvider.System)
            .BuildAsync(plan, content, sign, Path.Combine(_folder, folder), Cancellation);
}
