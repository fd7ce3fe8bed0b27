using Crust.Isos;
using Crust.Seeds;
using Crust.Tests.Spec;
using Crust.Tools;
using Serilog;

namespace Crust.Tests.Seeds;

public sealed class SeedVolumeTests
{
    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public async Task The_volume_is_what_installers_look_for_and_holds_the_seed_byte_for_byte()
    {
        var seed = SeedSample.Compose(SeedSample.Full with { NetworkConfig = _sample.Write("net", "version: 2\n# ünïcode\n") });
        using var volume = await CreateAsync(seed);
        var outside = Path.Combine(_sample.Folder, "outside");

        var listed = await XorrisoAsync("-indev", volume.Volume!, "-pvd_info", "-find", "/", "-exec", "lsdl");
        await XorrisoAsync("-osirrox", "on", "-indev", volume.Volume!, "-extract", "/", outside);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(listed.Output + listed.Error, Does.Contain("Volume Id    : cidata"));
            Assert.That(listed.Output.Split('\n').Where(line => line.StartsWith('-')).Select(line => (line[..10], line.Split(' ')[^1])),
                Is.EquivalentTo(new[] { ("-rw-------", "'/meta-data'"), ("-rw-------", "'/network-config'"), ("-rw-------", "'/user-data'") }));
            Assert.That(File.ReadAllText(Path.Combine(outside, "user-data")), Is.EqualTo(SeedSample.UserDataOf(seed)));
            Assert.That(File.ReadAllText(Path.Combine(outside, "meta-data")), Is.EqualTo(SeedSample.DocumentOf(seed, "meta-data")));
            Assert.That(File.ReadAllText(Path.Combine(outside, "network-config")), Is.EqualTo(SeedSample.DocumentOf(seed, "network-config")));
            Assert.That(HasJolietLabel(volume.Volume!, "cidata"), Is.True);
        }
    }

    [Test]
    public async Task Without_a_network_config_the_volume_has_none()
    {
        using var volume = await CreateAsync(SeedSample.Compose(SeedSample.Full));

        var listed = await XorrisoAsync("-indev", volume.Volume!, "-find", "/", "-type", "f");

        Assert.That(listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Is.EquivalentTo(new[] { "'/meta-data'", "'/user-data'" }));
    }

    [Test]
    public async Task Only_its_owner_can_read_the_volume_and_no_other_copy_is_left()
    {
        using var volume = await CreateAsync(SeedSample.Compose(SeedSample.Full));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(File.GetUnixFileMode(volume.Volume!), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            Assert.That(Directory.GetFileSystemEntries(_sample.Folder), Is.EqualTo(new[] { volume.Volume! }));
        }
    }

    [Test]
    public async Task A_volume_of_an_earlier_call_is_replaced_and_disposing_deletes_it()
    {
        await CreateAsync(SeedSample.Compose(SeedSample.Full));
        var second = await CreateAsync(SeedSample.Compose(SeedSample.Full));

        second.Dispose();

        Assert.That(Directory.GetFileSystemEntries(_sample.Folder), Is.Empty);
    }

    [Test]
    public void No_secret_stands_in_an_argument() =>
        Assert.That(string.Join(' ', SeedVolume.Arguments("cidata", [new VolumeFile("user-data", "/private/seed/0"), new VolumeFile("a/b=c", "/home/me/x=y")], "/private/seed.iso")),
            Is.EqualTo("-no_rc -as mkisofs -quiet -volid cidata -joliet -joliet-long -rock -iso-level 3 -uid 0 -gid 0 -f -o /private/seed.iso"
                + @" -graft-points /user-data=/private/seed/0 /a/b\=c=/home/me/x\=y"));

    [Test]
    public async Task A_folder_that_is_not_there_is_an_error_of_writing()
    {
        var error = (await Assert.ThrowsAsync<CrustException>(() => CreateAsync(SeedSample.Compose(SeedSample.Full), "/proc/nowhere")))!;

        ErrorAssert.Says(error, FailureKind.InputOutput, error.What, "/proc/nowhere", "make room there, and the folder writable");
        Assert.That(error.What, Does.StartWith("The seed volume can't be written: "));
    }

    [Test]
    public async Task A_host_without_xorriso_is_told_and_keeps_no_secrets()
    {
        var error = (await Assert.ThrowsAsync<ToolMissingException>(() =>
            new SeedVolume(new ToolBox([], Log.Logger)).CreateAsync(SeedSample.Compose(SeedSample.Full), _sample.Folder, CancellationToken.None)))!;

        using (Assert.EnterMultipleScope())
        {
            Assert.That(error.Kind, Is.EqualTo(FailureKind.HostLacks));
            Assert.That(error.Remedy, Is.EqualTo("install it: apt-get install xorriso"));
            Assert.That(Directory.Exists(Path.Combine(_sample.Folder, "seed")), Is.False);
        }
    }

    private Task<SeedDelivery> CreateAsync(Seed seed, string? folder = null) => _sample.DeliverAsync(seed, folder);

    private static Task<ToolResult> XorrisoAsync(params string[] arguments) =>
        SeedSample.Tools.RunAsync(ToolCommand.Of("xorriso", ["-no_rc", .. arguments]), CancellationToken.None);

    // The supplementary volume descriptor of ECMA-119 with Joliet's escape sequence, in the sectors after the primary one.
    private static bool HasJolietLabel(string path, string label)
    {
        var bytes = File.ReadAllBytes(path);
        return Enumerable.Range(17, 4).Select(sector => bytes.AsSpan(sector * 2048, 2048).ToArray()).Any(sector =>
            sector[0] == 2 && sector[88] == 0x25 && System.Text.Encoding.BigEndianUnicode.GetString(sector, 40, 32).TrimEnd(' ', '\0') == label);
    }
}
