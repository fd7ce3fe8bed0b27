using System.Text;
using System.Text.Json;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Seeds;

/// <summary>Each kind of seed, by the whole program and a real machine: what the guest reads is what the spec says.</summary>
[CancelAfter(600_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SeedKindTests : IDisposable
{
    private const string Kickstart = "text\nzerombr\nautopart\n%packages\n@core\n%end\n";
    private const string Ignition = "{ \"ignition\": { \"version\": \"3.4.0\" },\n  \"systemd\": { \"units\": [ { \"name\": \"install.service\" } ] } }\n";

    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [Test]
    public async Task A_kernel_mounts_the_vfat_volume_on_a_stick_and_reads_all_files()
    {
        var large = new byte[3_000_000];
        new Random(1).NextBytes(large);
        await File.WriteAllBytesAsync(Path.Combine(_crust.Folder, "bundle.tar"), large, Cancellation);

        var lines = await ReadAsync(asUbuntu: false, "--user-data", Write("user-data.yaml", "#cloud-config\nhostname: edge\n"), "--seed-file-system", "vfat",
            "--seed-file", $"opt/content/Bundle 1.tar={_crust.Folder}/bundle.tar", "--seed-file", Write("readme.txt", "read me"));

        Assert.That(lines, Does.Contain(SeedReader.Line("CIDATA", "vfat", "opt/content/Bundle 1.tar", large)).And.Contain(SeedReader.Line("CIDATA", "vfat", "readme.txt", "read me"u8.ToArray())));
        Assert.That(lines.Where(line => line.StartsWith("seed: CIDATA", StringComparison.Ordinal)).Select(line => line.Split(' ')[3]), Is.EquivalentTo(new[] { "meta-data", "opt/content/Bundle", "readme.txt", "user-data" }));
        Assert.That(lines, Does.Contain(SeedReader.Line("CIDATA", "vfat", "user-data", await DocumentAsync("user-data", "--user-data", $"{_crust.Folder}/user-data.yaml"))));
    }

    [TestCase("iso9660")]
    [TestCase("vfat", Category = "Long")]
    public async Task A_kickstart_file_is_on_a_volume_labelled_OEMDRV_and_powers_off(string fileSystem)
    {
        var lines = await ReadAsync(asUbuntu: false, "--seed-kind", "kickstart", "--user-data", Write("ks.cfg", Kickstart), "--seed-file-system", fileSystem, "--hostname", "edge-1",
            "--seed-file", $"scripts/post.sh={Write("post", "true")}");

        Assert.That(lines, Does.Contain(SeedReader.Line("OEMDRV", fileSystem, "ks.cfg", Encoding.UTF8.GetBytes(Kickstart.Replace("%packages", "# Added by Crust.\nnetwork --hostname=edge-1\npoweroff\n%packages")))));
        Assert.That(lines, Does.Contain(SeedReader.Line("OEMDRV", fileSystem, "scripts/post.sh", "true"u8.ToArray())));
    }

    [Test]
    public async Task Ubuntus_kernel_is_told_not_to_ask_and_the_volume_has_the_autoinstall()
    {
        string[] options = ["--seed-kind", "autoinstall", "--user-data", Write("autoinstall.yaml", "version: 1\nidentity: {hostname: edge, username: edge, password: '*'}\n")];

        var lines = await ReadAsync(asUbuntu: true, options);

        Assert.That(lines, Does.Contain("seed: kernel autoinstall").And.Contain(SeedReader.Line("cidata", "iso9660", "user-data", await DocumentAsync("user-data", options))));
    }

    [Test]
    public async Task Files_in_a_copy_of_the_ISO_are_read_from_the_medium_and_there_is_no_volume()
    {
        var lines = await ReadAsync(asUbuntu: false, "--seed-kind", "embedded", "--seed-profile", "kairos", "--user-data", Write("user-data.yaml", "#cloud-config\nhostname: edge\n"),
            "--seed-file", $"opt/größe/x.bin={Write("x", "content")}");

        Assert.That(lines, Does.Contain("seed: no volume").And.Contain(SeedReader.Line("READER", "iso9660", "opt/größe/x.bin", "content"u8.ToArray())));
        Assert.That(lines, Does.Contain(SeedReader.Line("READER", "iso9660", "config.yaml", await DocumentAsync("config.yaml", "--seed-kind", "embedded", "--seed-profile", "kairos", "--user-data", $"{_crust.Folder}/user-data.yaml"))));
    }

    [Test]
    public async Task An_Ignition_configuration_is_in_the_firmware_device_under_both_names()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.ReadsFirmware, _crust.Folder, Cancellation);

        var serial = await BuildAsync(iso, "--seed-kind", "ignition", "--user-data", Write("config.ign", Ignition));

        foreach (var name in new[] { "opt/com.coreos/config", "opt/org.flatcar-linux/config" })
        {
            Assert.That(serial.Replace("\r", ""), Does.Contain($"\n{name}:\n{Ignition}stub: end\n"));
        }
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(_crust.Folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    private async Task<IReadOnlyList<string>> ReadAsync(bool asUbuntu, params string[] options) =>
        [.. SeedReader.LinesOf(await BuildAsync(await SeedReader.IsoAsync(_crust.Folder, asUbuntu, Cancellation), options))];

    private async Task<string> BuildAsync(string iso, params string[] options)
    {
        var result = await _crust.RunAsync(Cancellation, ["build", "--iso", iso, "--cpus", "1", "--memory", "512M", "--disk-size", "64M", "--format", "img", .. options]);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        return await File.ReadAllTextAsync(Directory.GetFiles(_crust.Images, "*.serial.log").Single(), Cancellation);
    }

    // As the program shows it before anything is built. What differs from build to build isn't in it.
    private async Task<byte[]> DocumentAsync(string name, params string[] options)
    {
        var shown = await _crust.RunAsync(Cancellation, ["seed", "--json", "--reveal", "--iso", $"{_crust.Folder}/reader.iso", .. options]);
        using var listing = JsonDocument.Parse(shown.Output);
        return Encoding.UTF8.GetBytes(listing.RootElement.GetProperty("documents").EnumerateArray().Single(document => document.GetProperty("name").GetString() == name).GetProperty("text").GetString()!);
    }
}
