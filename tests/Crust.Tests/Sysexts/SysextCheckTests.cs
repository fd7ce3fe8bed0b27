using System.Collections.Immutable;
using Crust.Sysexts;
using Crust.Sysexts.Checks;
using Crust.Trees;

namespace Crust.Tests.Sysexts;

public sealed class SysextCheckTests
{
    private static readonly TreeEntry Release = Text("usr/lib/extension-release.d/extension-release.tool", "ID=_any\nARCHITECTURE=x86-64\n");

    private static readonly TreeEntry Program = TreeEntry.File("usr/bin/tool", TreeContent.Of("#!/bin/sh\n"), TreeEntry.Executable);

    [Test]
    public void An_extension_that_is_sound_has_no_findings() =>
        Assert.That(Check([Release, Program, Text("usr/lib/systemd/system/tool.service", "[Service]\nExecStart=/usr/bin/tool\nExecStartPre=-/usr/bin/none\nUser=root\n"),
            Text("usr/lib/systemd/system/multi-user.target.d/10-tool.conf", "[Unit]\nUpholds=tool.service\n")]), Is.Empty);

    private static IEnumerable<TestCaseData> Faults()
    {
        TestCaseData Fault(string rule, SysextSeverity severity, string path, params TreeEntry[] entries) => new TestCaseData(rule, severity, path, entries.Cast<object>().ToArray()).SetArgDisplayNames(rule, path);

        yield return Fault("release-name", SysextSeverity.Error, "usr/lib/extension-release.d/extension-release.tool", Program);
        yield return Fault("release-name", SysextSeverity.Error, "usr/lib/extension-release.d/extension-release.tool", Text("usr/lib/extension-release.d/extension-release.other", "ID=_any\n"));
        yield return Fault("release-id", SysextSeverity.Error, Release.Path, Release with { Content = TreeContent.Of("SYSEXT_LEVEL=1.0\n") });
        yield return Fault("os-release", SysextSeverity.Error, "usr/lib/os-release", Release, Text("usr/lib/os-release", "ID=debian\n"));
        yield return Fault("outside", SysextSeverity.Error, "srv", Release, TreeEntry.Folder("srv"));
        yield return Fault("sbin-folder", SysextSeverity.Warning, "usr/sbin", Release, TreeEntry.Folder("usr/sbin"));
        yield return Fault("whiteout", SysextSeverity.Error, "usr/bin/gone", Release, new TreeEntry("usr/bin/gone", EntryKind.CharacterDevice, 0));
        yield return Fault("whiteout", SysextSeverity.Error, "usr/bin/.wh.gone", Release, Text("usr/bin/.wh.gone", ""));
        yield return Fault("device", SysextSeverity.Error, "usr/null", Release, new TreeEntry("usr/null", EntryKind.CharacterDevice, 0) { Device = (1, 3) });
        yield return Fault("opaque", SysextSeverity.Error, "usr/lib/x", Release,
            TreeEntry.Folder("usr/lib/x") with { Xattrs = ImmutableSortedDictionary<string, ImmutableArray<byte>>.Empty.Add("trusted.overlay.opaque", [(byte)'y']) });
        yield return Fault("drop-in-name", SysextSeverity.Error, "usr/lib/systemd/system/multi-user.target.d/10-tool", Release, Text("usr/lib/systemd/system/multi-user.target.d/10-tool", "[Unit]\nUpholds=x\n"));
        yield return Fault("unit-program", SysextSeverity.Warning, "usr/lib/systemd/system/x.service", Release, Text("usr/lib/systemd/system/x.service", "[Service]\nExecStart=/usr/bin/nothing --flag\n"));
        yield return Fault("unit-program", SysextSeverity.Error, "usr/local/lib/systemd/system/x.service", Release, Program, Text("usr/local/lib/systemd/system/x.service", "[Service]\nExecStart=@/usr/sbin/tool tool\n"));
        yield return Fault("unit-user", SysextSeverity.Warning, "usr/lib/systemd/system/x.service", Release, Program, Text("usr/lib/systemd/system/x.service", "[Service]\nExecStart=/usr/bin/tool\nUser=consul\n"));
        yield return Fault("interpreter", SysextSeverity.Warning, "usr/bin/x", Release, TreeEntry.File("usr/bin/x", TreeContent.Of("#!/usr/bin/python3 -E\n"), TreeEntry.Executable));
        yield return Fault("interpreter", SysextSeverity.Error, "usr/bin/x", Release, Elf("usr/bin/x", interpreter: "/lib/ld-musl-x86_64.so.1"));
        yield return Fault("architecture", SysextSeverity.Error, "usr/bin/x", Release, Elf("usr/bin/x", machine: 183));
        yield return Fault("glibc", SysextSeverity.Warning, "usr/bin/x", Release, Elf("usr/bin/x", versions: ["GLIBC_2.38"]));
        yield return Fault("glibc", SysextSeverity.Error, "usr/bin/x", Release with { Content = TreeContent.Of("ID=debian\nVERSION_ID=12\n") }, Elf("usr/bin/x", versions: ["GLIBC_2.2.5", "GLIBC_2.38", "GLIBC_2.5"]));
        yield return Fault("limit", SysextSeverity.Error, "usr/" + new string('\u00e4', 128), Release, Text("usr/" + new string('\u00e4', 128), ""));
        yield return Fault("limit", SysextSeverity.Error, "usr/link", Release, TreeEntry.Symlink("usr/link", string.Concat(Enumerable.Repeat("a/", 2048))));
        yield return Fault("limit", SysextSeverity.Error, "usr/bin/tool", Release, Program with { Xattrs = ImmutableSortedDictionary<string, ImmutableArray<byte>>.Empty.Add("user.large", [.. new byte[(64 << 10) + 1]]) });
        yield return Fault("library", SysextSeverity.Warning, "usr/bin/x", Release, Elf("usr/bin/x", needed: ["libc.so.6", "libseccomp.so.2"]));
    }

    [TestCaseSource(nameof(Faults))]
    public void A_fault_is_found_where_it_is(string rule, SysextSeverity severity, string path, object[] entries)
    {
        var finding = Check(entries.Cast<TreeEntry>()).Single();

        Assert.That((finding.Rule, finding.Severity, finding.Path, finding.File), Is.EqualTo((rule, severity, path, "tool.raw")));
        Assert.That(finding.ToLine(), Does.Contain("Fix: "));
    }

    [Test]
    public void A_user_that_the_extension_makes_and_one_that_systemd_makes_are_none_to_warn_of() =>
        Assert.That(Check([Release, Program, Text("usr/lib/sysusers.d/tool.conf", "u consul - \"Consul\"\ng ops -\n"), Text("usr/lib/systemd/system/a.service", "[Service]\nExecStart=/usr/bin/tool\nUser=consul\nGroup=ops\n"),
            Text("usr/lib/systemd/system/b.service", "[Service]\nExecStart=/usr/bin/tool\nUser=other\nDynamicUser=yes\n")]), Is.Empty);

    [Test]
    public void A_path_of_a_merged_usr_is_found_below_usr() =>
        Assert.That(Check([Release, Program, Text("usr/lib/systemd/system/x.service", "[Service]\nExecStart=/bin/tool\n"), TreeEntry.File("usr/bin/x", TreeContent.Of("#!/bin/tool\n"), TreeEntry.Executable)]), Is.Empty);

    [TestCase("usr/lib/x86_64-linux-gnu/libseccomp.so.2", new string[0], true)]
    [TestCase("usr/lib/tool/libseccomp.so.2", new[] { "$ORIGIN/../lib/tool" }, true)]
    [TestCase("usr/lib/tool/libseccomp.so.2", new[] { "/usr/lib/tool" }, true)]
    [TestCase("usr/lib/tool/libseccomp.so.2", new string[0], false)]
    public void A_library_is_looked_for_where_the_loader_does(string library, string[] runpath, bool isFound) =>
        Assert.That(Check([Release, TreeEntry.File(library, TreeContent.Of("lib")), Elf("usr/bin/x", needed: ["libseccomp.so.2"], runpath: runpath)]), isFound ? Is.Empty : Has.Length.EqualTo(1));

    [TestCase("debian", "12", "GLIBC_2.36", true)]
    [TestCase("debian", "12", "GLIBC_2.37", false)]
    [TestCase("debian", "12", "GLIBC_ABI_DT_RELR", true)]
    [TestCase("debian", "11", "GLIBC_ABI_DT_RELR", false)]
    [TestCase("debian", "13", "GLIBC_2.41", true)]
    [TestCase("debian", "12", "GLIBC_PRIVATE", true)]
    [TestCase("debian", "12", "LIBSYSTEMD_255", true)]
    [TestCase("fedora", "12", "GLIBC_2.31", true)]
    public void A_program_runs_where_glibc_is_new_enough(string id, string release, string version, bool runs)
    {
        var host = ReleaseFile.Parse($"ID={id}\nVERSION_ID={release}\n");
        var extension = new Extension("tool.raw", FileTree.Empty.With(Release, Elf("usr/bin/x", versions: [version, "GLIBC_2.99"])));

        // The last of the versions may be missing.
        Assert.That(SysextCheck.Check(extension, SysextProfile.Any, host).Select(finding => (finding.Rule, finding.Severity)), runs ? Is.Empty : Is.EqualTo(new[] { ("glibc", SysextSeverity.Error) }));
    }

    [Test]
    public void A_program_with_its_own_loader_has_its_own_glibc() =>
        Assert.That(Check([Release, Elf("usr/bin/x", interpreter: "/usr/lib/tool/ld.so", versions: ["GLIBC_2.99"]), Text("usr/lib/tool/ld.so", "")]), Is.Empty);

    [TestCase(298, "It takes 299 bytes, and 298 bytes are free")]
    [TestCase(299, null)]
    public void What_does_not_fit_is_said(long free, string? said) =>
        Assert.That(SpaceRule.Check([new Extension("tool.raw", FileTree.Empty) { Length = 299 }], free).Select(finding => (finding.Severity, finding.What)), said is null ? Is.Empty : Is.EqualTo(new[] { (SysextSeverity.Error, said) }));

    [Test]
    public void Updates_need_room_for_three_versions_of_what_is_published()
    {
        Extension[] both = [new("a-1.0-x86-64.raw", FileTree.Empty) { Length = 1000 }, new("b.raw", FileTree.Empty) { Length = 50 }];

        Assert.That(SpaceRule.Check(both, 3050), Is.Empty);
        Assert.That(SpaceRule.Check(both, 3049).Single(), Has.Property(nameof(SysextFinding.Severity)).EqualTo(SysextSeverity.Warning).And.Property(nameof(SysextFinding.File)).EqualTo("a-1.0-x86-64.raw"));
        Assert.That(SpaceRule.Check(both, 1049).Single(), Has.Property(nameof(SysextFinding.Severity)).EqualTo(SysextSeverity.Error).And.Property(nameof(SysextFinding.What)).StartsWith("All 2 of them take 1.0 KiB"));
    }

    [Test]
    public void A_folder_in_place_of_sbin_is_an_error_on_Flatcar_and_none_on_Debian()
    {
        TreeEntry[] entries = [Release, TreeEntry.Folder("usr/sbin")];

        Assert.That(Check(entries, SysextProfile.Flatcar).Single().Severity, Is.EqualTo(SysextSeverity.Error));
        Assert.That(Check(entries, SysextProfile.Debian), Is.Empty);
    }

    [Test]
    public void Kairos_merges_fewer_folders_and_wants_both_names()
    {
        var findings = SysextCheck.Check(new Extension("tool.sysext.raw", FileTree.Empty.With(Release, TreeEntry.Folder("opt"), TreeEntry.Folder("usr/libexec"), TreeEntry.Folder("usr/local/bin"))), SysextProfile.Kairos);

        Assert.That(findings.Select(finding => (finding.Rule, finding.Path)), Is.EquivalentTo(new[]
        {
            ("release-name", "usr/lib/extension-release.d/extension-release.tool.sysext"), ("outside", "opt"), ("outside", "usr/libexec"),
        }));
    }

    [Test]
    public void Two_extensions_with_one_path_collide_and_with_one_folder_do_not()
    {
        var findings = SysextCheck.Collisions([new Extension("a.raw", FileTree.Empty.With(Program)), new Extension("b.raw", FileTree.Empty.With(Program, Text("usr/bin/other", "")))]);

        Assert.That(findings.Select(finding => (finding.Rule, finding.File, finding.Path)), Is.EqualTo(new[] { ("collision", "b.raw", "usr/bin/tool") }));
        Assert.That(findings[0].What, Does.Contain("a.raw"));
    }

    [Test]
    public void A_damaged_program_ends_no_check([Random(0, 400, 200)] int at, [Values(0, 1, 0x7f, 0xff)] byte value)
    {
        var bytes = Elf("usr/bin/x", interpreter: "/lib64/ld-linux-x86-64.so.2", needed: ["libseccomp.so.2"], runpath: ["$ORIGIN"]).Content.Read(0, 4096);
        bytes[Math.Min(at, bytes.Length - 1)] = value;

        Assert.That(() => Check([Release, TreeEntry.File("usr/bin/x", TreeContent.Of(bytes), TreeEntry.Executable)]), Throws.Nothing);
    }

    private static TreeEntry Text(string path, string text) => TreeEntry.File(path, TreeContent.Of(text));

    private static ImmutableArray<SysextFinding> Check(IEnumerable<TreeEntry> entries, SysextProfile profile = SysextProfile.Any) => SysextCheck.Check(new Extension("tool.raw", FileTree.Empty.With(entries)), profile);

    private static TreeEntry Elf(string path, ushort machine = 62, string? interpreter = null, string[]? needed = null, string[]? runpath = null, string[]? versions = null) =>
        TreeEntry.File(path, TreeContent.Of(SampleElf.Of(machine, interpreter, needed ?? [], runpath ?? [], versions)), TreeEntry.Executable);
}
