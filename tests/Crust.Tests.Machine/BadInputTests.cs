using Crust.Storage;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine;

/// <summary>What a user gets wrong, given to the whole program: told in three parts, with its exit code, and nothing is lost.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class BadInputTests : IDisposable
{
    private const int BadInput = 2;
    private const int HostLacks = 3;
    private const int InputOutput = 5;

    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [Test]
    public async Task A_missing_ISO() => Says(await BuildAsync("--iso", "none.iso"), BadInput, "There is no such ISO", "none.iso", "check the path");

    [Test]
    public async Task A_file_that_is_no_ISO_9660()
    {
        await File.WriteAllBytesAsync(InFolder("notes.iso"), new byte[100_000], Cancellation);

        Says(await BuildAsync("--iso", "notes.iso"), BadInput, "This is no ISO 9660 image", "notes.iso", "name the installer's ISO file");
    }

    [Test]
    public async Task An_ISO_that_is_not_bootable()
    {
        await Host.RunAsync("xorriso", ["-outdev", InFolder("data.iso"), "-map", "/etc/hostname", "/hostname"], Cancellation);

        Says(await BuildAsync("--iso", "data.iso"), BadInput, "The ISO isn't bootable: it has no El Torito boot record", "data.iso", "take the installer's bootable ISO");
    }

    [Test]
    public async Task A_URL_without_a_checksum() => Says(await BuildAsync("--iso", "http://127.0.0.1:1/edge.iso"),
        BadInput, "comes without a checksum", "http://127.0.0.1:1/edge.iso", "installer.sha256");

    [Test]
    public async Task A_checksum_that_does_not_match()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);

        Says(await BuildAsync("--iso", iso, "--sha256", new string('0', 64)), BadInput, $"expected SHA-256 {new string('0', 64)}", iso, "");
    }

    [Test]
    public async Task A_server_that_is_not_there() => Says(await BuildAsync("--iso", "http://127.0.0.1:1/edge.iso", "--sha256", new string('0', 64)),
        InputOutput, "The download failed: Connection refused", "http://127.0.0.1:1/edge.iso", "");

    [Test]
    public async Task YAML_that_does_not_parse()
    {
        await File.WriteAllTextAsync(InFolder("crust.yaml"), "version: 1\nmachine: disk: 1G\n", Cancellation);

        Says(await BuildAsync(), BadInput, "This isn't YAML", "crust.yaml:2:", "mend the line");
    }

    [Test]
    public async Task An_unknown_key()
    {
        await File.WriteAllTextAsync(InFolder("crust.yaml"), "version: 1\nmachine:\n  disc: 1G\n", Cancellation);

        Says(await BuildAsync(), BadInput, "There is no key 'machine.disc'", "crust.yaml:3:3", "did you mean 'machine.disk'?");
    }

    [Test]
    public async Task A_size_that_is_none()
    {
        _crust.Environment["DISK_SIZE"] = "12bananas";

        Says(await BuildAsync(), BadInput, "'12bananas'", "DISK_SIZE", "100G");
    }

    [Test]
    public async Task An_option_that_does_not_exist() => Says(await BuildAsync("--formt", "img"), BadInput, "There is no option '--formt'", "crust build --formt img", "did you mean '--format'?");

    [Test]
    public async Task User_data_that_is_no_cloud_config()
    {
        await File.WriteAllTextAsync(InFolder("user-data.yaml"), "#!/bin/sh\necho hello\n", Cancellation);

        Says(await BuildAsync("--user-data", "user-data.yaml"), BadInput, "#cloud-config", "user-data.yaml", "");
    }

    [Test]
    public async Task An_images_folder_that_cannot_be_written()
    {
        await File.WriteAllTextAsync(_crust.Images, "a file stands where the folder should be", Cancellation);

        Says(await BuildAsync(), HostLacks, "The folder can't be written", _crust.Images, "--output");
    }

    [Test]
    public async Task A_firmware_that_the_ISO_does_not_boot_under()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);

        Says(await BuildAsync("--iso", iso, "--firmware", "uefi"), BadInput, "The installer ISO has no boot image for UEFI", iso, "--firmware bios");
    }

    [Test]
    public async Task Both_power_off_and_reboot_are_a_warning_that_says_which_wins()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);
        await File.WriteAllTextAsync(InFolder("user-data.yaml"), "#cloud-config\ninstall: {poweroff: true, reboot: true}\n", Cancellation);

        var result = await BuildAsync("--iso", iso, "--user-data", "user-data.yaml", "--format", "img", "--disk-size", "64M");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error, Does.Match("warning .*user-data.yaml:2:[0-9]+: install.reboot and install.poweroff are both true: reboot wins"));
    }

    [Test]
    public async Task A_host_disk_without_room_is_told_before_the_install()
    {
        using var small = await SmallFileSystem.MountAsync(InFolder("small"), "16M", Cancellation);
        _crust.Environment["CRUST_CACHE"] = small.Path;

        Says(await BuildAsync("--iso", await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation)),
            HostLacks, "There is too little space for the installed disk", small.Path, "CRUST_CACHE");
    }

    [Test]
    public async Task An_images_folder_without_room_is_told_before_the_install_and_the_earlier_image_stays()
    {
        using var small = await SmallFileSystem.MountAsync(_crust.Images, "1M", Cancellation);
        await File.WriteAllTextAsync(_crust.Image("edge.img"), "earlier", Cancellation);
        OutputFile.Sign(_crust.Image("edge.img"));
        await File.WriteAllBytesAsync(_crust.Image("ballast"), new byte[248 * 4096], Cancellation);

        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);
        Says(await BuildAsync("--iso", iso, "--name", "edge", "--format", "img", "--disk-size", "64M", "--memory", "256M"),
            HostLacks, "There is too little space for the images: about ", _crust.Images, "choose another folder with --output");

        Assert.That(await File.ReadAllTextAsync(_crust.Image("edge.img"), Cancellation), Is.EqualTo("earlier"));
        Assert.That(_crust.Products, Is.EquivalentTo(new[] { "edge.img", "ballast" }));
    }

    private static void Says(CrustResult result, int exitCode, string what, string where, string remedy)
    {
        Assert.That(result.ExitCode, Is.EqualTo(exitCode), result.Error);
        Assert.That(result.Output, Is.Empty);
        Assert.That(result.Error, Does.Contain("crust: ").And.Contain(what).And.Contain("  where: ").And.Contain(where).And.Contain("  to do: ").And.Contain(remedy));
        Assert.That(result.Error, Does.Not.Contain("   at Crust."), "no stack trace");
    }

    private string InFolder(string file) => Path.Combine(_crust.Folder, file);

    private Task<CrustResult> BuildAsync(params string[] arguments) => _crust.RunAsync(Cancellation, ["build", .. arguments]);
}
