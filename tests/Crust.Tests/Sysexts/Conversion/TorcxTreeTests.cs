using Crust.Sysexts.Conversion;
using Crust.Trees;

namespace Crust.Tests.Sysexts.Conversion;

public sealed class TorcxTreeTests
{
    private const string Manifest = """
        {"kind":"image-manifest-v0","value":{"bin":["/bin/tool","/usr/sbin/toold","/opt/tool/helper"],"units":["/lib/systemd/system/tool.service","/lib/systemd/system/multi-user.target.wants","/etc/units/tool.socket"],
        "network":["/lib/systemd/network/50-tool.network"],"sysusers":["/share/tool/tool.conf"],"tmpfiles":["/lib/tmpfiles.d/tool.conf"],"udev_rules":["/lib/udev/rules.d/90-tool.rules"]}}
        """;

    private const string Unit = """
        [Unit]
        After=network.target torcx.target
        Requires=torcx.target

        [Service]
        EnvironmentFile=/run/metadata/torcx
        Environment=TORCX_IMAGEDIR=/tool
        ExecStart=/usr/bin/env PATH=${TORCX_BINDIR}:${PATH} ${TORCX_BINDIR}/toold

        """;

    private static FileTree Package => FileTree.Empty.With(
        RootSample.Text(".torcx/manifest.json", Manifest), RootSample.Elf("bin/tool"), RootSample.Elf("usr/sbin/toold"), RootSample.Elf("opt/tool/helper"), RootSample.Elf("lib/libtool.so.1"),
        RootSample.Text("lib/systemd/system/tool.service", Unit), TreeEntry.Symlink("lib/systemd/system/multi-user.target.wants/tool.service", "../tool.service"), RootSample.Text("etc/units/tool.socket", "[Socket]\n"),
        RootSample.Text("lib/systemd/network/50-tool.network", "[Match]\n"), RootSample.Text("share/tool/tool.conf", "u tool -\n"), RootSample.Text("lib/tmpfiles.d/tool.conf", "d /run/tool\n"), RootSample.Text("lib/udev/rules.d/90-tool.rules", "\n"));

    [Test]
    public void What_a_manifest_names_goes_to_where_systems_look_for_it()
    {
        var tree = TorcxTree.Build(Package.Without("share").With(RootSample.Text("usr/share/tool/tool.conf", "u tool -\n"), RootSample.Text(".torcx/manifest.json", Manifest.Replace("/share/", "/usr/share/"))), "tool", "tool.tgz");

        Assert.That(tree.Entries.Where(entry => entry.Kind is not EntryKind.Folder).Select(entry => entry.Path), Is.EqualTo(new[]
        {
            "opt/tool/helper", "usr/bin/helper", "usr/bin/tool", "usr/bin/toold", "usr/lib/libtool.so.1", "usr/lib/systemd/network/50-tool.network", "usr/lib/systemd/system/multi-user.target.d/10-tool-service.conf",
            "usr/lib/systemd/system/multi-user.target.wants/tool.service", "usr/lib/systemd/system/tool.service", "usr/lib/systemd/system/tool.socket", "usr/lib/sysusers.d/tool.conf", "usr/lib/tmpfiles.d/tool.conf",
            "usr/lib/udev/rules.d/90-tool.rules",
        }));
        Assert.That((tree.Find("usr/bin/helper")!.LinkTarget, RootSample.TextOf(tree, "usr/lib/systemd/system/multi-user.target.d/10-tool-service.conf")), Is.EqualTo(("/opt/tool/helper", "[Unit]\nUpholds=tool.service\n")));
    }

    [Test]
    public void Units_lose_what_ties_them_to_torcx_and_get_its_variables() =>
        Assert.That(RootSample.TextOf(TorcxTree.Build(Package, "tool", "tool.tgz"), "usr/lib/systemd/system/tool.service"), Is.EqualTo("""
            [Unit]
            After=network.target

            [Service]
            Environment=TORCX_BINDIR=/usr/bin TORCX_UNPACKDIR=/ TORCX_IMAGEDIR=
            ExecStart=/usr/bin/env PATH=${TORCX_BINDIR}:${PATH} ${TORCX_BINDIR}/toold

            """));

    [Test]
    public void A_unit_that_knows_nothing_of_torcx_stays_as_it_is() =>
        Assert.That(TorcxTree.WithoutTorcx("[Service]\nEnvironment=A=1\nExecStart=/usr/bin/x\n"), Is.EqualTo("[Service]\nEnvironment=A=1\nExecStart=/usr/bin/x\n"));

    [TestCase(null, "It is no torcx package: it has no .torcx/manifest.json")]
    [TestCase("{}", "The package's manifest can't be used: its kind isn't image-manifest-v0")]
    [TestCase("text", "The package's manifest can't be used: it isn't JSON with kind and value")]
    [TestCase("""{"kind":"image-manifest-v0"}""", "The package's manifest can't be used: it isn't JSON with kind and value")]
    [TestCase("""{"kind":"image-manifest-v0","value":{"bin":"/bin/tool"}}""", "The package's manifest can't be used: it isn't JSON with kind and value")]
    [TestCase("""{"kind":"image-manifest-v0","value":{"fonts":[]}}""", "The package's manifest can't be used: it has a list 'fonts', and those known are bin, network, sysusers, tmpfiles, udev_rules, units")]
    [TestCase("""{"kind":"image-manifest-v0","value":{"bin":["../etc/passwd"]}}""", "The package's manifest can't be used: '../etc/passwd' is no absolute path")]
    [TestCase("""{"kind":"image-manifest-v0","value":{"bin":["/bin/none"]}}""", "The manifest names /bin/none (bin), which isn't in the package")]
    [TestCase("""{"kind":"image-manifest-v0","value":{"bin":["/bin/tool","/opt/tool/tool"]}}""", "Two assets go to /usr/bin/tool: /bin/tool and /opt/tool/tool")]
    public void A_manifest_that_cannot_be_followed_is_said(string? manifest, string what)
    {
        var package = Package.With(RootSample.Elf("opt/tool/tool"));
        package = manifest is null ? package.Without(".torcx") : package.With(RootSample.Text(".torcx/manifest.json", manifest));

        Assert.That(() => TorcxTree.Build(package, "tool", "tool.tgz"),
            Throws.TypeOf<CrustException>().With.Property(nameof(CrustException.What)).EqualTo(what).And.Property(nameof(CrustException.Where)).StartsWith("tool.tgz").And.Property(nameof(CrustException.Kind)).EqualTo(FailureKind.BadInput));
    }

    [TestCase("store/docker:20.10.23.torcx.tgz", "docker", "20.10.23")]
    [TestCase("docker:com.coreos.cl.torcx.squashfs", "docker", null)]
    [TestCase("tool.tar.gz", "tool", null)]
    [TestCase("folder/", "folder", null)]
    public void A_packages_file_tells_its_name_and_version(string path, string name, string? version) => Assert.That(TorcxTree.NameOf(path), Is.EqualTo((name, version)));
}
