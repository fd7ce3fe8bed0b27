using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;
using Crust.Disks;
using Crust.Inspection.Evidence;
using Crust.Inspection.Packages;
using Crust.Machines;
using Crust.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Inspection;

[CancelAfter(60_000)]
public sealed class PackageDatabasesTests
{
    [Test]
    public void Of_dpkgs_packages_those_that_are_installed_are_told()
    {
        const string Status = """
            Package: libstdc++6
            Status: install ok installed
            Architecture: amd64
            Source: gcc-12 (12.2.0-14+deb12u1)
            Version: 12.2.0-14+deb12u1

            Package: gone
            Status: deinstall ok config-files
            Architecture: amd64
            Version: 1

            Package: held
            Status: hold ok installed
            Architecture: all
            Version: 1:2.0~rc1-3

            Package: half
            Status: install ok half-installed
            Architecture: all
            Version: 1

            """;

        Assert.That(Read("dpkg", Status), Is.EqualTo(new[]
        {
            new PackageFacts("deb", "held", "1:2.0~rc1-3", "all"),
            new PackageFacts("deb", "libstdc++6", "12.2.0-14+deb12u1", "amd64", "gcc-12"),
        }));
    }

    [Test]
    public void A_package_in_a_file_of_its_own_without_a_status_is_installed() =>
        Assert.That(Read("dpkg", "Package: base-files\nVersion: 12.4+deb12u5\nArchitecture: amd64\n\n\nPackage: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all"),
            Is.EqualTo(new[] { new PackageFacts("deb", "base-files", "12.4+deb12u5", "amd64"), new PackageFacts("deb", "tzdata", "2024a-0+deb12u1", "all") }));

    [Test]
    public void Apks_packages_are_told() =>
        Assert.That(Read("apk", "P:musl\nV:1.2.5-r0\nA:x86_64\no:musl\n\nP:libcrypto3\nV:3.3.1-r3\nA:x86_64\no:openssl\n\n"), Is.EqualTo(new[]
        {
            new PackageFacts("apk", "libcrypto3", "3.3.1-r3", "x86_64", "openssl"),
            new PackageFacts("apk", "musl", "1.2.5-r0", "x86_64"),
        }));

    [Test]
    public void Rpms_are_told_and_keys_of_signers_are_none() =>
        Assert.That(Read("rpm", "bash\t(none)\t5.2.26\t3.fc40\tx86_64\tbash-5.2.26-3.fc40.src.rpm\ngpg-pubkey\t(none)\ta15b79cc\t63d04c2c\t(none)\t(none)\nshadow-utils\t2\t4.15.1\t3.fc40\tx86_64\tshadow-utils-4.15.1-3.fc40.src.rpm\n"),
            Is.EqualTo(new[]
            {
                new PackageFacts("rpm", "bash", "5.2.26-3.fc40", "x86_64", "bash-5.2.26-3.fc40.src.rpm"),
                new PackageFacts("rpm", "shadow-utils", "4.15.1-3.fc40", "x86_64", "shadow-utils-4.15.1-3.fc40.src.rpm", "2"),
            }));

    [Test]
    public void What_comes_in_pieces_is_put_together()
    {
        var text = string.Concat(Enumerable.Range(0, 3000).Select(i => $"Package: p{i:0000}\nStatus: install ok installed\nArchitecture: all\nVersion: {i * 7919L % 1000003}.{Guid.NewGuid():N}\n\n"));
        var packed = Pack(text);
        Assert.That(packed, Has.Length.GreaterThan(45_000));
        var evidence = new DiskEvidence();
        foreach (var piece in packed.Chunk(39_000))
            evidence.Add(new GuestWord.Found("dpkg", "4.1", piece));

        Assert.That(PackageDatabases.Read(evidence, "4.1")!.Value, Has.Length.EqualTo(3000));
    }

    [Test]
    public void A_system_without_a_database_has_no_packages_that_are_known_and_one_with_an_empty_one_has_none()
    {
        Assert.That(EvidenceSample.Reference.Read().Systems[0].Packages, Is.Null);
        Assert.That(EvidenceSample.Reference.Read().Systems[0].PackageCount, Is.Null);
        Assert.That(Read("dpkg", ""), Is.Empty);
    }

    [TestCase("Package: \u001b[31mred\nVersion: 1\nArchitecture: all\n")]
    [TestCase("Package: a\nVersion: 1\u202e2\nArchitecture: all\n")]
    [TestCase("Package: a\nVersion: 1 2\nArchitecture: all\n")]
    [TestCase("Package: a/../../b\nVersion: 1\nArchitecture: all\n")]
    [TestCase("Package: a\nVersion: 1\nArchitecture: \"all\"\n")]
    [TestCase("Package: a\nVersion: 1\nArchitecture: all\nSource: <script>\n")]
    [TestCase("Package: a\nArchitecture: all\n")]
    [TestCase("Version: 1\n")]
    [TestCase("no line of this is one of a database\0\n\n:::\n")]
    public void What_is_no_package_is_left_out(string text) => Assert.That(Read("dpkg", text), Is.Empty);

    [Test]
    public void A_name_that_is_too_long_is_left_out() => Assert.That(Read("dpkg", $"Package: {new string('a', 5000)}\nVersion: 1\n"), Is.Empty);

    [Test]
    public void A_text_that_is_small_only_as_long_as_it_is_packed_is_cut() =>
        Assert.That(PackageDatabases.Unpack(Pack(new string('\n', 100 << 20))), Has.Length.InRange(32 << 20, (32 << 20) + (1 << 16)));

    [Test]
    public void What_is_not_packed_or_not_whole_is_nothing()
    {
        var whole = Pack(string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i * 7919}")));

        Assert.That(PackageDatabases.Unpack([1, 2, 3]), Is.Empty);
        Assert.That(PackageDatabases.Unpack([]), Is.Empty);
        Assert.That(() => PackageDatabases.Unpack(whole[..100]), Throws.Nothing);
    }

    [Test]
    public async Task Of_this_very_host_it_tells_what_dpkg_query_tells()
    {
        var tools = new ToolBox(HostEnvironment.Read().SearchPath, Logger.None);
        var asked = await tools.RunAsync(ToolCommand.Of("dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version} ${Architecture} ${source:Package}\n"), CancellationToken.None);
        var expected = asked.Output.Split('\n').Where(line => line.StartsWith("installed ", StringComparison.Ordinal)).Select(line => line["installed ".Length..]);

        var told = Read("dpkg", await File.ReadAllTextAsync("/var/lib/dpkg/status"));

        Assert.That(told.Select(package => $"{package.Name} {package.Version} {package.Arch} {(package.Source.Length > 0 ? package.Source : package.Name)}"), Is.EquivalentTo(expected));
    }

    private static ImmutableArray<PackageFacts> Read(string kind, string text) => EvidenceSample.Reference.With(kind, EvidenceSample.System, Pack(text)).Read().Systems[0].Packages!.Value;

    internal static byte[] Pack(string text)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return packed.ToArray();
    }
}
