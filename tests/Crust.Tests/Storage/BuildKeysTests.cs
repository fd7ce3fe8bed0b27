using System.Collections.Immutable;
using Crust.Planning;
using Crust.Seeds;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Seeds;

namespace Crust.Tests.Storage;

public sealed class BuildKeysTests
{
    private static readonly byte[] Mine = [.. Enumerable.Repeat((byte)1, 32)];
    private static readonly byte[] Others = [.. Enumerable.Repeat((byte)2, 32)];

    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    /// <summary>Ways by which a password gets into a build.</summary>
    private static IEnumerable<TestCaseData> Ways =>
    [
        Way("ssh", (_, password) => new BuildSpec { Seed = new SeedSpec { Ssh = new SshSpec { User = "edge", Password = new Secret(password) } } }),
        Way("token", (_, password) => new BuildSpec { Seed = new SeedSpec { Palette = new PaletteSpec { EdgeHostToken = new Secret(password) } } }),
        Way("variable", (sample, password) => new BuildSpec
        {
            Seed = new SeedSpec { Substitute = true, Variables = new Dictionary<string, string> { ["ANY"] = password }.ToImmutableDictionary(), UserData = [sample.Write("u", "#cloud-config\nruncmd: ['/bin/x ${ANY}']\n")] },
        }),
        Way("variable_in_preseed", (sample, password) => new BuildSpec
        {
            Seed = new SeedSpec { Kind = SeedKind.Preseed, Substitute = true, Variables = new Dictionary<string, string> { ["ANY"] = password }.ToImmutableDictionary(), UserData = [sample.Write("p", "d-i preseed/late_command string x ${ANY}\n")] },
        }),
        Way("user_data", (sample, password) => new BuildSpec { Seed = new SeedSpec { UserData = [sample.Write("u", $"#cloud-config\nchpasswd: {{list: 'root:{password}'}}\n")] } }),
        Way("network_config", (sample, password) => new BuildSpec { Seed = new SeedSpec { NetworkConfig = sample.Write("n", $"version: 2\nwifis: {{w: {{access-points: {{a: {{password: {password}}}}}}}}}\n") } }),
        Way("preseed", (sample, password) => new BuildSpec { Seed = new SeedSpec { Kind = SeedKind.Preseed, UserData = [sample.Write("p", $"d-i partman-crypto/passphrase password {password}\n")] } }),
        Way("kickstart", (sample, password) => new BuildSpec { Seed = new SeedSpec { Kind = SeedKind.Kickstart, UserData = [sample.Write("k", $"rootpw --plaintext {password}\n")] } }),
        Way("file", (sample, password) => new BuildSpec { Seed = new SeedSpec { Files = [new ExtraFile("root/.netrc", sample.Write("f", $"machine a login b password {password}\n"))] } }),
        Way("keys", (_, password) => new BuildSpec { Installer = new InstallerSpec { BootKeys = ["root<enter>", $"{password}<enter>"] } }),
        Way("append", (_, password) => new BuildSpec { Installer = new InstallerSpec { BootKernel = "/k", BootAppend = $"inst.ks=https://me:{password}@host/ks.cfg" } }),
    ];

    private static TestCaseData Way(string name, Func<SeedSample, string, BuildSpec> spec) => new(spec) { TestName = $"{{m}}({name})" };

    [TestCaseSource(nameof(Ways))]
    public void The_key_that_is_published_tells_nothing_of_a_password_and_this_machines_own_tells_that_it_changed(Delegate way)
    {
        var of = (Func<SeedSample, string, BuildSpec>)way;
        var (hunter, other) = (Of(of(_sample, "hunter2x"), Mine), Of(of(_sample, "correct-horse"), Mine));

        Assert.That(other.Published, Is.EqualTo(hunter.Published));
        Assert.That(other.Local, Is.Not.EqualTo(hunter.Local));
        Assert.That(other.Mark, Is.Not.EqualTo(hunter.Mark));
        Assert.That(hunter.IsShareable, Is.False);
        Assert.That(Of(of(_sample, "hunter2x"), Mine), Is.EqualTo(hunter), "the same build is the same");
        Assert.That(Of(of(_sample, "hunter2x"), Others).Published, Is.EqualTo(hunter.Published), "on each machine");
        Assert.That(Of(of(_sample, "hunter2x"), Others).Mark, Is.Not.EqualTo(hunter.Mark), "a mark tells others nothing");
    }

    [TestCaseSource(nameof(Ways))]
    public void Machines_that_share_a_secret_key_have_the_same_key_for_the_same_password_alone(Delegate way)
    {
        var of = (Func<SeedSample, string, BuildSpec>)way;
        BuildKeys Shared(string password, string secret, byte[] local) => Of(of(_sample, password) with { Publish = new PublishSpec { KeySecret = new Secret(secret) } }, local);
        var key = Shared("hunter2x", new string('s', 32), Mine);

        Assert.That(key.IsShareable && key.Mark is null, Is.True);
        Assert.That(Shared("hunter2x", new string('s', 32), Others), Is.EqualTo(key));
        Assert.That(Shared("correct-horse", new string('s', 32), Mine).Published, Is.Not.EqualTo(key.Published));
        Assert.That(Shared("hunter2x", new string('t', 32), Mine).Published, Is.Not.EqualTo(key.Published));
    }

    [Test]
    public void Without_secrets_there_is_one_key_with_or_without_a_shared_one()
    {
        var spec = new BuildSpec { Installer = new InstallerSpec { BootKeys = ["<wait2s> autoinstall<enter>"] }, Seed = new SeedSpec { UserData = [_sample.Write("u", "#cloud-config\nhostname: a\n")] } };

        var key = Of(spec, Mine);

        Assert.That((key.Local, key.Mark, key.IsShareable), Is.EqualTo((key.Published, (string?)null, true)));
        Assert.That(Of(spec with { Publish = new PublishSpec { KeySecret = new Secret(new string('s', 32)) } }, Others), Is.EqualTo(key));
    }

    [Test]
    public void What_stands_beside_a_secret_still_counts()
    {
        BuildKeys With(string rest) => Of(new BuildSpec { Seed = new SeedSpec { Files = [new ExtraFile("a.conf", _sample.Write("f", $"password = hunter2x\n{rest}\n"))] } }, Mine);

        Assert.That(With("a = 1").Published, Is.Not.EqualTo(With("a = 22").Published));
    }

    [Test]
    public void This_machines_key_is_made_once_and_is_nobody_elses()
    {
        var local = new LocalKey(Path.Combine(_sample.Folder, "cache"));
        Assert.That(local.Find(), Is.Null);

        var keys = Enumerable.Range(0, 8).AsParallel().WithDegreeOfParallelism(8).Select(_ => new LocalKey(Path.Combine(_sample.Folder, "cache")).Get()).ToList();

        Assert.That(keys, Has.All.EqualTo(local.Find()).And.All.Length.EqualTo(32));
        var file = Directory.GetFiles(Path.Combine(_sample.Folder, "cache")).Single();
        Assert.That(File.GetUnixFileMode(file), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));

        File.WriteAllBytes(file, [1]);
        Assert.That(local.Get(), Has.Length.EqualTo(32), "one that is cut short is made again");
    }

    private static BuildKeys Of(BuildSpec spec, byte[] local) =>
        BuildKey.For(InstallerSample.Iso.Sha256, isReference: false, SeedComposer.KeyOf(spec, SeedFiles.Read(spec.Seed), InstallerSample.Iso), spec, [], () => local);
}
